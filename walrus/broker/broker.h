// Broker: topics as the servers of both protocols see them; what lies behind is one log on this
// machine (local_broker.h) or a cluster.
//
// A topic has one or more partitions, each a dense sequence of records.  What is stored are Kafka's
// record batches (protocol/record_batch.h), as they came; a PUT of the text protocol is a batch of
// one record, with the payload as its value.
//
// Everything here is called on the loop and calls back on the loop, once for each call; the
// callback may run before the call returns.  A call whose answer must wait does not block.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/base/strong.h"
#include "walrus/broker/types.h"

namespace walrus::broker {

using WatchId = std::uint64_t;  // 0 is none.

// One partition.  Lives as long as the broker; after its topic is deleted every call says
// kNotFound.
class Partition {
public:
    virtual ~Partition() = default;

    virtual PartitionInfo info() const = 0;

    // Checks the batch (one, whole) and appends it.  The bytes are copied before this returns.
    virtual void append(Bytes batch, Acks acks, AppendCallback done) = 0;

    // Whole batches from the one that holds `from`, up to about `max_bytes` and at least one if
    // there is any.  At the high watermark: none.
    virtual void fetch(Offset from, std::uint64_t max_bytes, FetchCallback done) = 0;

    // Calls once when the high watermark has passed `offset`, or the topic is gone.
    virtual WatchId watch(Offset offset, std::function<void()> readable) = 0;
    virtual void unwatch(WatchId watch) = 0;

    // The first offset whose batch has a timestamp at or after `timestamp_ms`; the high watermark
    // if there is none.
    virtual void offset_at(std::int64_t timestamp_ms, OffsetCallback done) = 0;

    // Gives up what is before `offset` (at most the high watermark).
    virtual void delete_records(Offset offset, StatusCallback done) = 0;

    // The high watermark, not older than this call: whatever was acknowledged before, by any node,
    // lies below it.  Who is the only one to append knows it at once.
    virtual void end_offset(OffsetCallback done) { done(info().high_watermark); }
};

class Broker {
public:
    virtual ~Broker() = default;

    virtual ClusterDescription cluster() const = 0;
    virtual std::vector<std::string> topic_names() const = 0;
    // kNotFound.
    virtual Result<TopicDescription> describe(std::string_view topic) const = 0;
    // Null: there is no such topic or partition.  Allocates nothing.
    virtual Partition* find(std::string_view topic, std::int32_t partition) const = 0;

    // Durable when answered.  kAlreadyExists; kInvalidArgument: a name, number or config that
    // cannot be; kResourceExhausted: too many topics.
    virtual void create_topic(TopicSpec spec, bool validate_only, StatusCallback done) = 0;
    virtual void delete_topic(std::string_view topic, StatusCallback done) = 0;
    // Sets a topic's configs; those that are not named keep their values.
    virtual void set_configs(std::string_view topic, std::vector<ConfigEntry> configs,
                             StatusCallback done) = 0;
    // A number that no producer of this cluster has had.
    virtual void new_producer_id(std::function<void(Result<std::int64_t>)> done) = 0;
};

// What groups have read, kept for ever.  The group "" is the shared cursor of the text protocol.
class OffsetStore {
public:
    virtual ~OffsetStore() = default;

    // All or nothing; durable when answered.
    virtual void commit(std::string_view group, std::vector<OffsetCommit> offsets,
                        StatusCallback done) = 0;
    virtual std::optional<CommittedOffset> committed(std::string_view group, std::string_view topic,
                                                     std::int32_t partition) const = 0;
    // Everything of a group, in the order of topic and partition.
    virtual std::vector<OffsetCommit> of_group(std::string_view group) const = 0;
    virtual std::vector<std::string> groups() const = 0;
    virtual void forget_group(std::string_view group, StatusCallback done) = 0;
    virtual void forget_topic(std::string_view topic, StatusCallback done) = 0;

    // To be called before committed() is relied upon to give each record out once: from then on
    // nobody else moves this position, or commits of this store fail.  A store that has no others
    // answers at once.
    virtual void acquire(std::string_view /*group*/, std::string_view /*topic*/,
                         std::int32_t /*partition*/, StatusCallback done) {
        done({});
    }
    // May this node coordinate groups?  kNotLeader: another one does; kBusy: it will in a moment.
    virtual Status coordinates() const { return {}; }
};

}  // namespace walrus::broker

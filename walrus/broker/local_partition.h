// LocalPartition: a Partition that is a topic of a log on this machine.
//
// The broker is the only one that appends to that topic, so the partition knows its offsets without
// asking the log.  What it remembers of producers follows from the stored batches.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "walrus/broker/batch_check.h"
#include "walrus/broker/broker.h"
#include "walrus/broker/broker_core.h"
#include "walrus/broker/topic_config.h"
#include "walrus/cluster/producer_table.h"

namespace walrus::broker {

struct PartitionPlace {
    std::uint64_t topic_id = 0;
    std::int32_t index = 0;
    std::string log_topic;  // Its topic in the log.
};

// The name of a partition's topic in the log: "<topic id>:<partition>:<name>", cut to fit.
std::string log_topic_name(std::uint64_t topic_id, std::uint32_t partition, std::string_view name);

// On the loop.  `core` and `log` outlive it.
class LocalPartition final : public Partition {
public:
    LocalPartition(BrokerCore& core, BrokerLog& log, PartitionPlace place);

    // Takes up what the log has, reading the batches that no snapshot covers.
    Status recover();
    void configure(const TopicConfig& config) { config_ = config; }
    // The topic is gone.
    void retire();

    PartitionInfo info() const override;
    void append(Bytes batch, Acks acks, AppendCallback done) override;
    void fetch(Offset from, std::uint64_t max_bytes, FetchCallback done) override;
    WatchId watch(Offset offset, std::function<void()> readable) override;
    void unwatch(WatchId watch) override;
    void offset_at(std::int64_t timestamp_ms, OffsetCallback done) override;
    void delete_records(Offset offset, StatusCallback done) override;

    // An append that had to wait.  False: there is still no room.
    bool retry(WaitingAppend& append);
    // The log has acknowledged an append of ours, or failed it.
    void acknowledged(const PendingAppend& append);
    // To be called after acknowledged(): calls watchers.
    void notify();

    const PartitionPlace& place() const { return place_; }
    std::uint64_t unsaved_bytes() const { return unsaved_bytes_; }
    // Writes down what is known of the producers; `now`: by the calling thread.
    void save_producers(bool now);

private:
    struct Watch {
        WatchId id = 0;
        Offset offset;
        std::function<void()> readable;
    };
    // A duplicate that is answered when its original is acknowledged.
    struct Twin {
        Offset base_offset;
        Offset end;
        AppendCallback done;
    };

    Status usable() const;
    Result<CheckedBatch> check(Bytes batch) const;
    Error broken_log() const;
    bool try_append(const WaitingAppend& append, const CheckedBatch& checked);
    bool answer_known(const CheckedBatch& checked, AppendCallback done);
    void appended(const CheckedBatch& checked, Offset first);
    void answer(AppendCallback done, AppendOutcome outcome, Offset base_offset, Status status = {});
    void answer_fetch(Result<wal::RecordBatch> batch, const FetchCallback& done) const;
    Status fetchable(Offset from);
    void refresh() const;
    void answer_twins();
    Status replay(Offset from, Offset end);

    BrokerCore& core_;
    BrokerLog& log_;
    const PartitionPlace place_;
    TopicConfig config_;
    bool retired_ = false;
    bool broken_ = false;       // The log failed an append of ours.
    mutable Offset log_start_;  // As of the last look; retention moves it.
    mutable std::uint64_t size_bytes_ = 0;
    Offset high_watermark_;  // Invariant: high_watermark_ <= log_end_.
    Offset log_end_;
    cluster::ProducerTable producers_;
    std::vector<Twin> twins_;
    std::uint64_t snapshot_sequence_ = 0;
    std::uint64_t unsaved_bytes_ = 0;  // Appended since the last snapshot.
    bool saving_ = false;
    std::vector<Watch> watches_;
    std::deque<Watch> due_;  // Being called.
    bool notifying_ = false;
    WatchId last_watch_ = 0;
};

}  // namespace walrus::broker

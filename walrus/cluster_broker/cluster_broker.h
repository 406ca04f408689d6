// ClusterBroker: the Broker of a node of a cluster, over a member::ClusterMember.
//
//   Kafka's clients -> Broker, Partition: this node's partitions if it leads them, else kNotLeader
//   text clients    -> RecordService: any topic, sent on to the node that leads it
//   groups          -> OffsetStore: cursors of the metadata log
//
// A partition is a topic of the cluster (topic_names.h), its epochs are the numbers of its
// segments. What topics' configs mean here: cluster_configs.h.
//
//   auto broker = ClusterBroker::open(options, loop);
//   auto member = ClusterMember::open(member_options, loop, transport, (*broker)->watcher());
//   (*broker)->start(**member);
//   ...
//   (*broker)->close();       everything that waits is answered
//   member->close();          then the member goes, then the broker
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "walrus/base/result.h"
#include "walrus/broker/broker.h"
#include "walrus/broker/record_service.h"
#include "walrus/member/member.h"
#include "walrus/net/loop.h"

namespace walrus::cluster_broker {

struct ClusterBrokerOptions {
    // What a topic has that says nothing else, by config name; also "walrus.replication.factor",
    // which is otherwise 3, or the number of nodes if there are fewer.
    std::vector<broker::ConfigEntry> topic_defaults = {};
    std::uint32_t max_partitions = 1'000;        // Of one topic.
    std::uint64_t max_batch_bytes = 1'048'588;   // As Kafka has it.
    std::uint64_t max_waiting_bytes = 32 << 20;  // Of appends and PUTs that wait for leaders.
    // How long a request of the text protocol, a change of a topic, or an append that finds its
    // leader changing segments, is tried.
    std::uint64_t patience_ms = 10'000;
    // One call to another node; its answer was lost, or the node is.
    std::uint64_t call_timeout_ms = 2'000;

    // This node begins or ends to coordinate groups: their members in memory are to be forgotten.
    std::function<void()> coordinator_changed = {};
    // The node cannot go on; the process must end.
    std::function<void(const Error&)> failed = {};
};

// Used on the loop, which outlives it.
class ClusterBroker : public broker::Broker, public broker::RecordService {
public:
    // kInvalidArgument: a default that cannot be.
    static Result<std::unique_ptr<ClusterBroker>> open(ClusterBrokerOptions options,
                                                       net::Loop& loop);

    // To be given to ClusterMember::open(); what it is told before start() is made up for there.
    virtual member::MemberWatcher& watcher() = 0;
    // `member` is not destroyed before close().  Takes its call handler.
    virtual void start(member::ClusterMember& member) = 0;
    // Answers everything that waits with kClosed, and later calls too; leaves the member alone.
    virtual void close() = 0;

    virtual broker::OffsetStore& offsets() = 0;
};

}  // namespace walrus::cluster_broker

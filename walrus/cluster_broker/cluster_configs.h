// Topic configs in a cluster: Kafka's names and values, names of our own, and what they come to.
//
//   cleanup.policy              delete
//   compression.type            producer: batches are stored as they came
//   flush.messages, flush.ms    any number: class disk, which is at least as safe; not kept
//   max.message.bytes           of the nodes, not of a topic
//   message.timestamp.type      CreateTime
//   min.insync.replicas         a segment opens with so many copies at least, and so many count
//   retention.bytes, retention.ms, walrus.retention.records    -1: no limit.  Whole segments go
//   segment.bytes, segment.ms, walrus.segment.records          when a segment ends
//   walrus.ack.quorum           copies that make a batch durable; a majority if it is not said
//   walrus.durability           disk, os-interval, process: of each copy
//   walrus.reclaim.read         true: what every cursor has passed goes
//
// All of it is kept in a cluster::TopicConfig, so a config that has the default's value is one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/base/result.h"
#include "walrus/broker/types.h"
#include "walrus/cluster/metadata.h"

namespace walrus::cluster_broker {

class ClusterConfigs {
public:
    // `changed` are the broker's own defaults; "walrus.replication.factor" among them.
    // kInvalidArgument.
    static Result<ClusterConfigs> make(std::uint64_t max_batch_bytes,
                                       const std::vector<broker::ConfigEntry>& changed);

    // What a new topic has.  `replication_factor` 0: the default in a cluster of so many nodes.
    // kInvalidArgument: an unknown name, an impossible value, or too few nodes.
    Result<cluster::TopicConfig> of_new_topic(
        std::uint32_t replication_factor, std::uint32_t nodes,
        const std::vector<broker::ConfigEntry>& configs) const;
    // `config` with changes; one that is_default goes back to the default.
    Result<cluster::TopicConfig> changed(const cluster::TopicConfig& config,
                                         const std::vector<broker::ConfigEntry>& changes) const;
    // Every known name, sorted, with the topic's value.
    std::vector<broker::ConfigEntry> describe(const cluster::TopicConfig& config) const;

private:
    // A config as it is being made: what follows from others is filled in at the end.
    struct Draft;

    explicit ClusterConfigs(std::uint64_t max_batch_bytes) : max_batch_bytes_(max_batch_bytes) {}

    Status set(Draft& draft, const broker::ConfigEntry& entry) const;
    Result<cluster::TopicConfig> finish(const Draft& draft) const;
    Result<cluster::TopicConfig> defaults(std::uint32_t replication_factor) const;
    std::string value_of(const cluster::TopicConfig& config, std::string_view name) const;

    std::uint64_t max_batch_bytes_;
    std::uint32_t replication_factor_ = 0;      // 0: as many nodes as there are, 3 at most.
    std::vector<broker::ConfigEntry> changed_;  // By the broker's options.
};

}  // namespace walrus::cluster_broker

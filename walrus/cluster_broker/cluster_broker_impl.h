// What is behind ClusterBroker.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "walrus/cluster_broker/cluster_broker.h"
#include "walrus/cluster_broker/core.h"
#include "walrus/cluster_broker/offsets.h"
#include "walrus/cluster_broker/partition.h"
#include "walrus/cluster_broker/proposer.h"
#include "walrus/cluster_broker/records.h"

namespace walrus::cluster_broker {

class ClusterBrokerImpl final : public ClusterBroker, private member::MemberWatcher {
public:
    ClusterBrokerImpl(ClusterBrokerOptions options, net::Loop& loop, ClusterConfigs configs);
    ~ClusterBrokerImpl() override;

    // --- ClusterBroker ---
    member::MemberWatcher& watcher() override { return *this; }
    void start(member::ClusterMember& member) override;
    void close() override;
    broker::OffsetStore& offsets() override { return offsets_; }

    // --- Broker ---
    broker::ClusterDescription cluster() const override;
    std::vector<std::string> topic_names() const override;
    Result<broker::TopicDescription> describe(std::string_view topic) const override;
    broker::Partition* find(std::string_view topic, std::int32_t partition) const override;
    void create_topic(broker::TopicSpec spec, bool validate_only,
                      broker::StatusCallback done) override;
    void delete_topic(std::string_view topic, broker::StatusCallback done) override;
    void set_configs(std::string_view topic, std::vector<broker::ConfigEntry> configs,
                     broker::StatusCallback done) override;
    void new_producer_id(std::function<void(Result<std::int64_t>)> done) override;

    // --- RecordService ---
    void put(std::string_view topic, Bytes value, broker::StatusCallback done) override {
        records_.put(topic, value, std::move(done));
    }
    void get(std::string_view topic, broker::RecordCallback done) override {
        records_.get(topic, std::move(done));
    }

private:
    // --- MemberWatcher ---
    void topic_changed(cluster::TopicId topic) override;
    void state_replaced() override;
    void readable(const cluster::SegmentKey& key) override;
    void controller_changed() override;
    void failed(const Error& error) override;

    using Partitions = std::vector<ClusterPartition*>;  // By index; null: there is none.
    // Of a topic that exists.
    static std::size_t count(const Partitions& partitions);

    void add_partition(const cluster::Topic& topic);
    void remove_partition(cluster::TopicId id);

    // --- changes of topics (topics.cc) ---
    struct Change;
    Result<cluster::TopicConfig> check_new(const broker::TopicSpec& spec) const;
    std::uint32_t node_count() const;
    void make_partitions(const std::shared_ptr<Change>& change);
    void make_partition(const std::shared_ptr<Change>& change, std::int32_t index);
    void drop_partition(const std::shared_ptr<Change>& change, cluster::TopicId id);
    void adopt_partition(const std::shared_ptr<Change>& change, cluster::TopicId id);

    Core core_;
    Proposer proposer_;
    ClusterOffsets offsets_;
    std::map<cluster::TopicId, std::unique_ptr<ClusterPartition>> partitions_;
    std::map<std::string, Partitions, std::less<>> topics_;   // Also such as do not exist yet.
    std::vector<std::unique_ptr<ClusterPartition>> retired_;  // They live as long as the broker.
    ClusterRecords records_;
    std::uint64_t spread_ = 0;  // Says who is the first to lead the next partition that is made.
};

}  // namespace walrus::cluster_broker

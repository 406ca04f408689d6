// What is behind LocalBroker.
//
// Changes of topics block, so they run on the worker pool; one after the other, in the order in
// which they came, and each is checked when its turn comes.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "walrus/broker/broker_core.h"
#include "walrus/broker/catalogue.h"
#include "walrus/broker/local_broker.h"
#include "walrus/broker/local_partition.h"
#include "walrus/broker/topic_config.h"

namespace walrus::broker {

class LocalBrokerImpl final : public LocalBroker, private InboxOwner {
public:
    static Result<std::unique_ptr<LocalBroker>> open(LocalBrokerOptions options, net::Loop& loop);
    ~LocalBrokerImpl() override;

    // --- LocalBroker ---
    Status close() override;
    BrokerCounters counters() const override;
    std::vector<LogStats> logs() const override;
    wal::Wal& meta_log() override { return *meta_; }

    // --- Broker ---
    ClusterDescription cluster() const override;
    std::vector<std::string> topic_names() const override;
    Result<TopicDescription> describe(std::string_view topic) const override;
    Partition* find(std::string_view topic, std::int32_t partition) const override;
    void create_topic(TopicSpec spec, bool validate_only, StatusCallback done) override;
    void delete_topic(std::string_view topic, StatusCallback done) override;
    void set_configs(std::string_view topic, std::vector<ConfigEntry> configs,
                     StatusCallback done) override;
    void new_producer_id(std::function<void(Result<std::int64_t>)> done) override;

private:
    struct Topic {
        StoredTopic stored;
        TopicConfig config;
        std::vector<std::unique_ptr<LocalPartition>> partitions;
    };
    using Topics = std::map<std::string, Topic, std::less<>>;
    struct Creation;

    LocalBrokerImpl(LocalBrokerOptions options, net::Loop& loop, ConfigDefaults defaults);

    // --- opening (local_broker.cc) ---
    Status recover();
    wal::Options log_options(std::string_view name) const;
    Result<std::unique_ptr<wal::Wal>> open_log(wal::DurabilityClass durability) const;
    std::unique_ptr<BrokerLog>& log_of(wal::DurabilityClass durability);
    Status need_log(wal::DurabilityClass durability);
    Status recover_topic(const StoredTopic& stored);
    void drop_strays();

    // --- appending (local_broker.cc) ---
    void acknowledged(PendingAppend* first) override;
    void drive(BrokerLog& log) override;
    void start_driving(BrokerLog& log);
    void stop_driving(BrokerLog& log);
    void retry_waiting(BrokerLog& log);
    void save_some_producers();
    void answer_everything();
    Status close_logs();

    // --- changes of topics (local_topics.cc) ---
    // `begin` ends with end_change(), now or from a worker by way of the inbox.
    void change(std::function<void()> begin);
    void end_change();
    // Runs `job` on a worker and `then` with its answer on the loop.
    void on_worker(std::function<Status()> job, std::function<void(Status)> then);
    Status check_new(const TopicSpec& spec) const;
    void begin_creation(const TopicSpec& spec, const StatusCallback& done);
    Status create_on_worker(Creation& creation);
    void install_log(Creation& creation);
    void install_topic(const Creation& creation);
    void begin_deletion(const std::string& name, const StatusCallback& done);
    void begin_configuration(const std::string& name, const std::vector<ConfigEntry>& changes,
                             const StatusCallback& done);
    Topic make_topic(const StoredTopic& stored, BrokerLog& log);
    std::vector<ConfigEntry> configs_of(const StoredTopic& stored) const;
    void reapply_retention();

    BrokerCore core_;
    const ConfigDefaults defaults_;
    std::unique_ptr<wal::Wal> meta_;
    std::optional<Catalogue> catalogue_;  // While a change runs, of its worker.
    std::string cluster_id_;
    std::array<std::unique_ptr<BrokerLog>, 3> logs_;  // By class; null until one is needed.
    Topics topics_;
    std::vector<std::unique_ptr<LocalPartition>>
        retired_;  // Partition says: as long as the broker.
    std::uint64_t partition_count_ = 0;

    std::deque<std::function<void()>> changes_;
    bool changing_ = false;
    std::uint64_t next_producer_id_ = 1;
    std::uint64_t producer_ids_end_ = 1;  // Those below are reserved for us.

    std::vector<LocalPartition*> touched_;  // By acknowledgements that are being handled.
    std::string saved_upto_;                // The topic whose producers were saved last.
};

}  // namespace walrus::broker

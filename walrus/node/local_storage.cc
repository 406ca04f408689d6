// The log of this machine as storage.
#include <utility>

#include "walrus/broker/local_broker.h"
#include "walrus/broker/offset_store.h"
#include "walrus/node/storage.h"

namespace walrus::node {
namespace {

broker::LocalBrokerOptions broker_options(const StorageParts& parts) {
    const Config& config = parts.config;
    broker::LocalBrokerOptions options;
    options.data_dir = config.local_dir();
    options.address = {.id = static_cast<broker::BrokerId>(config.node_id),
                       .kafka_host = config.advertised_kafka_host(),
                       .kafka_port = parts.kafka_port};
    options.topic_defaults = {
        {.name = "walrus.durability",
         .value = std::string(wal::durability_class_name(config.durability))}};
    for (const broker::ConfigEntry& entry : config.topic_defaults)
        options.topic_defaults.push_back(entry);
    options.max_topics = config.max_topics;
    options.file_size = config.log_file_bytes;
    options.ring_size = config.ring_size_bytes;
    options.sync_interval_ms = config.sync_interval_ms;
    options.backend = config.io_backend;
    options.allow_uring = !config.disable_io_uring;
    options.workers = config.workers;
    options.env = &parts.disk;
    return options;
}

class LocalStorage final : public Storage {
public:
    explicit LocalStorage(StorageParts parts) : parts_(std::move(parts)) {}

    Status open() {
        auto broker = broker::LocalBroker::open(broker_options(parts_), parts_.loop);
        if (!broker) return broker.error();
        broker_ = *std::move(broker);
        broker::OffsetStoreOptions options;
        options.directory = parts_.config.node_dir() + "/offsets";
        options.backend = parts_.config.io_backend;
        options.env = &parts_.disk;
        auto offsets = broker::LogOffsetStore::open(std::move(options), parts_.loop);
        if (!offsets) return offsets.error();
        offsets_ = *std::move(offsets);
        return {};
    }

    broker::Broker& broker() override { return *broker_; }
    broker::OffsetStore& offsets() override { return *offsets_; }
    broker::RecordService* records() override { return nullptr; }
    void show(AdminSource& source) override { source.local = broker_.get(); }
    std::string not_ready() const override { return {}; }
    void step_aside(std::uint64_t, std::function<void()> done) override {
        parts_.loop.post(std::move(done));
    }
    void abandon() override {}
    Status close() override {
        Status broker = broker_->close();
        Status offsets = offsets_->close();
        return broker ? std::move(offsets) : std::move(broker);
    }

private:
    const StorageParts parts_;
    std::unique_ptr<broker::LocalBroker> broker_;
    std::unique_ptr<broker::LogOffsetStore> offsets_;
};

}  // namespace

Result<std::unique_ptr<Storage>> open_local_storage(StorageParts parts) {
    auto storage = std::make_unique<LocalStorage>(std::move(parts));
    WALRUS_RETURN_IF_ERROR(storage->open());
    return std::unique_ptr<Storage>(std::move(storage));
}

}  // namespace walrus::node

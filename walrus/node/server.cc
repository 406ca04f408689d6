#include "walrus/node/server.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "walrus/base/random.h"
#include "walrus/broker/local_broker.h"
#include "walrus/broker/offset_store.h"
#include "walrus/env/posix_env.h"
#include "walrus/net/frame_server.h"
#include "walrus/node/admin_server.h"
#include "walrus/node/kafka/service.h"
#include "walrus/node/text_handler.h"
#include "walrus/node/timed_env.h"
#include "walrus/protocol/text_codec.h"

namespace walrus::node {
namespace {

broker::LocalBrokerOptions local_broker_options(const Config& config, std::uint16_t kafka_port) {
    broker::LocalBrokerOptions options;
    options.data_dir = config.node_dir() + "/user_data";
    options.address = {
        .id = static_cast<broker::BrokerId>(config.node_id),
        .kafka_host = config.advertised_kafka_host(),
        .kafka_port = config.kafka_advertise_port != 0 ? config.kafka_advertise_port : kafka_port};
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
    return options;
}

kafka::KafkaOptions kafka_options(const Config& config) {
    kafka::KafkaOptions options;
    options.auto_create_topics = config.auto_create_topics;
    options.default_partitions = config.default_partitions;
    options.broker_configs = {
        {.name = "auto.create.topics.enable",
         .value = config.auto_create_topics ? "true" : "false"},
        {.name = "log.dirs", .value = config.node_dir()},
        {.name = "num.partitions", .value = std::to_string(config.default_partitions)},
        {.name = "socket.request.max.bytes", .value = std::to_string(config.max_request_bytes)},
        {.name = "walrus.durability",
         .value = std::string(wal::durability_class_name(config.durability))},
    };
    return options;
}

class LocalServer final : public Server {
public:
    LocalServer(const ResolvedConfig& resolved, net::AsioLoop& loop)
        : resolved_(resolved), config_(resolved_.config), loop_(loop) {}

    Status open();
    const OpenPorts& ports() const override { return ports_; }
    void shut_down(std::function<void(Status)> done) override;

private:
    Status open_doors();
    Result<OpenPort> open_door(net::ServerOptions options, net::HandlerFactory make_handler);
    Status open_admin();
    Status open_storage();
    void serve();
    void on_drained();
    Status close_storage();

    const ResolvedConfig resolved_;
    const Config& config_;
    net::AsioLoop& loop_;
    SystemRandom random_;
    OpenPorts ports_;
    AdminSource admin_source_;
    SyncTimes sync_times_;
    const std::unique_ptr<env::Env> disk_ =
        make_timed_env(env::posix_env(), system_clock(), sync_times_);
    // Each stands on those above it.
    std::unique_ptr<broker::LocalBroker> broker_;
    std::unique_ptr<broker::LogOffsetStore> offsets_;
    std::unique_ptr<TextService> text_;
    std::unique_ptr<kafka::KafkaService> kafka_;
    std::vector<std::unique_ptr<net::FrameServer>> doors_;
    std::unique_ptr<AdminServer> admin_;
    std::size_t draining_ = 0;
    std::function<void(Status)> shut_down_done_;
};

// The doors come first: clients are told the port that was found, and one in use is told at once.
// Nobody comes in before the loop runs.
Status LocalServer::open() {
    admin_source_.started_ms = loop_.now_ms();
    WALRUS_RETURN_IF_ERROR(open_doors());
    WALRUS_RETURN_IF_ERROR(open_admin());
    WALRUS_RETURN_IF_ERROR(open_storage());
    serve();
    return {};
}

Status LocalServer::open_doors() {
    net::ServerOptions options;
    options.max_connections = config_.max_connections;
    options.idle_timeout_ms = config_.idle_timeout_ms;
    if (config_.client_port) {
        options.name = "client";
        options.host = config_.client_host;
        options.port = *config_.client_port;
        options.length_order = net::LengthOrder::kLittleEndian;
        options.max_frame_bytes = protocol::kMaxTextCommandBytes;
        options.refusal = protocol::encode_text_error("too many connections, try again later");
        auto port = open_door(options, [this](std::string_view) { return text_->make_handler(); });
        if (!port) return port.error();
        ports_.client = *std::move(port);
    }
    if (config_.kafka_port) {
        options.name = "kafka";
        options.host = config_.kafka_host;
        options.port = *config_.kafka_port;
        options.length_order = net::LengthOrder::kBigEndian;
        options.max_frame_bytes = static_cast<std::uint32_t>(config_.max_request_bytes);
        options.refusal = {};  // Kafka's clients understand nothing that they did not ask for.
        auto port = open_door(options,
                              [this](std::string_view peer) { return kafka_->make_handler(peer); });
        if (!port) return port.error();
        ports_.kafka = *std::move(port);
    }
    return {};
}

Result<OpenPort> LocalServer::open_door(net::ServerOptions options,
                                        net::HandlerFactory make_handler) {
    const std::string name = options.name;
    const std::string host = options.host;
    auto door = net::FrameServer::listen(loop_, std::move(options), std::move(make_handler));
    if (!door) return door.error();
    doors_.push_back(*std::move(door));
    const OpenPort port{host, doors_.back()->port()};
    admin_source_.doors.push_back({name, port.text(), doors_.back().get()});
    return port;
}

Status LocalServer::open_admin() {
    if (!config_.admin_port) return {};
    auto admin = AdminServer::listen(config_.admin_host, *config_.admin_port);
    if (!admin) return admin.error();
    admin_ = *std::move(admin);
    ports_.admin = {config_.admin_host, admin_->port()};
    return {};
}

Status LocalServer::open_storage() {
    broker::LocalBrokerOptions broker_options = local_broker_options(config_, ports_.kafka.port);
    broker_options.env = disk_.get();
    auto broker = broker::LocalBroker::open(std::move(broker_options), loop_);
    if (!broker) return broker.error();
    broker_ = *std::move(broker);
    broker::OffsetStoreOptions options;
    options.directory = config_.node_dir() + "/offsets";
    options.backend = config_.io_backend;
    options.env = disk_.get();
    auto offsets = broker::LogOffsetStore::open(std::move(options), loop_);
    if (!offsets) return offsets.error();
    offsets_ = *std::move(offsets);
    return {};
}

void LocalServer::serve() {
    const std::string& host =
        config_.raft_advertise_host.empty() ? config_.raft_host : config_.raft_advertise_host;
    text_ = std::make_unique<TextService>(
        *broker_, *offsets_, loop_,
        TextServiceOptions{.address = OpenPort{host, config_.raft_port}.text()});
    kafka_ = std::make_unique<kafka::KafkaService>(
        kafka::KafkaService::Parts{*broker_, *offsets_, loop_, random_}, kafka_options(config_));
    admin_source_.loop = &loop_;
    admin_source_.broker = broker_.get();
    admin_source_.offsets = offsets_.get();
    admin_source_.text = text_.get();
    admin_source_.syncs = &sync_times_;
    admin_source_.config = resolved_;
    if (admin_ != nullptr) admin_->serve(admin_source_);
}

// --- the end ---

void LocalServer::shut_down(std::function<void(Status)> done) {
    admin_source_.is_draining = true;
    shut_down_done_ = std::move(done);
    draining_ = doors_.size();
    for (const auto& door : doors_)
        door->drain(config_.shutdown_timeout_ms, [this] { on_drained(); });
}

void LocalServer::on_drained() {
    if (--draining_ > 0) return;
    admin_.reset();
    admin_source_.doors.clear();
    doors_.clear();
    shut_down_done_(close_storage());
}

Status LocalServer::close_storage() {
    Status broker = broker_->close();
    Status offsets = offsets_->close();
    return broker ? std::move(offsets) : std::move(broker);
}

}  // namespace

std::string OpenPort::text() const {
    if (port == 0) return "off";
    const bool is_v6 = host.find(':') != std::string::npos;
    return is_v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<std::unique_ptr<Server>> Server::start(const ResolvedConfig& config, net::AsioLoop& loop) {
    auto server = std::make_unique<LocalServer>(config, loop);
    WALRUS_RETURN_IF_ERROR(server->open());
    return std::unique_ptr<Server>(std::move(server));
}

}  // namespace walrus::node

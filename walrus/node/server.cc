#include "walrus/node/server.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "walrus/base/random.h"
#include "walrus/env/posix_env.h"
#include "walrus/net/frame_server.h"
#include "walrus/node/admin_server.h"
#include "walrus/node/kafka/service.h"
#include "walrus/node/storage.h"
#include "walrus/node/text_handler.h"
#include "walrus/node/timed_env.h"
#include "walrus/protocol/text_codec.h"

namespace walrus::node {
namespace {

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

class NodeServer final : public Server {
public:
    NodeServer(const ResolvedConfig& resolved, net::AsioLoop& loop, ServerEvents events)
        : resolved_(resolved), config_(resolved_.config), loop_(loop), events_(std::move(events)) {}
    ~NodeServer() override {
        loop_.cancel(ready_timer_);
        if (storage_ != nullptr) storage_->abandon();  // While those who asked are still there.
    }

    Status open();
    const OpenPorts& ports() const override { return ports_; }
    void shut_down(std::function<void(Status)> done) override;

private:
    Status open_doors();
    Result<OpenPort> open_door(net::ServerOptions options, net::HandlerFactory make_handler);
    Status open_admin();
    Status open_storage();
    void serve();
    StorageParts storage_parts();
    void tell_ready();
    void drain();
    void on_drained();

    const ResolvedConfig resolved_;
    const Config& config_;
    net::AsioLoop& loop_;
    const ServerEvents events_;
    SystemRandom random_;
    OpenPorts ports_;
    AdminSource admin_source_;
    SyncTimes sync_times_;
    const std::unique_ptr<env::Env> disk_ =
        make_timed_env(env::posix_env(), system_clock(), sync_times_);
    // Each stands on those above it.
    std::unique_ptr<Storage> storage_;
    std::unique_ptr<TextService> text_;
    std::unique_ptr<kafka::KafkaService> kafka_;
    std::vector<std::unique_ptr<net::FrameServer>> doors_;
    std::unique_ptr<AdminServer> admin_;
    net::TimerId ready_timer_ = 0;
    bool ready_timer_was_set_ = false;
    std::size_t draining_ = 0;
    std::function<void(Status)> shut_down_done_;
};

// The doors come first: clients are told the port that was found, and one in use is told at once.
// Nobody comes in before the loop runs.
Status NodeServer::open() {
    admin_source_.started_ms = loop_.now_ms();
    WALRUS_RETURN_IF_ERROR(open_doors());
    WALRUS_RETURN_IF_ERROR(open_admin());
    WALRUS_RETURN_IF_ERROR(open_storage());
    serve();
    return {};
}

Status NodeServer::open_doors() {
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

Result<OpenPort> NodeServer::open_door(net::ServerOptions options,
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

Status NodeServer::open_admin() {
    if (!config_.admin_port) return {};
    auto admin = AdminServer::listen(config_.admin_host, *config_.admin_port);
    if (!admin) return admin.error();
    admin_ = *std::move(admin);
    ports_.admin = {config_.admin_host, admin_->port()};
    return {};
}

StorageParts NodeServer::storage_parts() {
    StorageParts parts{.config = config_, .loop = loop_, .disk = *disk_, .random = random_};
    if (ports_.client.port != 0) {
        // What listens on every address of this machine is found where the other nodes find it.
        const bool is_any = ports_.client.host == "0.0.0.0" || ports_.client.host == "::";
        const OpenPort found{is_any ? config_.advertised_raft_host() : ports_.client.host,
                             ports_.client.port};
        parts.text_address = found.text();
    }
    if (ports_.kafka.port != 0) {
        parts.kafka_port =
            config_.kafka_advertise_port != 0 ? config_.kafka_advertise_port : ports_.kafka.port;
        parts.kafka_address = OpenPort{config_.advertised_kafka_host(), parts.kafka_port}.text();
    }
    parts.coordinator_changed = [this] {
        if (kafka_ != nullptr) kafka_->groups().forget_members();
    };
    parts.failed = events_.failed;
    return parts;
}

Status NodeServer::open_storage() {
    const auto mode = storage_mode(config_, *disk_);
    if (!mode) return mode.error();
    auto storage = *mode == StorageMode::kLocal ? open_local_storage(storage_parts())
                                                : open_cluster_storage(storage_parts());
    if (!storage) return storage.error();
    storage_ = *std::move(storage);
    return {};
}

void NodeServer::serve() {
    text_ = std::make_unique<TextService>(
        storage_->broker(), storage_->offsets(), loop_,
        TextServiceOptions{
            .address = OpenPort{config_.advertised_raft_host(), config_.raft_port}.text(),
            .records = storage_->records()});
    kafka_ = std::make_unique<kafka::KafkaService>(
        kafka::KafkaService::Parts{storage_->broker(), storage_->offsets(), loop_, random_},
        kafka_options(config_));
    admin_source_.loop = &loop_;
    admin_source_.broker = &storage_->broker();
    admin_source_.offsets = &storage_->offsets();
    storage_->show(admin_source_);
    admin_source_.not_ready = [this] { return storage_->not_ready(); };
    admin_source_.text = text_.get();
    admin_source_.syncs = &sync_times_;
    admin_source_.config = resolved_;
    if (admin_ != nullptr) admin_->serve(admin_source_);
    tell_ready();
}

// A cluster has nobody who tells that it can be used: it is looked at.
void NodeServer::tell_ready() {
    constexpr std::uint64_t kLookMs = 10;
    const std::string reason = storage_->not_ready();
    if (!reason.empty() || !ready_timer_was_set_) {
        ready_timer_was_set_ = true;
        ready_timer_ = loop_.after_ms(reason.empty() ? 0 : kLookMs, [this] {
            ready_timer_ = 0;
            tell_ready();
        });
        return;
    }
    events_.ready();
}

// --- the end ---

// Others take over what this node leads while its clients are still served.
void NodeServer::shut_down(std::function<void(Status)> done) {
    admin_source_.is_draining = true;
    loop_.cancel(ready_timer_);
    shut_down_done_ = std::move(done);
    storage_->step_aside(config_.shutdown_timeout_ms / 2, [this] { drain(); });
}

void NodeServer::drain() {
    draining_ = doors_.size();
    for (const auto& door : doors_)
        door->drain(config_.shutdown_timeout_ms / 2, [this] { on_drained(); });
}

void NodeServer::on_drained() {
    if (--draining_ > 0) return;
    admin_.reset();
    admin_source_.doors.clear();
    doors_.clear();
    shut_down_done_(storage_->close());
}

}  // namespace

std::string OpenPort::text() const {
    if (port == 0) return "off";
    const bool is_v6 = host.find(':') != std::string::npos;
    return is_v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<std::unique_ptr<Server>> Server::start(const ResolvedConfig& config, net::AsioLoop& loop,
                                              ServerEvents events) {
    auto server = std::make_unique<NodeServer>(config, loop, std::move(events));
    WALRUS_RETURN_IF_ERROR(server->open());
    return std::unique_ptr<Server>(std::move(server));
}

}  // namespace walrus::node

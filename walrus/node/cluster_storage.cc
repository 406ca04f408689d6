// A member of a cluster as storage.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "walrus/base/log.h"
#include "walrus/broker/worker_pool.h"
#include "walrus/cluster_broker/cluster_broker.h"
#include "walrus/member/member.h"
#include "walrus/net/peer_transport.h"
#include "walrus/node/storage.h"

namespace walrus::node {
namespace {

constexpr std::uint64_t kFrameSlackBytes = 1 << 20;

net::PeerTransportOptions transport_options(const Config& config) {
    net::PeerTransportOptions options;
    options.host = config.raft_host;
    options.port = config.raft_port;
    options.advertise_host = config.raft_advertise_host;
    options.advertise_port = config.raft_advertise_port;
    options.max_frame_bytes = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(config.max_request_bytes + kFrameSlackBytes, 0x7FFF'FFFF));
    return options;
}

cluster_broker::ClusterBrokerOptions broker_options(const Config& config) {
    cluster_broker::ClusterBrokerOptions options;
    options.topic_defaults = {
        {.name = "walrus.durability",
         .value = std::string(wal::durability_class_name(config.durability))},
        {.name = "walrus.segment.records", .value = std::to_string(config.max_segment_entries)}};
    for (const broker::ConfigEntry& entry : config.topic_defaults)
        options.topic_defaults.push_back(entry);
    return options;
}

class ClusterStorage final : public Storage {
public:
    explicit ClusterStorage(StorageParts parts)
        : parts_(std::move(parts)), config_(parts_.config), workers_(config_.workers) {}
    ~ClusterStorage() override {
        workers_.stop();
        member_.reset();
    }

    Status open();

    broker::Broker& broker() override { return *broker_; }
    broker::OffsetStore& offsets() override { return broker_->offsets(); }
    broker::RecordService* records() override { return broker_.get(); }
    void show(AdminSource& source) override {
        source.member = member_.get();
        source.transport = transport_.get();
    }
    std::string not_ready() const override;
    void step_aside(std::uint64_t timeout_ms, std::function<void()> done) override;
    void abandon() override { broker_->close(); }
    Status close() override;

private:
    Status listen();
    Status make_member();
    Status join();
    void on_peer_event(const net::PeerEvent& event);
    member::MemberOptions member_options();

    const StorageParts parts_;
    const Config& config_;
    broker::WorkerPool workers_;
    // Each stands on those above it, but the member tells the broker.
    std::unique_ptr<net::PeerTransport> transport_;
    std::unique_ptr<cluster_broker::ClusterBroker> broker_;
    std::unique_ptr<member::ClusterMember> member_;
};

// --- opening ---

Status ClusterStorage::open() {
    WALRUS_RETURN_IF_ERROR(listen());
    WALRUS_RETURN_IF_ERROR(make_member());
    const member::MemberOptions options = member_options();
    const auto identity = member::ClusterMember::identify(options);
    if (!identity) return identity.error();
    transport_->set_identity((*identity)->cluster, (*identity)->node);

    cluster_broker::ClusterBrokerOptions for_broker = broker_options(config_);
    for_broker.coordinator_changed = parts_.coordinator_changed;
    for_broker.failed = parts_.failed;
    auto broker = cluster_broker::ClusterBroker::open(std::move(for_broker), parts_.loop);
    if (!broker) return broker.error();
    broker_ = *std::move(broker);
    auto member =
        member::ClusterMember::open(options, parts_.loop, *transport_, broker_->watcher());
    if (!member) return member.error();
    member_ = *std::move(member);
    broker_->start(*member_);
    log(LogLevel::kInfo,
        fmt::format("member of cluster {:016x} as node {}, peer port {}", (*identity)->cluster,
                    (*identity)->node, transport_->address()));
    return {};
}

Status ClusterStorage::listen() {
    net::PeerTransportOptions options = transport_options(config_);
    options.on_event = [this](const net::PeerEvent& event) { on_peer_event(event); };
    auto transport = net::PeerTransport::listen(parts_.loop, parts_.random, std::move(options));
    if (!transport) return transport.error();
    transport_ = *std::move(transport);
    return {};
}

member::MemberOptions ClusterStorage::member_options() {
    member::MemberOptions options;
    options.directory = config_.cluster_dir();
    options.id = config_.node_id;
    options.peer_address = transport_->address();
    options.text_address = parts_.text_address;
    options.kafka_address = parts_.kafka_address;
    options.monitor_ticks = static_cast<std::uint32_t>(
        std::max<std::uint64_t>(1, config_.monitor_check_ms / options.tick_ms));
    options.ring_size_bytes = config_.ring_size_bytes;
    options.log_file_bytes = config_.log_file_bytes;
    const bool may_be_uring =
        config_.io_backend == wal::Backend::kAuto || config_.io_backend == wal::Backend::kUring;
    options.backend =
        config_.disable_io_uring && may_be_uring ? wal::Backend::kBuffered : config_.io_backend;
    options.run_elsewhere = [this](std::function<void()> work) { workers_.run(std::move(work)); };
    options.env = &parts_.disk;
    return options;
}

Status ClusterStorage::make_member() {
    const member::MemberOptions options = member_options();
    const auto identity = member::ClusterMember::identify(options);
    if (!identity) return identity.error();
    if (*identity) {
        if (config_.bootstrap || !config_.join.empty())
            log(LogLevel::kInfo,
                fmt::format("{} holds node {} of cluster {:016x} already: goes on as it",
                            options.directory, (*identity)->node, (*identity)->cluster));
        return {};
    }
    if (config_.bootstrap) return member::ClusterMember::bootstrap(options);
    if (!config_.join.empty()) return join();
    return Error{Errc::kInvalidArgument,
                 options.directory +
                     ": this node has not come to the end of joining or beginning "
                     "its cluster; start it once more with the same --join or "
                     "--bootstrap"};
}

// On a loop of its own: this one does not run yet, and clients that come wait until it does.
Status ClusterStorage::join() {
    log(LogLevel::kInfo, "joins the cluster by way of " + config_.join);
    net::AsioLoop loop;
    auto transport = net::PeerTransport::listen(loop, parts_.random, {.host = config_.raft_host});
    if (!transport) return transport.error();
    Status joined = Error{Errc::kTimeout, "join: no answer"};
    member::ClusterMember::join(member_options(), config_.join, loop, **transport,
                                [&](Status status) {
                                    joined = std::move(status);
                                    loop.stop();
                                });
    loop.run();
    if (joined) return {};
    const Error& error = joined.error();
    const bool is_unreachable = error.code == Errc::kIo || error.code == Errc::kTimeout;
    return Error{is_unreachable ? Errc::kTimeout : error.code,
                 fmt::format("cannot join by way of {}: {}", config_.join, error.message)};
}

// Two refusals are about this node, not about the peer: going on would only do harm.
void ClusterStorage::on_peer_event(const net::PeerEvent& event) {
    if (event.kind != net::PeerEvent::Kind::kRefused) return;
    if (event.refusal.reason == net::PeerRefusalReason::kDuplicateNode ||
        event.refusal.reason == net::PeerRefusalReason::kRemoved)
        parts_.failed(Error{Errc::kAlreadyExists, event.message});
}

// --- serving ---

std::string ClusterStorage::not_ready() const {
    if (member_->controller() == cluster::kNobody)
        return "no controller is known: too few nodes of the cluster are up or reachable";
    const cluster::Node* const self = member_->state().node(config_.node_id);
    if (self == nullptr || self->boot != member_->self().boot)
        return "this node is being registered with the cluster";
    return {};
}

void ClusterStorage::step_aside(std::uint64_t timeout_ms, std::function<void()> done) {
    member_->step_aside(timeout_ms, [done = std::move(done)](const Status& status) {
        if (!status)
            log(LogLevel::kWarn, "not everything was handed over: " + status.error().message);
        done();
    });
}

Status ClusterStorage::close() {
    broker_->close();
    return member_->close();
}

}  // namespace

Result<std::unique_ptr<Storage>> open_cluster_storage(StorageParts parts) {
    auto storage = std::make_unique<ClusterStorage>(std::move(parts));
    WALRUS_RETURN_IF_ERROR(storage->open());
    return std::unique_ptr<Storage>(std::move(storage));
}

Result<StorageMode> storage_mode(const Config& config, env::Env& disk) {
    const auto holds_something = [&](const std::string& directory) {
        const auto names = disk.list(directory);
        return names && !names->empty();
    };
    const bool wants_cluster = config.bootstrap || !config.join.empty();
    if (holds_something(config.cluster_dir())) return StorageMode::kCluster;
    if (!wants_cluster) return StorageMode::kLocal;
    if (holds_something(config.local_dir()))
        return Error{Errc::kAlreadyExists,
                     config.node_dir() +
                         ": holds the data of a node that runs alone, which cannot "
                         "become part of a cluster; use another data_dir, or leave "
                         "out --bootstrap and --join to go on as before"};
    return StorageMode::kCluster;
}

}  // namespace walrus::node

#include "walrus/testing/sim_segments.h"

#include <utility>

#include "walrus/cluster/command_codec.h"
#include "walrus/cluster/message_codec.h"

namespace walrus::testing {
namespace {

// The same for every process of a host: the Raft member is started first.
constexpr std::uint8_t kRaftChannel = 0;
constexpr std::uint32_t kRegisterTicks = 10;
constexpr std::uint32_t kMaintainTicks = 50;

replica_store::Options store_options(SimHost& host, const SimSegmentsOptions& options) {
    replica_store::Options store;
    store.directory = "replicas";
    store.cluster = options.cluster;
    store.node = host.address();
    store.file_size_bytes = store.ring_size_bytes = 128 << 10;
    store.backend = wal::Backend::kDirect;
    store.threading = wal::Threading::kInline;
    store.env = &host.disk();
    store.clock = &host.clock();
    store.random = &host.random();
    return store;
}

}  // namespace

// --- SimMetadata ---

void SimMetadata::apply(const raft::Entry& entry) {
    if (entry.kind != raft::EntryKind::kCommand) return;
    const cluster::CommandResult result = state_.apply(entry.index, as_bytes(entry.data.text()));
    if (segments_ != nullptr) segments_->applied(entry, result);
}

Status SimMetadata::restore(Bytes snapshot) {
    Result<cluster::ClusterState> state = cluster::ClusterState::restore(snapshot);
    if (!state) return state.error();
    state_ = *std::move(state);
    if (segments_ != nullptr) segments_->replaced();
    return {};
}

void SimMetadata::settled() {
    if (segments_ != nullptr) segments_->settled();
}

// --- SimSegments ---

SimSegments::SimSegments(SimHost& host, std::uint8_t channel, const SimSegmentsOptions& options)
    : host_(host),
      channel_(channel),
      options_(options),
      raft_(static_cast<SimRaft&>(host.machine(kRaftChannel))),
      metadata_(static_cast<SimMetadata&>(*raft_.state())) {}

Result<std::unique_ptr<SimMachine>> SimSegments::start(SimHost& host, std::uint8_t channel,
                                                       const SimSegmentsOptions& options) {
    std::unique_ptr<SimSegments> machine(new SimSegments(host, channel, options));
    WALRUS_RETURN_IF_ERROR(machine->open());
    return std::unique_ptr<SimMachine>(std::move(machine));
}

Status SimSegments::open() {
    auto store = replica_store::ReplicaStore::open(store_options(host_, options_));
    if (!store) return std::move(store).error();
    store_ = *std::move(store);
    self_ = {host_.address(), store_->disk()};
    while (boot_ == 0) boot_ = host_.random().next();
    cluster::SegmentNodeOptions node = options_.node;
    node.id = self_.node;
    node.boot = boot_;
    node.disk = self_.disk;
    auto copies = store_->take_restored();
    options_.watcher->restored(self_, copies);
    node_ = std::make_unique<cluster::SegmentNode>(node, state(), std::move(copies));
    metadata_.set_segments(this);
    node_->metadata_replaced();
    return {};
}

void SimSegments::tick() {
    ++ticks_;
    if (ticks_ % kRegisterTicks == 0) register_self();
    if (ticks_ % kMaintainTicks == 0) {
        const Status maintained = store_->maintain();
        if (!maintained) return host_.fail(maintained.error());
    }
    if (store_->out_of_space()) wait_for_disk();
    node_->tick(host_.clock().wall_ms());
    work();
}

// The registered incarnation is this one, or it is proposed.
void SimSegments::register_self() {
    const cluster::Node* known = state().node(self_.node);
    if (known != nullptr && known->boot == boot_) return;
    propose(cluster::UpsertNode{.id = self_.node,
                                .boot = boot_,
                                .disk = self_.disk,
                                .expect_boot = known != nullptr ? known->boot : 0});
}

void SimSegments::receive(SimAddress, std::string_view frame) {
    const Result<cluster::Message> message = cluster::decode_message(as_bytes(frame));
    if (!message) return host_.fail(message.error());
    node_->step(*message);
    work();
}

void SimSegments::work() {
    if (working_) return;
    working_ = true;
    const bool leads = raft_.raft().role() == raft::Role::kLeader;
    if (leads != controls_) node_->set_controller(controls_ = leads);
    report_durable();
    while (node_->has_output()) take(node_->take_output());
    working_ = false;
}

void SimSegments::take(cluster::Output output) {
    for (const cluster::Message& message : output.messages) {
        options_.watcher->sent(*this, message);
        host_.send(channel_, message.to, cluster::encode(message));
    }
    for (const cluster::DiskWrite& write : output.writes) {
        options_.watcher->submitted(self_, write);
        store_->write(write);
    }
    if (!output.writes.empty()) wait_for_disk();
    for (const cluster::DiskRead& read : output.reads) {
        host_.after(host_.disk_delay_ns() / 2, [this, read] {
            node_->read_done(store_->read(read));
            work();
        });
    }
    for (cluster::CommandBody& body : output.proposals) propose(std::move(body));
    for (const cluster::AppendDone& done : output.appends) {
        options_.watcher->append_done(*this, done);
    }
    for (const cluster::ReadDone& done : output.reads_done) {
        options_.watcher->read_done(*this, done);
    }
}

void SimSegments::wait_for_disk() {
    if (disk_busy_) return;
    disk_busy_ = true;
    host_.after(host_.disk_delay_ns(), [this] {
        disk_busy_ = false;
        const Status flushed = store_->flush();
        if (!flushed && flushed.error().code != Errc::kNoSpace) return host_.fail(flushed.error());
        work();
    });
}

void SimSegments::report_durable() {
    for (const replica_store::Done& done : store_->take_done()) {
        options_.watcher->durable(self_, done);
        node_->persisted(done.key, done.ticket);
    }
    if (!store_->status()) host_.fail(store_->status().error());
}

// --- metadata ---

cluster::CommandId SimSegments::propose(cluster::CommandBody body) {
    const cluster::CommandId id{boot_, ++commands_};
    const cluster::Command command{id, std::move(body)};
    waiting_.insert(id);
    // Refused or lost: whoever wanted it asks again.
    static_cast<void>(raft_.raft().propose(raft::Payload(cluster::encode(command))));
    raft_.work();
    return id;
}

void SimSegments::applied(const raft::Entry& entry, const cluster::CommandResult& result) {
    cluster::CommandId id;
    if (!waiting_.empty()) {
        const auto command = cluster::decode_command(as_bytes(entry.data.text()));
        if (command && waiting_.erase(command->id) > 0) id = command->id;
    }
    if (result.topic != 0) node_->metadata_changed(result.topic);
    options_.watcher->applied(*this, id, result);
}

void SimSegments::replaced() {
    node_->metadata_replaced();
    options_.watcher->applied(*this, {}, {.outcome = cluster::Outcome::kStaleIndex});
}

// --- clients ---

void SimSegments::append(std::uint64_t request, cluster::TopicId topic, cluster::Batch batch) {
    node_->append(request, topic, std::move(batch));
    work();
}

void SimSegments::confirm_read(std::uint64_t request, cluster::TopicId topic) {
    node_->confirm_read(request, topic);
    work();
}

Result<std::vector<SimBatch>> SimSegments::read(cluster::TopicId id, Offset offset,
                                                std::uint64_t max_bytes) const {
    const cluster::Topic* topic = state().topic(id);
    if (topic == nullptr) return Error{Errc::kNotFound, "no such topic"};
    for (const auto& [number, segment] : topic->segments) {
        const cluster::SegmentKey key{id, number};
        const std::uint64_t readable = node_->readable_length(key);
        if (offset < segment.base || offset >= segment.base + readable) continue;
        const std::uint64_t first = offset.value - segment.base.value;
        const auto plan = store_->plan(key, first, max_bytes);
        if (!plan) return plan.error();
        auto found = store_->read(*plan);
        if (!found) return found.error();
        std::vector<SimBatch> batches;
        Offset at = offset;
        for (const cluster::Batch& batch : found->batches) {
            if (at + batch.records > segment.base + readable) break;
            batches.push_back({at, batch.records, batch.data});
            at = at + batch.records;
        }
        return batches;
    }
    return Error{Errc::kOutOfRange, "nothing readable there"};
}

}  // namespace walrus::testing

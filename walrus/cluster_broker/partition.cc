// What a partition is, and appending to it.  Reading: partition_read.cc.
#include "walrus/cluster_broker/partition.h"

#include <algorithm>

#include "walrus/broker/batch_check.h"
#include "walrus/cluster_broker/outcomes.h"

namespace walrus::cluster_broker {

using broker::BrokerId;

namespace {

// How often an append that found its leader busy is tried again when nothing else is heard.
constexpr std::uint64_t kClockMs = 5;

BrokerId broker_id(cluster::NodeId node) {
    return node == cluster::kNobody ? -1 : static_cast<BrokerId>(node);
}

const char* state_name(cluster::SegmentState state) {
    switch (state) {
        case cluster::SegmentState::kOpen: return "open";
        case cluster::SegmentState::kSealing: return "sealing";
        case cluster::SegmentState::kSealed: return "sealed";
    }
    return "open";
}

bool is_live_copy(const cluster::ClusterState& state, const cluster::ReplicaId& replica) {
    const cluster::Node* node = state.node(replica.node);
    return node != nullptr && node->serves() && node->disk == replica.disk;
}

broker::SegmentInfo segment_info(const cluster::Segment& segment) {
    broker::SegmentInfo info;
    info.number = segment.number;
    info.epoch = segment.epoch.value;
    info.state = state_name(segment.state);
    info.leader = broker_id(segment.leader.node);
    for (const cluster::ReplicaId& replica : segment.replicas)
        info.replicas.push_back(broker_id(replica.node));
    info.base_offset = segment.base;
    info.records = segment.length;
    info.lost_records = segment.lost_records;
    return info;
}

}  // namespace

ClusterPartition::ClusterPartition(Core& core, PartitionPlace place)
    : core_(core), place_(std::move(place)) {}

ClusterPartition::~ClusterPartition() {
    core_.loop.cancel(clock_);
}

Status ClusterPartition::usable() const {
    if (core_.member == nullptr) return broker_closed();
    const cluster::Topic* found = topic();
    if (found == nullptr) return no_topic(place_.name);
    if (!core_.leads(*found)) return not_leader(place_.name);
    return {};
}

// The leader's own copy is readable up to what the ack quorum has; what is sealed was read whole.
Offset ClusterPartition::high_watermark(const cluster::Topic& topic) const {
    const cluster::Segment& last = topic.last();
    const Offset sealed = last.state == cluster::SegmentState::kSealed ? last.end() : last.base;
    return std::max(sealed, core_.member->readable_end(topic.id));
}

broker::PartitionInfo ClusterPartition::info() const {
    broker::PartitionInfo info;
    info.index = place_.index;
    const cluster::Topic* found = topic();
    if (found == nullptr) return info;
    const cluster::Segment& last = found->last();
    info.leader = broker_id(core_.leader_of(*found));
    info.leader_epoch = static_cast<std::int32_t>(last.number);
    for (const cluster::ReplicaId& replica : last.replicas) {
        info.replicas.push_back(broker_id(replica.node));
        if (is_live_copy(core_.state(), replica)) info.in_sync.push_back(broker_id(replica.node));
    }
    info.log_start_offset = found->log_start_offset();
    info.high_watermark = info.log_end_offset = high_watermark(*found);
    for (const auto& [number, segment] : found->segments) info.size_bytes += segment.bytes;
    return info;
}

broker::PartitionInfo ClusterPartition::describe() const {
    broker::PartitionInfo described = info();
    const cluster::Topic* found = topic();
    if (found == nullptr) return described;
    for (const auto& [number, segment] : found->segments)
        described.segments.push_back(segment_info(segment));
    return described;
}

// --- appending ---

void ClusterPartition::append(Bytes batch, broker::Acks acks, broker::AppendCallback done) {
    const auto answer = [done](const broker::AppendResult& result) {
        if (done.function != nullptr) done.function(done.context, result);
    };
    const auto fail = [&](const Error& error) {
        answer({.outcome = broker::AppendOutcome::kFailed, .status = error});
    };
    if (const Status status = usable(); !status) return fail(status.error());
    const auto checked = broker::check_batch(batch, core_.options.max_batch_bytes);
    if (!checked) return fail(checked.error());
    cluster::Batch stored{.records = checked->records,
                          .producer = checked->producer,
                          .data = cluster::Payload(std::string(as_text(batch)))};
    if (acks == broker::Acks::kNone) {
        append_checked(std::move(stored), [](const broker::AppendResult&) {});
        return answer({.outcome = broker::AppendOutcome::kAppended});
    }
    // Whoever wants the leader alone gets the quorum: the leader knows of no weaker answer.
    append_checked(std::move(stored), answer);
}

void ClusterPartition::append_checked(cluster::Batch batch, AppendDone done) {
    if (const Status status = usable(); !status)
        return done({.outcome = broker::AppendOutcome::kFailed, .status = status.error()});
    Append append{std::move(batch), std::move(done),
                  core_.loop.now_ms() + core_.options.patience_ms};
    const std::uint64_t number = ++last_number_;
    if (held_.empty()) return submit(number, std::move(append));
    hold_back(number, std::move(append));
}

void ClusterPartition::submit(std::uint64_t number, Append append) {
    cluster::Batch batch = append.batch;
    in_flight_.emplace(number, std::move(append));
    core_.member->append(
        place_.topic, std::move(batch),
        [this, number](const cluster::AppendDone& done) { on_appended(number, done); });
}

void ClusterPartition::on_appended(std::uint64_t number, const cluster::AppendDone& done) {
    auto found = in_flight_.extract(number);
    if (found.empty()) return;  // Answered by close().
    Append append = std::move(found.mapped());
    if (done.outcome == cluster::AppendOutcome::kBusy && core_.loop.now_ms() < append.deadline_ms)
        return hold_back(number, std::move(append));
    broker::AppendResult result = append_result(done);
    if (const cluster::Topic* now = topic()) result.log_start_offset = now->log_start_offset();
    append.done(result);
}

void ClusterPartition::hold_back(std::uint64_t number, Append append) {
    const std::uint64_t bytes = append.batch.data.size();
    if (core_.waiting_bytes + bytes > core_.options.max_waiting_bytes) {
        const Error full{Errc::kResourceExhausted,
                         "append: max_waiting_bytes wait for their leaders already"};
        return append.done({.outcome = broker::AppendOutcome::kFailed, .status = full});
    }
    core_.waiting_bytes += bytes;
    held_.emplace(number, std::move(append));
    watch_the_clock();
}

// Hands over what was held back until something is held back again.
void ClusterPartition::release() {
    if (releasing_) return;
    releasing_ = true;
    while (!held_.empty() && usable()) {
        auto first = held_.extract(held_.begin());
        const std::uint64_t number = first.key();
        core_.waiting_bytes -= first.mapped().batch.data.size();
        submit(number, std::move(first.mapped()));
        if (held_.contains(number)) break;
    }
    releasing_ = false;
    if (const Status status = usable(); !status) refuse_held(status.error());
}

void ClusterPartition::refuse_held(const Error& error) {
    for (auto& [number, append] : std::exchange(held_, {})) {
        core_.waiting_bytes -= append.batch.data.size();
        append.done({.outcome = broker::AppendOutcome::kFailed, .status = error});
    }
}

void ClusterPartition::refuse_late() {
    const std::uint64_t now = core_.loop.now_ms();
    while (!held_.empty() && held_.begin()->second.deadline_ms <= now) {
        const auto late = held_.extract(held_.begin());
        core_.waiting_bytes -= late.mapped().batch.data.size();
        const cluster::AppendDone busy{.outcome = cluster::AppendOutcome::kBusy};
        late.mapped().done(append_result(busy));
    }
}

void ClusterPartition::watch_the_clock() {
    if (clock_ != 0 || held_.empty()) return;
    clock_ = core_.loop.after_ms(kClockMs, [this] {
        clock_ = 0;
        refuse_late();
        release();
        watch_the_clock();
    });
}

// --- what goes on ---

void ClusterPartition::changed() {
    release();
    notify();
}

void ClusterPartition::close() {
    refuse_held(broker_closed());
    for (auto& [number, append] : std::exchange(in_flight_, {}))
        append.done({.outcome = broker::AppendOutcome::kFailed, .status = broker_closed()});
    notify();
}

}  // namespace walrus::cluster_broker

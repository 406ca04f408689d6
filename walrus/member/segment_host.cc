#include "walrus/member/segment_host.h"

#include <algorithm>
#include <utility>

#include "walrus/cluster/message_codec.h"
#include "walrus/member/channels.h"

namespace walrus::member {
namespace {

constexpr std::uint64_t kMaintainTicks = 50;

std::uint64_t size_of(const cluster::DiskWrite& write) {
    const auto* store = std::get_if<cluster::StoreBatches>(&write.operation);
    std::uint64_t bytes = 64;
    if (store == nullptr) return bytes;
    for (const cluster::Batch& batch : store->batches) bytes += cluster::cost_bytes(batch);
    return bytes;
}

// Null: the message is about no segment.
const cluster::SegmentKey* key_of(const cluster::Message& message) {
    return std::visit(
        [](const auto& body) -> const cluster::SegmentKey* {
            if constexpr (requires { body.key; }) {
                return &body.key;
            } else {
                return nullptr;
            }
        },
        message.body);
}

const std::vector<cluster::Batch>* batches_of(const cluster::Message& message) {
    if (const auto* append = std::get_if<cluster::AppendRequest>(&message.body)) {
        return &append->batches;
    }
    const auto* read = std::get_if<cluster::ReadReply>(&message.body);
    return read != nullptr ? &read->batches : nullptr;
}

}  // namespace

SegmentHost::SegmentHost(SegmentHostOptions options, const cluster::ClusterState& state,
                         net::Transport& transport, Jobs& jobs)
    : options_(std::move(options)), state_(state), transport_(transport), jobs_(jobs) {}

Result<std::unique_ptr<SegmentHost>> SegmentHost::open(SegmentHostOptions options,
                                                       const cluster::ClusterState& state,
                                                       net::Transport& transport, Jobs& jobs) {
    std::unique_ptr<SegmentHost> host(new SegmentHost(std::move(options), state, transport, jobs));
    WALRUS_RETURN_IF_ERROR(host->open_all());
    return host;
}

Status SegmentHost::open_all() {
    auto store = replica_store::ReplicaStore::open(options_.store);
    if (!store) return std::move(store).error();
    store_ = *std::move(store);
    cluster::SegmentNodeOptions node = options_.node;
    node.disk = store_->disk();
    node_ = std::make_unique<cluster::SegmentNode>(node, state_, store_->take_restored());
    metadata_replaced();
    return {};
}

void SegmentHost::tick(std::uint64_t wall_ms) {
    ++ticks_;
    if (store_->out_of_space()) store_->retry();
    node_->tick(wall_ms);
}

Status SegmentHost::receive(net::PeerId from, std::string_view frame) {
    const Result<cluster::Message> message = cluster::decode_message(as_bytes(frame));
    if (!message) return message.error();
    if (message->from != from) {
        return Error{Errc::kCorruption,
                     "segments: a message in the name of node " + std::to_string(message->from)};
    }
    const std::vector<cluster::Batch>* batches = batches_of(*message);
    if (batches != nullptr &&
        !std::ranges::all_of(*batches, [&](const auto& b) { return fits(b); })) {
        return Error{Errc::kTooLarge,
                     "segments: a batch that this node's log cannot hold; give "
                     "all nodes the same ring size"};
    }
    node_->step(*message);
    if (const cluster::SegmentKey* key = key_of(*message)) touched_.push_back(*key);
    return {};
}

void SegmentHost::metadata_changed(cluster::TopicId id) {
    node_->metadata_changed(id);
    const cluster::Topic* topic = state_.topic(id);
    if (topic == nullptr) return;
    // What was sealed, perhaps, and what was opened.
    auto at = topic->segments.rbegin();
    for (int i = 0; i < 2 && at != topic->segments.rend(); ++i, ++at) {
        touched_.push_back({id, at->first});
    }
}

void SegmentHost::metadata_replaced() {
    node_->metadata_replaced();
    for (const auto& [id, topic] : state_.data().topics) {
        for (const auto& [number, segment] : topic.segments) touched_.push_back({id, number});
    }
}

Status SegmentHost::work(SegmentEffects& effects) {
    do {
        WALRUS_RETURN_IF_ERROR(report_durable());
        while (node_->has_output()) take(node_->take_output(), effects);
        write_held();
        WALRUS_RETURN_IF_ERROR(store_->status());
    } while (node_->has_output());
    if (ticks_ >= kMaintainTicks) {
        ticks_ = 0;
        WALRUS_RETURN_IF_ERROR(store_->maintain());
    }
    note_readable(effects);
    return {};
}

void SegmentHost::take(cluster::Output output, SegmentEffects& effects) {
    // The disk first: it works while the messages are made.
    for (cluster::DiskWrite& each : output.writes) write(std::move(each));
    send(output.messages);
    for (const cluster::DiskRead& read : output.reads) read_for_peer(read);
    std::ranges::move(output.proposals, std::back_inserter(effects.proposals));
    answer(output.appends, effects);
    answer(output.reads_done, effects);
}

void SegmentHost::send(const std::vector<cluster::Message>& messages) {
    for (const cluster::Message& message : messages) {
        transport_.send(message.to, kSegmentsChannel, cluster::encode(message));
    }
}

// --- disk ---

void SegmentHost::write(cluster::DiskWrite write) {
    held_.push_back(std::move(write));
    write_held();
}

void SegmentHost::write_held() {
    const std::uint64_t most = options_.store.ring_size_bytes / 4;
    while (!held_.empty() && (written_.empty() || written_bytes_ < most)) {
        const std::uint64_t size = size_of(held_.front());
        store_->write(held_.front());
        written_.push_back(size);
        written_bytes_ += size;
        held_.pop_front();
    }
}

Status SegmentHost::report_durable() {
    for (const replica_store::Done& done : store_->take_done()) {
        WALRUS_ASSERT(!written_.empty());
        written_bytes_ -= written_.front();
        written_.pop_front();
        node_->persisted(done.key, done.ticket);
        touched_.push_back(done.key);
    }
    return store_->status();
}

Status SegmentHost::flush() {
    const Status flushed = store_->flush();
    if (!flushed && flushed.error().code == Errc::kNoSpace) return {};
    return flushed;
}

void SegmentHost::read_for_peer(const cluster::DiskRead& request) {
    const auto plan = store_->plan(request.key, request.first, request.max_bytes);
    if (!plan) return node_->read_done({.request = request});
    jobs_.run([store = store_.get(), plan = *plan] { return store->read(plan); },
              [this, request](Result<replica_store::Found> found) {
                  cluster::DiskReadDone done{.request = request, .ok = found.has_value()};
                  if (found) {
                      done.prev_chain = found->prev_chain;
                      done.batches = std::move(found->batches);
                  }
                  node_->read_done(std::move(done));
                  touched_.push_back(request.key);
                  options_.wake();
              });
}

// --- callers ---

bool SegmentHost::fits(const cluster::Batch& batch) const {
    return batch.data.size() + batch.preamble.size() + replica_store::kBatchHeaderBytes <=
           max_batch_bytes();
}

void SegmentHost::append(cluster::TopicId topic, cluster::Batch batch, AppendCallback done) {
    const std::uint64_t request = ++last_request_;
    if (!fits(batch)) {
        return done({request, topic, cluster::AppendOutcome::kTooLarge, {}});
    }
    appends_.emplace(request, std::move(done));
    node_->append(request, topic, std::move(batch));
}

void SegmentHost::confirm_read(cluster::TopicId topic, ConfirmCallback done) {
    confirms_.emplace(++last_request_, std::move(done));
    node_->confirm_read(last_request_, topic);
}

void SegmentHost::answer(const std::vector<cluster::AppendDone>& dones, SegmentEffects& effects) {
    for (const cluster::AppendDone& done : dones) {
        auto found = appends_.extract(done.request);
        if (found.empty()) continue;
        effects.answers.push_back([callback = std::move(found.mapped()), done] { callback(done); });
    }
}

void SegmentHost::answer(const std::vector<cluster::ReadDone>& dones, SegmentEffects& effects) {
    for (const cluster::ReadDone& done : dones) {
        auto found = confirms_.extract(done.request);
        if (found.empty()) continue;
        effects.answers.push_back([callback = std::move(found.mapped()), done] { callback(done); });
    }
}

void SegmentHost::note_readable(SegmentEffects& effects) {
    std::ranges::sort(touched_);
    touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
    for (const cluster::SegmentKey& key : touched_) {
        const std::uint64_t length = readable_length(key);
        if (length == 0) {
            readable_.erase(key);
            continue;
        }
        std::uint64_t& known = readable_[key];
        if (length > known) effects.readable.push_back(key);
        known = length;
    }
    touched_.clear();
}

}  // namespace walrus::member

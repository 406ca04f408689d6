#include "walrus/cluster/seal_world.h"

#include <algorithm>
#include <set>
#include <type_traits>
#include <utility>

#include "walrus/cluster/command_codec.h"
#include "walrus/cluster/message_codec.h"
#include "walrus/cluster/message_fields.h"
#include "walrus/cluster/mutants.h"

namespace walrus::cluster {
namespace {

constexpr NodeId kLeaderNode = 1;
// Coordinators run on the followers, in turn.
constexpr NodeId kCoordinatorNodes[] = {2, 3};

ReplicaId copy_on(NodeId id) {
    return {id, 1000 + id};
}

// False: it was there.
bool insert_sorted(std::vector<std::uint16_t>& set, std::uint16_t id) {
    const auto at = std::ranges::lower_bound(set, id);
    if (at != set.end() && *at == id) return false;
    set.insert(at, id);
    return true;
}

RestoredReplica restored(const SearchDisk& disk, const SegmentKey& key) {
    RestoredReplica found{.promised = disk.promised, .lossy = disk.lossy};
    found.trusted.chain = chain_start(key);
    Mark end = found.trusted;
    for (const Batch& batch : disk.batches) {
        end = mark_after(end, batch);
        found.tail.push_back({batch.records, batch.producer, end});
    }
    return found;
}

}  // namespace

void SearchDisk::append_state(std::string& out) const {
    wire::Writer writer(out);
    writer(promised, batches, lossy);
    for (const DiskWrite& write : pending) {
        writer(write.ticket, static_cast<std::uint8_t>(write.operation.index()));
        if (const auto* store = std::get_if<StoreBatches>(&write.operation)) {
            writer(store->before, store->batches);
        } else if (const auto* promise = std::get_if<PromiseEpoch>(&write.operation)) {
            writer(promise->epoch);
        }
    }
}

std::uint16_t SearchTable::message(const Message& message) {
    const auto id = static_cast<std::uint16_t>(messages_.size());
    const auto [at, fresh] = message_ids_.emplace(encode(message), id);
    if (fresh) messages_.push_back(message);
    return at->second;
}

std::uint16_t SearchTable::proposal(const CommandBody& body) {
    const Command command{.body = body};
    const auto id = static_cast<std::uint16_t>(proposals_.size());
    const auto [at, fresh] = proposal_ids_.emplace(encode(command), id);
    if (fresh) proposals_.push_back(command);
    return at->second;
}

SealWorld SealWorld::initial(const SearchOptions& options, SearchTable& table) {
    SealWorld world;
    world.options_ = options;
    world.table_ = &table;
    ClusterState state;
    for (NodeId id = 1; id <= kNodes; ++id) {
        const UpsertNode upsert{.id = id, .boot = 100 + id, .disk = copy_on(id).disk};
        state.apply(state.applied_index() + 1, Command{.body = upsert});
    }
    const TopicConfig config{.ack_quorum = options.ack_quorum, .min_ack = 1};
    NextSegment next{.leader = {kLeaderNode, 100 + kLeaderNode}};
    for (NodeId id = 1; id <= kNodes; ++id) next.replicas.push_back(copy_on(id));
    const auto created =
        state.apply(state.applied_index() + 1, Command{.body = CreateTopic{"t", config, next}});
    world.topic_ = created.topic;
    world.meta_ = Shared(SearchMeta{std::move(state)});

    const Segment& segment = world.segment();
    for (NodeId id = 1; id <= kNodes; ++id) {
        const SearchDisk disk{.promised = segment.epoch};
        const SegmentKey key{world.topic_, 1};
        world.nodes_.push_back({.boot = 100 + id, .disk_id = copy_on(id).disk});
        world.nodes_.back().disk = Shared(disk);
        world.nodes_.back().replica =
            Shared(Replica(world.topic_, segment, copy_on(id), restored(disk, key)));
    }
    world.leader_ = Shared(SegmentLeader({}, world.topic_, segment, {}));
    return world;
}

std::vector<Step> SealWorld::steps() const {
    std::vector<Step> steps;
    const auto number = [](std::size_t n) { return static_cast<std::uint16_t>(n); };
    if (leader_ && sequence_.size() < options_.batches) steps.push_back({StepKind::kAppend, 1});
    if (!sealed() && begun_ < options_.seals) steps.push_back({StepKind::kBeginSeal, 0});
    if (leader_ && options_.rollover && leader_->admitting()) {
        steps.push_back({StepKind::kRollOver, 0});
    }
    for (NodeId id = 1; id <= kNodes; ++id) {
        const SearchNode& at = node(id);
        if (!at.disk->pending.empty()) steps.push_back({StepKind::kPersist, number(id)});
        if (sealed() && !at.knows_seal) steps.push_back({StepKind::kLearn, number(id)});
        if (crashed_ < options_.crashes) steps.push_back({StepKind::kCrash, number(id)});
        const bool blank = at.disk_id != copy_on(id).disk;
        if (wiped_ < options_.wipes && id != kLeaderNode && !blank) {
            steps.push_back({StepKind::kWipe, number(id)});
        }
    }
    for (const std::uint16_t id : proposals_) steps.push_back({StepKind::kApply, id});
    for (const std::uint16_t id : messages_) steps.push_back({StepKind::kDeliver, id});
    return steps;
}

bool SealWorld::take(const Step& step) {
    const std::uint64_t before = hash();
    const auto id = static_cast<NodeId>(step.what);
    switch (step.kind) {
        case StepKind::kDeliver: deliver(table_->message_at(step.what)); break;
        case StepKind::kApply: apply(table_->proposal_at(step.what)); break;
        case StepKind::kAppend: {
            Output out;
            const std::string data = "batch " + std::to_string(sequence_.size());
            leader_.change([&](SegmentLeader& leader) {
                const std::uint64_t length = leader.end().length;
                leader.append(1 + length, Batch{.records = 1, .data = Payload(data)}, out);
                if (leader.end().length != length) sequence_.push_back(data);
            });
            carry_out(leader_node_, std::move(out));
            break;
        }
        case StepKind::kPersist: persist(id); break;
        case StepKind::kBeginSeal: begin_seal(); break;
        case StepKind::kCrash:
            ++crashed_;
            restart(id, false);
            break;
        case StepKind::kWipe:
            ++wiped_;
            restart(id, true);
            break;
        case StepKind::kLearn: learn(id); break;
        case StepKind::kRollOver: roll_over(); break;
    }
    if (violation_) return true;
    offer_seals();
    check_world();
    drop_settled();
    return violation_ || hash() != before;
}

std::uint64_t SealWorld::hash() const {
    std::string bytes;
    wire::Writer writer(bytes);
    for (const SearchNode& at : nodes_) {
        writer(at.boot, at.disk_id, at.knows_seal, at.disk.hash(), at.replica.hash());
    }
    writer(meta_.hash(), leader_.hash(), messages_, proposals_, begun_, crashed_, wiped_, acked_);
    writer(readable_, sequence_);
    for (const auto& [id, coordinator] : coordinators_) writer(id, coordinator.hash());
    return hash64(as_bytes(bytes), 0);
}

// --- steps ---

template <class Body>
void SealWorld::deliver_to_replica(const Message& message, const Body& body) {
    Output out;
    node(message.to).replica.change([&](Replica& replica) { replica.on(message.from, body, out); });
    carry_out(message.to, std::move(out));
}

void SealWorld::deliver(const Message& message) {
    const auto to_coordinators = [&](const auto& body) {
        for (auto& [id, coordinator] : coordinators_) {
            if (id != message.to) continue;
            Output out;
            coordinator.change([&](SealCoordinator& c) { c.on(message.from, body, out); });
            carry_out(id, std::move(out));
        }
    };
    std::visit(
        [&](const auto& body) {
            using Body = std::decay_t<decltype(body)>;
            if constexpr (std::is_same_v<Body, AppendRequest> ||
                          std::is_same_v<Body, FenceRequest> || std::is_same_v<Body, ReadRequest>) {
                deliver_to_replica(message, body);
            } else if constexpr (std::is_same_v<Body, AppendReply>) {
                if (leader_ && message.to == leader_node_) {
                    Output out;
                    leader_.change([&](SegmentLeader& l) { l.on(message.from, body, out); });
                    carry_out(leader_node_, std::move(out));
                }
                to_coordinators(body);
            } else if constexpr (std::is_same_v<Body, FenceReply> ||
                                 std::is_same_v<Body, ReadReply>) {
                to_coordinators(body);
            }
        },
        message.body);
}

void SealWorld::apply(const Command& command) {
    SearchMeta next = *meta_;
    const auto result = next.state.apply(next.state.applied_index() + 1, command);
    // A rejected command would only make the index grow.
    if (result.applied()) meta_ = Shared(std::move(next));
}

void SealWorld::begin_seal() {
    apply(Command{.body = BeginSeal{{topic_, 1}, segment().epoch}});
    const NodeId id = kCoordinatorNodes[begun_++ % std::size(kCoordinatorNodes)];
    Output out;
    SealCoordinator coordinator({}, id, topic_, segment());
    coordinator.start(out);
    coordinators_.emplace_back(id, Shared(std::move(coordinator)));
    carry_out(id, std::move(out));
}

void SealWorld::persist(NodeId id) {
    SearchNode& at = node(id);
    if (at.disk->pending.empty()) return;
    const DiskWrite write = at.disk->pending.front();
    at.disk.change([&](SearchDisk& disk) {
        disk.pending.erase(disk.pending.begin());
        if (const auto* promise = std::get_if<PromiseEpoch>(&write.operation)) {
            disk.promised = promise->epoch;
        } else if (const auto* store = std::get_if<StoreBatches>(&write.operation)) {
            disk.batches.insert(disk.batches.end(), store->batches.begin(), store->batches.end());
        } else if (const auto* cut = std::get_if<CutTo>(&write.operation)) {
            disk.batches.resize(cut->end.length);  // One record per batch.
        }
    });
    Output out;
    at.replica.change([&](Replica& replica) { replica.persisted(write.ticket, out); });
    carry_out(id, std::move(out));
}

void SealWorld::restart(NodeId id, bool wiped) {
    SearchNode& at = node(id);
    ++at.boot;
    if (wiped) at.disk_id += 1'000'000;
    at.disk.change([&](SearchDisk& disk) {
        disk.pending.clear();
        if (wiped) disk = {.promised = segment().epoch};
        if (options_.forgetful_disk && !disk.batches.empty()) {
            disk.batches.pop_back();
            disk.lossy = true;
        }
    });
    const SegmentKey key{topic_, 1};
    at.replica =
        Shared(Replica(topic_, segment(), ReplicaId{id, at.disk_id}, restored(*at.disk, key)));
    at.knows_seal = false;
    std::erase_if(coordinators_, [&](const auto& entry) { return entry.first == id; });
    if (id != leader_node_) return;
    leader_.reset();
    if (may_lead(segment(), {id, at.boot})) {
        leader_ = Shared(SegmentLeader({}, topic_, segment(), {}));
        options_.batches += 1;  // It has forgotten what it gave out.
        sequence_.clear();
    }
}

void SealWorld::learn(NodeId id) {
    SearchNode& at = node(id);
    at.knows_seal = true;
    Output out;
    at.replica.change([&](Replica& replica) { replica.update(segment(), out); });
    if (leader_ && id == leader_node_) {
        leader_.change([&](SegmentLeader& leader) { leader.abandon(out); });
    }
    carry_out(id, std::move(out));
    if (!segment().has_replica(id) || at.disk_id != copy_on(id).disk) return;
    if (at.replica->corrupt()) fail("I7: a holder finds another chain than the sealed one");
}

void SealWorld::roll_over() {
    leader_.change([](SegmentLeader& leader) { leader.stop_admitting(); });
}

// --- what machines ask for ---

void SealWorld::carry_out(NodeId id, Output out) {
    check(id, out);
    for (const Message& message : out.messages) {
        if (message.to != id) insert_sorted(messages_, table_->message(message));
    }
    for (const DiskRead& read : out.reads) read_disk(id, read);
    if (!out.writes.empty()) {
        node(id).disk.change([&](SearchDisk& disk) {
            disk.pending.insert(disk.pending.end(), out.writes.begin(), out.writes.end());
        });
        while (!options_.slow_disk && !node(id).disk->pending.empty()) persist(id);
    }
    for (const AppendDone& done : out.appends) {
        if (done.outcome == AppendOutcome::kCommitted) check_ack(done.offset->value + 1);
    }
    // Last, as in SegmentNode: by then all machines are in place again.
    for (const Message& message : out.messages) {
        if (message.to == id && !is_settled(message)) deliver(message);
    }
}

void SealWorld::read_disk(NodeId id, const DiskRead& read) {
    const std::vector<Batch>& batches = node(id).disk->batches;
    ReadReply reply{.key = read.key, .epoch = read.epoch, .first = read.first};
    Mark mark{.chain = chain_start(read.key)};
    for (const Batch& batch : batches) {
        if (mark.length == read.first) reply.prev_chain = mark.chain;
        if (mark.length >= read.first) reply.batches.push_back(batch);
        mark = mark_after(mark, batch);
    }
    const Message message{id, read.for_node, reply};
    if (read.for_node == id) return deliver(message);
    insert_sorted(messages_, table_->message(message));
}

const SealCoordinator* SealWorld::coordinator(NodeId on, Epoch epoch) const {
    for (const auto& [id, coordinator] : coordinators_) {
        const bool works = id == on && coordinator->epoch() == epoch && !coordinator->superseded();
        if (works) return &*coordinator;
    }
    return nullptr;
}

bool SealWorld::is_settled(NodeId to, const AppendReply& reply) const {
    const bool ok = reply.status == AppendStatus::kOk;
    if (!ok && reply.status != AppendStatus::kGap) return true;
    const bool leads = leader_ && to == leader_node_ && reply.epoch == leader_->epoch();
    if (leads) {
        // Behind a gap the leader sends again, and everything it sent is still on its way.
        const bool known = leader_->fenced() || !ok;
        const bool mutant = mutant_on(Mutant::kWipedDiskCounts);
        return known || (!mutant && reply.durable_length <= leader_->durable_length(reply.disk));
    }
    const SealCoordinator* works = coordinator(to, reply.epoch);
    return works == nullptr || works->found().has_value();
}

// It can have no effect any more, or only that of making its receiver give up.
bool SealWorld::is_settled(const Message& message) const {
    const NodeId to = message.to;
    if (const auto* append = std::get_if<AppendRequest>(&message.body)) {
        const bool open = mutant_on(Mutant::kOldEpochAccepted);
        return append->epoch < node(to).replica->promised() && !open;
    }
    if (const auto* fence = std::get_if<FenceRequest>(&message.body)) {
        return fence->epoch < node(to).replica->promised();
    }
    if (const auto* read = std::get_if<ReadRequest>(&message.body)) {
        return read->epoch < node(to).replica->promised();
    }
    if (const auto* reply = std::get_if<AppendReply>(&message.body)) return is_settled(to, *reply);
    if (const auto* reply = std::get_if<FenceReply>(&message.body)) {
        const SealCoordinator* works = coordinator(to, reply->epoch);
        return works == nullptr || works->heard(message.from) ||
               reply->status != FenceStatus::kFenced;
    }
    if (const auto* reply = std::get_if<ReadReply>(&message.body)) {
        const SealCoordinator* works = coordinator(to, reply->epoch);
        return works == nullptr || works->found() || reply->status != ReadStatus::kOk;
    }
    return true;
}

void SealWorld::drop_settled() {
    std::erase_if(messages_, [&](std::uint16_t id) { return is_settled(table_->message_at(id)); });
    if (mutant_on(Mutant::kSealWithoutCas)) return;
    std::erase_if(proposals_, [&](std::uint16_t id) {
        const CommandBody& body = table_->proposal_at(id).body;
        const auto* seal = std::get_if<Seal>(&body);
        const Epoch epoch =
            seal != nullptr ? seal->expect_epoch : std::get<SealAndOpen>(body).expect_epoch;
        return epoch != segment().epoch || sealed();
    });
}

void SealWorld::propose(const CommandBody& body) {
    insert_sorted(proposals_, table_->proposal(body));
}

void SealWorld::offer_seals() {
    for (const auto& [id, coordinator] : coordinators_) {
        const auto found = coordinator->found();
        if (!found) continue;
        propose(Seal{.key = {topic_, 1},
                     .expect_epoch = coordinator->epoch(),
                     .content = found->content,
                     .holders = found->holders});
    }
    if (!leader_ || !leader_->drained()) return;
    NextSegment next{.leader = {2, 102}};
    for (NodeId id = 1; id <= kNodes; ++id) next.replicas.push_back(copy_on(id));
    propose(
        SealAndOpen{{topic_, 1}, leader_->epoch(), leader_->content(), leader_->holders(), next});
}

// --- what must hold ---

void SealWorld::fail(const std::string& what) {
    if (!violation_) violation_ = what;
}

// I4: what a copy answers for is in an epoch that is not below its promise.
void SealWorld::check(NodeId id, const Output& out) {
    for (const Message& message : out.messages) {
        const auto* reply = std::get_if<AppendReply>(&message.body);
        if (reply == nullptr || reply->status != AppendStatus::kOk) continue;
        const bool late = reply->epoch < node(id).replica->promised();
        if (late && reply->durable_length > 0) {
            fail("I4: a copy acknowledges an epoch below its promise");
        }
    }
}

void SealWorld::check_ack(std::uint64_t length) {
    std::uint32_t durable = 0;
    for (NodeId id = 1; id <= kNodes; ++id) {
        const bool registered = node(id).disk_id == copy_on(id).disk;
        if (registered && node(id).disk->batches.size() >= length) ++durable;
    }
    // A disk that forgets or vanishes may have held it when it answered.
    const bool disks_are_good = !options_.forgetful_disk && wiped_ == 0;
    if (disks_are_good && durable < options_.ack_quorum) {
        fail("I3: acknowledged on fewer than A durable copies");
    }
    acked_ = std::max(acked_, length);
    if (sealed_length_ && length > *sealed_length_) {
        fail("I6: acknowledged after the seal cut it off");
    }
}

void SealWorld::check_world() {
    for (NodeId id = 1; id <= kNodes; ++id) {
        const auto& batches = node(id).disk->batches;
        readable_ = std::max(readable_, node(id).replica->readable_length());
        bool prefix = batches.size() <= sequence_.size();
        for (std::size_t i = 0; prefix && i < batches.size(); ++i) {
            prefix = batches[i].data.text() == sequence_[i];
        }
        if (!prefix) fail("I1, I2: a copy is no prefix of the one sequence");
    }
    if (!sealed()) return;
    const Segment& now = segment();
    if (sealed_length_ && *sealed_length_ != now.length) fail("I5: a sealed length changed");
    const bool fresh = !sealed_length_.has_value();
    sealed_length_ = now.length;
    if (now.length < acked_) fail("I6: sealed below an acknowledged record");
    if (now.length < readable_) fail("I8: sealed below what was readable");
    for (NodeId id = 1; id <= kNodes; ++id) {
        const SearchNode& at = node(id);
        if (!at.knows_seal || at.replica->corrupt()) continue;
        if (at.replica->end().length > now.length) fail("I2: a copy keeps more than was sealed");
    }
    if (!fresh || options_.forgetful_disk || wiped_ > 0) return;
    std::uint32_t holders = 0;
    for (const ReplicaId& holder : now.replicas) {
        if (node(holder.node).disk->batches.size() >= now.length) ++holders;
    }
    if (holders < options_.ack_quorum) fail("I7: sealed with fewer than A copies");
}

std::string SealWorld::describe(const Step& step) const {
    const std::string what = std::to_string(step.what);
    switch (step.kind) {
        case StepKind::kApply:
            return step.what < 60000 && table_->proposal_at(step.what).body.index() == 5
                       ? "apply SealAndOpen"
                       : "apply Seal " + what;
        case StepKind::kAppend: return "leader appends";
        case StepKind::kPersist: return "node " + what + ": a write is durable";
        case StepKind::kBeginSeal: return "begin seal";
        case StepKind::kCrash: return "node " + what + " restarts";
        case StepKind::kWipe: return "node " + what + " restarts with a blank disk";
        case StepKind::kLearn: return "node " + what + " learns of the seal";
        case StepKind::kRollOver: return "leader stops admitting";
        case StepKind::kDeliver: break;
    }
    const Message& message = table_->message_at(step.what);
    constexpr const char* kNames[] = {"append",      "append reply", "fence",
                                      "fence reply", "read",         "read reply"};
    const std::size_t kind = message.body.index();
    return std::to_string(message.from) + " -> " + std::to_string(message.to) + ": " +
           (kind < std::size(kNames) ? kNames[kind] : "other");
}

}  // namespace walrus::cluster

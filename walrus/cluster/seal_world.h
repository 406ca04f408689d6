// The world of the exhaustive search: one segment, its nodes, and what is under way.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "walrus/base/bytes.h"
#include "walrus/cluster/chain_hash.h"
#include "walrus/cluster/cluster_state.h"
#include "walrus/cluster/replica.h"
#include "walrus/cluster/seal_coordinator.h"
#include "walrus/cluster/seal_search.h"
#include "walrus/cluster/segment_leader.h"

namespace walrus::cluster {

// A value that worlds share until one of them changes it.
template <class T>
class Shared {
public:
    Shared() = default;
    explicit Shared(T value) { set(std::move(value)); }

    explicit operator bool() const { return value_ != nullptr; }
    const T& operator*() const { return *value_; }
    const T* operator->() const { return value_.get(); }
    std::uint64_t hash() const { return hash_; }
    void reset() { *this = {}; }

    template <class Change>
    void change(Change&& how) {
        T next = *value_;
        how(next);
        set(std::move(next));
    }

private:
    void set(T value) {
        std::string bytes;
        value.append_state(bytes);
        hash_ = hash64(as_bytes(bytes), 1);
        value_ = std::make_shared<const T>(std::move(value));
    }

    std::shared_ptr<const T> value_;
    std::uint64_t hash_ = 0;
};

// What survives a crash, and what is on its way there.
struct SearchDisk {
    Epoch promised = {};
    std::vector<Batch> batches = {};  // Durable.
    std::vector<DiskWrite> pending = {};
    bool lossy = false;

    void append_state(std::string& out) const;
};

struct SearchNode {
    BootId boot = 0;
    DiskId disk_id = 0;
    bool knows_seal = false;  // Has applied the Seal.
    Shared<SearchDisk> disk = {};
    Shared<Replica> replica = {};
};

// The metadata, as a value with a hash.
struct SearchMeta {
    ClusterState state;

    void append_state(std::string& out) const { out += state.snapshot(); }
};

// Messages and proposals by number, so that worlds only hold numbers.
class SearchTable {
public:
    std::uint16_t message(const Message& message);
    std::uint16_t proposal(const CommandBody& body);
    const Message& message_at(std::uint16_t id) const { return messages_.at(id); }
    const Command& proposal_at(std::uint16_t id) const { return proposals_.at(id); }

private:
    std::unordered_map<std::string, std::uint16_t> message_ids_;
    std::unordered_map<std::string, std::uint16_t> proposal_ids_;
    std::vector<Message> messages_;
    std::vector<Command> proposals_;
};

enum class StepKind : std::uint8_t {
    kDeliver,
    kApply,
    kAppend,
    kPersist,
    kBeginSeal,
    kCrash,
    kWipe,
    kLearn,
    kRollOver,
};

struct Step {
    StepKind kind = StepKind::kDeliver;
    std::uint16_t what = 0;  // A message, a proposal or a node, by kind.
};

class SealWorld {
public:
    static constexpr std::size_t kNodes = 3;

    static SealWorld initial(const SearchOptions& options, SearchTable& table);

    // Everything that can happen next.
    std::vector<Step> steps() const;
    // False: the step changed nothing.  Afterwards violation() may be set.
    bool take(const Step& step);

    std::uint64_t hash() const;
    const std::optional<std::string>& violation() const { return violation_; }
    bool sealed() const { return segment().state == SegmentState::kSealed; }
    std::string describe(const Step& step) const;

private:
    const Segment& segment() const { return *meta_->state.segment({topic_, 1}); }
    SearchNode& node(NodeId id) { return nodes_[id - 1]; }
    const SearchNode& node(NodeId id) const { return nodes_[id - 1]; }

    void deliver(const Message& message);
    template <class Body>
    void deliver_to_replica(const Message& message, const Body& body);
    void apply(const Command& command);
    void begin_seal();
    void persist(NodeId id);
    void restart(NodeId id, bool wiped);
    void learn(NodeId id);
    void roll_over();
    void change_leader(NodeId id);
    // Takes over everything that a machine on `id` asked for.
    void carry_out(NodeId id, Output out);
    void read_disk(NodeId id, const DiskRead& read);
    void propose(const CommandBody& body);
    void drop_settled();
    bool is_settled(const Message& message) const;
    bool is_settled(NodeId to, const AppendReply& reply) const;
    const SealCoordinator* coordinator(NodeId on, Epoch epoch) const;
    void offer_seals();
    void check(NodeId id, const Output& out);
    void check_ack(std::uint64_t length);
    void check_world();
    void fail(const std::string& what);

    SearchOptions options_;
    SearchTable* table_ = nullptr;
    TopicId topic_ = 0;
    std::vector<SearchNode> nodes_;
    Shared<SearchMeta> meta_;
    Shared<SegmentLeader> leader_;
    NodeId leader_node_ = 1;
    std::vector<std::pair<NodeId, Shared<SealCoordinator>>> coordinators_;
    std::vector<std::uint16_t> messages_;   // Sorted.
    std::vector<std::uint16_t> proposals_;  // Sorted.
    std::vector<std::string> sequence_;     // What the leader gave positions to, in order.
    std::uint32_t begun_ = 0;
    std::uint32_t crashed_ = 0;
    std::uint32_t wiped_ = 0;
    std::uint64_t acked_ = 0;     // Longest acknowledged length.
    std::uint64_t readable_ = 0;  // Longest length any copy let consumers read.
    std::optional<std::uint64_t> sealed_length_;
    std::optional<std::string> violation_;
};

}  // namespace walrus::cluster

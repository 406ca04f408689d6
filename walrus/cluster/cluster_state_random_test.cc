// Random commands, sensible and not, against what must hold of every state.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "walrus/base/random.h"
#include "walrus/cluster/command_codec.h"
#include "walrus/cluster/snapshot_codec.h"
#include "walrus/cluster/test_cluster_state.h"
#include "walrus/testing/seed.h"

namespace walrus::cluster {
namespace {

// Draws commands from a small world, mostly such that they fit.
class CommandSource {
public:
    CommandSource(Random& random, const ClusterState& state) : random_(random), state_(state) {}

    Command draw() {
        Command command;
        if (random_.chance(1, 2)) command.id = {1 + random_.below(3), random_.below(40)};
        switch (random_.below(14)) {
            case 0: command.body = draw_upsert(); break;
            case 1: command.body = draw_node_state(); break;
            case 2: command.body = CreateTopic{name(), config(), next()}; break;
            case 3: command.body = UpdateTopic{topic(), version(), config()}; break;
            case 4:
                command.body = DeleteTopic{topic(), random_.chance(1, 8) ? version() : 0};
                break;
            case 5:
                command.body = SealAndOpen{key(), epoch(), content(), replicas(3), next()};
                break;
            case 6: command.body = BeginSeal{key(), epoch()}; break;
            case 7: command.body = draw_seal(); break;
            case 8: command.body = draw_unclean(); break;
            case 9: command.body = OpenSegment{topic(), segment(), next()}; break;
            case 10: command.body = draw_change(); break;
            case 11: command.body = DropSegments{topic(), segment()}; break;
            case 12: command.body = draw_acquire(); break;
            default: command.body = draw_commit(); break;
        }
        return command;
    }

private:
    NodeId node() { return 1 + random_.below(5); }
    std::string name() { return std::string(1, static_cast<char>('a' + random_.below(3))); }
    TopicId topic() {
        const auto& topics = state_.data().topics;
        if (topics.empty() || random_.chance(1, 8)) return random_.below(4);
        auto it = topics.begin();
        std::advance(it, static_cast<std::ptrdiff_t>(random_.below(topics.size())));
        return last_topic_ = it->first;
    }
    const Topic* chosen() const { return state_.topic(last_topic_); }
    Index version() { return chosen() != nullptr ? chosen()->version : 0; }
    SegmentNumber segment() {
        if (chosen() == nullptr) return 1;
        const SegmentNumber last = chosen()->last().number;
        return random_.chance(1, 4) ? last - random_.below(std::min<std::uint64_t>(last, 3)) : last;
    }
    SegmentKey key() {
        last_key_ = SegmentKey{topic(), 0};
        last_key_.segment = segment();
        return last_key_;
    }
    Epoch epoch() {
        const Segment* found = state_.segment(last_key_);
        if (found == nullptr || random_.chance(1, 6)) return Epoch{random_.below(100)};
        return found->epoch;
    }
    ReplicaId replica(NodeId id) {
        const Node* found = state_.node(id);
        const bool right = found != nullptr && !random_.chance(1, 16);
        return {id, right ? found->disk : 7};
    }
    std::vector<ReplicaId> replicas(std::uint64_t most) {
        std::vector<ReplicaId> drawn;
        const NodeId first = node();
        const std::uint64_t count = random_.below(most + 1);
        for (std::uint64_t i = 0; i < count; ++i) drawn.push_back(replica(1 + (first + i) % 5));
        return drawn;
    }
    NextSegment next() {
        NextSegment drawn{.replicas = replicas(3), .wall_ms = random_.below(9)};
        if (drawn.replicas.empty()) return drawn;
        drawn.leader.node = drawn.replicas.front().node;
        const Node* found = state_.node(drawn.leader.node);
        drawn.leader.boot = found != nullptr && !random_.chance(1, 16) ? found->boot : 3;
        return drawn;
    }
    TopicConfig config() {
        TopicConfig drawn{.replication_factor = 3, .ack_quorum = 2, .min_ack = 1};
        drawn.ack_quorum = static_cast<std::uint32_t>(1 + random_.below(4));
        drawn.limits.max_records = 20;
        return drawn;
    }
    SealedContent content() {
        return {random_.below(22), random_.below(9999), ChainHash{random_.next()}};
    }
    UpsertNode draw_upsert() {
        const NodeId id = node();
        const Node* found = state_.node(id);
        UpsertNode drawn = upsert(id, 1 + random_.below(1000), found != nullptr ? found->boot : 0);
        if (random_.chance(1, 8)) drawn.expect_boot = random_.below(3);
        if (random_.chance(1, 8)) drawn.disk = 6;
        return drawn;
    }
    SetNodeState draw_node_state() {
        const NodeId id = node();
        const Node* found = state_.node(id);
        const auto wanted = static_cast<NodeState>(random_.below(random_.chance(1, 9) ? 4 : 3));
        return {id, wanted, found != nullptr ? found->version : 1};
    }
    Seal draw_seal() {
        Seal drawn{.key = key(), .expect_epoch = epoch(), .content = content()};
        drawn.holders = replicas(4);
        if (random_.chance(1, 2)) drawn.next = next();
        return drawn;
    }
    UncleanSeal draw_unclean() {
        UncleanSeal drawn{.key = key(), .expect_epoch = epoch(), .content = content()};
        drawn.holders = replicas(2);
        drawn.reason = "lost";
        return drawn;
    }
    ChangeReplicas draw_change() {
        ChangeReplicas drawn{.key = key()};
        const Segment* found = state_.segment(drawn.key);
        drawn.expect_version = found != nullptr ? found->version : 1;
        drawn.add = replicas(random_.chance(1, 8) ? 2 : 1);
        if (!drawn.add.empty()) {
            drawn.holder.node = drawn.add[0].node;
            const Node* holder = state_.node(drawn.holder.node);
            drawn.holder.boot = holder != nullptr ? holder->boot : 1;
        }
        if (found != nullptr && random_.chance(1, 2)) {
            drawn.remove.assign(found->replicas.begin(),
                                found->replicas.begin() + (found->replicas.empty() ? 0 : 1));
        }
        return drawn;
    }
    AcquireCursor draw_acquire() {
        AcquireCursor drawn{.topic = topic(), .consumer = name()};
        const NodeId id = node();
        drawn.owner = {id, state_.node(id) != nullptr ? state_.node(id)->boot : 1};
        drawn.expect_generation = generation(drawn.topic, drawn.consumer);
        if (random_.chance(1, 4)) drawn.reset_to = Offset{random_.below(40)};
        return drawn;
    }
    CommitCursors draw_commit() {
        CommitCursors drawn;
        for (std::uint64_t i = random_.below(4); i-- > 0;) {
            const TopicId id = topic();
            const std::string consumer = name();
            drawn.commits.push_back(
                {id, consumer, generation(id, consumer), Offset{random_.below(60)}});
        }
        return drawn;
    }
    Index generation(TopicId id, const std::string& consumer) {
        const Topic* found = state_.topic(id);
        if (found == nullptr || !found->cursors.contains(consumer) || random_.chance(1, 8))
            return 0;
        return found->cursors.at(consumer).generation;
    }

    Random& random_;
    const ClusterState& state_;
    TopicId last_topic_ = 0;
    SegmentKey last_key_;
};

// What was sealed stays (I5, I7) and cursors do not go back within a generation (I11).
void check_step(const ClusterData& before, const ClusterData& after) {
    for (const auto& [id, old_topic] : before.topics) {
        const auto found = after.topics.find(id);
        if (found == after.topics.end()) continue;
        for (const auto& [number, old] : old_topic.segments) {
            const Segment* now = found->second.segment(number);
            if (now == nullptr) {
                EXPECT_EQ(old.state, SegmentState::kSealed);
                continue;
            }
            EXPECT_GE(now->epoch, old.epoch);
            EXPECT_GE(now->state, old.state);
            EXPECT_EQ(now->base, old.base);
            if (old.state != SegmentState::kSealed) continue;
            EXPECT_EQ(now->length, old.length);
            EXPECT_EQ(now->chain, old.chain);
        }
        for (const auto& [consumer, old] : old_topic.cursors) {
            const auto now = found->second.cursors.find(consumer);
            if (now == found->second.cursors.end()) continue;
            EXPECT_GE(now->second.generation, old.generation);
            if (now->second.generation != old.generation) continue;
            EXPECT_GE(now->second.offset, old.offset);
        }
    }
}

TEST(ClusterStateRandom, AnyCommandsLeadToPossibleStatesAndTheSameOnEveryNode) {
    SeededRandom random(testing::test_seed());
    std::map<std::size_t, int> applied;  // By type of command.
    for (int round = 0; round < 10; ++round) {
        ClusterState state;
        ClusterState other;
        CommandSource source(random, state);
        for (Index index = 1; index <= 400; ++index) {
            const Command command = source.draw();
            const std::string bytes = encode(command);
            const auto decoded = decode_command(as_bytes(bytes));
            ASSERT_TRUE(decoded);
            ASSERT_EQ(*decoded, command);
            const ClusterData before = state.data();
            const CommandResult result = state.apply(index, command);
            ASSERT_EQ(other.apply(index, as_bytes(bytes)), result);
            ASSERT_EQ(*decode_command_result(as_bytes(encode(result))), result);
            ASSERT_EQ(fault_of(state.data()), std::nullopt) << "index " << index;
            if (result.applied()) ++applied[command.body.index()];
            check_step(before, state.data());
            // One of the two nodes now and then restarts from a snapshot.
            if (index % 16 == 0) {
                auto restored = ClusterState::restore(as_bytes(other.snapshot()));
                ASSERT_TRUE(restored) << restored.error().to_string();
                other = *std::move(restored);
                ASSERT_EQ(other.state_hash(), state.state_hash());
            }
            ASSERT_EQ(other.data().history_hash, state.data().history_hash);
        }
    }
    // Producer commands are drawn by the other tests; all others must have been seen to work.
    for (std::size_t type = 0; type < std::variant_size_v<CommandBody> - 3; ++type) {
        EXPECT_GT(applied[type], 0) << "command type " << type;
    }
}

}  // namespace
}  // namespace walrus::cluster

#include "walrus/cluster/command_codec.h"

#include <gtest/gtest.h>

#include "walrus/cluster/snapshot_codec.h"
#include "walrus/cluster/test_cluster_state.h"

namespace walrus::cluster {
namespace {

std::string hex(std::string_view bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

std::vector<CommandBody> one_of_each() {
    const SegmentKey key{3, 4};
    const NextSegment next = TestState::next_on(2);
    const SealedContent content{7, 8, ChainHash{9}};
    return {
        upsert(1, 5, 4),
        SetNodeState{1, NodeState::kDraining, 6},
        CreateTopic{"orders", {.retention = {.reclaim_read = true}}, next},
        UpdateTopic{3, 2, {}},
        DeleteTopic{3, 2},
        SealAndOpen{key, Epoch{5}, content, {copy_on(2)}, next},
        BeginSeal{key, Epoch{5}},
        Seal{key, Epoch{5}, content, {copy_on(1)}, next, 11},
        UncleanSeal{key, Epoch{5}, content, {copy_on(1)}, "why", 11},
        OpenSegment{3, 4, next},
        ChangeReplicas{key, 6, {copy_on(1)}, {copy_on(2)}, {1, 101}},
        DropSegments{3, 4},
        AcquireCursor{3, "g", {1, 2}, 5, Offset{6}},
        CommitCursors{{{3, "g", 5, Offset{6}}, {3, "", 7, Offset{8}}}},
        DeleteCursor{3, "g", 5},
        InitProducer{"p"},
        ExpireProducers{9},
    };
}

TEST(CommandCodec, EveryCommandSurvivesTheRoundTrip) {
    const std::vector<CommandBody> bodies = one_of_each();
    ASSERT_EQ(bodies.size(), std::variant_size_v<CommandBody>);
    for (std::size_t i = 0; i < bodies.size(); ++i) {
        ASSERT_EQ(bodies[i].index(), i);
        const Command command{{9, i}, bodies[i]};
        const std::string bytes = encode(command);
        const auto decoded = decode_command(as_bytes(bytes));
        ASSERT_TRUE(decoded) << decoded.error().to_string();
        EXPECT_EQ(*decoded, command);
        // Every proper prefix, and anything after the end, is refused.
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            EXPECT_FALSE(decode_command(as_bytes(bytes).first(size)));
        }
        EXPECT_FALSE(decode_command(as_bytes(bytes + "x")));
    }
}

// The bytes are a promise to every other version: the log keeps them.
TEST(CommandCodec, TheBytesAreThoseOfTheFormat) {
    EXPECT_EQ(hex(encode(Command{{1, 2}, BeginSeal{{3, 4}, Epoch{5}}})),
              "01"                  // version
              "0100000000000000"    // client
              "0200000000000000"    // sequence
              "06"                  // BeginSeal
              "0300000000000000"    // topic
              "0400000000000000"    // segment
              "0500000000000000");  // expected epoch
    EXPECT_EQ(hex(encode(Command{{0, 0}, InitProducer{"ab"}})),
              "01"
              "0000000000000000"
              "0000000000000000"
              "0f"
              "02000000"
              "6162");
    EXPECT_EQ(hex(encode(CommandResult{.outcome = Outcome::kStaleEpoch, .index = 1, .items = {}})),
              "01"
              "06"
              "0100000000000000"
              "0000000000000000"
              "0000000000000000"
              "0000000000000000"
              "0000000000000000"
              "0000"
              "00000000");
}

TEST(CommandCodec, ASnapshotOfTheEmptyStateIsItsVersionAndCounters) {
    EXPECT_EQ(hex(encode(ClusterData{})),
              "01"
              "0000000000000000"  // applied index
              "0000000000000000"  // history hash
              "0100000000000000"  // next topic
              "0100000000000000"  // next producer
              "00000000"          // nodes
              "00000000"          // topics
              "00000000"          // producers
              "00000000");        // remembered results
}

TEST(CommandCodec, OtherVersionsFlagsAndEnumeratorsAreRefused) {
    std::string bytes = encode(Command{{1, 2}, SetNodeState{1, NodeState::kRemoved, 6}});
    std::string other = bytes;
    other[0] = 2;
    EXPECT_FALSE(decode_command(as_bytes(other)));
    other = bytes;
    other[17] = static_cast<char>(std::variant_size_v<CommandBody>);
    EXPECT_FALSE(decode_command(as_bytes(other)));
    other = bytes;
    other[26] = 4;  // The state after the last one.
    EXPECT_FALSE(decode_command(as_bytes(other)));
}

}  // namespace
}  // namespace walrus::cluster

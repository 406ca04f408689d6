#include "walrus/raft/codec.h"

#include <gtest/gtest.h>

#include "walrus/base/random.h"

namespace walrus::raft {
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

ConfState joint_conf() {
    return {.voters = {1, 2},
            .outgoing = {2, 3},
            .learners = {4},
            .next_learners = {3},
            .auto_leave = true};
}

Entry command(Index index, Term term, std::string text) {
    return {index, term, EntryKind::kCommand, Payload(std::move(text))};
}

std::vector<Message> one_of_each() {
    const Entry conf{4, 2, EntryKind::kConfChange, Payload(encode(joint_conf()))};
    AppendRequest append{.prev_index = 2, .prev_term = 1, .commit = 9};
    append.entries = {command(3, 2, "abc"), conf, {5, 2, EntryKind::kNoop, {}}};
    SnapshotChunk chunk{.meta = {7, 2, joint_conf()}, .offset = 5, .done = true};
    chunk.data = Payload("xyz");
    return {
        {1, 2, 3, VoteRequest{true, false, 4, 2}},
        {1, 2, 3, VoteReply{false, true}},
        {1, 2, 3, append},
        {1, 2, 3, AppendReply{false, 0, 8, 6, 2}},
        {1, 2, 3, HeartbeatRequest{4, 5}},
        {1, 2, 3, HeartbeatReply{5}},
        {1, 2, 3, chunk},
        {1, 2, 3, SnapshotReply{7, 16}},
        {1, 2, 3, TimeoutNow{}},
        {1, 2, 3, ReadRequest{11}},
        {1, 2, 3, ReadReply{11, true, 6}},
        {1, 2, 3, ProposeRequest{Payload("cmd")}},
    };
}

TEST(RaftCodec, EveryMessageSurvivesTheRoundTrip) {
    const std::vector<Message> messages = one_of_each();
    ASSERT_EQ(messages.size(), std::variant_size_v<MessageBody>);
    for (const Message& message : messages) {
        const auto decoded = decode_message(as_bytes(encode(message)));
        ASSERT_TRUE(decoded) << decoded.error().to_string();
        EXPECT_EQ(*decoded, message);
    }
}

TEST(RaftCodec, StoredValuesSurviveTheRoundTrip) {
    const HardState hard_state{5, 2, 9};
    EXPECT_EQ(*decode_hard_state(as_bytes(encode(hard_state))), hard_state);
    const SnapshotMeta meta{7, 2, joint_conf()};
    EXPECT_EQ(*decode_snapshot_meta(as_bytes(encode(meta))), meta);
    const Entry entry = command(3, 2, "abc");
    EXPECT_EQ(*decode_entry(as_bytes(encode(entry))), entry);
}

// The bytes are a promise to every other version.
TEST(RaftCodec, TheBytesAreThoseOfTheFormat) {
    EXPECT_EQ(hex(encode(HardState{5, 2, 9})),
              "01"
              "0500000000000000"
              "0200000000000000"
              "0900000000000000");
    EXPECT_EQ(hex(encode(command(3, 2, "abc"))),
              "01"
              "0300000000000000"
              "0200000000000000"
              "01"
              "03000000"
              "616263");
    EXPECT_EQ(hex(encode(ConfState{.voters = {1}, .learners = {2}})),
              "01"
              "0100"
              "0100000000000000"
              "0000"
              "0100"
              "0200000000000000"
              "0000"
              "00");
    EXPECT_EQ(hex(encode(Message{1, 2, 3, HeartbeatRequest{4, 5}})),
              "01"
              "04"
              "0100000000000000"
              "0200000000000000"
              "0300000000000000"
              "0400000000000000"
              "0500000000000000");
}

TEST(RaftCodec, EveryTruncationIsRefused) {
    for (const Message& message : one_of_each()) {
        const std::string bytes = encode(message);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            const auto decoded = decode_message(as_bytes(std::string_view(bytes).substr(0, size)));
            ASSERT_FALSE(decoded);
            EXPECT_EQ(decoded.error().code, Errc::kCorruption);
        }
    }
}

TEST(RaftCodec, BytesLeftOverAreRefused) {
    for (const Message& message : one_of_each()) {
        EXPECT_FALSE(decode_message(as_bytes(encode(message) + '\0')));
    }
}

TEST(RaftCodec, AnotherVersionIsRefused) {
    std::string bytes = encode(HardState{5, 2, 9});
    bytes[0] = 2;
    EXPECT_FALSE(decode_hard_state(as_bytes(bytes)));
}

// What decodes after damage must still be a sensible message, and encode to the damaged bytes.
TEST(RaftCodec, DamagedBytesAreRefusedOrStayWhatTheyAre) {
    SeededRandom random(1);
    for (const Message& message : one_of_each()) {
        for (int i = 0; i < 2'000; ++i) {
            std::string bytes = encode(message);
            bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
            const auto decoded = decode_message(as_bytes(bytes));
            if (!decoded) continue;
            EXPECT_EQ(encode(*decoded), bytes);
            EXPECT_TRUE(validate(*decoded));
        }
    }
}

TEST(RaftCodec, AHugeCountAllocatesNothing) {
    Message message{1, 2, 3, AppendRequest{}};
    std::string bytes = encode(message);
    bytes.replace(bytes.size() - 4, 4, "\xff\xff\xff\xff");
    EXPECT_FALSE(decode_message(as_bytes(bytes)));
}

TEST(RaftCodec, EntriesWithGapsOrFallingTermsAreRefused) {
    const auto refused = [](std::vector<Entry> entries) {
        AppendRequest append{.prev_index = 2, .prev_term = 2, .commit = 0};
        append.entries = std::move(entries);
        return !validate({1, 2, 3, append});
    };
    EXPECT_FALSE(refused({command(3, 2, ""), command(4, 3, "")}));
    EXPECT_TRUE(refused({command(4, 2, "")}));
    EXPECT_TRUE(refused({command(3, 2, ""), command(5, 2, "")}));
    EXPECT_TRUE(refused({command(3, 1, "")}));
    EXPECT_TRUE(refused({command(3, 4, "")}));
    EXPECT_TRUE(refused({{3, 2, EntryKind::kConfChange, Payload("nonsense")}}));
}

TEST(RaftCodec, ConfigurationsThatContradictThemselvesAreRefused) {
    const auto refused = [](const ConfState& conf) {
        return !decode_conf_state(as_bytes(encode(conf)));
    };
    EXPECT_FALSE(refused(joint_conf()));
    EXPECT_TRUE(refused({.voters = {2, 1}}));
    EXPECT_TRUE(refused({.voters = {1, 1}}));
    EXPECT_TRUE(refused({.voters = {0}}));
    EXPECT_TRUE(refused({.voters = {1}, .learners = {1}}));
    EXPECT_TRUE(refused({.voters = {}, .outgoing = {1}}));
    EXPECT_TRUE(refused({.voters = {1}, .next_learners = {2}}));
}

}  // namespace
}  // namespace walrus::raft

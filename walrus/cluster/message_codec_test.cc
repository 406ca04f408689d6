#include "walrus/cluster/message_codec.h"

#include <gtest/gtest.h>

namespace walrus::cluster {
namespace {

std::vector<MessageBody> one_of_each() {
    const SegmentKey key{3, 4};
    const Batch first{.records = 2, .preamble = Payload("p"), .data = Payload("ab")};
    const Batch second{.records = 1, .producer = {7, 1, 9}, .data = Payload("c")};
    return {
        AppendRequest{key, Epoch{5}, 0, ChainHash{6}, 1, true, {first, second}},
        AppendReply{key, Epoch{5}, 8, AppendStatus::kGap, Epoch{6}, 3, 2, 1},
        FenceRequest{key, Epoch{5}},
        FenceReply{
            key, Epoch{5}, 8, FenceStatus::kFenced, Epoch{5}, 3, {2, 4, ChainHash{9}}, 1, true},
        ReadRequest{key, Epoch{5}, 2, 100},
        ReadReply{key, Epoch{5}, ReadStatus::kOk, 2, ChainHash{6}, {second}},
        ConfirmRequest{key, Epoch{5}, 7},
        ConfirmReply{key, Epoch{5}, 8, 7, true},
        ProducersRequest{key, 9},
        ProducersReply{key, true, Payload("t")},
        NodeHeartbeat{1, 2},
        CopyRequest{key},
    };
}

TEST(MessageCodec, EveryMessageSurvivesTheRoundTripAndNoPrefixDecodes) {
    const std::vector<MessageBody> bodies = one_of_each();
    ASSERT_EQ(bodies.size(), std::variant_size_v<MessageBody>);
    for (std::size_t i = 0; i < bodies.size(); ++i) {
        ASSERT_EQ(bodies[i].index(), i);
        const Message message{1, 2, bodies[i]};
        const std::string bytes = encode(message);
        const auto decoded = decode_message(as_bytes(bytes));
        ASSERT_TRUE(decoded) << decoded.error().to_string();
        EXPECT_EQ(*decoded, message);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            EXPECT_FALSE(decode_message(as_bytes(bytes).first(size)));
        }
    }
}

TEST(MessageCodec, ImpossibleBatchesAreRefused) {
    AppendRequest request{.key = {3, 4}, .batches = {Batch{.records = 0}}};
    EXPECT_FALSE(decode_message(as_bytes(encode({1, 2, request})))) << "a batch of nothing";
    request.batches = {Batch{.records = 1, .preamble = Payload("p")}};
    request.first = 1;
    EXPECT_FALSE(decode_message(as_bytes(encode({1, 2, request})))) << "preamble in the middle";
    request.batches = {Batch{.records = 1}};
    request.first = kMaxPosition - 1;
    EXPECT_FALSE(decode_message(as_bytes(encode({1, 2, request})))) << "past every position";
}

}  // namespace
}  // namespace walrus::cluster

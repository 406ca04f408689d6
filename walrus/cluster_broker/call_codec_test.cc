#include "walrus/cluster_broker/call_codec.h"

#include <gtest/gtest.h>

#include "walrus/base/random.h"
#include "walrus/testing/seed.h"

namespace walrus::cluster_broker {
namespace {

AppendCall append_call() {
    return {.topic = 3,
            .batch = {.records = 2,
                      .producer = {.id = 9, .epoch = 1, .first_sequence = 5},
                      .data = cluster::Payload("ab")}};
}

// The bytes go between nodes of different builds, so they are fixed.
TEST(CallCodec, ACallHasTheseBytes) {
    const std::string bytes = encode_call(append_call());
    const std::string golden(
        "\x01\x00"                          // version, append
        "\x03\x00\x00\x00\x00\x00\x00\x00"  // topic
        "\x02\x00\x00\x00"                  // records
        "\x09\x00\x00\x00\x00\x00\x00\x00"  // producer
        "\x01\x00"                          // epoch
        "\x05\x00\x00\x00"                  // sequence
        "\x02\x00\x00\x00"
        "ab",
        34);
    EXPECT_EQ(bytes, golden);
    EXPECT_EQ(decode_call(golden).value(), Call(append_call()));
}

TEST(CallCodec, EveryCallComesBack) {
    for (const Call& call :
         {Call(append_call()), Call(GetCall{7}), Call(ReadCall{7, Offset{8}, 9})})
        EXPECT_EQ(decode_call(encode_call(call)).value(), call);
}

TEST(CallCodec, EveryAnswerComesBack) {
    const auto appended = decode_append_answer(
        encode_answer(AppendAnswer{broker::AppendOutcome::kDuplicate, {}, Offset{4}}));
    EXPECT_EQ(appended->outcome, broker::AppendOutcome::kDuplicate);
    EXPECT_EQ(appended->base_offset, Offset{4});
    const auto failed = decode_append_answer(
        encode_answer(AppendAnswer{.error = Error{Errc::kNotLeader, "elsewhere"}}));
    EXPECT_EQ(failed->error->code, Errc::kNotLeader);
    EXPECT_EQ(failed->error->message, "elsewhere");

    EXPECT_EQ(decode_get_answer(encode_answer(GetAnswer{.value = "x"}))->value, "x");
    EXPECT_EQ(decode_get_answer(encode_answer(GetAnswer{}))->value, std::nullopt);

    const ReadAnswer read{.batches = {{Offset{1}, 2, 3, cluster::Payload("data")}}};
    const auto batches = decode_read_answer(encode_answer(read))->batches;
    ASSERT_EQ(batches.size(), 1u);
    EXPECT_EQ(batches[0].offset, Offset{1});
    EXPECT_EQ(batches[0].segment, 3u);
    EXPECT_EQ(batches[0].data.text(), "data");
}

TEST(CallCodec, AnotherVersionIsRefusedAsSuch) {
    std::string bytes = encode_call(GetCall{7});
    bytes[0] = 2;
    EXPECT_EQ(decode_call(bytes).error().code, Errc::kUnsupported);
    EXPECT_EQ(decode_get_answer(bytes).error().code, Errc::kUnsupported);
}

TEST(CallCodec, TheAnswerToAnotherQuestionIsNone) {
    EXPECT_EQ(decode_get_answer(encode_answer(ReadAnswer{})).error().code, Errc::kCorruption);
}

TEST(CallCodec, ABatchWithoutRecordsIsRefused) {
    AppendCall call = append_call();
    call.batch.records = 0;
    EXPECT_FALSE(decode_call(encode_call(call)));
}

// What decodes encodes to the same bytes, whatever happened to them on the way.
TEST(CallCodec, DamagedBytesAreRefusedOrAreAnotherCall) {
    SeededRandom random(testing::test_seed());
    for (int i = 0; i < 20'000; ++i) {
        std::string bytes = encode_call(append_call());
        bytes.resize(random.below(bytes.size() + 1));
        if (!bytes.empty()) bytes[random.below(bytes.size())] = static_cast<char>(random.next());
        if (const auto call = decode_call(bytes)) {
            EXPECT_EQ(encode_call(*call), bytes);
        }
    }
}

}  // namespace
}  // namespace walrus::cluster_broker

#include "walrus/protocol/frame_decoder.h"

#include <gtest/gtest.h>

#include "walrus/base/random.h"
#include "walrus/protocol/big_endian.h"
#include "walrus/protocol/test_hex.h"
#include "walrus/testing/seed.h"

namespace walrus::protocol {
namespace {

std::optional<std::string> take(FrameDecoder& decoder) {
    const auto frame = decoder.next();
    EXPECT_TRUE(frame) << frame.error().to_string();
    if (!frame || !*frame) return std::nullopt;
    return std::string(as_text(**frame));
}

TEST(FrameDecoder, BothOrdersOfTheLengthAreRead) {
    FrameDecoder little(LengthOrder::kLittleEndian, 10);
    little.feed(as_bytes(from_hex("03000000 616263 00000000")));
    EXPECT_EQ(take(little), "abc");
    EXPECT_EQ(take(little), "");
    EXPECT_EQ(take(little), std::nullopt);
    EXPECT_TRUE(little.between_frames());

    FrameDecoder big(LengthOrder::kBigEndian, 10);
    big.feed(as_bytes(from_hex("00000003 616263 00")));
    EXPECT_EQ(take(big), "abc");
    EXPECT_EQ(take(big), std::nullopt);
    EXPECT_FALSE(big.between_frames());
}

TEST(FrameDecoder, FramesDoNotDependOnHowTheStreamIsCut) {
    SeededRandom random(testing::test_seed());
    std::string stream;
    std::vector<std::string> frames;
    for (int i = 0; i < 200; ++i) {
        frames.emplace_back(random.below(40), static_cast<char>('a' + i % 26));
        std::byte length[4];
        store_be(length, static_cast<std::uint32_t>(frames.back().size()));
        stream.append(as_text(length)).append(frames.back());
    }
    FrameDecoder decoder(LengthOrder::kBigEndian, 40);
    std::vector<std::string> seen;
    for (std::string_view left = stream; !left.empty();) {
        const std::size_t piece = std::min<std::size_t>(1 + random.below(60), left.size());
        decoder.feed(as_bytes(left.substr(0, piece)));
        left.remove_prefix(piece);
        while (const auto frame = take(decoder)) seen.push_back(*frame);
    }
    EXPECT_EQ(seen, frames);
    EXPECT_TRUE(decoder.between_frames());
}

TEST(FrameDecoder, TheLimitItselfIsAllowed) {
    FrameDecoder decoder(LengthOrder::kLittleEndian, 3);
    decoder.feed(as_bytes(from_hex("03000000 616263")));
    EXPECT_EQ(take(decoder), "abc");
}

TEST(FrameDecoder, AnOversizedLengthEndsTheStreamBeforeItsBytesCome) {
    FrameDecoder decoder(LengthOrder::kLittleEndian, 3);
    decoder.feed(as_bytes(from_hex("04000000")));
    EXPECT_EQ(decoder.next().error().code, Errc::kTooLarge);
    decoder.feed(as_bytes(from_hex("61626364 00000000")));
    EXPECT_EQ(decoder.next().error().code, Errc::kTooLarge);
}

TEST(FrameDecoder, ANegativeLengthOfKafkaIsOversized) {
    FrameDecoder decoder(LengthOrder::kBigEndian, 100 << 20);
    decoder.feed(as_bytes(from_hex("ffffffff")));
    EXPECT_EQ(decoder.next().error().code, Errc::kTooLarge);
}

}  // namespace
}  // namespace walrus::protocol

#include "walrus/net/receive_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace walrus::net {
namespace {

constexpr std::uint32_t kMaxFrame = 4 << 20;

std::string frame_of(std::string_view text, LengthOrder order = LengthOrder::kLittleEndian) {
    std::byte length[4];
    const auto size = static_cast<std::uint32_t>(text.size());
    store_le(length, order == LengthOrder::kLittleEndian ? size : __builtin_bswap32(size));
    return std::string(as_text(length)).append(text);
}

class ReceiveBufferTest : public testing::Test {
protected:
    // Hands over `bytes` as a stream that gives at most `most` at a time; the texts of the frames
    // that were cut go to frames_.
    void feed(std::string_view bytes, std::size_t most = SIZE_MAX) {
        while (!bytes.empty()) {
            const MutableBytes space = buffer_.prepare();
            ASSERT_GT(space.size(), 0U);
            const std::size_t count = std::min({space.size(), bytes.size(), most});
            std::copy_n(as_bytes(bytes).begin(), count, space.begin());
            buffer_.commit(count);
            bytes.remove_prefix(count);
            Bytes frame;
            while (buffer_.has_frame()) {
                ASSERT_EQ(buffer_.next(frame), ReceiveBuffer::Cut::kFrame);
                frames_.emplace_back(as_text(frame));
            }
            ASSERT_EQ(buffer_.next(frame), ReceiveBuffer::Cut::kNeedMore);
            largest_ = std::max(largest_, buffer_.capacity());
            buffer_.settle();
        }
    }

    BlockPool pool_;
    ReceiveBuffer buffer_{pool_, LengthOrder::kLittleEndian, kMaxFrame};
    std::vector<std::string> frames_;
    std::size_t largest_ = 0;
    using Frames = std::vector<std::string>;
};

TEST_F(ReceiveBufferTest, CutsWhatComesInOnePieceOrByteByByte) {
    const std::string stream = frame_of("one") + frame_of("") + frame_of("three");
    feed(stream);
    feed(stream, 1);
    EXPECT_EQ(frames_, (Frames{"one", "", "three", "one", "", "three"}));
    EXPECT_EQ(buffer_.capacity(), 0U) << "an idle buffer holds no memory";
}

TEST_F(ReceiveBufferTest, KnowsBothOrdersOfALength) {
    ReceiveBuffer big(pool_, LengthOrder::kBigEndian, kMaxFrame);
    const std::string bytes = frame_of("hello", LengthOrder::kBigEndian);
    const MutableBytes space = big.prepare();
    std::copy_n(as_bytes(bytes).begin(), bytes.size(), space.begin());
    big.commit(bytes.size());
    Bytes frame;
    ASSERT_EQ(big.next(frame), ReceiveBuffer::Cut::kFrame);
    EXPECT_EQ(as_text(frame), "hello");
}

TEST_F(ReceiveBufferTest, CutsFramesThatStraddleBlocks) {
    std::string stream;
    Frames expected;
    for (std::size_t size = 1; size < 40'000; size = size * 3 + 1) {
        expected.emplace_back(size, static_cast<char>('a' + expected.size()));
        stream += frame_of(expected.back());
    }
    for (int round = 0; round < 5; ++round) {
        frames_.clear();
        feed(stream, 9973);
        EXPECT_TRUE(frames_ == expected);
    }
    EXPECT_EQ(largest_, BlockPool::kBlockBytes);
}

TEST_F(ReceiveBufferTest, LargeFramesAreReadInOneBufferThatIsKeptWhileInUse) {
    const std::string large(1 << 20, 'x');
    feed(frame_of(large) + frame_of("small") + frame_of(large), 100'000);
    EXPECT_EQ(frames_, (Frames{large, "small", large}));
    EXPECT_EQ(buffer_.capacity(), large.size() + 4);
    buffer_.forget_large();
    EXPECT_EQ(buffer_.capacity(), large.size() + 4) << "it was used a moment ago";
    buffer_.forget_large();
    EXPECT_EQ(buffer_.capacity(), 0U);
}

TEST_F(ReceiveBufferTest, MemoryFollowsTheBytesThatCameAndNotTheLength) {
    const std::string large(kMaxFrame, 'x');
    feed(std::string_view(frame_of(large)).substr(0, 100'000));
    EXPECT_LE(buffer_.capacity(), 200'000U);
    buffer_.forget_large();
    buffer_.forget_large();
    EXPECT_EQ(buffer_.unread(), 100'000U) << "half a frame is not forgotten";
}

TEST_F(ReceiveBufferTest, ALengthAboveTheLimitIsToldAtOnce) {
    const std::string bytes = frame_of("fine") + std::string("\x01\x00\x40\x00", 4);
    const MutableBytes space = buffer_.prepare();
    std::copy_n(as_bytes(bytes).begin(), bytes.size(), space.begin());
    buffer_.commit(bytes.size());
    Bytes frame;
    ASSERT_EQ(buffer_.next(frame), ReceiveBuffer::Cut::kFrame);
    EXPECT_TRUE(buffer_.has_frame());
    EXPECT_EQ(buffer_.next(frame), ReceiveBuffer::Cut::kBadLength);
    EXPECT_EQ(buffer_.length(), kMaxFrame + 1);
}

}  // namespace
}  // namespace walrus::net

#include "walrus/net/frame_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "walrus/base/random.h"
#include "walrus/testing/seed.h"

namespace walrus::net {
namespace {

std::string text_of(const FrameQueue& queue, std::size_t pieces) {
    std::array<Bytes, 64> gathered;
    const std::size_t count = queue.gather(std::span(gathered).first(pieces));
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += as_text(gathered[i]);
    return text;
}

TEST(FrameQueue, PacksSmallPiecesAndKeepsLargeOnesWhereTheyAre) {
    FrameQueue queue;
    std::string large(100'000, 'x');
    const char* const where = large.data();
    queue.push("head");
    queue.push("");
    queue.push("er");
    queue.push(std::move(large));
    queue.push("tail");
    std::array<Bytes, 8> pieces;
    ASSERT_EQ(queue.gather(pieces), 3U);
    EXPECT_EQ(as_text(pieces[0]), "header");
    EXPECT_EQ(as_text(pieces[1]).data(), where);
    EXPECT_EQ(as_text(pieces[2]), "tail");
    EXPECT_EQ(queue.bytes(), 100'010U);
}

TEST(FrameQueue, APieceThatIsPartlySentGoesOnWhereItWas) {
    FrameQueue queue;
    queue.push("abcdef");
    queue.consume(4);
    EXPECT_EQ(text_of(queue, 8), "ef");
    queue.push("gh");
    EXPECT_EQ(text_of(queue, 8), "efgh");
    queue.consume(4);
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(text_of(queue, 8), "");
}

TEST(FrameQueue, AnyOrderOfPushesAndSendsIsTheSameStream) {
    SeededRandom random(testing::test_seed());
    FrameQueue queue;
    std::string pushed;
    std::string sent;
    for (int i = 0; i < 5000; ++i) {
        const std::size_t size = random.chance(1, 20) ? random.below(20'000) : random.below(1500);
        const std::string piece(size, static_cast<char>('a' + i % 26));
        pushed += piece;
        queue.push(piece);
        const std::string ready = text_of(queue, 1 + random.below(64));
        const std::uint64_t taken = random.below(ready.size() + 1);
        sent += ready.substr(0, taken);
        queue.consume(taken);
        ASSERT_EQ(queue.bytes(), pushed.size() - sent.size());
    }
    while (!queue.empty()) {
        const std::string ready = text_of(queue, 64);
        sent += ready;
        queue.consume(ready.size());
    }
    EXPECT_TRUE(sent == pushed);
}

}  // namespace
}  // namespace walrus::net

#include "walrus/net/reply_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace walrus::net {
namespace {

class ReplyQueueTest : public testing::Test {
protected:
    // Sends what can be sent, `most` bytes at a time, seeing at most three pieces each.
    std::string send(std::size_t most = SIZE_MAX) {
        std::string sent;
        for (;;) {
            std::array<Bytes, 3> pieces;
            const std::size_t count = queue_.gather(pieces);
            if (count == 0) return sent;
            std::string seen;
            for (std::size_t i = 0; i < count; ++i) seen += as_text(pieces[i]);
            seen.resize(std::min(seen.size(), most));
            queue_.consume(seen.size());
            sent += seen;
        }
    }

    ReplyQueue queue_;
};

TEST_F(ReplyQueueTest, SendsInTheOrderOfTheRequests) {
    const auto first = queue_.add();
    const auto second = queue_.add();
    const auto third = queue_.add();
    queue_.complete(third, Reply{.head = "three "});
    EXPECT_EQ(send(), "");
    queue_.complete(first, Reply{.head = "one "});
    EXPECT_EQ(send(), "one ");
    EXPECT_EQ(queue_.unanswered(), 1U);
    EXPECT_EQ(queue_.unsent_bytes(), 6U);
    queue_.complete(second, Reply{.head = "two "});
    EXPECT_EQ(send(), "two three ");
    EXPECT_TRUE(queue_.empty());
}

TEST_F(ReplyQueueTest, PiecesAreSentFromWhereTheyAreAndTheirOwnersLetGoThen) {
    const std::string piece = "piece";
    auto owner = std::make_shared<const int>(1);
    const std::weak_ptr<const int> alive = owner;
    const auto first = queue_.add();
    queue_.add();
    queue_.complete(first, Reply{.head = "head ",
                                 .pieces = {as_bytes(piece), {}, as_bytes(piece)},
                                 .owners = {std::move(owner)}});
    std::array<Bytes, 8> pieces;
    ASSERT_EQ(queue_.gather(pieces), 3U);
    EXPECT_EQ(pieces[1].data(), as_bytes(piece).data());
    queue_.consume(14);
    EXPECT_FALSE(alive.expired());
    queue_.consume(1);
    EXPECT_TRUE(alive.expired());
}

TEST_F(ReplyQueueTest, AnyPartOfAReplyMayBeSentAtATime) {
    for (std::size_t most = 1; most < 20; ++most) {
        const std::string piece = "0123456789";
        for (int i = 0; i < 3; ++i)
            queue_.complete(queue_.add(),
                            Reply{.head = "abc", .pieces = {as_bytes(piece), as_bytes(piece)}});
        EXPECT_EQ(send(most),
                  "abc01234567890123456789abc01234567890123456789"
                  "abc01234567890123456789");
    }
    EXPECT_EQ(queue_.unsent_bytes(), 0U);
}

TEST_F(ReplyQueueTest, ARequestWithoutReplyLeavesNoGap) {
    const auto first = queue_.add();
    const auto second = queue_.add();
    queue_.complete(second, Reply{.head = "two"});
    queue_.complete(first, {});
    EXPECT_EQ(send(), "two");
}

TEST_F(ReplyQueueTest, WhatIsCutOffIsNeverSent) {
    const auto first = queue_.add();
    const auto second = queue_.add();
    const auto third = queue_.add();
    const auto fourth = queue_.add();
    queue_.reserve(fourth, 50);
    queue_.complete(third, Reply{.head = "three"});
    queue_.cut_after(second);
    queue_.complete(second, Reply{.head = "two"});
    queue_.complete(fourth, Reply{.head = "four"});
    queue_.reserve(fourth, 100);
    queue_.complete(first, Reply{.head = "one "});
    EXPECT_EQ(send(), "one two");
    EXPECT_TRUE(queue_.empty());
    EXPECT_EQ(queue_.unanswered(), 0U);
    EXPECT_EQ(queue_.reserved_bytes(), 0U);
}

TEST_F(ReplyQueueTest, AReservationEndsWithTheAnswer) {
    const auto first = queue_.add();
    queue_.reserve(first, 1000);
    queue_.reserve(first, 300);
    EXPECT_EQ(queue_.reserved_bytes(), 300U);
    queue_.complete(first, Reply{.head = "x"});
    EXPECT_EQ(queue_.reserved_bytes(), 0U);
}

}  // namespace
}  // namespace walrus::net

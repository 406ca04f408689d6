#include "walrus/base/ring_queue.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>

#include "walrus/base/random.h"

namespace walrus {
namespace {

TEST(RingQueue, GivesElementsBackInTheirOrder) {
    RingQueue<int> queue;
    for (int i = 0; i < 100; ++i) queue.push_back(i);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(queue.front(), i);
        queue.pop_front();
    }
    EXPECT_TRUE(queue.empty());
}

TEST(RingQueue, BehavesLikeADequeUnderRandomOperations) {
    SeededRandom random(1);
    RingQueue<std::uint64_t> queue;
    std::deque<std::uint64_t> model;
    for (int i = 0; i < 20'000; ++i) {
        if (model.empty() || random.chance(501, 1000)) {
            const std::uint64_t value = random.next();
            queue.push_back(value);
            model.push_back(value);
        } else {
            queue.pop_front();
            model.pop_front();
        }
        ASSERT_EQ(queue.size(), model.size());
        if (model.empty()) continue;
        const std::size_t at = random.below(model.size());
        EXPECT_EQ(queue[at], model[at]);
        EXPECT_EQ(queue.front(), model.front());
        EXPECT_EQ(queue.back(), model.back());
    }
}

TEST(RingQueue, LetsGoOfWhatItGaveUp) {
    RingQueue<std::shared_ptr<int>> queue;
    const auto value = std::make_shared<int>(7);
    queue.push_back(value);
    queue.push_back(value);
    queue.pop_front();
    EXPECT_EQ(value.use_count(), 2);
    queue.clear();
    EXPECT_EQ(value.use_count(), 1);
}

}  // namespace
}  // namespace walrus

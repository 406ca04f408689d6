#include "walrus/base/random.h"

#include <gtest/gtest.h>

#include <array>

namespace walrus {
namespace {

// The seeds of old failures stay useful only while the sequence never changes.
TEST(SeededRandom, KeepsItsSequenceForGood) {
    SeededRandom random(42);
    EXPECT_EQ(random.next(), 0x15780b2e0c2ec716u);
    EXPECT_EQ(random.next(), 0x6104d9866d113a7eu);
    EXPECT_EQ(random.next(), 0xae17533239e499a1u);
}

TEST(SeededRandom, RepeatsFromTheSameSeed) {
    SeededRandom a(7);
    SeededRandom b(7);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(a.next(), b.next());
}

TEST(SeededRandom, DiffersBetweenSeeds) {
    EXPECT_NE(SeededRandom(1).next(), SeededRandom(2).next());
}

TEST(Random, BelowStaysBelowAndReachesEverything) {
    SeededRandom random(1);
    std::array<int, 10> seen{};
    for (int i = 0; i < 10'000; ++i) ++seen.at(random.below(10));
    for (const int count : seen) {
        EXPECT_GT(count, 800);
        EXPECT_LT(count, 1200);
    }
}

TEST(Random, BelowOneIsZero) {
    EXPECT_EQ(SeededRandom(1).below(1), 0u);
}

TEST(Random, ChanceKeepsItsOdds) {
    SeededRandom random(1);
    int hits = 0;
    for (int i = 0; i < 10'000; ++i) hits += random.chance(1, 4) ? 1 : 0;
    EXPECT_NEAR(hits, 2500, 200);
    EXPECT_FALSE(random.chance(0, 4));
    EXPECT_TRUE(random.chance(4, 4));
}

TEST(SystemRandom, DoesNotRepeatItself) {
    SystemRandom random;
    EXPECT_NE(random.next(), random.next());
}

}  // namespace
}  // namespace walrus

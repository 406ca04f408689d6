// The network's faults do what they say, no more and no less.
#include "walrus/testing/sim_network.h"

#include <gtest/gtest.h>

#include <numeric>

namespace walrus::testing {
namespace {

constexpr std::uint64_t kLongNs = 10'000'000'000;

class SimNetworkTest : public ::testing::Test {
protected:
    struct Arrival {
        SimAddress from;
        SimAddress to;
        std::string frame;
        std::uint64_t at_ns;

        bool operator==(const Arrival&) const = default;
    };

    void attach(SimAddress count) {
        for (SimAddress id = 1; id <= count; ++id) {
            all_.push_back(id);
            network_.attach(id, [this, id](SimAddress from, const std::string& frame) {
                arrivals_.push_back({from, id, frame, schedule_.now_ns()});
            });
        }
    }
    bool arrives(SimAddress from, SimAddress to) {
        arrivals_.clear();
        network_.send(from, to, "x");
        const std::uint64_t until_ns = schedule_.now_ns() + 10'000'000;
        while (schedule_.run_next(until_ns)) {
        }
        return !arrivals_.empty();
    }

    SimSchedule schedule_;
    SeededRandom random_{1};
    SimNetwork network_{schedule_, random_};
    std::vector<SimAddress> all_;
    std::vector<Arrival> arrivals_;
};

TEST_F(SimNetworkTest, InGoodWeatherEveryFrameArrivesOnceWithinTheDelay) {
    attach(2);
    for (int i = 0; i < 500; ++i) network_.send(1, 2, std::to_string(i));
    while (schedule_.run_next(10'000'000)) {
    }
    ASSERT_EQ(arrivals_.size(), 500U);
    for (const Arrival& arrival : arrivals_) {
        EXPECT_GE(arrival.at_ns, 200'000U);
        EXPECT_LE(arrival.at_ns, 2'000'000U);
    }
    EXPECT_NE(arrivals_.front().frame, "0") << "frames overtake each other";
}

TEST_F(SimNetworkTest, InBadWeatherFramesAreLostDoubledAndLate) {
    attach(2);
    network_.set_weather({.lost_per_1000 = 200, .doubled_per_1000 = 100, .late_per_1000 = 50});
    for (int i = 0; i < 10'000; ++i) network_.send(1, 2, "x");
    while (schedule_.run_next(2'000'000'000)) {
    }
    const NetworkStats& stats = network_.stats();
    EXPECT_NEAR(static_cast<double>(stats.lost), 2'000, 200);
    EXPECT_NEAR(static_cast<double>(stats.doubled), 800, 150);
    EXPECT_NEAR(static_cast<double>(stats.late), 440, 110);
    EXPECT_EQ(stats.delivered, stats.sent - stats.lost + stats.doubled);
    EXPECT_EQ(arrivals_.size(), stats.delivered);
    EXPECT_GT(arrivals_.back().at_ns, 500'000'000U);
}

TEST_F(SimNetworkTest, ACutLosesOneDirectionAndWhatIsUnderWay) {
    attach(2);
    network_.send(1, 2, "under way");
    network_.cut(1, 2);
    EXPECT_FALSE(arrives(1, 2));
    EXPECT_TRUE(arrives(2, 1));
    network_.heal();
    EXPECT_TRUE(arrives(1, 2));
}

TEST_F(SimNetworkTest, APartitionCutsBothWaysAndAOneWayPartitionOne) {
    attach(4);
    network_.partition(all_, {1, 2});
    EXPECT_TRUE(arrives(1, 2));
    EXPECT_TRUE(arrives(3, 4));
    EXPECT_FALSE(arrives(1, 3));
    EXPECT_FALSE(arrives(4, 2));
    network_.heal();
    network_.partition_one_way(all_, {1});
    EXPECT_FALSE(arrives(1, 2));
    EXPECT_TRUE(arrives(2, 1));
}

TEST_F(SimNetworkTest, InAMajoritiesRingEverybodySeesAMajorityAndNoTwoTheSame) {
    for (const std::size_t count : {5U, 7U, 9U}) {
        std::vector<SimAddress> all(count);
        std::iota(all.begin(), all.end(), 1);
        network_.heal();
        network_.partition_majorities_ring(all);
        std::set<std::set<SimAddress>> seen;
        for (const SimAddress a : all) {
            std::set<SimAddress> sees;
            for (const SimAddress b : all) {
                EXPECT_EQ(network_.is_cut(a, b), network_.is_cut(b, a));
                if (!network_.is_cut(a, b)) sees.insert(b);
            }
            EXPECT_GT(sees.size() * 2, count);
            EXPECT_LT(sees.size(), count);
            seen.insert(sees);
        }
        EXPECT_EQ(seen.size(), count);
    }
    network_.heal();
    network_.partition_majorities_ring({1, 2, 3});
    EXPECT_TRUE(network_.is_cut(1, 3) && network_.is_cut(3, 1));
    EXPECT_FALSE(network_.is_cut(1, 2) || network_.is_cut(2, 3));
}

TEST_F(SimNetworkTest, WhatArrivesAtAHeldNodeWaitsInOrder) {
    attach(2);
    network_.hold(2);
    EXPECT_FALSE(arrives(1, 2));
    EXPECT_FALSE(arrives(1, 2));
    EXPECT_EQ(network_.stats().held, 2U);
    network_.release(2);
    EXPECT_EQ(arrivals_.size(), 2U);
    EXPECT_TRUE(arrives(1, 2));
}

TEST_F(SimNetworkTest, FramesForNobodyAreLost) {
    attach(2);
    network_.send(1, 2, "x");
    network_.detach(2);
    EXPECT_FALSE(arrives(1, 2));
    EXPECT_EQ(network_.stats().lost, 2U);
}

TEST_F(SimNetworkTest, SameSeedSameArrivals) {
    const auto arrivals = [](std::uint64_t seed) {
        SimSchedule schedule;
        SeededRandom random(seed);
        SimNetwork network(schedule, random);
        std::vector<std::pair<std::uint64_t, std::string>> seen;
        network.attach(2, [&](SimAddress, const std::string& frame) {
            seen.emplace_back(schedule.now_ns(), frame);
        });
        network.set_weather({.lost_per_1000 = 100, .doubled_per_1000 = 100, .late_per_1000 = 100});
        for (int i = 0; i < 100; ++i) network.send(1, 2, std::to_string(i));
        while (schedule.run_next(kLongNs)) {
        }
        return seen;
    };
    EXPECT_EQ(arrivals(5), arrivals(5));
    EXPECT_NE(arrivals(5), arrivals(6));
}

}  // namespace
}  // namespace walrus::testing

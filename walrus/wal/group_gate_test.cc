// Where a commit group's appenders sleep: each wakes for its own group, one of them leads.
#include "walrus/wal/group_gate.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace walrus::wal {
namespace {

TEST(GroupGate, AGroupThatIsDurableAlreadyDoesNotWait) {
    GroupGate gate;
    gate.open(1);
    gate.advance(Lsn{100});
    EXPECT_EQ(gate.durable(), Lsn{100});
    EXPECT_EQ(gate.wait(1, Lsn{100}), GroupGate::Outcome::kDone);
}

TEST(GroupGate, FinishingAGroupWakesAllItsMembers) {
    GroupGate gate;
    gate.open(1);
    std::atomic<int> done{0};
    std::vector<std::thread> members;
    for (int i = 0; i < 8; ++i)
        members.emplace_back([&] {
            if (gate.wait(1, Lsn{50}) == GroupGate::Outcome::kDone) ++done;
        });
    gate.advance(Lsn{50});
    gate.finish(1);
    gate.wake(1);
    for (std::thread& member : members) member.join();
    EXPECT_EQ(done, 8);
}

TEST(GroupGate, ExactlyOneMemberTakesTheLead) {
    GroupGate gate;
    gate.open(7);
    gate.offer_lead(7);
    std::atomic<int> leaders{0};
    std::atomic<int> done{0};
    std::vector<std::thread> members;
    for (int i = 0; i < 8; ++i)
        members.emplace_back([&] {
            const GroupGate::Outcome outcome = gate.wait(7, Lsn{50});
            if (outcome == GroupGate::Outcome::kDone) ++done;
            if (outcome != GroupGate::Outcome::kLead) return;
            ++leaders;
            gate.advance(Lsn{50});
            gate.finish(7);
            gate.wake(7);
        });
    for (std::thread& member : members) member.join();
    EXPECT_EQ(leaders, 1);
    EXPECT_EQ(done, 7);
}

TEST(GroupGate, AnOfferThatWasTakenCanBeMadeAgain) {
    GroupGate gate;
    gate.open(3);
    gate.offer_lead(3);
    EXPECT_EQ(gate.wait(3, Lsn{50}), GroupGate::Outcome::kLead);
    gate.offer_lead(3);
    EXPECT_EQ(gate.wait(3, Lsn{50}), GroupGate::Outcome::kLead);
}

TEST(GroupGate, FailureReachesEverybodyNowAndLater) {
    GroupGate gate;
    gate.open(1);
    std::atomic<int> failed{0};
    std::vector<std::thread> members;
    for (int i = 0; i < 4; ++i)
        members.emplace_back([&] {
            if (gate.wait(1, Lsn{50}) == GroupGate::Outcome::kFailed) ++failed;
        });
    gate.fail();
    for (std::thread& member : members) member.join();
    EXPECT_EQ(failed, 4);
    EXPECT_EQ(gate.wait(2, Lsn{50}), GroupGate::Outcome::kFailed);
    gate.advance(Lsn{50});  // What became durable nevertheless is done.
    EXPECT_EQ(gate.wait(1, Lsn{50}), GroupGate::Outcome::kDone);
}

TEST(GroupGate, SlotsGoRoundWithManyGroups) {
    GroupGate gate;
    for (std::uint64_t group = 1; group <= 1000; ++group) {
        gate.open(group);
        std::thread member(
            [&] { EXPECT_EQ(gate.wait(group, Lsn{group}), GroupGate::Outcome::kDone); });
        gate.advance(Lsn{group});
        gate.finish(group);
        gate.wake(group);
        member.join();
    }
}

}  // namespace
}  // namespace walrus::wal

// The store on a simulated disk, without threads.
#include "walrus/broker/offset_store.h"

#include <gtest/gtest.h>

#include <map>

#include "walrus/base/random.h"
#include "walrus/testing/manual_loop.h"
#include "walrus/testing/seed.h"
#include "walrus/testing/sim_clock.h"
#include "walrus/testing/sim_env.h"

namespace walrus::broker {
namespace {

using testing::ManualLoop;
using testing::SimEnv;

OffsetCommit at(std::string topic, std::int32_t partition, std::uint64_t offset) {
    return {std::move(topic), partition, {.offset = Offset{offset}}};
}

// A machine with a disk; it can be opened again and again.
struct Machine {
    explicit Machine(std::uint64_t seed = 1) : env(std::make_unique<SimEnv>(seed)), random(seed) {}

    Status open() {
        store.reset();
        OffsetStoreOptions options{.directory = "node/offsets"};
        options.file_size_bytes = 64 << 10;
        options.rewrite_after_bytes = rewrite_after_bytes;
        options.max_offsets = max_offsets;
        options.backend = wal::Backend::kDirect;
        options.threading = wal::Threading::kInline;
        options.env = env.get();
        options.clock = &clock;
        options.random = &random;
        auto opened = LogOffsetStore::open(options, loop);
        if (!opened) return opened.error();
        store = *std::move(opened);
        return {};
    }
    // Commits and waits for the answer.
    Status commit(std::string_view group, std::vector<OffsetCommit> offsets) {
        return answer([&](StatusCallback done) {
            store->commit(group, std::move(offsets), std::move(done));
        });
    }
    Status answer(const std::function<void(StatusCallback)>& call) {
        std::optional<Status> status;
        call([&](Status answered) {
            EXPECT_FALSE(status) << "answered twice";
            status = std::move(answered);
        });
        loop.run();
        EXPECT_TRUE(status) << "not answered";
        return status.value_or(Status{});
    }
    std::optional<std::uint64_t> position(std::string_view group, std::string_view topic,
                                          std::int32_t partition = 0) const {
        const auto committed = store->committed(group, topic, partition);
        if (!committed) return std::nullopt;
        return committed->offset.value;
    }

    std::uint64_t rewrite_after_bytes = 8 << 20;
    std::size_t max_offsets = 1000;
    ManualLoop loop;
    std::unique_ptr<SimEnv> env;
    testing::SimClock clock;
    SeededRandom random;
    std::unique_ptr<LogOffsetStore> store;
};

TEST(OffsetStore, WhatWasCommittedIsThereAfterAnotherStart) {
    Machine machine;
    ASSERT_TRUE(machine.open());
    const CommittedOffset whole{.offset = Offset{42},
                                .leader_epoch = 3,
                                .metadata = "left at noon",
                                .commit_time_ms = 1234};
    ASSERT_TRUE(machine.commit("g", {{"t", 0, whole}, at("t", 1, 7)}));
    ASSERT_TRUE(machine.commit("", {at("text", 0, 1)}));
    for (int start = 0; start < 3; ++start) {
        ASSERT_TRUE(machine.open());
        const auto found = machine.store->committed("g", "t", 0);
        ASSERT_TRUE(found);
        EXPECT_EQ(found->offset, Offset{42});
        EXPECT_EQ(found->leader_epoch, 3);
        EXPECT_EQ(found->metadata, "left at noon");
        EXPECT_EQ(found->commit_time_ms, 1234u);
        EXPECT_EQ(machine.position("g", "t", 1), 7u);
        EXPECT_EQ(machine.position("", "text"), 1u);
        EXPECT_EQ(machine.store->groups(), (std::vector<std::string>{"", "g"}));
    }
}

TEST(OffsetStore, ACommitIsReadWhenItHasBeenAnswered) {
    Machine machine;
    ASSERT_TRUE(machine.open());
    bool answered = false;
    machine.store->commit("g", {at("t", 0, 1)}, [&](Status status) {
        EXPECT_TRUE(status);
        EXPECT_EQ(machine.position("g", "t"), 1u);
        answered = true;
    });
    EXPECT_FALSE(machine.position("g", "t"));
    machine.loop.run();
    EXPECT_TRUE(answered);
}

TEST(OffsetStore, AnswersComeInTheOrderOfTheCalls) {
    Machine machine;
    machine.rewrite_after_bytes = 16 << 10;  // So that some wait for a rewrite.
    ASSERT_TRUE(machine.open());
    std::vector<int> order;
    for (int i = 0; i < 200; ++i)
        machine.store->commit("g", {at("t", 0, static_cast<std::uint64_t>(i))},
                              [&order, i](const Status& status) {
                                  EXPECT_TRUE(status);
                                  order.push_back(i);
                              });
    machine.loop.run();
    ASSERT_EQ(order.size(), 200u);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    EXPECT_EQ(machine.position("g", "t"), 199u);
    EXPECT_GT(machine.store->rewrites(), 0u);
}

TEST(OffsetStore, ForgottenGroupsAndTopicsStayForgotten) {
    Machine machine;
    ASSERT_TRUE(machine.open());
    ASSERT_TRUE(machine.commit("g", {at("t", 0, 1), at("u", 0, 2)}));
    ASSERT_TRUE(machine.commit("h", {at("t", 0, 3)}));
    ASSERT_TRUE(machine.answer(
        [&](StatusCallback done) { machine.store->forget_topic("u", std::move(done)); }));
    ASSERT_TRUE(machine.answer(
        [&](StatusCallback done) { machine.store->forget_group("h", std::move(done)); }));
    for (int start = 0; start < 2; ++start) {
        EXPECT_EQ(machine.store->groups(), std::vector<std::string>{"g"});
        EXPECT_EQ(machine.store->of_group("g").size(), 1u);
        ASSERT_TRUE(machine.open());
    }
}

TEST(OffsetStore, TheLogDoesNotGrowWithTheNumberOfCommits) {
    Machine machine;
    machine.rewrite_after_bytes = 64 << 10;
    ASSERT_TRUE(machine.open());
    std::uint64_t used = 0;
    for (std::uint64_t i = 0; i < 3000; ++i) {
        ASSERT_TRUE(machine.commit("g", {at("t", 0, i), at("t", 1, i)}));
        machine.loop.run();
        if (i == 300) used = machine.env->used_bytes();
    }
    EXPECT_GT(machine.store->rewrites(), 20u);
    EXPECT_LE(machine.env->used_bytes(), used + (256 << 10));
    ASSERT_TRUE(machine.open());
    EXPECT_EQ(machine.position("g", "t", 1), 2999u);
}

TEST(OffsetStore, TheLogDoesNotGrowWithTheNumberOfStarts) {
    Machine machine;
    ASSERT_TRUE(machine.open());
    std::uint64_t used = 0;
    for (std::uint64_t i = 0; i < 100; ++i) {
        for (std::uint64_t j = 0; j < 5; ++j)
            ASSERT_TRUE(machine.commit("g", {at("t", 0, i * 5 + j)}));
        ASSERT_TRUE(machine.open());
        EXPECT_EQ(machine.position("g", "t"), i * 5 + 4);
        if (i == 30) used = machine.env->used_bytes();
    }
    EXPECT_LE(machine.env->used_bytes(), used + (128 << 10));
}

// --- crashes ---

// What clients know: the last commit of each group that was answered, and what was asked for.
struct Known {
    std::uint64_t answered = 0;
    std::uint64_t asked = 0;
};

// Commits both partitions of a group together, again and again, until the machine dies.
std::map<std::string, Known> run_until_dead(Machine& machine, std::uint64_t seed) {
    std::map<std::string, Known> known;
    if (!machine.open()) return known;
    SeededRandom random(seed);
    for (std::uint64_t i = 1; i <= 60 && !machine.env->dead(); ++i) {
        const std::string group = "g" + std::to_string(random.below(3));
        known[group].asked = i;
        machine.store->commit(group, {at("t", 0, i), at("t", 1, i)},
                              [&known, group, i](const Status& status) {
                                  if (status) known[group].answered = i;
                              });
        if (random.chance(2, 3)) machine.loop.run();
    }
    machine.loop.run();
    return known;
}

TEST(OffsetStoreCrash, AnsweredCommitsSurviveWholeAtEveryCut) {
    const std::uint64_t seed = testing::test_seed();
    Machine reference(seed);
    reference.rewrite_after_bytes = 16 << 10;
    run_until_dead(reference, seed);
    EXPECT_GT(reference.store->rewrites(), 2u);
    const std::uint64_t total = reference.env->operation_count();
    const std::uint64_t step = testing::test_switch("WALRUS_CRASH_FULL") ? 1 : 1 + total / 400;
    for (std::uint64_t cut = seed % step; cut <= total; cut += step) {
        Machine machine(seed);
        machine.rewrite_after_bytes = 16 << 10;
        machine.env->cut_after(cut);
        const auto known = run_until_dead(machine, seed);
        const auto kind = cut % 2 == 0 ? testing::CrashKind::kPower : testing::CrashKind::kKill;
        Machine survivor(seed + 1);
        survivor.env = machine.env->after_crash({kind, testing::Unsynced::kTorn512, seed + cut});
        ASSERT_TRUE(survivor.open()) << "cut " << cut << " seed " << seed;
        for (const auto& [group, what] : known) {
            const std::uint64_t first = survivor.position(group, "t", 0).value_or(0);
            EXPECT_EQ(first, survivor.position(group, "t", 1).value_or(0)) << "half a commit";
            EXPECT_GE(first, what.answered) << "cut " << cut << " seed " << seed;
            EXPECT_LE(first, what.asked) << "cut " << cut << " seed " << seed;
        }
        ASSERT_TRUE(survivor.commit("after", {at("t", 0, 1)})) << "cut " << cut;
    }
}

// --- error paths ---

TEST(OffsetStore, AFullDiskRefusesCommitsAndKeepsWhatIsThere) {
    Machine machine;
    machine.rewrite_after_bytes = 32 << 10;
    ASSERT_TRUE(machine.open());
    ASSERT_TRUE(machine.commit("g", {at("t", 0, 1)}));
    machine.env->set_capacity(machine.env->used_bytes());
    const std::string long_text(10'000, 'x');
    std::uint64_t last = 1;
    Status status;
    for (std::uint64_t i = 2; i < 200 && status; ++i) {
        const std::int32_t partition = static_cast<std::int32_t>(i);
        status = machine.commit(
            "g", {at("t", 0, i), {"t", partition, {.offset = Offset{i}, .metadata = long_text}}});
        if (status) last = i;
    }
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, Errc::kNoSpace) << status.error().to_string();
    EXPECT_EQ(machine.position("g", "t"), last);
    machine.env->set_capacity(std::uint64_t{1} << 30);
    EXPECT_TRUE(machine.commit("g", {at("t", 0, 1000)}));
    ASSERT_TRUE(machine.open());
    EXPECT_EQ(machine.position("g", "t"), 1000u);
}

TEST(OffsetStore, AfterAFailedWriteNothingIsPromisedAnyMore) {
    Machine machine;
    ASSERT_TRUE(machine.open());
    ASSERT_TRUE(machine.commit("g", {at("t", 0, 1)}));
    machine.env->fail_when(testing::fault_on(testing::SimOperation::Kind::kDurableWrite),
                           Errc::kIo);
    EXPECT_FALSE(machine.commit("g", {at("t", 0, 2)}));
    machine.env->clear_faults();
    EXPECT_EQ(machine.commit("g", {at("t", 0, 3)}).error().code, Errc::kPoisoned);
    EXPECT_EQ(machine.position("g", "t"), 1u);
    ASSERT_TRUE(machine.open());
    EXPECT_TRUE(machine.commit("g", {at("t", 0, 4)}));
}

TEST(OffsetStore, LimitsAreErrorsOfTheirCaller) {
    Machine machine;
    machine.max_offsets = 3;
    ASSERT_TRUE(machine.open());
    EXPECT_TRUE(machine.commit("g", {}));
    EXPECT_EQ(machine.commit("g", {at("", 0, 1)}).error().code, Errc::kInvalidArgument);
    EXPECT_EQ(
        machine.commit("g", {{"t", 0, {.offset = Offset{1}, .metadata = std::string(30'000, 'x')}}})
            .error()
            .code,
        Errc::kTooLarge);
    EXPECT_TRUE(machine.commit("g", {at("t", 0, 1), at("t", 1, 1)}));
    EXPECT_EQ(machine.commit("g", {at("t", 2, 1), at("t", 3, 1)}).error().code,
              Errc::kResourceExhausted);
    EXPECT_TRUE(machine.commit("g", {at("t", 2, 1)}));
    EXPECT_TRUE(machine.commit("g", {at("t", 0, 2), at("t", 1, 2)})) << "those have their place";
    EXPECT_TRUE(machine.answer(
        [&](StatusCallback done) { machine.store->forget_group("g", std::move(done)); }));
    EXPECT_TRUE(machine.commit("g", {at("t", 2, 1), at("t", 3, 1)}));
}

TEST(OffsetStore, AStrangeRecordStopsTheStart) {
    Machine machine;
    ASSERT_TRUE(machine.open());
    machine.store.reset();
    wal::Options log;
    log.data_dir = "node/offsets";
    log.file_size = log.ring_size = 64 << 10;
    log.limits.max_batch_bytes = log.limits.max_record_bytes = 16 << 10;
    log.backend = wal::Backend::kDirect;
    log.threading = wal::Threading::kInline;
    log.env = machine.env.get();
    log.clock = &machine.clock;
    log.random = &machine.random;
    {
        auto wal = wal::Wal::open(log);
        ASSERT_TRUE(wal) << wal.error().to_string();
        ASSERT_TRUE((*wal)->append("offsets", as_bytes("\x01\x01nonsense")));
    }
    const Status opened = machine.open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::kCorruption);
    EXPECT_NE(opened.error().message.find("node/offsets: record 0"), std::string::npos);
}

TEST(OffsetStore, AClosedStoreSaysSo) {
    Machine machine;
    ASSERT_TRUE(machine.open());
    bool answered = false;
    machine.store->commit("g", {at("t", 0, 1)}, [&](Status status) {
        EXPECT_TRUE(status);
        answered = true;
    });
    ASSERT_TRUE(machine.store->close());
    EXPECT_TRUE(answered);
    EXPECT_EQ(machine.commit("g", {at("t", 0, 2)}).error().code, Errc::kClosed);
}

}  // namespace
}  // namespace walrus::broker

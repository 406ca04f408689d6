// What the store promises to a SegmentNode, and that a crash at any moment keeps it.
#include "walrus/replica_store/store.h"

#include <gtest/gtest.h>

#include "walrus/replica_store/test_store.h"
#include "walrus/testing/seed.h"
#include "walrus/testing/sim_clock.h"
#include "walrus/testing/sim_env.h"

namespace walrus::replica_store {
namespace {

using testing::SimEnv;

class ReplicaStoreTest : public ::testing::Test {
protected:
    Options options() { return inline_options(*env_, clock_, random_); }
    void open() {
        store_.reset();
        auto store = ReplicaStore::open(options());
        ASSERT_TRUE(store) << store.error().to_string();
        store_ = *std::move(store);
    }
    // Power off: what flush() did not cover may be gone.
    void crash() {
        env_ = env_->after_crash({testing::CrashKind::kPower, testing::Unsynced::kDrop, 1});
        open();
    }
    void write_all(std::vector<cluster::DiskWrite> writes) {
        for (const cluster::DiskWrite& write : writes) store_->write(write);
        ASSERT_TRUE(store_->flush());
    }
    std::string read(std::uint64_t first, std::uint64_t max_bytes = 1 << 20) {
        const auto done = store_->read({.key = kKey, .first = first, .max_bytes = max_bytes});
        if (!done.ok) return "failed";
        std::string text;
        for (const cluster::Batch& batch : done.batches) text += std::string(batch.data.text());
        return text;
    }

    testing::SimClock clock_;
    SeededRandom random_{testing::test_seed()};
    std::unique_ptr<SimEnv> env_ = std::make_unique<SimEnv>();
    std::unique_ptr<ReplicaStore> store_;
    WriteMaker maker_{kKey};
};

TEST_F(ReplicaStoreTest, WhatWasReportedIsThereAfterAPowerCut) {
    open();
    const cluster::DiskId disk = store_->disk();
    EXPECT_NE(disk, 0U);
    write_all({maker_.promise(5), maker_.store({batch("a"), batch("bb", 2)}), maker_.promise(8)});
    EXPECT_EQ(store_->take_done(), (std::vector<Done>{{kKey, 1}, {kKey, 2}, {kKey, 3}}));
    EXPECT_TRUE(store_->take_done().empty());
    crash();
    EXPECT_EQ(store_->disk(), disk);
    EXPECT_EQ(shapes(*store_), (std::map<cluster::SegmentKey, Shape>{
                                   {kKey, {.promised = 8, .end = maker_.mark(), .batches = 2}}}));
    EXPECT_EQ(read(0), "abb");
}

TEST_F(ReplicaStoreTest, NothingIsReportedBeforeItIsDurable) {
    open();
    store_->write(maker_.store({batch("a")}));
    EXPECT_TRUE(store_->take_done().empty());
    crash();
    EXPECT_TRUE(store_->take_restored().empty());
}

TEST_F(ReplicaStoreTest, ReadsBeginAtAnyBoundaryAndKeepToTheirSize) {
    open();
    for (int i = 0; i < 3'000; ++i) {
        store_->write(maker_.store({batch(std::string(40, static_cast<char>('a' + i % 26)), 2)}));
        if (i % 100 != 0) continue;
        ASSERT_TRUE(store_->flush());
    }
    ASSERT_TRUE(store_->flush());
    for (int pass = 0; pass < 2; ++pass) {
        for (const std::uint64_t first : {0, 2, 1'998, 2'000, 4'444, 5'998}) {
            const char letter = static_cast<char>('a' + first / 2 % 26);
            EXPECT_EQ(read(first, 1), std::string(40, letter)) << first;
        }
        EXPECT_EQ(read(0, 80).size(), 80U);
        EXPECT_EQ(read(0, 119).size(), 80U);
        EXPECT_EQ(read(0).size(), 3'000U * 40);
        EXPECT_EQ(read(1), "failed");      // Not a boundary.
        EXPECT_EQ(read(6'000), "failed");  // The end.
        crash();
    }
}

TEST_F(ReplicaStoreTest, TheChainBeforeTheFirstBatchComesWithIt) {
    open();
    write_all({maker_.store({batch("a")})});
    const cluster::Mark middle = maker_.mark();
    write_all({maker_.store({batch("b")})});
    const auto done = store_->read({.key = kKey, .first = 1, .max_bytes = 10});
    EXPECT_EQ(done.prev_chain, middle.chain);
    EXPECT_EQ(store_->read({.key = kKey, .first = 0}).prev_chain, cluster::chain_start(kKey));
}

TEST_F(ReplicaStoreTest, WhatACutMadeVoidIsNeverReadAgain) {
    open();
    write_all({maker_.store({batch("a")})});
    const cluster::Mark kept = maker_.mark();
    write_all(
        {maker_.store({batch("b"), batch("c")}), maker_.cut(kept), maker_.store({batch("d")})});
    for (int pass = 0; pass < 2; ++pass) {
        EXPECT_EQ(read(0), "ad");
        EXPECT_EQ(read(1), "d");
        EXPECT_EQ(read(2), "failed");
        crash();
        EXPECT_EQ(shapes(*store_).at(kKey), (Shape{0, maker_.mark(), 2}));
    }
}

TEST_F(ReplicaStoreTest, ARemovedCopyIsGoneAndMayBeMadeAnew) {
    open();
    write_all({maker_.promise(4), maker_.store({batch("a")}), maker_.remove()});
    crash();
    EXPECT_TRUE(store_->take_restored().empty());
    EXPECT_EQ(read(0), "failed");
    write_all({maker_.promise(9), maker_.store({batch("b")})});
    ASSERT_TRUE(store_->maintain());
    EXPECT_EQ(read(0), "b");
    // Removed and made anew in one breath: the same stream goes on.
    write_all({maker_.remove(), maker_.store({batch("c")})});
    ASSERT_TRUE(store_->maintain());
    EXPECT_EQ(read(0), "c");
    crash();
    EXPECT_EQ(shapes(*store_).at(kKey), (Shape{0, maker_.mark(), 1}));
}

TEST_F(ReplicaStoreTest, RemovedCopiesGiveTheirSpaceBack) {
    open();
    for (int round = 0; round < 40; ++round) {
        for (int i = 0; i < 8; ++i) {
            store_->write(maker_.store({batch(std::string(4'000, 'x'))}));
            ASSERT_TRUE(store_->flush());
        }
        write_all({maker_.remove()});
        ASSERT_TRUE(store_->maintain());
    }
    EXPECT_LT(env_->used_bytes(), 12U * (64 << 10));
}

TEST_F(ReplicaStoreTest, CopiesAreApart) {
    open();
    WriteMaker other(kOther);
    write_all(
        {maker_.store({batch("a")}), other.store({batch("b")}), other.promise(3), maker_.remove()});
    crash();
    EXPECT_EQ(shapes(*store_), (std::map<cluster::SegmentKey, Shape>{
                                   {kOther, {.promised = 3, .end = other.mark(), .batches = 1}}}));
}

TEST_F(ReplicaStoreTest, ProducersOfTheFirstBatchAreRestored) {
    open();
    cluster::ProducerTable table;
    table.record({.id = 9, .epoch = 1, .first_sequence = 0}, 2, Offset{40});
    cluster::Batch first = batch("a");
    first.preamble = cluster::Payload(table.encode());
    write_all({maker_.store({first})});
    crash();
    EXPECT_EQ(store_->take_restored().at(kKey).producers, table);
}

TEST_F(ReplicaStoreTest, WritesWaitForSpaceInOrder) {
    open();
    env_->set_capacity(env_->used_bytes());
    for (int i = 0; i < 100; ++i) store_->write(maker_.store({batch(std::string(2'000, 'x'))}));
    static_cast<void>(store_->flush());
    EXPECT_TRUE(store_->out_of_space());
    EXPECT_TRUE(store_->status());
    env_->set_capacity(~std::uint64_t{0});
    for (int i = 0; i < 10 && store_->out_of_space(); ++i) ASSERT_TRUE(store_->flush());
    ASSERT_TRUE(store_->flush());
    const std::vector<Done> done = store_->take_done();
    ASSERT_EQ(done.size(), 100U);
    EXPECT_EQ(done.back().ticket, 100U);
    crash();
    EXPECT_EQ(shapes(*store_).at(kKey).end, maker_.mark());
}

TEST_F(ReplicaStoreTest, ABatchLargerThanAFrameIsRefusedAndSmallOnesAreSplit) {
    open();
    std::vector<cluster::Batch> many;
    for (int i = 0; i < 60; ++i) many.push_back(batch(std::string(900, 'x')));
    store_->write(maker_.store(many));
    ASSERT_TRUE(store_->flush());
    EXPECT_EQ(store_->take_done(), (std::vector<Done>{{kKey, 1}}));
    EXPECT_EQ(read(0).size(), 60U * 900);
    store_->write(maker_.store({batch(std::string(20'000, 'x'))}));
    EXPECT_EQ(store_->status().error().code, Errc::kTooLarge);
}

// --- error paths ---

TEST_F(ReplicaStoreTest, AFailedDiskIsReportedAndNothingMoreIsDurable) {
    open();
    env_->fail_when(testing::fault_on(testing::SimOperation::Kind::kDurableWrite), Errc::kIo);
    store_->write(maker_.store({batch("a")}));
    EXPECT_FALSE(store_->flush());
    EXPECT_FALSE(store_->status());
    env_->clear_faults();
    EXPECT_FALSE(store_->flush());
    EXPECT_TRUE(store_->take_done().empty());
}

TEST_F(ReplicaStoreTest, AnotherNodesDirectoryIsRefused) {
    open();
    store_.reset();
    Options other = options();
    other.node = 4;
    EXPECT_EQ(ReplicaStore::open(other).error().code, Errc::kInvalidArgument);
    other = options();
    other.cluster = 2;
    EXPECT_EQ(ReplicaStore::open(other).error().code, Errc::kInvalidArgument);
    other.cluster = 0;
    EXPECT_EQ(ReplicaStore::open(other).error().code, Errc::kInvalidArgument);
}

TEST_F(ReplicaStoreTest, ADamagedOrMissingIdentityIsRefused) {
    open();
    write_all({maker_.store({batch("a")})});
    store_.reset();
    env_->flip_bit("node/replicas/identity", 20);
    EXPECT_EQ(ReplicaStore::open(options()).error().code, Errc::kCorruption);
    env_->remove_file("node/replicas/identity");
    EXPECT_EQ(ReplicaStore::open(options()).error().code, Errc::kCorruption);
}

// The machine dies at every operation of a workload: each copy is a prefix of its stream, and not
// shorter than what was reported.
class ReplicaStoreCrash : public ::testing::TestWithParam<testing::Unsynced> {
protected:
    struct Written {
        std::vector<Shape> shapes = {Shape{.end = {.chain = cluster::chain_start(kKey)}}};
        std::size_t reported = 0;  // Index of the last one that must have survived.
    };

    static void run(ReplicaStore& store, Written& written) {
        WriteMaker maker(kKey);
        Shape shape = written.shapes.front();
        const auto put = [&](cluster::DiskWrite write) {
            store.write(write);
            shape.end = maker.mark();
            written.shapes.push_back(shape);
        };
        std::vector<cluster::Mark> marks;
        for (std::uint64_t i = 1; i <= 30; ++i) {
            if (i % 3 == 0) {
                shape.promised = i;
                put(maker.promise(i));
            } else if (i == 20) {
                shape.batches -= 2;
                put(maker.cut(marks[marks.size() - 3]));
            } else {
                ++shape.batches;
                put(maker.store(
                    {batch(std::string(300 * i, 'x'), static_cast<std::uint32_t>(1 + i % 3))}));
                marks.push_back(maker.mark());
            }
            if (i % 4 == 0) static_cast<void>(store.flush());
            for (const Done& done : store.take_done()) written.reported = done.ticket;
        }
    }
};

TEST_P(ReplicaStoreCrash, AtEveryOperationKeepsAPrefixWithEverythingReported) {
    const std::uint64_t seed = testing::test_seed();
    std::uint64_t last = ~std::uint64_t{0};
    for (std::uint64_t cut = 0; cut <= last; ++cut) {
        testing::SimClock clock;
        SeededRandom random(seed);
        SimEnv env(seed);
        env.cut_after(cut);
        Written written;
        {
            auto store = ReplicaStore::open(inline_options(env, clock, random));
            if (store) run(**store, written);
            if (!env.dead()) last = cut;
            const auto survivor =
                env.after_crash({testing::CrashKind::kPower, GetParam(), seed + cut});
            auto again = ReplicaStore::open(inline_options(*survivor, clock, random));
            ASSERT_TRUE(again) << "cut " << cut << ": " << again.error().to_string();
            const auto found = shapes(**again);
            const Shape shape = found.contains(kKey) ? found.at(kKey) : written.shapes.front();
            bool known = false;
            for (std::size_t i = written.reported; i < written.shapes.size(); ++i) {
                known = known || written.shapes[i] == shape;
            }
            ASSERT_TRUE(known) << "cut " << cut << ": length " << shape.end.length << ", promised "
                               << shape.promised << ", reported " << written.reported;
        }
    }
    EXPECT_GT(last, 10U);
}

std::string crash_name(const ::testing::TestParamInfo<testing::Unsynced>& param) {
    const char* const names[] = {"Keep", "Drop", "Torn512"};
    return names[static_cast<int>(param.param)];
}

INSTANTIATE_TEST_SUITE_P(Unsynced, ReplicaStoreCrash,
                         ::testing::Values(testing::Unsynced::kKeep, testing::Unsynced::kDrop,
                                           testing::Unsynced::kTorn512),
                         crash_name);

}  // namespace
}  // namespace walrus::replica_store

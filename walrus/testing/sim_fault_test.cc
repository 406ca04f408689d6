// Faults of the simulated disk: errors, short writes, a full disk, damage.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "walrus/testing/seed.h"
#include "walrus/testing/sim_clock.h"
#include "walrus/testing/sim_env.h"

namespace walrus::testing {
namespace {

using env::Durability;
using env::File;
using env::kBlockSize;
using Kind = SimOperation::Kind;

class SimFaultTest : public ::testing::Test {
protected:
    static Errc write_code(File& file, std::string_view data, std::uint64_t position = 0) {
        const Status status = file.write_at(as_bytes(data), position, Durability::kNone);
        return status ? kFine : status.error().code;
    }
    std::string contents(const std::string& path) const {
        const auto bytes = env_.read_file(path);
        return bytes ? std::string(as_text(*bytes)) : "absent";
    }

    static constexpr Errc kFine = static_cast<Errc>(-1);
    SimEnv env_{test_seed()};
    std::unique_ptr<File> file_ = *env_.open("f", {.create = true});
};

TEST_F(SimFaultTest, ChosenOperationFailsOnceAndChangesNothing) {
    env_.fail_operation(env_.operation_count() + 2, Errc::kNoSpace);
    EXPECT_EQ(write_code(*file_, "a", 0), kFine);
    EXPECT_EQ(write_code(*file_, "b", 1), Errc::kNoSpace);
    EXPECT_EQ(write_code(*file_, "c", 2), kFine);
    EXPECT_EQ(contents("f"), std::string("a\0c", 3));
}

TEST_F(SimFaultTest, FromThenOnEveryOperationFails) {
    env_.fail_operation(env_.operation_count() + 1, Errc::kIo, Repeat::kFromThenOn);
    EXPECT_EQ(write_code(*file_, "a"), Errc::kIo);
    EXPECT_EQ(write_code(*file_, "a"), Errc::kIo);
    EXPECT_EQ(env_.remove("f").error().code, Errc::kIo);
    EXPECT_TRUE(env_.exists("f"));
    env_.clear_faults();
    EXPECT_EQ(write_code(*file_, "a"), kFine);
}

TEST_F(SimFaultTest, ShortWriteLeavesItsFirstHalf) {
    env_.short_write(env_.operation_count() + 1);
    EXPECT_EQ(write_code(*file_, "abcd"), Errc::kIo);
    EXPECT_EQ(contents("f"), "ab");
}

TEST_F(SimFaultTest, PredicateChoosesByKindAndPath) {
    const auto other = *env_.open("other", {.create = true});
    env_.fail_when(fault_on(Kind::kWrite, "oth"), Errc::kIo);
    EXPECT_EQ(write_code(*other, "a"), Errc::kIo);
    EXPECT_EQ(write_code(*file_, "a"), kFine);
    EXPECT_TRUE(other->sync_data());
}

TEST_F(SimFaultTest, PredicateMayCount) {
    env_.fail_when(
        [n = 0](const SimOperation& op) mutable { return op.kind == Kind::kWrite && ++n == 2; },
        Errc::kIo);
    EXPECT_EQ(write_code(*file_, "a"), kFine);
    EXPECT_EQ(write_code(*file_, "a"), Errc::kIo);
    EXPECT_EQ(write_code(*file_, "a"), kFine);
}

TEST_F(SimFaultTest, ReadsCanFailToo) {
    env_.fail_when(fault_on(Kind::kRead), Errc::kIo);
    std::byte byte{};
    EXPECT_EQ(file_->read_at({&byte, 1}, 0).error().code, Errc::kIo);
}

TEST_F(SimFaultTest, DirectFilesAndUringCanBeMadeUnsupported) {
    env_.fail_when([](const SimOperation& op) { return op.kind == Kind::kCreate && op.direct; },
                   Errc::kUnsupported);
    env_.fail_when(fault_on(Kind::kOpenQueue, "uring"), Errc::kUnsupported);
    EXPECT_EQ(env_.open("d", {.create = true, .direct = true}).error().code, Errc::kUnsupported);
    EXPECT_FALSE(env_.exists("d"));
    EXPECT_EQ(env_.open_queue(env::QueueKind::kUring, 1).error().code, Errc::kUnsupported);
    EXPECT_TRUE(env_.open_queue(env::QueueKind::kInline, 1));
}

TEST_F(SimFaultTest, MessageSaysWhatAndWhere) {
    env_.fail_when(fault_on(Kind::kWrite), Errc::kIo);
    EXPECT_EQ(file_->write_at(as_bytes("a"), 5, Durability::kNone).error().to_string(),
              "io: write: f at 5: injected");
}

// A full disk.

TEST_F(SimFaultTest, FullDiskRefusesEveryKindOfGrowth) {
    env_.set_capacity(2 * kBlockSize);
    EXPECT_EQ(write_code(*file_, std::string(2 * kBlockSize, 'a')), kFine);
    EXPECT_EQ(write_code(*file_, "b", 2 * kBlockSize), Errc::kNoSpace);
    EXPECT_EQ(write_code(*file_, "b", 0), kFine) << "what is allocated can be overwritten";
    EXPECT_EQ(file_->preallocate(3 * kBlockSize).error().code, Errc::kNoSpace);
    EXPECT_EQ(env_.map_ring("ring", kBlockSize).error().code, Errc::kNoSpace);
    EXPECT_EQ(*file_->size(), 2 * kBlockSize);
}

TEST_F(SimFaultTest, PreallocatedSpaceIsThereOnAFullDisk) {
    ASSERT_TRUE(file_->preallocate(4 * kBlockSize));
    env_.set_capacity(4 * kBlockSize);
    EXPECT_EQ(write_code(*file_, std::string(4 * kBlockSize, 'a')), kFine);
    EXPECT_EQ(env_.used_bytes(), 4 * kBlockSize);
}

TEST_F(SimFaultTest, HoleNeedsSpaceWhenItIsWritten) {
    ASSERT_TRUE(file_->truncate(4 * kBlockSize));
    EXPECT_EQ(env_.used_bytes(), 0u);
    env_.set_capacity(0);
    EXPECT_EQ(write_code(*file_, "a"), Errc::kNoSpace);
}

TEST_F(SimFaultTest, RemovedFileGivesItsSpaceBackOnceClosed) {
    ASSERT_TRUE(file_->preallocate(4 * kBlockSize));
    ASSERT_TRUE(env_.remove("f"));
    EXPECT_EQ(env_.used_bytes(), 4 * kBlockSize);
    file_.reset();
    EXPECT_EQ(env_.used_bytes(), 0u);
}

TEST_F(SimFaultTest, TruncateGivesSpaceBack) {
    ASSERT_TRUE(file_->preallocate(4 * kBlockSize));
    ASSERT_TRUE(file_->truncate(kBlockSize));
    EXPECT_EQ(env_.used_bytes(), kBlockSize);
}

TEST_F(SimFaultTest, SurvivorHasTheSameCapacityAndUse) {
    env_.set_capacity(4 * kBlockSize);
    ASSERT_TRUE(file_->preallocate(4 * kBlockSize));
    const auto after = env_.after_crash({CrashKind::kKill, Unsynced::kDrop, 1});
    EXPECT_EQ(after->used_bytes(), 4 * kBlockSize);
    EXPECT_EQ(after->map_ring("ring", kBlockSize).error().code, Errc::kNoSpace);
}

// Damage.

TEST_F(SimFaultTest, FlippedBitIsReadAndDurable) {
    env_.write_file("f", as_bytes("abc"));
    env_.flip_bit("f", 8);
    EXPECT_EQ(contents("f"), "acc");
    const auto after = env_.after_crash({CrashKind::kPower, Unsynced::kDrop, 1});
    EXPECT_EQ(as_text(*after->read_file("f")), "acc");
    env_.flip_bit("f", 8);
    EXPECT_EQ(contents("f"), "abc");
}

TEST_F(SimFaultTest, RingReportsItsFailure) {
    const auto ring = *env_.map_ring("ring", kBlockSize);
    EXPECT_FALSE(ring->failed());
    env_.fail_ring("ring");
    EXPECT_TRUE(ring->failed());
}

TEST_F(SimFaultTest, FilesCanBeSetUpAndRemovedDirectly) {
    const std::uint64_t before = env_.operation_count();
    env_.write_file("a/b/c", as_bytes("abc"));
    EXPECT_EQ(contents("a/b/c"), "abc");
    env_.write_file("a/b/c", as_bytes("x"));
    EXPECT_EQ(contents("a/b/c"), "x");
    env_.remove_file("a/b/c");
    env_.remove_file("a/b/c");
    EXPECT_EQ(contents("a/b/c"), "absent");
    EXPECT_EQ(env_.operation_count(), before);
}

TEST_F(SimFaultTest, ManyThreadsMayUseOneDisk) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            const std::string path = "thread" + std::to_string(t);
            const auto file = *env_.open(path, {.create = true});
            for (std::uint64_t i = 0; i < 200; ++i) {
                EXPECT_EQ(write_code(*file, path, i * path.size()), kFine);
                if (i % 16 == 0) static_cast<void>(file->sync_data());
            }
        });
    }
    std::thread crasher([&] {
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
            EXPECT_TRUE(env_.after_crash({CrashKind::kPower, Unsynced::kTorn512, seed})->list("."));
        }
    });
    for (std::thread& thread : threads) thread.join();
    crasher.join();
    EXPECT_EQ(contents("thread3").size(), 200 * 7u);
}

TEST(SimClock, MovesOnlyWhenTold) {
    SimClock clock;
    const std::uint64_t ns = clock.monotonic_ns();
    const std::uint64_t ms = clock.wall_ms();
    EXPECT_EQ(clock.monotonic_ns(), ns);
    clock.advance_ms(5);
    EXPECT_EQ(clock.monotonic_ns(), ns + 5'000'000);
    EXPECT_EQ(clock.wall_ms(), ms + 5);
    clock.shift_wall_ms(-10);
    EXPECT_EQ(clock.wall_ms(), ms - 5);
    EXPECT_EQ(clock.monotonic_ns(), ns + 5'000'000);
}

TEST(TestSeed, StaysTheSameDuringARun) {
    EXPECT_EQ(test_seed(), test_seed());
}

}  // namespace
}  // namespace walrus::testing

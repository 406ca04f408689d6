// Crash semantics of the simulated disk.  Faults: sim_fault_test.cc.
#include "walrus/testing/sim_env.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string>

#include "walrus/base/aligned_buffer.h"
#include "walrus/testing/seed.h"

namespace walrus::testing {
namespace {

using env::Durability;
using env::File;
using env::IoRequest;
using env::kBlockSize;
using env::QueueKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Unsynced kAllFates[] = {Unsynced::kKeep, Unsynced::kDrop, Unsynced::kTorn512,
                                  Unsynced::kTorn4096};

class SimEnvTest : public ::testing::Test {
protected:
    std::unique_ptr<File> open(const std::string& path, env::OpenFlags flags = {.create = true}) {
        return *env_.open(path, flags);
    }
    // A file whose name and contents are durable.
    std::unique_ptr<File> durable_file(const std::string& path, std::string_view contents) {
        env_.write_file(path, as_bytes(contents));
        return open(path, {});
    }
    static void write(File& file, std::string_view data, std::uint64_t position = 0,
                      Durability durability = Durability::kNone) {
        const Status status = file.write_at(as_bytes(data), position, durability);
        EXPECT_TRUE(status) << status.error().to_string();
    }
    std::unique_ptr<SimEnv> kill(Unsynced unsynced = Unsynced::kDrop,
                                 std::uint64_t seed = 1) const {
        return env_.after_crash({CrashKind::kKill, unsynced, seed});
    }
    std::unique_ptr<SimEnv> power_cut(Unsynced unsynced, std::uint64_t seed = 1) const {
        return env_.after_crash({CrashKind::kPower, unsynced, seed});
    }
    static std::string contents(const SimEnv& env, const std::string& path) {
        const auto bytes = env.read_file(path);
        return bytes ? std::string(as_text(*bytes)) : "absent";
    }

    SimEnv env_{test_seed()};
};

// What a killed process leaves.

TEST_F(SimEnvTest, KillKeepsWhatWasWrittenAndNotSynced) {
    const auto file = open("f");
    write(*file, "abc");
    EXPECT_EQ(contents(*kill(), "f"), "abc");
}

TEST_F(SimEnvTest, KillDoesNotMakeAnythingDurable) {
    const auto file = open("f");
    write(*file, "abc");
    const auto killed = kill();
    EXPECT_EQ(contents(*killed, "f"), "abc");
    EXPECT_FALSE(killed->after_crash({CrashKind::kPower, Unsynced::kDrop, 1})->exists("f"));
}

TEST_F(SimEnvTest, KillReleasesLocks) {
    const auto file = open("f", {.create = true, .lock = true});
    EXPECT_EQ(env_.open("f", {.lock = true}).error().code, Errc::kBusy);
    EXPECT_TRUE(kill()->open("f", {.lock = true}));
}

TEST_F(SimEnvTest, KillForgetsRemovedFilesThatWereOpen) {
    const auto file = open("f");
    ASSERT_TRUE(env_.remove("f"));
    EXPECT_FALSE(kill()->exists("f"));
}

TEST_F(SimEnvTest, SurvivorAndOriginalDoNotShareTheirFuture) {
    const auto file = durable_file("f", "abc");
    const auto survivor = kill();
    write(*file, "X");
    write(**survivor->open("f", {}), "Y", 1);
    EXPECT_EQ(contents(env_, "f"), "Xbc");
    EXPECT_EQ(contents(*survivor, "f"), "aYc");
}

// What a power cut leaves.

TEST_F(SimEnvTest, PowerCutDropsOrKeepsUnsyncedWrites) {
    const auto file = durable_file("f", "abc");
    write(*file, "X", 1);
    EXPECT_EQ(contents(*power_cut(Unsynced::kDrop), "f"), "abc");
    EXPECT_EQ(contents(*power_cut(Unsynced::kKeep), "f"), "aXc");
}

TEST_F(SimEnvTest, PowerCutNeverTakesSyncedBytes) {
    const auto file = durable_file("f", "");
    write(*file, std::string(3 * kBlockSize, 'a'));
    ASSERT_TRUE(file->sync_data());
    for (const Unsynced unsynced : kAllFates) {
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
            EXPECT_EQ(contents(*power_cut(unsynced, seed), "f"), std::string(3 * kBlockSize, 'a'));
        }
    }
}

TEST_F(SimEnvTest, DurableWriteSurvivesAndLeavesOthersUnsynced) {
    const auto file = durable_file("f", "......");
    write(*file, "aaa", 0);
    write(*file, "bbb", 3, Durability::kData);
    EXPECT_EQ(contents(*power_cut(Unsynced::kDrop), "f"), "...bbb");
}

TEST_F(SimEnvTest, DurableWriteIsNeverOverwrittenByAnOlderUnsyncedOne) {
    const auto file = durable_file("f", std::string(3 * 512, '.'));
    write(*file, std::string(3 * 512, 'a'));
    write(*file, std::string(512, 'D'), 512, Durability::kData);
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        EXPECT_EQ(contents(*power_cut(Unsynced::kTorn512, seed), "f").substr(512, 512),
                  std::string(512, 'D'));
    }
    EXPECT_EQ(contents(*power_cut(Unsynced::kKeep), "f"),
              std::string(512, 'a') + std::string(512, 'D') + std::string(512, 'a'));
}

TEST_F(SimEnvTest, DurableWriteBringsItsLengthAlong) {
    const auto file = durable_file("f", "");
    ASSERT_TRUE(file->preallocate(100));
    write(*file, "abc", 10, Durability::kData);
    EXPECT_EQ(contents(*power_cut(Unsynced::kDrop), "f"),
              std::string(10, '\0') + "abc" + std::string(87, '\0'));
}

TEST_F(SimEnvTest, UnsyncedLengthCanBeLost) {
    const auto file = durable_file("f", "abc");
    ASSERT_TRUE(file->truncate(1));
    EXPECT_EQ(contents(*power_cut(Unsynced::kDrop), "f"), "abc");
    EXPECT_EQ(contents(*power_cut(Unsynced::kKeep), "f"), "a");
    ASSERT_TRUE(file->sync_data());
    EXPECT_EQ(contents(*power_cut(Unsynced::kDrop), "f"), "a");
}

TEST_F(SimEnvTest, BytesCutOffByATruncateNeverComeBackOnceItIsDurable) {
    const auto file = durable_file("f", "");
    write(*file, std::string(1024, 'a'));
    ASSERT_TRUE(file->truncate(0));
    write(*file, "b", 1023, Durability::kData);
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        EXPECT_EQ(contents(*power_cut(Unsynced::kTorn512, seed), "f"),
                  std::string(1023, '\0') + "b");
    }
}

TEST_F(SimEnvTest, WriteBehindADurableCutStaysCutOff) {
    const auto file = durable_file("f", "");
    write(*file, "aaaa", 4);
    ASSERT_TRUE(file->truncate(2));
    write(*file, "b", 9, Durability::kData);
    for (const Unsynced unsynced : kAllFates) {
        EXPECT_EQ(contents(*power_cut(unsynced), "f"), std::string(9, '\0') + "b");
    }
}

TEST_F(SimEnvTest, TornLengthIsOneOfThoseTheFileHad) {
    const auto file = durable_file("f", "");
    write(*file, std::string(512, 'a'), 0);
    write(*file, std::string(512, 'b'), 512);
    write(*file, std::string(512, 'c'), 1024);
    std::set<std::size_t> lengths;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        lengths.insert(contents(*power_cut(Unsynced::kTorn512, seed), "f").size());
    }
    EXPECT_THAT(lengths, ElementsAre(0, 512, 1024, 1536));
}

TEST_F(SimEnvTest, TornWriteSurvivesSectorBySector) {
    const auto file = durable_file("f", std::string(8 * 512, '.'));
    write(*file, std::string(8 * 512, 'x'));
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
        const std::string image = contents(*power_cut(Unsynced::kTorn512, seed), "f");
        std::string sectors;
        for (std::size_t i = 0; i < 8; ++i) {
            EXPECT_EQ(image.substr(i * 512, 512), std::string(512, image[i * 512]));
            sectors += image[i * 512];
        }
        seen.insert(sectors);
    }
    EXPECT_TRUE(seen.contains("........"));
    EXPECT_TRUE(seen.contains("xxxxxxxx"));
    EXPECT_TRUE(seen.contains("xxx.....")) << "a prefix";
    EXPECT_GT(seen.size(), 50u) << "holes too";
}

TEST_F(SimEnvTest, TornBlocksStayWhole) {
    const auto file = durable_file("f", std::string(4 * kBlockSize, '.'));
    write(*file, std::string(4 * kBlockSize, 'x'));
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const std::string image = contents(*power_cut(Unsynced::kTorn4096, seed), "f");
        for (std::size_t i = 0; i < 4; ++i) {
            EXPECT_EQ(image.substr(i * kBlockSize, kBlockSize),
                      std::string(kBlockSize, image[i * kBlockSize]));
        }
    }
}

TEST_F(SimEnvTest, LaterWriteCanSurviveWithoutAnEarlierOne) {
    const auto file = durable_file("f", "..");
    write(*file, "a", 0);
    write(*file, "b", 1);
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        seen.insert(contents(*power_cut(Unsynced::kTorn512, seed), "f"));
    }
    EXPECT_THAT(seen, ElementsAre("..", ".b", "a.", "ab"));
}

TEST_F(SimEnvTest, DamageRepeatsFromItsSeed) {
    const auto file = durable_file("f", std::string(64 * 512, '.'));
    write(*file, std::string(64 * 512, 'x'));
    const auto other = open("g");
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const auto a = power_cut(Unsynced::kTorn512, seed);
        const auto b = power_cut(Unsynced::kTorn512, seed);
        EXPECT_EQ(contents(*a, "f"), contents(*b, "f"));
        EXPECT_EQ(a->exists("g"), b->exists("g"));
        seen.insert(contents(*a, "f"));
    }
    EXPECT_GT(seen.size(), 10u);
}

TEST_F(SimEnvTest, FailedSyncLosesWhatALaterSyncWouldClaim) {
    const auto file = durable_file("f", "....");
    write(*file, "a", 0);
    env_.fail_when(fault_on(SimOperation::Kind::kSync), Errc::kIo);
    EXPECT_EQ(file->sync_data().error().code, Errc::kIo);
    env_.clear_faults();
    write(*file, "b", 1);
    EXPECT_TRUE(file->sync_data());
    EXPECT_EQ(contents(env_, "f"), "ab..") << "reads still see it";
    EXPECT_EQ(contents(*power_cut(Unsynced::kDrop), "f"), ".b..");
    EXPECT_EQ(contents(*power_cut(Unsynced::kKeep), "f"), ".b..");
}

// Names.

TEST_F(SimEnvTest, NewFileVanishesWithoutSyncDirEvenWhenItsBytesAreSynced) {
    const auto file = open("f");
    write(*file, "abc", 0, Durability::kData);
    ASSERT_TRUE(file->sync_data());
    EXPECT_FALSE(power_cut(Unsynced::kDrop)->exists("f"));
    ASSERT_TRUE(env_.sync_dir("."));
    EXPECT_EQ(contents(*power_cut(Unsynced::kDrop), "f"), "abc");
}

TEST_F(SimEnvTest, SyncDirBringsNamesNotBytes) {
    const auto file = open("f");
    write(*file, "abc");
    ASSERT_TRUE(env_.sync_dir("."));
    EXPECT_EQ(contents(*power_cut(Unsynced::kDrop), "f"), "");
}

TEST_F(SimEnvTest, RemovedFileComesBackWithoutSyncDir) {
    durable_file("f", "abc");
    ASSERT_TRUE(env_.remove("f"));
    EXPECT_EQ(contents(*power_cut(Unsynced::kDrop), "f"), "abc");
    EXPECT_FALSE(power_cut(Unsynced::kKeep)->exists("f"));
    ASSERT_TRUE(env_.sync_dir("."));
    EXPECT_FALSE(power_cut(Unsynced::kDrop)->exists("f"));
}

TEST_F(SimEnvTest, SyncedNamesStayAsTheyWereSynced) {
    open("f");
    ASSERT_TRUE(env_.remove("f"));
    open("g");
    ASSERT_TRUE(env_.sync_dir("."));
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const auto after = power_cut(Unsynced::kTorn512, seed);
        EXPECT_FALSE(after->exists("f"));
        EXPECT_TRUE(after->exists("g"));
    }
}

TEST_F(SimEnvTest, UnsyncedRenameIsAllOrNothing) {
    durable_file("old", "old");
    durable_file("new", "new");
    ASSERT_TRUE(env_.rename("new", "old"));
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const auto after = power_cut(Unsynced::kTorn512, seed);
        if (after->exists("new")) {
            EXPECT_EQ(contents(*after, "old"), "old");
            EXPECT_EQ(contents(*after, "new"), "new");
        } else {
            EXPECT_EQ(contents(*after, "old"), "new");
        }
    }
    EXPECT_TRUE(power_cut(Unsynced::kDrop)->exists("new"));
    EXPECT_FALSE(power_cut(Unsynced::kKeep)->exists("new"));
}

// The classic mistake: the name is durable before the bytes are.
TEST_F(SimEnvTest, RenameOfAnUnsyncedFileCanLeaveAnEmptyOne) {
    durable_file("f", "old");
    const auto file = open("f.tmp");
    write(*file, "new");
    ASSERT_TRUE(env_.rename("f.tmp", "f"));
    ASSERT_TRUE(env_.sync_dir("."));
    EXPECT_EQ(contents(*power_cut(Unsynced::kDrop), "f"), "");
}

TEST_F(SimEnvTest, TornNamesAreAPrefixOfTheChangesOfTheDirectory) {
    for (const char* name : {"1", "2", "3"}) open(name);
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        std::string names;
        const auto after = power_cut(Unsynced::kTorn512, seed);
        const auto list = after->list(".");
        for (const std::string& name : *list) names += name;
        seen.insert(names);
    }
    EXPECT_THAT(seen, ElementsAre("", "1", "12", "123"));
}

TEST_F(SimEnvTest, CreatedDirectoriesAreDurable) {
    ASSERT_TRUE(env_.create_dirs("a/b"));
    const auto after = power_cut(Unsynced::kDrop);
    EXPECT_THAT(*after->list("a"), ElementsAre("b"));
    EXPECT_THAT(*after->list("a/b"), IsEmpty());
}

TEST_F(SimEnvTest, PathsAreTheSameHoweverTheyAreWritten) {
    ASSERT_TRUE(env_.create_dirs("/data//a/"));
    open("/data/a/../a/./f");
    EXPECT_TRUE(env_.exists("/data/a/f"));
}

// Rings.

TEST_F(SimEnvTest, KillKeepsTheRing) {
    const auto ring = *env_.map_ring("ring", 2 * kBlockSize);
    ring->data()[5] = std::byte{'r'};
    const auto again = *kill()->map_ring("ring", 2 * kBlockSize);
    EXPECT_EQ(again->data()[5], std::byte{'r'});
}

TEST_F(SimEnvTest, PowerCutTakesTheRingBackToWhatWasMapped) {
    durable_file("ring", std::string(kBlockSize, 'o') + std::string(kBlockSize, 'p'));
    const auto ring = *env_.map_ring("ring", 2 * kBlockSize);
    std::memset(ring->data(), 'r', 2 * kBlockSize);
    EXPECT_EQ(contents(*power_cut(Unsynced::kDrop), "ring"),
              std::string(kBlockSize, 'o') + std::string(kBlockSize, 'p'));
    EXPECT_EQ(contents(*power_cut(Unsynced::kKeep), "ring"), std::string(2 * kBlockSize, 'r'));
}

TEST_F(SimEnvTest, PowerCutLeavesEachRingPageOldOrNew) {
    durable_file("ring", std::string(3 * kBlockSize, 'o'));
    const auto ring = *env_.map_ring("ring", 3 * kBlockSize);
    std::memset(ring->data(), 'r', 3 * kBlockSize);
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const std::string image = contents(*power_cut(Unsynced::kTorn4096, seed), "ring");
        seen.insert({image[0], image[kBlockSize], image[2 * kBlockSize]});
    }
    EXPECT_EQ(seen.size(), 8u);
}

TEST_F(SimEnvTest, WrittenBackRingPagesSurviveAPowerCut) {
    env_.write_file("ring", {});
    const auto ring = *env_.map_ring("ring", kBlockSize);
    std::memset(ring->data(), '1', kBlockSize);
    env_.write_back_ring("ring");
    std::memset(ring->data(), '2', kBlockSize);
    EXPECT_EQ(contents(*power_cut(Unsynced::kDrop), "ring"), std::string(kBlockSize, '1'));
    EXPECT_EQ(contents(*power_cut(Unsynced::kKeep), "ring"), std::string(kBlockSize, '2'));
}

TEST_F(SimEnvTest, UnmappedRingIsAnUnsyncedFile) {
    env_.write_file("ring", {});
    std::memset((*env_.map_ring("ring", kBlockSize))->data(), 'r', kBlockSize);
    EXPECT_EQ(contents(*kill(), "ring"), std::string(kBlockSize, 'r'));
    EXPECT_EQ(contents(*power_cut(Unsynced::kDrop), "ring"), std::string(kBlockSize, '\0'));
}

// Boundaries.

TEST_F(SimEnvTest, CountsEveryOperationThatCanChangeTheDisk) {
    const auto count_of = [&](auto&& change) {
        const std::uint64_t before = env_.operation_count();
        change();
        return env_.operation_count() - before;
    };
    std::unique_ptr<File> file;
    EXPECT_EQ(count_of([&] { ASSERT_TRUE(env_.create_dirs("d")); }), 1u);
    EXPECT_EQ(count_of([&] { ASSERT_TRUE(env_.create_dirs("d")); }), 0u);
    EXPECT_EQ(count_of([&] { file = open("d/f"); }), 1u);
    EXPECT_EQ(count_of([&] { open("d/f"); }), 0u);
    EXPECT_EQ(count_of([&] { write(*file, "a"); }), 1u);
    EXPECT_EQ(count_of([&] { write(*file, "a", 0, Durability::kData); }), 1u);
    EXPECT_EQ(count_of([&] { ASSERT_TRUE(file->sync_data()); }), 1u);
    EXPECT_EQ(count_of([&] { ASSERT_TRUE(file->preallocate(9)); }), 1u);
    EXPECT_EQ(count_of([&] { ASSERT_TRUE(file->truncate(8)); }), 1u);
    EXPECT_EQ(count_of([&] { ASSERT_TRUE(env_.rename("d/f", "d/g")); }), 1u);
    EXPECT_EQ(count_of([&] { ASSERT_TRUE(env_.sync_dir("d")); }), 1u);
    EXPECT_EQ(count_of([&] { ASSERT_TRUE(env_.map_ring("d/ring", kBlockSize)); }), 1u);
    EXPECT_EQ(count_of([&] { ASSERT_TRUE(env_.remove("d/g")); }), 1u);
    EXPECT_EQ(count_of([&] { ASSERT_TRUE(env_.list("d")); }), 0u);
    EXPECT_EQ(count_of([&] { ASSERT_TRUE(file->size()); }), 0u);
}

TEST_F(SimEnvTest, NothingChangesAfterTheCut) {
    const auto file = durable_file("f", "...");
    env_.cut_after(env_.operation_count() + 1);
    write(*file, "a", 0);
    EXPECT_FALSE(env_.dead());
    EXPECT_EQ(file->write_at(as_bytes("b"), 1, Durability::kNone).error().code, Errc::kIo);
    EXPECT_TRUE(env_.dead());
    const auto dies = [](const auto& result) {
        return !result && result.error().code == Errc::kIo;
    };
    std::byte byte{};
    EXPECT_TRUE(dies(file->sync_data()));
    EXPECT_TRUE(dies(file->read_at({&byte, 1}, 0)));
    EXPECT_TRUE(dies(file->size()));
    EXPECT_TRUE(dies(file->truncate(0)));
    EXPECT_TRUE(dies(file->preallocate(100)));
    EXPECT_TRUE(dies(env_.open("f", {})));
    EXPECT_TRUE(dies(env_.open("absent", {})));
    EXPECT_TRUE(dies(env_.remove("f")));
    EXPECT_TRUE(dies(env_.rename("f", "g")));
    EXPECT_TRUE(dies(env_.create_dirs("d")));
    EXPECT_TRUE(dies(env_.create_dirs(".")));
    EXPECT_TRUE(dies(env_.sync_dir(".")));
    EXPECT_TRUE(dies(env_.list(".")));
    EXPECT_TRUE(dies(env_.map_ring("ring", kBlockSize)));
    EXPECT_TRUE(dies(env_.open_queue(QueueKind::kUring, 1)));
    EXPECT_EQ(contents(*kill(), "f"), "a..");
    EXPECT_EQ(contents(*power_cut(Unsynced::kDrop), "f"), "...");
}

TEST_F(SimEnvTest, WriteThatKillsTheMachineMayBePartlyDone) {
    const auto file = durable_file("f", std::string(4 * 512, '.'));
    env_.cut_after(env_.operation_count());
    const std::string data(4 * 512, 'x');
    EXPECT_FALSE(file->write_at(as_bytes(data), 0, Durability::kData));
    for (const CrashKind kind : {CrashKind::kKill, CrashKind::kPower}) {
        const auto image = [&](Unsynced unsynced, std::uint64_t seed) {
            return contents(*env_.after_crash({kind, unsynced, seed}), "f");
        };
        EXPECT_EQ(image(Unsynced::kDrop, 1), std::string(4 * 512, '.'));
        EXPECT_EQ(image(Unsynced::kKeep, 1), data);
        std::set<std::string> seen;
        for (std::uint64_t seed = 0; seed < 100; ++seed) {
            seen.insert(image(Unsynced::kTorn512, seed));
        }
        EXPECT_GT(seen.size(), 5u);
    }
}

TEST_F(SimEnvTest, EveryBoundaryLeavesAPrefixOfTheWrites) {
    for (std::uint64_t n = 0; n <= 4; ++n) {
        SimEnv env(n);
        env.write_file("f", as_bytes("...."));
        const auto file = *env.open("f", {});
        env.cut_after(n);
        for (std::uint64_t i = 0; i < 4; ++i) {
            const Status status = file->write_at(as_bytes("x"), i, Durability::kData);
            EXPECT_EQ(status.has_value(), i < n);
        }
        const auto after = env.after_crash({CrashKind::kPower, Unsynced::kDrop, 1});
        EXPECT_EQ(contents(*after, "f"), std::string(n, 'x') + std::string(4 - n, '.'));
    }
}

// Queues.

class SimQueueTest : public SimEnvTest {
protected:
    static constexpr std::size_t kWrites = 6;

    void SetUp() override {
        file_ = durable_file("f", std::string(kWrites, '.'));
        queue_ = *env_.open_queue(QueueKind::kUring, kWrites);
    }
    void submit_all() {
        for (std::size_t i = 0; i < kWrites; ++i) {
            requests_[i].file = file_.get();
            requests_[i].bytes = {&bytes_[i], 1};
            requests_[i].position = i;
            queue_->submit(requests_[i]);
        }
    }

    std::unique_ptr<File> file_;
    std::byte bytes_[kWrites] = {std::byte{'0'}, std::byte{'1'}, std::byte{'2'},
                                 std::byte{'3'}, std::byte{'4'}, std::byte{'5'}};
    IoRequest requests_[kWrites];
    std::unique_ptr<env::IoQueue> queue_;
};

TEST_F(SimQueueTest, CompletesInAnOrderOfItsOwn) {
    std::set<std::string> orders;
    for (int round = 0; round < 20; ++round) {
        submit_all();
        std::string order;
        for (std::size_t i = 0; i < kWrites; ++i) {
            order += std::to_string(queue_->complete(true) - requests_);
        }
        orders.insert(order);
    }
    EXPECT_GT(orders.size(), 10u);
}

TEST_F(SimQueueTest, OrderRepeatsFromTheSeedOfTheDisk) {
    std::string orders[2];
    for (std::string& order : orders) {
        SimEnv env(77);
        env.write_file("f", {});
        const auto file = *env.open("f", {});
        const auto queue = *env.open_queue(QueueKind::kUring, kWrites);
        for (std::size_t i = 0; i < kWrites; ++i) {
            requests_[i].file = file.get();
            requests_[i].bytes = {&bytes_[i], 1};
            queue->submit(requests_[i]);
        }
        for (std::size_t i = 0; i < kWrites; ++i) {
            order += std::to_string(queue->complete(true) - requests_);
        }
    }
    EXPECT_EQ(orders[0], orders[1]);
}

TEST_F(SimQueueTest, WritesInFlightMayBeDoneOrLostEachForItself) {
    submit_all();
    EXPECT_EQ(contents(*kill(Unsynced::kDrop), "f"), "......");
    EXPECT_EQ(contents(*kill(Unsynced::kKeep), "f"), "012345");
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        seen.insert(contents(*kill(Unsynced::kTorn512, seed), "f"));
    }
    EXPECT_GT(seen.size(), 20u);
}

TEST_F(SimQueueTest, CutFreezesWhatIsInFlight) {
    submit_all();
    env_.cut_after(env_.operation_count() + 2);
    std::size_t failed = 0;
    for (std::size_t i = 0; i < kWrites; ++i) {
        if (!queue_->complete(true)->status) ++failed;
    }
    EXPECT_EQ(failed, kWrites - 2);
    const std::string done = contents(*kill(Unsynced::kDrop), "f");
    EXPECT_EQ(std::count(done.begin(), done.end(), '.'), static_cast<long>(kWrites - 2));
    EXPECT_EQ(contents(*kill(Unsynced::kKeep), "f"), "012345");
}

TEST_F(SimQueueTest, WhatIsSubmittedToADeadMachineNeverHappens) {
    env_.cut_after(env_.operation_count());
    EXPECT_FALSE(env_.sync_dir("."));
    submit_all();
    EXPECT_EQ(contents(*kill(Unsynced::kKeep), "f"), "......");
    EXPECT_FALSE(queue_->complete(true)->status);
}

}  // namespace
}  // namespace walrus::testing

// verify, dump and repair on a simulated disk: what they find, and that they change nothing else.
#include "walrus/wal/verify.h"

#include <gtest/gtest.h>

#include "walrus/base/crc32c.h"
#include "walrus/testing/sim_clock.h"
#include "walrus/testing/sim_env.h"
#include "walrus/wal/format.h"
#include "walrus/wal/recovery.h"
#include "walrus/wal/wal.h"

namespace walrus::wal {
namespace {

using testing::CrashKind;
using testing::SimEnv;
using testing::Unsynced;

constexpr std::uint64_t kFileSize = 64 << 10;

std::string record_text(std::uint64_t i) {
    return "record " + std::to_string(i) + std::string(i * 37 % 900, 'r');
}

class VerifyTest : public ::testing::Test {
protected:
    Options options(SimEnv& env) {
        Options options;
        options.data_dir = "log";
        options.env = &env;
        options.clock = &clock_;
        options.random = &random_;
        options.threading = Threading::kInline;
        options.durability = DurabilityClass::kProcess;
        options.backend = Backend::kBuffered;
        options.file_size = options.ring_size = kFileSize;
        options.limits.max_batch_bytes = options.limits.max_record_bytes = 8 << 10;
        return options;
    }
    std::unique_ptr<Wal> open(SimEnv& env) {
        auto wal = Wal::open(options(env));
        EXPECT_TRUE(wal) << wal.error().to_string();
        return wal ? std::move(*wal) : nullptr;
    }
    void append(Wal& wal, const std::string& topic, std::uint64_t from, std::uint64_t upto) {
        for (std::uint64_t i = from; i < upto; ++i)
            ASSERT_TRUE(wal.append(topic, as_bytes(record_text(i))));
    }
    // Two topics over several files, cursors, an index for each left file, closed.
    void write_log() {
        const auto wal = open(env_);
        for (std::uint64_t i = 0; i < kRounds; ++i) {
            append(*wal, "a", 10 * i, 10 * i + 10);
            append(*wal, "b", i, i + 1);
        }
        ASSERT_TRUE(wal->commit("a", "reader", Offset{5}));
        ASSERT_TRUE(wal->close());
    }
    std::string file(std::uint64_t number) {
        return "log/" + shard_dir_name(0) + "/" + log_file_name(number);
    }
    std::string shard_file(std::string_view name) {
        return "log/" + shard_dir_name(0) + "/" + std::string(name);
    }
    std::map<std::string, std::vector<std::byte>> contents(SimEnv& env) {
        std::map<std::string, std::vector<std::byte>> files;
        for (const std::string& directory : {std::string("log"), "log/" + shard_dir_name(0)}) {
            const auto names = env.list(directory);
            if (!names) continue;
            for (const std::string& name : *names)
                if (auto bytes = env.read_file(env::join_path(directory, name)))
                    files[env::join_path(directory, name)] = std::move(*bytes);
        }
        return files;
    }
    // Position of a batch frame in the middle of a file.
    std::uint64_t frame_in(std::uint64_t number) {
        std::uint64_t position = 0;
        EXPECT_TRUE(dump(options(env_), {.from = Lsn{number * kFileSize + kFileSize / 2}},
                         [&](const DumpedFrame& frame) {
                             position = frame.position;
                             return frame.type != "batch" || frame.body_bytes < 100;
                         }));
        return position;
    }
    void damage_file(std::uint64_t number, std::uint64_t position) {
        env_.flip_bit(file(number), 8 * (position + 12));
    }

    static constexpr std::uint64_t kRounds = 60;
    testing::SimClock clock_;
    SeededRandom random_{42};
    SimEnv env_;
};

TEST_F(VerifyTest, AHealthyLogIsCountedAndLeftAsItIs) {
    write_log();
    const auto before = contents(env_);
    const auto report = verify(options(env_));
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->ok());
    EXPECT_TRUE(report->damage.empty()) << report->damage[0].what;
    EXPECT_EQ(report->records, kRounds * 11);
    EXPECT_EQ(report->topics, 2U);
    EXPECT_GE(report->files, 5U);
    const auto repaired = repair(options(env_));
    ASSERT_TRUE(repaired);
    EXPECT_TRUE(repaired->ok());
    EXPECT_EQ(contents(env_), before);
}

TEST_F(VerifyTest, WhatOnlyTheRingHasIsPartOfTheLog) {
    auto wal = open(env_);
    append(*wal, "a", 0, 30);
    const auto killed = env_.after_crash({CrashKind::kKill, Unsynced::kKeep, 1});
    const auto report = verify(options(*killed));
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->damage.empty());
    EXPECT_EQ(report->records, 30U);
}

TEST_F(VerifyTest, DamageInEachFileIsListedWithItsPlace) {
    write_log();
    const std::uint64_t first = frame_in(1);
    const std::uint64_t second = frame_in(3);
    damage_file(1, first);
    damage_file(3, second);
    const auto before = contents(env_);
    const auto report = verify(options(env_));
    ASSERT_TRUE(report);
    EXPECT_FALSE(report->ok());
    ASSERT_EQ(report->damage.size(), 2U);
    EXPECT_EQ(report->damage[0].file, file(1));
    EXPECT_EQ(report->damage[0].position, first);
    EXPECT_EQ(report->damage[0].lsn, Lsn{kFileSize + first});
    EXPECT_TRUE(report->damage[0].acknowledged);
    EXPECT_EQ(report->damage[1].file, file(3));
    EXPECT_EQ(report->damage[1].position, second);
    EXPECT_EQ(contents(env_), before);
    const Status dumped = dump(options(env_), {}, [](const DumpedFrame&) { return true; });
    EXPECT_EQ(dumped.error().code, Errc::kCorruption);
}

TEST_F(VerifyTest, ATornTailIsToldFromAcknowledgedDamage) {
    auto wal = open(env_);
    append(*wal, "a", 0, 20);
    ASSERT_TRUE(wal->sync());
    const auto end = (*wal->topic("a")).log_end_offset;
    append(*wal, "b", 0, 20);
    ASSERT_TRUE(wal->append_batch("b", {}));
    auto killed = env_.after_crash({CrashKind::kKill, Unsynced::kKeep, 1});
    // Tear the ring in the frame that creates topic b, which nothing says was durable.
    Lsn torn;
    ASSERT_TRUE(dump(options(*killed), {}, [&](const DumpedFrame& frame) {
        torn = frame.lsn;
        return frame.type != "create-topic" || frame.topic != "b";
    }));
    killed->flip_bit(shard_file("ring"), 8 * (torn.value % kFileSize + 20));
    const auto report = verify(options(*killed));
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->ok());
    ASSERT_EQ(report->damage.size(), 1U);
    EXPECT_FALSE(report->damage[0].acknowledged);
    EXPECT_EQ(report->damage[0].lsn, torn);
    EXPECT_EQ(report->records, end.value);
    EXPECT_TRUE(Wal::open(options(*killed)));
}

TEST_F(VerifyTest, AStaleOrDamagedIndexIsReportedButNothingIsLost) {
    write_log();
    env_.flip_bit(shard_file(index_file_name(0)), 8 * 60);
    auto other = env_.read_file(shard_file(index_file_name(1)));
    ASSERT_TRUE(other);
    store_le(other->data() + 48 + 16, std::uint64_t{1});  // Another log end, rightly sealed.
    store_le(other->data() + other->size() - 4, crc32c(Bytes{*other}.first(other->size() - 4)));
    env_.write_file(shard_file(index_file_name(1)), *other);
    env_.write_file(shard_file(index_file_name(99)), *other);
    const auto report = verify(options(env_));
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->ok());
    ASSERT_EQ(report->damage.size(), 3U);
    for (const Damage& damage : report->damage) EXPECT_FALSE(damage.acknowledged);
    EXPECT_EQ(report->damage[0].file, shard_file(index_file_name(0)));
    EXPECT_EQ(report->damage[1].file, shard_file(index_file_name(1)));
    EXPECT_EQ(report->damage[2].file, shard_file(index_file_name(99)));
}

TEST_F(VerifyTest, DumpNamesTopicsFromTheMiddleOfTheLog) {
    write_log();
    bool snapshot = false;
    std::uint64_t batches = 0;
    ASSERT_TRUE(dump(
        options(env_), {.shard = 0, .from = Lsn{2 * kFileSize}}, [&](const DumpedFrame& frame) {
            EXPECT_GE(frame.lsn, Lsn{2 * kFileSize});
            snapshot = snapshot || frame.type == "snapshot";
            if (frame.type != "batch") return true;
            EXPECT_TRUE(snapshot);
            EXPECT_TRUE(frame.topic == "a" || frame.topic == "b") << frame.topic;
            EXPECT_EQ(frame.records.size(), 1U);
            EXPECT_EQ(as_text(frame.records[0]), record_text(frame.first_offset.value));
            return ++batches < 50;
        }));
    EXPECT_EQ(batches, 50U);
}

// --- repair ---

class RepairTest : public VerifyTest {
protected:
    // After repair: opens, has the records before the cut of each topic, and goes on.
    void expect_healthy(SimEnv& env, const Cut& cut) {
        const auto again = verify(options(env));
        ASSERT_TRUE(again);
        EXPECT_TRUE(again->ok());
        // Indexes are not synced, so a power cut may leave any of them torn.
        for (const Damage& damage : again->damage) EXPECT_TRUE(damage.file.ends_with(".idx"));
        auto wal = open(env);
        ASSERT_NE(wal, nullptr);
        for (const CutTopic& topic : cut.topics) {
            const auto info = wal->topic(topic.topic);
            if (topic.end == Offset{} && !info) continue;
            ASSERT_TRUE(info);
            EXPECT_EQ(info->log_end_offset, topic.end);
            for (Offset i; i < topic.end; i = i + 1) {
                const auto batch = wal->read_at(topic.topic, i, 1);
                ASSERT_TRUE(batch) << batch.error().message;
                EXPECT_EQ(as_text((*batch)[0].data), record_text(i.value));
            }
            append(*wal, topic.topic, topic.end.value, topic.end.value + 50);
        }
        EXPECT_TRUE(wal->close());
        const auto last = verify(options(env));
        ASSERT_TRUE(last);
        EXPECT_TRUE(last->ok());
    }
};

TEST_F(RepairTest, CutsAtTheFirstDamageAndSaysWhatWasLost) {
    write_log();
    const std::uint64_t position = frame_in(2);
    damage_file(2, position);
    const auto report = repair(options(env_));
    ASSERT_TRUE(report) << report.error().message;
    ASSERT_EQ(report->cuts.size(), 1U);
    const Cut& cut = report->cuts[0];
    EXPECT_EQ(cut.file, file(2));
    EXPECT_EQ(cut.position, position);
    EXPECT_GE(cut.files_removed, 2U);
    ASSERT_EQ(cut.topics.size(), 2U);
    EXPECT_EQ(cut.topics[0].topic, "a");
    EXPECT_EQ(cut.topics[0].lost_end, Offset{kRounds * 10});
    EXPECT_EQ(cut.topics[1].lost_end, Offset{kRounds});
    expect_healthy(env_, cut);
}

TEST_F(RepairTest, AFileDamagedInItsHeadIsRemoved) {
    write_log();
    env_.flip_bit(file(2), 8 * (kFileHeaderSize + 20));  // Its snapshot.
    const auto report = repair(options(env_));
    ASSERT_TRUE(report);
    ASSERT_EQ(report->cuts.size(), 1U);
    EXPECT_EQ(report->cuts[0].position, 0U);
    EXPECT_FALSE(env_.exists(file(2)));
    EXPECT_TRUE(env_.exists(file(1)));
    expect_healthy(env_, report->cuts[0]);
}

TEST_F(RepairTest, ADamagedFileHeaderAndAMissingFileAreCutAway) {
    write_log();
    env_.flip_bit(file(3), 8 * 17);
    env_.remove_file(file(1));
    EXPECT_EQ(Wal::open(options(env_)).error().code, Errc::kCorruption);
    const auto found = verify(options(env_));
    ASSERT_TRUE(found);
    ASSERT_EQ(found->damage.size(), 2U);
    EXPECT_EQ(found->damage[0].file, file(1));
    EXPECT_EQ(found->damage[0].what, "the file is missing");
    EXPECT_EQ(found->damage[1].file, file(3));
    const auto report = repair(options(env_));
    ASSERT_TRUE(report);
    ASSERT_EQ(report->cuts.size(), 1U);
    expect_healthy(env_, report->cuts[0]);
}

TEST_F(RepairTest, ADamagedFirstFileLeavesAnEmptyLog) {
    write_log();
    env_.flip_bit(file(0), 8 * (kFileHeaderSize + 20));
    const auto report = repair(options(env_));
    ASSERT_TRUE(report);
    ASSERT_EQ(report->cuts.size(), 1U);
    ASSERT_EQ(report->cuts[0].topics.size(), 2U);
    EXPECT_EQ(report->cuts[0].topics[0].end, Offset{0});
    expect_healthy(env_, report->cuts[0]);
}

// Frames from behind the cut must come back neither as data nor as proof, wherever the next crash
// leaves the log.
TEST_F(RepairTest, NothingFromBehindTheCutComesBack) {
    write_log();
    damage_file(1, frame_in(1));
    ASSERT_TRUE(repair(options(env_)));
    std::uint64_t end = 0;
    {
        auto wal = open(env_);
        end = (*wal->topic("a")).log_end_offset.value;
        append(*wal, "a", end, end + 3);
        ASSERT_TRUE(wal->sync());
        append(*wal, "a", end + 3, end + 200);
    }
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        const auto crashed = env_.after_crash({CrashKind::kPower, Unsynced::kTorn512, seed});
        auto wal = Wal::open(options(*crashed));
        ASSERT_TRUE(wal) << wal.error().to_string();
        const Offset kept = (*(*wal)->topic("a")).log_end_offset;
        EXPECT_GE(kept, Offset{end + 3});
        for (Offset i; i < kept; i = i + 1)
            ASSERT_EQ(as_text((*(*wal)->read_at("a", i, 1))[0].data), record_text(i.value));
    }
}

TEST_F(RepairTest, CanBeInterruptedAnywhereAndRepeated) {
    write_log();
    damage_file(2, frame_in(2));
    const auto damaged = env_.after_crash({CrashKind::kKill, Unsynced::kKeep, 0});
    const auto plan = verify(options(*damaged));
    ASSERT_TRUE(plan);
    ASSERT_EQ(plan->cuts.size(), 1U);
    const auto copy = [&] { return damaged->after_crash({CrashKind::kKill, Unsynced::kKeep, 0}); };
    const auto whole = copy();
    const std::uint64_t before = whole->operation_count();
    ASSERT_TRUE(repair(options(*whole)));
    const std::uint64_t steps = whole->operation_count() - before;
    for (std::uint64_t n = 0; n < steps; ++n)
        for (const Unsynced unsynced : {Unsynced::kKeep, Unsynced::kDrop, Unsynced::kTorn4096}) {
            SCOPED_TRACE("cut after " + std::to_string(n));
            const auto env = copy();
            env->cut_after(env->operation_count() + n);
            EXPECT_FALSE(repair(options(*env)));
            const auto survivor = env->after_crash({CrashKind::kPower, unsynced, n});
            const auto repeated = repair(options(*survivor));
            ASSERT_TRUE(repeated) << repeated.error().message;
            expect_healthy(*survivor, plan->cuts[0]);
        }
}

// --- a snapshot that a crash kept from becoming whole ---

TEST_F(VerifyTest, AFileWhoseSnapshotWasTornGetsOneFromTheNextOpening) {
    auto wal = open(env_);
    append(*wal, "a", 0, 150);  // Into the second file.
    ASSERT_TRUE(wal->sync());
    wal.reset();
    // The log ends right behind the header of file 1: as if nothing of the roll had been written
    // but the seal.
    auto bytes = env_.read_file(file(1));
    ASSERT_TRUE(bytes);
    std::fill(bytes->begin() + kFileHeaderSize, bytes->end(), std::byte{0});
    env_.write_file(file(1), *bytes);
    env_.remove_file(shard_file("ring"));

    std::uint64_t end = 0;
    {
        auto reopened = open(env_);
        ASSERT_NE(reopened, nullptr);
        end = (*reopened->topic("a")).log_end_offset.value;
        ASSERT_LT(end, 150U);
        append(*reopened, "a", end, end + 30);
        ASSERT_TRUE(reopened->sync());
        // Everything in file 0 is given up: file 1 has to stand alone.
        ASSERT_TRUE(reopened->truncate_head("a", Offset{end}));
        const auto recycled = reopened->run_retention();
        ASSERT_TRUE(recycled);
        EXPECT_EQ(*recycled, 1U);
    }
    const auto report = verify(options(env_));
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->damage.empty()) << report->damage[0].what;
    auto last = open(env_);
    ASSERT_NE(last, nullptr);
    EXPECT_EQ((*last->topic("a")).log_start_offset, Offset{end});
    EXPECT_EQ((*last->topic("a")).log_end_offset, Offset{end + 30});
}

// --- error paths ---

TEST_F(VerifyTest, NoLogAnOpenLogAndAnUnreadableOneAreErrors) {
    EXPECT_EQ(verify(options(env_)).error().code, Errc::kNotFound);
    EXPECT_EQ(repair(options(env_)).error().code, Errc::kNotFound);
    EXPECT_FALSE(env_.exists("log"));
    {
        const auto wal = open(env_);
        EXPECT_EQ(verify(options(env_)).error().code, Errc::kBusy);
    }
    EXPECT_EQ(
        dump(options(env_), {.shard = 7}, [](const DumpedFrame&) { return true; }).error().code,
        Errc::kNotFound);
    env_.fail_when(testing::fault_on(testing::SimOperation::Kind::kRead, ".log"), Errc::kIo);
    EXPECT_EQ(verify(options(env_)).error().code, Errc::kIo);
    EXPECT_EQ(repair(options(env_)).error().code, Errc::kIo);
}

}  // namespace
}  // namespace walrus::wal

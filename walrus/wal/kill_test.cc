// kill -9 at random points: what a real process was told is acknowledged must be there afterwards.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>

#include "walrus/base/random.h"
#include "walrus/testing/seed.h"
#include "walrus/wal/kill_load.h"

namespace walrus::wal {
namespace {

constexpr int kRounds = 26;
constexpr std::uint64_t kMostAcks = 600;
constexpr std::uint64_t kReadBytes = 256 << 10;

struct Case {
    Backend backend;
    DurabilityClass durability;
};

// Everything that was acknowledged and not given up since.
struct Acknowledged {
    std::array<std::uint64_t, kKillWriters> own_end{};
    std::array<std::uint64_t, kKillWriters> cursor{};
    std::map<std::uint64_t, std::pair<std::uint32_t, std::uint64_t>> shared;  // By offset.
};

// The numbers that a record begins with.
struct RecordText {
    unsigned writer = 0;
    unsigned long long offset = 0;
    unsigned long long batch_begin = 0;
    unsigned long long batch_size = 0;

    static RecordText of(std::string_view text) {
        RecordText record;
        const std::string copy(text.substr(0, 100));
        EXPECT_EQ(std::sscanf(copy.c_str(), "%u %llu %llu %llu ", &record.writer, &record.offset,
                              &record.batch_begin, &record.batch_size),
                  4)
            << copy;
        EXPECT_EQ(text,
                  kill_record(record.writer, record.offset, record.batch_begin, record.batch_size));
        return record;
    }
};

class KillTest : public ::testing::TestWithParam<Case> {
protected:
    KillTest()
        : random_(testing::test_seed() + static_cast<std::uint64_t>(GetParam().backend) * 16 +
                  static_cast<std::uint64_t>(GetParam().durability)),
          directory_("kill_test_data/" + std::string(backend_name(GetParam().backend)) + "-" +
                     std::string(durability_class_name(GetParam().durability))) {
        std::filesystem::remove_all(directory_);
    }
    ~KillTest() override {
        if (!HasFailure()) std::filesystem::remove_all(directory_);
    }

    Options options() const {
        return kill_options(directory_, GetParam().backend, GetParam().durability);
    }

    // Lets a child run until it has told `acks` acknowledgements, and kills it.
    void run_and_kill(std::uint64_t acks);
    void note(const KillAck& ack);
    void check_log(int round);
    void check_own(Wal& wal, std::uint32_t writer);
    void check_shared(Wal& wal);
    void give_up_some(Wal& wal);

    SeededRandom random_;
    const std::string directory_;
    Acknowledged acknowledged_;
    std::uint64_t total_acks_ = 0;
};

void KillTest::note(const KillAck& ack) {
    switch (ack.kind) {
        case KillAck::kReady: break;
        case KillAck::kOwn: {
            std::uint64_t& end = acknowledged_.own_end[ack.writer];
            end = std::max(end, ack.offset + ack.count);
            break;
        }
        case KillAck::kShared:
            EXPECT_TRUE(
                acknowledged_.shared.try_emplace(ack.offset, ack.writer, ack.sequence).second)
                << "offset " << ack.offset << " was given away twice";
            break;
        case KillAck::kCursor: acknowledged_.cursor[ack.writer] = ack.offset; break;
        default: ADD_FAILURE() << "the child failed"; break;
    }
}

void KillTest::run_and_kill(std::uint64_t acks) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::string program = WALRUS_KILL_CHILD_PATH;
    std::string directory = directory_;
    std::string backend(backend_name(GetParam().backend));
    std::string durability(durability_class_name(GetParam().durability));
    char* argv[] = {program.data(), directory.data(), backend.data(), durability.data(), nullptr};
    pid_t child = 0;
    ASSERT_EQ(::posix_spawn(&child, program.c_str(), &actions, nullptr, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);

    // What is in the pipe when it dies was told before, so it counts as well.
    if (acks == 0) ::kill(child, SIGKILL);
    KillAck ack;
    for (std::uint64_t seen = 0;;) {
        const ssize_t got = ::read(ends[0], &ack, sizeof ack);
        if (got < 0 && errno == EINTR) continue;
        if (got != static_cast<ssize_t>(sizeof ack)) {
            EXPECT_EQ(got, 0);
            break;
        }
        note(ack);
        ++total_acks_;
        if (++seen == acks) ::kill(child, SIGKILL);
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "status " << status;
}

void KillTest::check_own(Wal& wal, std::uint32_t writer) {
    const std::string name = kill_topic(writer);
    const Result<TopicInfo> info = wal.topic(name);
    if (!info) {
        EXPECT_EQ(acknowledged_.own_end[writer], 0U) << info.error().to_string();
        return;
    }
    EXPECT_GE(info->log_end_offset.value, acknowledged_.own_end[writer]) << name;
    std::uint64_t at = info->log_start_offset.value;
    RecordText last;
    while (at < info->log_end_offset.value) {
        const Result<RecordBatch> batch = wal.read_at(name, Offset{at}, kReadBytes);
        ASSERT_TRUE(batch) << name << " at " << at << ": " << batch.error().to_string();
        ASSERT_FALSE(batch->empty()) << name << " at " << at;
        for (const Record& record : *batch) {
            last = RecordText::of(as_text(record.data));
            ASSERT_EQ(record.offset.value, at);
            ASSERT_EQ(last.offset, at);
            ASSERT_EQ(last.writer, writer);
            ++at;
        }
    }
    if (last.batch_size > 0) {
        EXPECT_EQ(at, last.batch_begin + last.batch_size) << name << ": half a batch";
    }
    // What is there now is acknowledged by its being readable.
    acknowledged_.own_end[writer] = at;
    const Result<Offset> cursor = wal.position(name, kKillConsumer);
    ASSERT_TRUE(cursor);
    EXPECT_GE(cursor->value, acknowledged_.cursor[writer]) << name;
}

void KillTest::check_shared(Wal& wal) {
    const Result<TopicInfo> info = wal.topic(kKillSharedTopic);
    if (!info) {
        EXPECT_TRUE(acknowledged_.shared.empty()) << info.error().to_string();
        return;
    }
    if (!acknowledged_.shared.empty()) {
        EXPECT_GT(info->log_end_offset.value, acknowledged_.shared.rbegin()->first);
    }
    std::array<std::uint64_t, kKillWriters> seen{};
    std::uint64_t at = info->log_start_offset.value;
    while (at < info->log_end_offset.value) {
        const Result<RecordBatch> batch = wal.read_at(kKillSharedTopic, Offset{at}, kReadBytes);
        ASSERT_TRUE(batch) << "shared at " << at << ": " << batch.error().to_string();
        ASSERT_FALSE(batch->empty());
        for (const Record& read : *batch) {
            const RecordText record = RecordText::of(as_text(read.data));
            ASSERT_LT(record.writer, kKillWriters);
            // A writer that was killed may have written what its successor writes again.
            EXPECT_GE(record.offset, seen[record.writer]) << "writer " << record.writer;
            seen[record.writer] = record.offset;
            const auto known = acknowledged_.shared.find(at);
            if (known != acknowledged_.shared.end()) {
                EXPECT_EQ(known->second.first, record.writer) << "at " << at;
                EXPECT_EQ(known->second.second, record.offset) << "at " << at;
            }
            acknowledged_.shared[at] = {record.writer, record.offset};
            ++at;
        }
    }
}

// Keeps the log small and sends its files round.
void KillTest::give_up_some(Wal& wal) {
    for (const TopicInfo& info : wal.topics()) {
        if (info.entry_count < 400) continue;
        ASSERT_TRUE(wal.truncate_head(info.name, Offset{info.log_end_offset.value - 200}));
    }
    ASSERT_TRUE(wal.run_retention());
}

void KillTest::check_log(int round) {
    Result<std::unique_ptr<Wal>> wal = Wal::open(options());
    ASSERT_TRUE(wal) << wal.error().to_string();
    for (std::uint32_t writer = 0; writer < kKillWriters; ++writer) check_own(**wal, writer);
    check_shared(**wal);
    if (round % 4 == 3) give_up_some(**wal);
    // Otherwise the next child recovers what this recovery left.
    if (round % 3 == 0) {
        ASSERT_TRUE((*wal)->close());
    }
}

TEST_P(KillTest, NothingAcknowledgedIsMissingAfterKill) {
    if (const Result<std::unique_ptr<Wal>> wal = Wal::open(options());
        !wal && wal.error().code == Errc::kUnsupported)
        GTEST_SKIP() << wal.error().to_string();
    for (int round = 0; round < kRounds && !HasFailure(); ++round) {
        SCOPED_TRACE("round " + std::to_string(round) +
                     " WALRUS_SEED=" + std::to_string(testing::test_seed()));
        run_and_kill(random_.chance(1, 10) ? random_.below(2) : 1 + random_.below(kMostAcks));
        check_log(round);
    }
    RecordProperty("acknowledgements", static_cast<int>(total_acks_));
}

constexpr Case kCases[] = {
    {Backend::kUring, DurabilityClass::kDisk},    {Backend::kUring, DurabilityClass::kProcess},
    {Backend::kDirect, DurabilityClass::kDisk},   {Backend::kDirect, DurabilityClass::kProcess},
    {Backend::kBuffered, DurabilityClass::kDisk}, {Backend::kBuffered, DurabilityClass::kProcess},
    {Backend::kMmap, DurabilityClass::kDisk},     {Backend::kMmap, DurabilityClass::kProcess},
};

INSTANTIATE_TEST_SUITE_P(EveryBackend, KillTest, ::testing::ValuesIn(kCases),
                         [](const ::testing::TestParamInfo<Case>& tested) {
                             std::string name(durability_class_name(tested.param.durability));
                             return std::string(backend_name(tested.param.backend)) + "_" + name;
                         });

}  // namespace
}  // namespace walrus::wal

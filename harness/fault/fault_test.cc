// Faults against real processes, which this test starts.
#include "harness/fault/fault.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/scratch_directory.h"
#include "harness/fault/process_control.h"
#include "harness/workload/payload.h"

namespace walrus::harness {
namespace {

using ::testing::HasSubstr;

enum class Life { kWaits, kExitsOnTerm, kExitsAtOnce };

[[noreturn]] void live(Life life, const char* ready) {
    if (life == Life::kExitsAtOnce) ::_exit(3);
    if (life == Life::kExitsOnTerm) ::signal(SIGTERM, [](int) { ::_exit(5); });
    ::close(::open(ready, O_WRONLY | O_CREAT, 0600));
    for (;;) ::pause();
}

// One node, a process.
class ProcessNode final : public Nodes {
public:
    ProcessNode(Life life, std::string data) : life_(life), data_(std::move(data)) {
        EXPECT_TRUE(start(0));
    }
    ~ProcessNode() override { end(); }

    std::uint32_t count() const override { return 1; }
    NodeFacts facts(std::uint32_t) const override {
        return {.name = "n1", .pid = pid_, .data = data_, .log = "", .address = "nowhere"};
    }
    Status start(std::uint32_t) override {
        end();
        ++starts;
        const std::string ready = data_ + "/../ready";
        std::filesystem::remove(ready);
        pid_ = ::fork();
        if (pid_ == 0) live(life_, ready.c_str());
        return {};
    }
    Status wait_ready(std::uint32_t, std::uint64_t) override {
        while (!std::filesystem::exists(data_ + "/../ready")) continue;
        return {};
    }
    Result<std::vector<std::uint32_t>> find(Role) override { return std::vector<std::uint32_t>{0}; }

    int starts = 0;

private:
    void end() {
        if (pid_ == 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

    const Life life_;
    const std::string data_;
    pid_t pid_ = 0;
};

class FaultTest : public ::testing::Test {
protected:
    void SetUp() override { std::filesystem::create_directories(data()); }
    std::string data() const { return directory_.path() + "/data"; }
    // Injects, checks that it was seen as `witness`, heals.
    void inject_and_heal(FaultKind kind, ProcessNode& node, const std::string& witness) {
        ASSERT_TRUE(node.wait_ready(0, 0));
        const auto fault = make_fault({.kind = kind}, {.nodes = node, .random = random_}, 0);
        const auto seen = fault->inject();
        ASSERT_TRUE(seen) << seen.error().message;
        EXPECT_THAT(*seen, HasSubstr(witness));
        const auto healed = fault->heal();
        ASSERT_TRUE(healed) << healed.error().message;
        ASSERT_TRUE(fault->await_healed());
        EXPECT_NE(process_state(node.facts(0).pid), 'Z');
    }

    ScratchDirectory directory_;
    SeededRandom random_{1};
};

TEST_F(FaultTest, KillIsWitnessedByTheSignalThatEndedIt) {
    ProcessNode node(Life::kWaits, data());
    inject_and_heal(FaultKind::kKill, node, "was ended by signal 9");
    EXPECT_EQ(node.starts, 2);
}

TEST_F(FaultTest, TermIsWitnessedByTheWayTheProcessEnds) {
    ProcessNode node(Life::kExitsOnTerm, data());
    inject_and_heal(FaultKind::kTerm, node, "ended with exit code 5");
}

TEST_F(FaultTest, PauseIsWitnessedByTheStateOfEveryThread) {
    ProcessNode node(Life::kWaits, data());
    inject_and_heal(FaultKind::kPause, node, "is in state T");
    EXPECT_NE(process_state(node.facts(0).pid), 'T');
    EXPECT_EQ(node.starts, 1);
}

TEST_F(FaultTest, AStormKillsManyTimesAndLeavesOneProcess) {
    ProcessNode node(Life::kWaits, data());
    inject_and_heal(FaultKind::kRestartStorm, node, "killed 5 times");
    EXPECT_EQ(node.starts, 6);
}

TEST_F(FaultTest, AProcessThatHasEndedIsNotKilledAgain) {
    ProcessNode node(Life::kExitsAtOnce, data());
    while (process_state(node.facts(0).pid) != 'Z') continue;
    const auto fault =
        make_fault({.kind = FaultKind::kKill}, {.nodes = node, .random = random_}, 0);
    const auto seen = fault->inject();
    ASSERT_FALSE(seen);
    EXPECT_THAT(seen.error().message, HasSubstr("had ended before"));
    EXPECT_THAT(seen.error().message, HasSubstr("exit code 3"));
}

TEST_F(FaultTest, WipeRemovesWhatTheNodeKept) {
    ProcessNode node(Life::kWaits, data());
    ASSERT_TRUE(write_whole_file(data() + "/log", "records"));
    inject_and_heal(FaultKind::kWipe, node, "1 files with 7 B are gone");
    EXPECT_TRUE(std::filesystem::is_empty(data()));
}

TEST_F(FaultTest, ABitFlipHitsEveryCopyOfTheRecordAndNoOther) {
    PayloadStream payload({.seed = 1, .run_id = 9, .writer = 2, .bytes = 100, .batch = 3});
    const auto records = payload.next(3, 0);
    std::string text = "head";
    for (const Bytes record : records) text += as_text(record);
    ASSERT_TRUE(write_whole_file(data() + "/log", text));
    ASSERT_TRUE(write_whole_file(data() + "/ring", "x" + std::string(as_text(records[1]))));
    const auto seen = flip_bit_of_record(data(), {.run_id = 9, .writer = 2, .sequence = 1});
    ASSERT_TRUE(seen) << seen.error().message;
    EXPECT_THAT(*seen, HasSubstr("log:147"));
    EXPECT_THAT(*seen, HasSubstr("ring:44"));
    const std::string after = read_whole_file(data() + "/log").value_or("");
    ASSERT_EQ(after.size(), text.size());
    RecordIdentity identity;
    EXPECT_EQ(inspect_payload(as_bytes(after).subspan(4, 100), identity), PayloadState::kIntact);
    EXPECT_EQ(inspect_payload(as_bytes(after).subspan(104, 100), identity),
              PayloadState::kDamagedBody);
    EXPECT_EQ(inspect_payload(as_bytes(after).subspan(204, 100), identity), PayloadState::kIntact);
}

TEST_F(FaultTest, ARecordThatIsNowhereCannotBeDamaged) {
    ASSERT_TRUE(write_whole_file(data() + "/log", "nothing of ours"));
    const auto seen = flip_bit_of_record(data(), {.run_id = 9, .writer = 2, .sequence = 1});
    ASSERT_FALSE(seen);
    EXPECT_EQ(seen.error().code, Errc::kNotFound);
}

TEST_F(FaultTest, ABallastTakesAllSpaceOfASmallDiskAndGivesItBack) {
    const pid_t child = ::fork();  // The mount is the child's own.
    if (child == 0) {
        if (!mount_private_disk(data(), 4 << 20)) ::_exit(99);
        auto ballast = Ballast::fill(data());
        if (!ballast) ::_exit(2);
        const auto file = open_file(data() + "/more", O_WRONLY | O_CREAT);
        const std::vector<std::byte> piece(8192);
        const bool full =
            file && write_all_at(file->get(), piece, 0, "more").error().code == Errc::kNoSpace;
        if (!full) ::_exit(3);
        if (!ballast->release()) ::_exit(4);
        ::_exit(write_all_at(file->get(), piece, 0, "more") ? 0 : 5);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WEXITSTATUS(status) == 99) GTEST_SKIP() << "file systems cannot be mounted here";
    EXPECT_EQ(WEXITSTATUS(status), 0);
    EXPECT_TRUE(std::filesystem::is_empty(data()));  // Nothing of it was ever seen outside.
}

}  // namespace
}  // namespace walrus::harness

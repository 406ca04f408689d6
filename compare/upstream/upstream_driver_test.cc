// The crate keeps its backend and its sync mode for a process's whole life, and a crash is a
// killed process: so whatever opens the log runs in a child.
#include "compare/upstream/upstream_driver.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "harness/driver/scratch_directory.h"

namespace walrus::compare {
namespace {

using harness::Durability;
using harness::Settings;
using Texts = std::vector<std::string>;

// How a child that runs `body` ends, as waitpid says it; exit code 0 when no expectation failed.
int end_of_child(const std::function<void()>& body) {
    std::fflush(stdout);
    const pid_t pid = ::fork();
    if (pid == 0) {
        body();
        std::fflush(stdout);
        ::_exit(::testing::Test::HasFailure() ? 1 : 0);
    }
    int status = -1;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return status;
}

void in_child(const std::function<void()>& body) {
    const int status = end_of_child(body);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
}

void in_killed_child(const std::function<void()>& body) {
    const int status = end_of_child([&] {
        body();
        if (!::testing::Test::HasFailure()) ::raise(SIGKILL);
    });
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "status " << status;
}

class UpstreamDriverTest : public ::testing::Test {
protected:
    std::unique_ptr<harness::System> open(Durability durability, const char* backend = "fd") {
        auto system = driver_->open({.directory = directory_.path(),
                                     .durability = durability,
                                     .settings = {{"backend", backend}},
                                     .writers = 2});
        EXPECT_TRUE(system) << system.error().message;
        EXPECT_TRUE((*system)->create_topics(2));
        return std::move(*system);
    }

    static Status append(harness::System& system, const Texts& records, std::uint32_t topic = 0) {
        std::vector<Bytes> bytes;
        for (const std::string& record : records) bytes.push_back(walrus::as_bytes(record));
        return (*system.producer(0))->append(topic, bytes);
    }

    static Texts read_all(harness::System& system, std::uint32_t topic = 0) {
        Texts records;
        auto reader = system.reader(topic);
        EXPECT_TRUE(reader) << reader.error().message;
        for (;;) {
            const auto got =
                (*reader)->read([&](Bytes record) { records.emplace_back(as_text(record)); });
            EXPECT_TRUE(got) << got.error().message;
            if (!got || *got == 0) return records;
        }
    }

    const std::unique_ptr<harness::Driver> driver_ = make_upstream_driver();
    harness::ScratchDirectory directory_;
};

// Both backends, in every class.
class UpstreamBackendTest
    : public UpstreamDriverTest,
      public ::testing::WithParamInterface<std::tuple<const char*, Durability>> {
protected:
    std::unique_ptr<harness::System> open() {
        const auto [backend, durability] = GetParam();
        return UpstreamDriverTest::open(durability, backend);
    }
};

INSTANTIATE_TEST_SUITE_P(Backends, UpstreamBackendTest,
                         ::testing::Combine(::testing::Values("fd", "mmap"),
                                            ::testing::Values(Durability::kProcess,
                                                              Durability::kOsInterval,
                                                              Durability::kDisk)),
                         [](const auto& test) {
                             std::string name =
                                 std::string(std::get<0>(test.param)) + "_" +
                                 std::string(harness::durability_name(std::get<1>(test.param)));
                             std::erase(name, '-');
                             return name;
                         });

TEST_P(UpstreamBackendTest, ReadsBackInOrderWhatAKilledWriterHadAppended) {
    in_killed_child([this] {
        const auto system = open();
        EXPECT_TRUE(append(*system, {"one", "two"}));
        EXPECT_TRUE(append(*system, {"three"}));
        EXPECT_TRUE(append(*system, {""}));
        EXPECT_TRUE(append(*system, {"other topic"}, 1));
    });
    const auto reads_everything = [this] {
        const auto system = open();
        const Texts all = {"one", "two", "three", ""};
        EXPECT_EQ(read_all(*system), all);
        EXPECT_EQ(read_all(*system), all);
        EXPECT_EQ(read_all(*system, 1), Texts{"other topic"});
        EXPECT_TRUE(system->stop());
    };
    in_child(reads_everything);
    in_child(reads_everything);  // What a reader leaves behind does not show up in the next one.
}

TEST_P(UpstreamBackendTest, TellsWhatIsOpen) {
    in_child([this] {
        const auto system = open();
        EXPECT_TRUE(append(*system, {"one"}));
        const Settings config = system->effective_config();
        const auto [backend, durability] = GetParam();
        const bool disk = durability == Durability::kDisk;
        EXPECT_EQ(config.at("backend"), backend);
        EXPECT_EQ(config.at("open_flags"),
                  disk && std::string(backend) == "fd" ? "O_SYNC" : "none");
        EXPECT_EQ(config.at("file_size"), "1000 MiB");
        EXPECT_EQ(config.at("fsync_schedule"), disk ? "SyncEach"
                                               : durability == Durability::kProcess
                                                   ? "NoFsync"
                                                   : "Milliseconds(200)");
    });
}

TEST_F(UpstreamDriverTest, ReadsEverythingInTheProcessThatWritesIt) {
    in_child([this] {
        const auto system = open(Durability::kProcess);
        Texts all;
        // Three blocks, so that a read meets full ones and the one being written.
        for (int i = 0; i < 250; ++i) {
            all.push_back(std::to_string(i) + std::string(100'000, 'x'));
            ASSERT_TRUE(append(*system, {all.back()}));
        }
        EXPECT_EQ(read_all(*system), all);
        EXPECT_TRUE(append(*system, {"more"}));
        all.emplace_back("more");
        EXPECT_EQ(read_all(*system), all);
    });
}

TEST_F(UpstreamDriverTest, ReadsRecordsLargerThanItsReadBudget) {
    const Texts all = {"small", std::string(3 << 20, 'x'), "small again"};
    in_killed_child([&] {
        const auto system = open(Durability::kProcess);
        for (const std::string& record : all) ASSERT_TRUE(append(*system, {record}));
    });
    in_child([&] { EXPECT_EQ(read_all(*open(Durability::kProcess)), all); });
}

TEST_F(UpstreamDriverTest, BatchesOfSeveralWritersWaitForEachOther) {
    in_child([this] {
        const auto system = open(Durability::kProcess);
        const auto write = [&system](char name) {
            for (int i = 0; i < 50; ++i) {
                const Status status = append(*system, Texts(10, std::string(100, name)));
                ASSERT_TRUE(status) << status.error().message;
            }
        };
        std::thread other([&] { write('a'); });
        write('b');
        other.join();
        const Texts records = read_all(*system);
        ASSERT_EQ(records.size(), 1000u);
        for (std::size_t i = 0; i < records.size(); ++i) {  // Whole batches, never mixed.
            EXPECT_EQ(records[i], records[i / 10 * 10]);
        }
    });
}

// --- error paths ---

TEST_F(UpstreamDriverTest, RefusesWhatTheCrateCannotDo) {
    EXPECT_FALSE(driver_->capabilities({{"backend", "io_uring"}}));
    EXPECT_FALSE(driver_->capabilities({{"fsync_interval_ms", "0"}}));
    EXPECT_FALSE(driver_->capabilities({{"speed", "high"}}));
    const auto capabilities = driver_->capabilities({});
    EXPECT_TRUE(harness::check_supported(*capabilities, Durability::kDisk, 1, false));
    EXPECT_FALSE(harness::check_supported(*capabilities, Durability::kDisk, 1, true));
    EXPECT_FALSE(harness::check_supported(*capabilities, Durability::kNone, 1, false));
    EXPECT_EQ(
        driver_
            ->open(
                {.directory = directory_.path(), .durability = Durability::kNone, .settings = {}})
            .error()
            .code,
        Errc::kUnsupported);
}

TEST_F(UpstreamDriverTest, ARefusedAppendLeavesNothingBehind) {
    in_child([this] {
        const auto system = open(Durability::kProcess);
        EXPECT_EQ(append(*system, Texts(2001, "x")).error().code, Errc::kInvalidArgument);
        EXPECT_EQ(append(*system, {std::string(10 << 20, 'x')}).error().code, Errc::kTooLarge);
        EXPECT_TRUE(append(*system, Texts(2000, "x")));
        EXPECT_EQ(read_all(*system), Texts(2000, "x"));
    });
}

TEST_F(UpstreamDriverTest, OneProcessCannotHaveTwoBackendsOrSyncModes) {
    in_child([this] {
        const auto system = open(Durability::kProcess);
        for (const auto& [durability, backend] :
             {std::pair{Durability::kDisk, "fd"}, std::pair{Durability::kProcess, "mmap"}}) {
            const auto second = driver_->open({.directory = directory_.path(),
                                               .durability = durability,
                                               .settings = {{"backend", backend}}});
            EXPECT_EQ(second.error().code, Errc::kUnsupported);
        }
    });
}

}  // namespace
}  // namespace walrus::compare

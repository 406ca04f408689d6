// The program walrus-wal from outside: real processes, real files, exit codes.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "walrus/wal/format.h"
#include "walrus/wal/wal.h"

namespace walrus::wal_tool {
namespace {

using namespace wal;

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

constexpr int kRecords = 700;  // The ring holds the last 200 or so.
constexpr std::uint64_t kFileSize = 64 << 10;

struct Outcome {
    int exit_code = -1;
    std::string out;
    std::string err;
};

std::string read_text(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

// Runs walrus-wal without a terminal and without the log's environment variables.
Outcome run_tool(const fs::path& scratch, std::vector<std::string> arguments) {
    const std::string out = scratch / "stdout";
    const std::string err = scratch / "stderr";
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    arguments.insert(arguments.begin(), WALRUS_WAL_PATH);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    char* environment[] = {nullptr};
    pid_t child = 0;
    Outcome outcome;
    const int spawned =
        posix_spawn(&child, WALRUS_WAL_PATH, &actions, nullptr, argv.data(), environment);
    posix_spawn_file_actions_destroy(&actions);
    EXPECT_EQ(spawned, 0);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    outcome.out = read_text(out);
    outcome.err = read_text(err);
    return outcome;
}

std::string record_text(int i) {
    return "record " + std::to_string(i) + std::string(static_cast<std::size_t>(i % 700), 'x');
}

class WalrusWalTool : public ::testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "walrus-wal-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        scratch_ = name;
        options_.data_dir = scratch_ / "log";
        options_.file_size = kFileSize;
        options_.ring_size = kFileSize;
        options_.limits.max_batch_bytes = options_.limits.max_record_bytes = 8 << 10;
        options_.backend = Backend::kBuffered;
        options_.durability = DurabilityClass::kProcess;  // Frames without pads between them.
    }
    void TearDown() override { fs::remove_all(scratch_); }

    // Several files of one topic, closed.
    void write_log() {
        auto wal = Wal::open(options_);
        ASSERT_TRUE(wal) << wal.error().to_string();
        for (int i = 0; i < kRecords; ++i)
            ASSERT_TRUE((*wal)->append("orders", as_bytes(record_text(i))));
        ASSERT_TRUE((*wal)->close());
    }

    fs::path log_file(std::uint64_t number) const {
        return fs::path(options_.data_dir) / shard_dir_name(0) / log_file_name(number);
    }

    void flip_byte(const fs::path& path, std::uint64_t position) {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(static_cast<std::streamoff>(position));
        const int byte = file.get();
        file.seekp(static_cast<std::streamoff>(position));
        file.put(static_cast<char>(byte ^ 0x10));
        ASSERT_TRUE(file.good());
    }

    std::map<std::string, std::string> contents() const {
        std::map<std::string, std::string> files;
        for (const auto& entry : fs::recursive_directory_iterator(options_.data_dir))
            if (entry.is_regular_file()) files[entry.path()] = read_text(entry.path());
        return files;
    }

    Outcome tool(std::vector<std::string> arguments) const {
        arguments.insert(arguments.end(), {"--data-dir", options_.data_dir});
        return run_tool(scratch_, std::move(arguments));
    }

    fs::path scratch_;
    Options options_;
};

TEST_F(WalrusWalTool, VerifyOfAHealthyLogSaysOkAndChangesNothing) {
    write_log();
    const auto before = contents();
    const Outcome verified = tool({"verify", "-o", "json"});
    EXPECT_EQ(verified.exit_code, 0) << verified.err;
    const json report = json::parse(verified.out);
    EXPECT_EQ(report["ok"], true);
    EXPECT_EQ(report["records"], kRecords);
    EXPECT_EQ(report["topics"], 1);
    EXPECT_GE(report["files"], 3);
    EXPECT_TRUE(report["damage"].empty()) << report["damage"].dump(2);
    EXPECT_EQ(contents(), before);
    EXPECT_EQ(tool({"repair", "--yes"}).exit_code, 0);
    EXPECT_EQ(contents(), before);
}

TEST_F(WalrusWalTool, VerifyFindsAFlippedByteAndSaysWhere) {
    write_log();
    constexpr std::uint64_t kFlipped = 20'000;
    flip_byte(log_file(1), kFlipped);
    const Outcome verified = tool({"verify", "-o", "json"});
    EXPECT_EQ(verified.exit_code, 1);
    EXPECT_THAT(verified.err, HasSubstr("repair"));
    const json report = json::parse(verified.out);
    EXPECT_EQ(report["ok"], false);
    ASSERT_EQ(report["damage"].size(), 1U);
    const json& damage = report["damage"][0];
    EXPECT_EQ(damage["file"], log_file(1).string());
    EXPECT_EQ(damage["acknowledged"], true);
    // The frame that holds the byte begins less than a record before it.
    EXPECT_LE(damage["position"], kFlipped);
    EXPECT_GT(damage["position"], kFlipped - 1000);
    EXPECT_EQ(damage["lsn"], kFileSize + damage["position"].get<std::uint64_t>());

    const Outcome text = tool({"verify"});
    EXPECT_EQ(text.exit_code, 1);
    EXPECT_THAT(text.out, HasSubstr(log_file(1).string() + " at " +
                                    std::to_string(damage["position"].get<int>())));
}

TEST_F(WalrusWalTool, RepairMakesTheLogOpenAndKeepsEverythingBeforeTheCut) {
    write_log();
    flip_byte(log_file(1), 20'000);
    flip_byte(log_file(2), 30'000);
    const Outcome refused = tool({"repair"});
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.err, HasSubstr("--yes"));

    const Outcome repaired = tool({"repair", "--yes", "-o", "json"});
    ASSERT_EQ(repaired.exit_code, 0) << repaired.err;
    const json report = json::parse(repaired.out);
    EXPECT_EQ(report["repaired"], true);
    EXPECT_EQ(report["damage"].size(), 2U);
    ASSERT_EQ(report["cuts"].size(), 1U);
    ASSERT_EQ(report["cuts"][0]["topics"].size(), 1U);
    const json& cut = report["cuts"][0]["topics"][0];
    EXPECT_EQ(cut["topic"], "orders");
    EXPECT_EQ(cut["lost_end_offset"], kRecords);
    const int kept = cut["end_offset"];
    EXPECT_GT(kept, 50);

    EXPECT_EQ(tool({"verify"}).exit_code, 0);
    auto wal = Wal::open(options_);
    ASSERT_TRUE(wal) << wal.error().to_string();
    const auto topic = (*wal)->topic("orders");
    ASSERT_TRUE(topic);
    EXPECT_EQ(topic->log_end_offset, Offset{static_cast<std::uint64_t>(kept)});
    for (int i = 0; i < kept; ++i) {
        const auto batch = (*wal)->read_at("orders", Offset{static_cast<std::uint64_t>(i)}, 1);
        ASSERT_TRUE(batch) << batch.error().to_string();
        ASSERT_EQ(as_text((*batch)[0].data), record_text(i));
    }
    EXPECT_TRUE((*wal)->append("orders", as_bytes("after the cut")));
    EXPECT_TRUE((*wal)->close());
    EXPECT_EQ(tool({"verify"}).exit_code, 0);
}

TEST_F(WalrusWalTool, DumpShowsFramesOfATopicWithTheirRecords) {
    write_log();
    const Outcome dumped =
        tool({"dump", "--topic", "orders", "--limit", "3", "--payload", "text", "-o", "jsonl"});
    ASSERT_EQ(dumped.exit_code, 0) << dumped.err;
    std::istringstream lines(dumped.out);
    std::vector<json> frames;
    for (std::string line; std::getline(lines, line);) frames.push_back(json::parse(line));
    ASSERT_EQ(frames.size(), 3U);
    EXPECT_EQ(frames[0]["type"], "create-topic");
    EXPECT_EQ(frames[0]["body"], "orders");
    EXPECT_EQ(frames[1]["type"], "batch");
    EXPECT_EQ(frames[1]["first_offset"], 0);
    EXPECT_EQ(frames[1]["records"][0], "record 0");
    EXPECT_EQ(frames[2]["first_offset"], 1);

    const Outcome later =
        tool({"dump", "--from-lsn", std::to_string(kFileSize), "--payload", "hex", "-o", "json"});
    ASSERT_EQ(later.exit_code, 0);
    const json all = json::parse(later.out);
    EXPECT_EQ(all[0]["type"], "snapshot");
    EXPECT_EQ(all[0]["lsn"], kFileSize + kFileHeaderSize);
    EXPECT_EQ(tool({"dump", "--limit", "2"}).exit_code, 0);
}

TEST_F(WalrusWalTool, EachTroubleHasItsExitCodeAndSaysWhatToDo) {
    const Outcome absent = tool({"verify"});
    EXPECT_EQ(absent.exit_code, 3);
    EXPECT_THAT(absent.err, HasSubstr("--data-dir"));
    EXPECT_FALSE(fs::exists(options_.data_dir));

    EXPECT_EQ(tool({"frobnicate"}).exit_code, 2);
    EXPECT_EQ(tool({"dump", "--payload", "base64"}).exit_code, 2);
    EXPECT_EQ(tool({"verify", "-o", "yaml"}).exit_code, 2);
    const Outcome help = tool({"--help"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_THAT(help.out, HasSubstr("Examples:"));

    auto wal = Wal::open(options_);
    ASSERT_TRUE(wal) << wal.error().to_string();
    const Outcome busy = tool({"verify"});
    EXPECT_EQ(busy.exit_code, 1);
    EXPECT_THAT(busy.err, HasSubstr("stop the process"));
}

}  // namespace
}  // namespace walrus::wal_tool

// The files of a shard on a simulated disk: made ready, recycled, given up.
#include "walrus/wal/log_files.h"

#include <gtest/gtest.h>

#include "walrus/testing/sim_env.h"
#include "walrus/wal/format.h"

namespace walrus::wal {
namespace {

using testing::SimEnv;
using testing::SimOperation;

constexpr std::uint64_t kFileSize = 64 << 10;
const auto kProceed = [] { return true; };

class LogFilesTest : public ::testing::Test {
protected:
    LogFilesTest() { EXPECT_TRUE(env_.create_dirs("dir")); }

    Result<std::unique_ptr<LogFiles>> try_open(bool offline = false) {
        LogFilesConfig config;
        config.env = &env_;
        config.random = &random_;
        config.directory = "dir";
        config.shard = 2;
        config.file_size = kFileSize;
        config.spare_files = 1;
        config.offline = offline;
        return LogFiles::open(std::move(config));
    }
    std::unique_ptr<LogFiles> open(std::uint64_t files = 0) {
        Result<std::unique_ptr<LogFiles>> opened = try_open();
        EXPECT_TRUE(opened);
        for (std::uint64_t number = 0; number < files; ++number)
            EXPECT_TRUE((*opened)->prepare(number, kProceed));
        return std::move(*opened);
    }
    std::vector<std::string> names() { return *env_.list("dir"); }

    SimEnv env_;
    SeededRandom random_{1};
};

TEST_F(LogFilesTest, APreparedFileIsDurableAndHasAHeaderOfItsOwn) {
    {
        const auto files = open(2);
        EXPECT_EQ(files->first(), 0U);
        EXPECT_EQ(files->last(), 1U);
        EXPECT_NE((*files->open_file(0))->epoch, (*files->open_file(1))->epoch);
    }
    const auto crashed =
        env_.after_crash({testing::CrashKind::kPower, testing::Unsynced::kDrop, 1});
    const auto bytes = crashed->read_file("dir/" + log_file_name(1));
    ASSERT_TRUE(bytes);
    EXPECT_EQ(bytes->size(), kFileSize);
    const auto header = decode_file_header(*bytes);
    ASSERT_TRUE(header) << header.error().message;
    EXPECT_EQ(header->number, 1U);
    EXPECT_EQ(header->shard, 2U);
    EXPECT_EQ(header->file_size, kFileSize);
}

TEST_F(LogFilesTest, FilesAreFoundAgain) {
    open(3);
    const auto files = open();
    EXPECT_EQ(files->numbers(), (std::vector<std::uint64_t>{0, 1, 2}));
    EXPECT_EQ((*files->open_file(2))->number, 2U);
    EXPECT_EQ(files->open_file(3).error().code, Errc::kNotFound);
}

TEST_F(LogFilesTest, ARecycledFileIsUsedAgainUnderANewNumberAndEpoch) {
    const auto files = open(3);
    const std::uint32_t epoch = (*files->open_file(0))->epoch;
    ASSERT_TRUE(files->recycle_first());
    EXPECT_EQ(files->first(), 1U);
    EXPECT_EQ(names().back(), log_file_name(2));
    EXPECT_EQ(names().front(), spare_file_name(0));
    ASSERT_TRUE(files->prepare(3, kProceed));
    EXPECT_NE((*files->open_file(3))->epoch, epoch);
    EXPECT_EQ(names().size(), 3U);  // No new file was made.
}

TEST_F(LogFilesTest, SurplusFilesAreRemoved) {
    const auto files = open(4);
    ASSERT_TRUE(files->recycle_first());
    ASSERT_TRUE(files->recycle_first());
    EXPECT_EQ(names(),
              (std::vector<std::string>{spare_file_name(0), log_file_name(2), log_file_name(3)}));
}

TEST_F(LogFilesTest, AFileThatAReaderHoldsIsRemovedNotRecycled) {
    const auto files = open(2);
    const std::shared_ptr<LogFile> held = *files->open_file(0);
    ASSERT_TRUE(files->recycle_first());
    EXPECT_EQ(names(), std::vector<std::string>{log_file_name(1)});
    std::byte byte[1];
    EXPECT_TRUE(held->file->read_at(byte, 0));  // The reader goes on undisturbed.
}

TEST_F(LogFilesTest, DiscardGivesUpTheFilesBehindTheEnd) {
    const auto files = open(4);
    env_.write_file("dir/" + index_file_name(2), as_bytes("index"));
    ASSERT_TRUE(files->discard_from(2));
    EXPECT_EQ(files->numbers(), (std::vector<std::uint64_t>{0, 1}));
    EXPECT_FALSE(env_.exists("dir/" + index_file_name(2)));
    ASSERT_TRUE(files->prepare(2, kProceed));
    EXPECT_EQ(files->last(), 2U);
}

TEST_F(LogFilesTest, WhatACrashLeftHalfMadeIsClearedAway) {
    open(1);
    env_.write_file("dir/next.tmp", as_bytes("half"));
    ASSERT_TRUE(try_open(true));
    EXPECT_TRUE(env_.exists("dir/next.tmp"));  // Looking changes nothing.
    open();
    EXPECT_FALSE(env_.exists("dir/next.tmp"));
}

TEST_F(LogFilesTest, PreparingStopsWhenToldTo) {
    LogFilesConfig config;
    config.env = &env_;
    config.random = &random_;
    config.directory = "dir";
    config.file_size = kFileSize;
    config.zero_fill = true;
    const auto files = *LogFiles::open(std::move(config));
    EXPECT_EQ(files->prepare(0, [] { return false; }).error().code, Errc::kClosed);
    EXPECT_TRUE(names().empty());
    EXPECT_TRUE(files->empty());
}

// --- error paths ---

TEST_F(LogFilesTest, AMissingFileInTheMiddleIsCorruption) {
    open(3);
    env_.remove_file("dir/" + log_file_name(1));
    const auto opened = try_open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::kCorruption);
    EXPECT_NE(opened.error().message.find(log_file_name(1)), std::string::npos);
    const auto offline = try_open(true);
    ASSERT_TRUE(offline);
    EXPECT_EQ((*offline)->numbers(), (std::vector<std::uint64_t>{0, 2}));
}

TEST_F(LogFilesTest, ADamagedOrForeignHeaderIsCorruption) {
    open(2);
    env_.flip_bit("dir/" + log_file_name(0), 8 * 20);
    const auto moved = env_.read_file("dir/" + log_file_name(1));
    const auto files = open();
    EXPECT_EQ(files->open_file(0).error().code, Errc::kCorruption);
    env_.write_file("dir/" + log_file_name(0), *moved);  // Right, but of file 1.
    EXPECT_EQ(open()->open_file(0).error().code, Errc::kCorruption);
    env_.write_file("dir/" + log_file_name(0), as_bytes("short"));
    EXPECT_EQ(open()->open_file(0).error().code, Errc::kCorruption);
}

TEST_F(LogFilesTest, AFullDiskLeavesNothingOfTheAttempt) {
    const auto files = open(1);
    env_.set_capacity(env_.used_bytes() + kFileSize / 2);
    EXPECT_EQ(files->prepare(1, kProceed).error().code, Errc::kNoSpace);
    EXPECT_EQ(names(), std::vector<std::string>{log_file_name(0)});
    EXPECT_EQ(files->last(), 0U);
    env_.set_capacity(env_.used_bytes() + kFileSize);
    EXPECT_TRUE(files->prepare(1, kProceed));
}

TEST_F(LogFilesTest, AFileThatCouldNotBeGivenUpLeavesNoGap) {
    for (const auto kind : {SimOperation::Kind::kRename, SimOperation::Kind::kRemove}) {
        const auto files = open(4);
        env_.fail_when(testing::fault_on(kind, ".log"), Errc::kNoSpace);
        while (files->recycle_first()) {  // The second one is removed: there are spares enough.
        }
        const std::uint64_t first = files->first();
        env_.clear_faults();
        ASSERT_TRUE(files->recycle_first());
        EXPECT_EQ(files->first(), first + 1);
        EXPECT_EQ(open()->numbers(), files->numbers());
        for (const std::string& name : names()) ASSERT_TRUE(env_.remove("dir/" + name));
    }
}

TEST_F(LogFilesTest, AFileIsLiveOnlyWhenItsHeaderIsDurable) {
    const auto files = open(1);
    env_.fail_when(testing::fault_on(SimOperation::Kind::kSync), Errc::kIo);
    EXPECT_EQ(files->prepare(1, kProceed).error().code, Errc::kIo);
    env_.clear_faults();
    EXPECT_EQ(names(), std::vector<std::string>{log_file_name(0)});
    EXPECT_EQ(files->last(), 0U);
}

}  // namespace
}  // namespace walrus::wal

// Reading a shard's frames in order, from files and ring, and telling damage from a torn tail.
#include "walrus/wal/log_reader.h"

#include <gtest/gtest.h>

#include "walrus/testing/sim_env.h"
#include "walrus/wal/staging.h"

namespace walrus::wal {
namespace {

using testing::SimEnv;

constexpr std::uint64_t kFileSize = 64 << 10;
constexpr std::uint64_t kRingSize = 64 << 10;

// Stages frames in a ring, and writes what a test says to the files.
class LogReaderTest : public ::testing::Test {
protected:
    LogReaderTest() {
        EXPECT_TRUE(env_.create_dirs("dir"));
        LogFilesConfig config;
        config.env = &env_;
        config.random = &random_;
        config.directory = "dir";
        config.file_size = kFileSize;
        files_ = *LogFiles::open(std::move(config));
        for (std::uint64_t number = 0; number < 3; ++number)
            EXPECT_TRUE(files_->prepare(number, [] { return true; }));
        ring_ = *env_.map_ring("dir/ring", kRingSize);
        staging_.emplace(*ring_, kFileSize);
        staging_->start(Lsn{kFileHeaderSize}, (*files_->open_file(0))->epoch);
    }

    // One record of `size` bytes; `durable` is what its header says, if it is a full one.
    Lsn append(std::size_t size, Lsn durable = {}) {
        const std::string text(size, 'x');
        const Bytes record = as_bytes(text);
        const Lsn at = staging_->end();
        // Another topic each time, so that every frame is full.
        staging_->batch(++topic_, Offset{0}, BatchSource::of({&record, 1}), durable);
        return at;
    }
    // Stores [from, upto) of the ring in its file.
    void store(Lsn from, Lsn upto) {
        const auto file = *files_->open_file(files_->number_of(from));
        EXPECT_TRUE(file->file->write_at({staging_->at(from), upto - from}, from.value % kFileSize,
                                         env::Durability::kNone));
    }
    void roll() {
        const Lsn end = staging_->end();
        const Lsn written = staging_->seal(Lsn{});
        store(end, written);
        staging_->enter_file((*files_->open_file(files_->number_of(staging_->end())))->epoch);
    }
    // Frames until the end, as "f" from a file and "r" from the ring.
    std::string read(LogReader& reader, std::uint64_t from = 0) {
        reader.seek_file(from);
        std::string seen;
        for (Frame frame;;) {
            const Result<LogReader::Next> next = reader.next(frame);
            EXPECT_TRUE(next);
            if (!next || *next == LogReader::Next::kEnd) return seen;
            seen += reader.from_ring() ? 'r' : 'f';
        }
    }

    SimEnv env_;
    SeededRandom random_{3};
    std::unique_ptr<LogFiles> files_;
    std::unique_ptr<env::MappedRing> ring_;
    std::optional<Staging> staging_;
    std::uint32_t topic_ = 0;
};

TEST_F(LogReaderTest, GoesOnInTheRingWhereTheFileEnds) {
    append(100);
    append(100);
    const Lsn stored = staging_->end();
    append(100);
    store(Lsn{kFileHeaderSize}, stored);
    LogReader with_ring(*files_, ring_.get());
    EXPECT_EQ(read(with_ring), "ffr");
    EXPECT_EQ(with_ring.lsn(), staging_->end());
    LogReader without(*files_, nullptr);
    EXPECT_EQ(read(without), "ff");
    EXPECT_EQ(without.lsn(), stored);
}

TEST_F(LogReaderTest, TheRingHealsAHoleInTheFile) {
    append(100);
    const Lsn hole = append(100);
    const Lsn behind = append(100);
    store(Lsn{kFileHeaderSize}, hole);
    store(behind, staging_->end());
    LogReader reader(*files_, ring_.get());
    EXPECT_EQ(read(reader), "frf");
}

TEST_F(LogReaderTest, FollowsTheSealIntoTheNextFile) {
    append(100);
    store(Lsn{kFileHeaderSize}, staging_->end());
    roll();
    const Lsn in_next = append(100);
    store(in_next, staging_->end());
    LogReader reader(*files_, nullptr);
    EXPECT_EQ(read(reader), "fff");
    EXPECT_EQ(reader.epoch(), (*files_->open_file(1))->epoch);
    EXPECT_EQ(read(reader, 1), "f");
}

TEST_F(LogReaderTest, AFrameLongerThanTheWindowReadsWhole) {
    append(20'000);
    store(Lsn{kFileHeaderSize}, staging_->end());
    LogReader reader(*files_, nullptr);
    EXPECT_EQ(read(reader), "f");
    EXPECT_EQ(reader.raw().size(), full_frame_size(20'000));
}

TEST_F(LogReaderTest, ALaterHeaderThatSaysDurableProvesDamage) {
    const Lsn hole = append(100);
    const Lsn behind = append(100);
    const Lsn proof = append(100, behind);
    store(behind, staging_->end());
    LogReader reader(*files_, nullptr);
    EXPECT_EQ(read(reader), "");
    EXPECT_EQ(reader.lsn(), hole);
    const auto found = reader.find_proof();
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, proof);
}

TEST_F(LogReaderTest, FramesThatSayNothingOfTheHoleProveNothing) {
    append(100);
    const Lsn hole = append(100);
    const Lsn behind = append(100, hole);  // Durable up to the hole, not beyond.
    store(Lsn{kFileHeaderSize}, hole);
    store(behind, staging_->end());
    LogReader reader(*files_, nullptr);
    EXPECT_EQ(read(reader), "f");
    EXPECT_FALSE(*reader.find_proof());
    EXPECT_EQ(*reader.find_trace(), behind);
}

TEST_F(LogReaderTest, TheProofMayStandInALaterFileOrInTheRing) {
    const Lsn hole = append(100);
    const Lsn behind = append(100);
    roll();
    const Lsn proof = append(100, behind);
    {
        LogReader reader(*files_, nullptr);
        read(reader);
        EXPECT_EQ(reader.lsn(), hole);
        EXPECT_FALSE(*reader.find_proof());
    }
    store(proof, staging_->end());
    LogReader reader(*files_, nullptr);
    read(reader);
    EXPECT_EQ(*reader.find_proof(), proof);

    // The ring alone: it lost the hole, too.
    store_le<std::uint32_t>(staging_->at(hole), 0);
    LogReader in_ring(*files_, ring_.get());
    EXPECT_EQ(read(in_ring), "");
    EXPECT_EQ(*in_ring.find_proof(), proof);
}

TEST_F(LogReaderTest, BytesOfAnEarlierUseAreNoTrace) {
    const Lsn first = append(100);
    append(100);
    store(first, staging_->end());
    LogReader reader(*files_, nullptr);
    EXPECT_EQ(read(reader), "ff");
    EXPECT_FALSE(*reader.find_trace());
    EXPECT_FALSE(*reader.find_proof());
    // The same lsn and the same place, but another epoch.
    staging_->start(staging_->end() + 800, 12345);
    const Lsn foreign = append(100);
    store(foreign, staging_->end());
    EXPECT_EQ(read(reader), "ff");
    EXPECT_FALSE(*reader.find_trace());
}

// --- error paths ---

TEST_F(LogReaderTest, AFileThatCannotBeReadIsAnErrorNotAnEnd) {
    append(100);
    store(Lsn{kFileHeaderSize}, staging_->end());
    LogReader reader(*files_, nullptr);
    reader.seek_file(0);
    env_.fail_when(testing::fault_on(testing::SimOperation::Kind::kRead, ".log"), Errc::kIo);
    Frame frame;
    EXPECT_EQ(reader.next(frame).error().code, Errc::kIo);
}

TEST_F(LogReaderTest, ATruncatedFileEndsTheLog) {
    append(100);
    const Lsn second = append(100);
    store(Lsn{kFileHeaderSize}, staging_->end());
    ASSERT_TRUE((*files_->open_file(0))->file->truncate(second.value + 70));
    LogReader reader(*files_, nullptr);
    EXPECT_EQ(read(reader), "f");
    EXPECT_EQ(reader.lsn(), second);
}

}  // namespace
}  // namespace walrus::wal

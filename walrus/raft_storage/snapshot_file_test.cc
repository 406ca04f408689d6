// Snapshot files: golden bytes, the way between nodes, and every kind of damage.
#include "walrus/raft_storage/snapshot_file.h"

#include <gtest/gtest.h>

#include "walrus/raft_storage/test_store.h"
#include "walrus/testing/sim_env.h"

namespace walrus::raft_storage {
namespace {

using walrus::testing::CrashKind;
using walrus::testing::SimEnv;
using walrus::testing::SimOperation;
using walrus::testing::Unsynced;

const raft::SnapshotMeta kMeta{9, 4, {.voters = {1}}};
constexpr std::string_view kBody = "the state machine";

class SnapshotFileTest : public ::testing::Test {
protected:
    SnapshotFileTest() { EXPECT_TRUE(env_.create_dirs("s")); }

    SnapshotPlace place(std::uint64_t serial) { return {&env_, "s", kTestCluster, serial}; }
    static std::string path(std::uint64_t serial) {
        return env::join_path("s", snapshot_name(serial, kSnapshotSuffix));
    }
    SnapshotFile write(std::uint64_t serial, std::string_view body = kBody) {
        Result<SnapshotWriter> writer = SnapshotWriter::create(place(serial), kMeta);
        EXPECT_TRUE(writer) << writer.error().to_string();
        EXPECT_TRUE(writer->append(as_bytes(body.substr(0, 5))));
        EXPECT_TRUE(writer->append(as_bytes(body.substr(5))));
        return writer->finish().value();
    }
    Result<SnapshotFile> receive(std::uint64_t serial, std::string_view bytes,
                                 const raft::SnapshotMeta& meta = kMeta) {
        Result<SnapshotReceiver> receiver = SnapshotReceiver::create(place(serial), meta);
        EXPECT_TRUE(receiver) << receiver.error().to_string();
        EXPECT_TRUE(receiver->append(as_bytes(bytes)));
        return receiver->finish();
    }
    Result<SnapshotReader> open(std::uint64_t serial, std::uint64_t cluster = kTestCluster) {
        return SnapshotReader::open(env_, path(serial), cluster);
    }
    std::string bytes_of(std::uint64_t serial) {
        const std::vector<std::byte> bytes = env_.read_file(path(serial)).value();
        return std::string(as_text(bytes));
    }

    SimEnv env_;
};

TEST_F(SnapshotFileTest, GoldenBytesAreWrittenAndReadAsTheyAlwaysWere) {
    const SnapshotFile written = write(0x100000001);
    using namespace std::string_view_literals;
    const std::string golden = std::string(
        "WALRSNP1"
        "\x01\0\0\0"                                                        // format
        "\x22\0\0\0"                                                        // metadata: 34 bytes
        "\xC1\0\0\0\0\0\0\0"                                                // cluster
        "\x11\0\0\0\0\0\0\0"                                                // body: 17 bytes
        "\x1A\xD9\xD5\x1D"                                                  // CRC of the body
        "\0\0\0\0\0\0\0\0"                                                  // unused
        "\x32\x6C\x56\x27"                                                  // CRC of the header
        "\x01\x09\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\x01\0\x01\0\0\0\0\0\0\0"  // metadata:
        "\0\0\0\0\0\0\0"                                                    // raft/codec.h
        "the state machine"sv);
    EXPECT_EQ(bytes_of(0x100000001), golden);
    EXPECT_EQ(written.size_bytes, golden.size());

    env_.write_file(path(7), as_bytes(golden));
    const Result<SnapshotReader> reader = open(7);
    ASSERT_TRUE(reader) << reader.error().to_string();
    EXPECT_EQ(reader->info().meta, kMeta);
    EXPECT_EQ(reader->info().crc, written.crc);
    EXPECT_EQ(reader->read_body(0, 1000).value(), kBody);
}

TEST_F(SnapshotFileTest, ABodyIsReadInPieces) {
    const std::string large(3'000'000, 'x');
    write(1, large);
    const Result<SnapshotReader> reader = open(1);
    ASSERT_TRUE(reader) << reader.error().to_string();
    EXPECT_EQ(reader->body_size(), large.size());
    EXPECT_EQ(reader->read_body(2'999'990, 100).value(), std::string(10, 'x'));
    EXPECT_EQ(reader->read_body(3'000'000, 100).value(), "");
    EXPECT_EQ(reader->read_body(9'000'000, 100).value(), "");
}

TEST_F(SnapshotFileTest, AnEmptyBodyIsASnapshot) {
    Result<SnapshotWriter> writer = SnapshotWriter::create(place(1), kMeta);
    ASSERT_TRUE(writer->finish());
    EXPECT_EQ(open(1)->body_size(), 0U);
}

TEST_F(SnapshotFileTest, WhatTravelsToAnotherNodeIsTheSameFile) {
    write(1);
    const Result<SnapshotFile> received = receive(2, bytes_of(1));
    ASSERT_TRUE(received) << received.error().to_string();
    EXPECT_EQ(received->serial, 2U);
    EXPECT_EQ(bytes_of(2), bytes_of(1));
}

TEST_F(SnapshotFileTest, WhatIsNotFinishedLeavesNothing) {
    { ASSERT_TRUE(SnapshotWriter::create(place(1), kMeta)->append(as_bytes(kBody))); }
    { ASSERT_TRUE(SnapshotReceiver::create(place(2), kMeta)->append(as_bytes(kBody))); }
    EXPECT_TRUE(env_.list("s")->empty());
}

TEST_F(SnapshotFileTest, AReaderGoesOnWhenTheFileIsRemoved) {
    write(1);
    const Result<SnapshotReader> reader = open(1);
    ASSERT_TRUE(env_.remove(path(1)));
    EXPECT_EQ(reader->read_body(0, 100).value(), kBody);
}

TEST_F(SnapshotFileTest, AFinishedSnapshotSurvivesEveryPowerCut) {
    write(1);
    receive(2, bytes_of(1)).value();
    const auto after = env_.after_crash({CrashKind::kPower, Unsynced::kDrop, 1});
    for (const std::uint64_t serial : {1, 2}) {
        EXPECT_TRUE(SnapshotReader::open(*after, path(serial), kTestCluster)) << serial;
    }
}

// Error paths.

TEST_F(SnapshotFileTest, EveryDamagedBitIsFound) {
    write(1);
    for (std::uint64_t bit = 0; bit < bytes_of(1).size() * 8; ++bit) {
        env_.flip_bit(path(1), bit);
        const Result<SnapshotReader> reader = open(1);
        ASSERT_FALSE(reader) << "bit " << bit;
        const Errc code = reader.error().code;
        EXPECT_TRUE(code == Errc::kCorruption || (code == Errc::kUnsupported && bit / 32 == 2));
        env_.flip_bit(path(1), bit);
    }
    EXPECT_TRUE(open(1));
}

TEST_F(SnapshotFileTest, AReceiverRefusesWhatIsNotTheWholeFile) {
    write(1);
    const std::string whole = bytes_of(1);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const Result<SnapshotFile> received = receive(2, whole.substr(0, size));
        ASSERT_FALSE(received) << size;
        EXPECT_EQ(received.error().code, Errc::kCorruption);
    }
    EXPECT_FALSE(receive(2, whole + "x"));
    EXPECT_EQ(env_.list("s")->size(), 1U);
}

TEST_F(SnapshotFileTest, AReceiverRefusesAnotherSnapshotThanAnnounced) {
    write(1);
    raft::SnapshotMeta other = kMeta;
    other.term = 5;
    EXPECT_EQ(receive(2, bytes_of(1), other).error().code, Errc::kCorruption);
}

TEST_F(SnapshotFileTest, SnapshotsOfAnotherClusterAreRefused) {
    write(1);
    EXPECT_EQ(open(1, kTestCluster + 1).error().code, Errc::kCorruption);
}

TEST_F(SnapshotFileTest, AFailedWriteOrSyncLeavesNothing) {
    for (const auto kind : {SimOperation::Kind::kWrite, SimOperation::Kind::kSync,
                            SimOperation::Kind::kRename, SimOperation::Kind::kSyncDir}) {
        Result<SnapshotWriter> writer = SnapshotWriter::create(place(1), kMeta);
        ASSERT_TRUE(writer);
        env_.fail_when(walrus::testing::fault_on(kind), Errc::kNoSpace);
        Status status = writer->append(as_bytes(kBody));
        if (status) {
            const Result<SnapshotFile> finished = writer->finish();
            EXPECT_FALSE(finished);
        }
        EXPECT_EQ(writer->append(as_bytes(kBody)).error().code, Errc::kClosed);
        EXPECT_EQ(writer->finish().error().code, Errc::kClosed);
        env_.clear_faults();
        // After a rename the name is there, but nobody will ever hear of it.
        if (kind != SimOperation::Kind::kSyncDir) {
            EXPECT_TRUE(env_.list("s")->empty());
        }
    }
}

}  // namespace
}  // namespace walrus::raft_storage

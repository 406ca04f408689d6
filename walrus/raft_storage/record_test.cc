// The bytes of records: golden ones, both ways, and what is refused.
#include "walrus/raft_storage/record.h"

#include <gtest/gtest.h>

#include <vector>

#include "walrus/raft_storage/test_store.h"

namespace walrus::raft_storage {
namespace {

std::string hex(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        const auto byte = static_cast<unsigned char>(c);
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

SnapshotFile snapshot_file() {
    SnapshotFile file;
    file.serial = 0x0000000200000001;
    file.meta = {9, 4, {.voters = {1}}};
    file.size_bytes = 0x1234;
    file.crc = 0xAABBCCDD;
    return file;
}

struct Golden {
    Record record;
    std::string bytes;
};

std::vector<Golden> golden() {
    const std::string file =
        "0100000002000000"      // serial
        "3412000000000000"      // size
        "ddccbbaa"              // CRC
        "01"                    // version of raft/codec.h
        "0900000000000000"      // index
        "0400000000000000"      // term
        "01000100000000000000"  // one voter
        "00000000000000";       // three empty lists, auto_leave
    return {
        {CheckpointBegin{1, {0xC1, 3, 0xD15C}, 7},
         "0101000000c1000000000000000300000000000000"
         "5cd10000000000000700000000000000"},
        {CheckpointEnd{2}, "020200000000000000"},
        {raft::HardState{5, 2, 8}, "0301050000000000000002000000000000000800000000000000"},
        {SnapshotSaved{snapshot_file(), 6}, "040600000000000000" + file},
        {SnapshotInstalled{snapshot_file()}, "05" + file},
        {Truncate{11}, "060b00000000000000"},
        {command(10, 5, "hi"), "07010a00000000000000050000000000000001020000006869"},
    };
}

TEST(RaftStoreRecord, GoldenBytesAreWrittenAndReadAsTheyAlwaysWere) {
    for (const Golden& expected : golden()) {
        const std::string bytes = encode(expected.record);
        EXPECT_EQ(hex(bytes), expected.bytes) << "record type " << expected.record.index() + 1;
        const Result<Record> decoded = decode(as_bytes(bytes));
        ASSERT_TRUE(decoded) << decoded.error().to_string();
        EXPECT_EQ(*decoded, expected.record);
    }
}

TEST(RaftStoreRecord, AnEntryTakesItsPayloadAndAFixedOverhead) {
    EXPECT_EQ(encode(command(1, 1, std::string(100, 'x'))).size(), 100 + kEntryOverheadBytes);
}

// Error paths.

TEST(RaftStoreRecord, NeitherMoreNorFewerBytesAreARecord) {
    for (const Golden& expected : golden()) {
        const std::string bytes = encode(expected.record);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            const auto decoded = decode(as_bytes(std::string_view(bytes).substr(0, size)));
            ASSERT_FALSE(decoded) << "type " << expected.record.index() + 1 << ", " << size;
            EXPECT_EQ(decoded.error().code, Errc::kCorruption);
        }
        EXPECT_FALSE(decode(as_bytes(bytes + "x")));
    }
}

TEST(RaftStoreRecord, UnknownTypesAreCorruption) {
    for (const char type : {'\0', '\x08', '\xFF'}) {
        EXPECT_EQ(decode(as_bytes(std::string(9, type))).error().code, Errc::kCorruption);
    }
}

TEST(RaftStoreRecord, AnotherFormatIsUnsupportedWhateverFollows) {
    std::string bytes = encode(CheckpointBegin{2, {1, 1, 1}, 1});
    EXPECT_EQ(decode(as_bytes(bytes)).error().code, Errc::kUnsupported);
    EXPECT_EQ(decode(as_bytes(bytes + "more")).error().code, Errc::kUnsupported);
}

}  // namespace
}  // namespace walrus::raft_storage

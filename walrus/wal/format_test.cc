// Golden bytes, made from walrus/spec/wal_format.md by a program that does not know our code.
#include "walrus/wal/format.h"

#include <gtest/gtest.h>

#include "walrus/base/crc32c.h"
#include "walrus/wal/log_index.h"
#include "walrus/wal/test_frames.h"
#include "walrus/wal/topic_table.h"

namespace walrus::wal {
namespace {

std::string full_header_hex(const FrameHeader& header) {
    std::byte bytes[kFullHeaderSize];
    encode_full_header(header, bytes);
    return to_hex(bytes);
}

TEST(Format, GoldenFullHeader) {
    FrameHeader header;
    header.type = FrameType::kBatch;
    header.epoch = kTestEpoch;
    header.record_count = 1;
    header.lsn = Lsn{0x1000};
    header.durable_upto = Lsn{0x800};
    header.first_offset = Offset{5};
    header.topic_id = 7;
    header.body_length = 5;
    header.body_crc = 0x9a71bb4c;
    const std::string golden =
        "574c524601010000443322110100000000100000000000000008000000000000"
        "050000000000000007000000050000004cbb719a0000000000000000cb094806";
    EXPECT_EQ(full_header_hex(header), golden);

    const auto decoded = decode_full_header(from_hex(golden).data());
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->type, FrameType::kBatch);
    EXPECT_EQ(decoded->lsn, Lsn{0x1000});
    EXPECT_EQ(decoded->durable_upto, Lsn{0x800});
    EXPECT_EQ(decoded->first_offset, Offset{5});
    EXPECT_EQ(decoded->topic_id, 7U);
    EXPECT_EQ(decoded->body_length, 5U);
    EXPECT_EQ(full_header_hex(*decoded), golden);
}

TEST(Format, GoldenControlHeader) {
    FrameHeader header;
    header.type = FrameType::kControl;
    header.control = ControlKind::kSnapshot;
    header.flags = kSnapshotFirst | kSnapshotLast;
    header.epoch = kTestEpoch;
    header.record_count = 2;
    header.lsn = Lsn{0x2000};
    header.durable_upto = Lsn{0x1f00};
    header.first_offset = Offset{9};
    const std::string golden =
        "574c52460102030044332211020000000020000000000000001f000000000000"
        "09000000000000000000000000000000000000000900000000000000e798a553";
    EXPECT_EQ(full_header_hex(header), golden);
    const auto decoded = decode_full_header(from_hex(golden).data());
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->control, ControlKind::kSnapshot);
    EXPECT_EQ(decoded->flags, 3);
    EXPECT_EQ(decoded->record_count, 2U);
}

TEST(Format, GoldenBatchOfTwoRecords) {
    const std::string golden =
        "574c524601010000443322110200000000100000000000000000000000000000"
        "0500000000000000070000000d000000a579724500000000000000001ca0ff1a"
        "02000000030000006162636465000000";
    StagedLog log;
    const Staging::Placed placed = log.append(7, 5, {"ab", "cde"});
    EXPECT_EQ(to_hex(log.bytes(placed.lsn)), golden);

    const std::vector<std::byte> bytes = from_hex(golden);
    Frame frame;
    std::uint64_t needed = 0;
    ASSERT_EQ(log.cursor().parse(bytes, frame, needed), FrameStatus::kOk);
    const auto body = BatchBody::parse(frame);
    ASSERT_TRUE(body);
    std::vector<std::string> records;
    body->for_each(0, [&](std::uint32_t, Bytes record) {
        records.emplace_back(as_text(record));
        return true;
    });
    EXPECT_EQ(records, (std::vector<std::string>{"ab", "cde"}));
}

TEST(Format, GoldenOpaqueBatchOfThreeRecords) {
    const std::string golden =
        "574c524601010100443322110300000000100000000000000000000000000000"
        "0500000000000000070000000500000097d650c40000000000000000f229f509"
        "6162636465000000";
    StagedLog log;
    const std::string blob = "abcde";
    const Bytes bytes = as_bytes(blob);
    const Staging::Placed placed =
        log.staging().batch(7, Offset{5}, BatchSource::of_opaque(bytes, 3), Lsn{});
    EXPECT_TRUE(placed.anchor);
    EXPECT_EQ(to_hex(log.bytes(placed.lsn)), golden);

    const std::vector<std::byte> stored = from_hex(golden);
    Frame frame;
    std::uint64_t needed = 0;
    ASSERT_EQ(log.cursor().parse(stored, frame, needed), FrameStatus::kOk);
    EXPECT_TRUE(is_opaque(frame.header));
    EXPECT_EQ(frame.header.record_count, 3U);
    const auto body = BatchBody::parse(frame);
    ASSERT_TRUE(body);
    EXPECT_EQ(body->size(), 1U);
    body->for_each(0, [&](std::uint32_t, Bytes record) {
        EXPECT_EQ(as_text(record), blob);
        return true;
    });
}

TEST(Format, GoldenShortHeaders) {
    std::byte bytes[kShortHeaderSize];
    // CRC-32C of "hello".
    encode_short_header(kShortDataMark, {kTestEpoch, Lsn{0x1048}, 7, Offset{6}}, 5, 0x9a71bb4c,
                        bytes);
    EXPECT_EQ(to_hex(bytes), "050000a569f98571");
    encode_short_header(kShortPadMark, {kTestEpoch, Lsn{0x1048}, 0, Offset{}}, 16, 0, bytes);
    EXPECT_EQ(to_hex(bytes), "100000a6821def6b");
    EXPECT_EQ(short_header_crc(kShortPadMark, {kTestEpoch, Lsn{0x1048}, 0, Offset{}}, 16, 0),
              0x6bef1d82U);
}

TEST(Format, GoldenFileHeader) {
    std::vector<std::byte> bytes(kFileHeaderSize, std::byte{0xEE});
    encode_file_header({3, 1 << 20, 2, 0xAABBCCDD}, bytes.data());
    const std::string golden =
        "57414c524c4f4731010000000200000003000000000000000000100000000000"
        "ddccbbaa00000000d118b548";
    EXPECT_EQ(to_hex(Bytes{bytes}.first(44)), golden);
    EXPECT_EQ(to_hex(Bytes{bytes}.subspan(44)), std::string(2 * (kFileHeaderSize - 44), '0'));

    std::vector<std::byte> stored = from_hex(golden);
    stored.resize(kFileHeaderSize);
    const auto header = decode_file_header(stored);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->number, 3U);
    EXPECT_EQ(header->file_size, 1U << 20);
    EXPECT_EQ(header->shard, 2U);
    EXPECT_EQ(header->epoch, 0xAABBCCDDU);
}

TEST(Format, GoldenFormatFile) {
    const std::string golden = "walrus-wal 1\nshards 4\nfile_size 1048576\ncrc32c 479df890\n";
    EXPECT_EQ(encode_log_format({1, 4, 1 << 20}), golden);
    const auto format = decode_log_format(golden);
    ASSERT_TRUE(format);
    EXPECT_EQ(format->shards, 4U);
    EXPECT_EQ(format->file_size, 1U << 20);
}

TEST(Format, GoldenSnapshotBody) {
    TopicTable table;
    const TopicPtr orders = table.create(3, "orders");
    orders->log_start = Offset{4};
    orders->log_end = Offset{20};
    orders->end_bytes = 1000;
    orders->start_bytes = 200;
    orders->retention = Retention{1, 2, 3, true};
    table.cursor(*orders, "")->committed = Offset{10};
    table.cursor(*orders, "a")->committed = Offset{12};
    const TopicPtr x = table.create(8, "x");
    x->clean = false;
    x->log_end = Offset{1};
    x->end_bytes = 72;
    std::string hex;
    table.write_snapshot(1'700'000'000'000,
                         [&](std::uint8_t flags, std::uint32_t count, Bytes body) {
                             EXPECT_EQ(flags, kSnapshotFirst | kSnapshotLast);
                             EXPECT_EQ(count, 2U);
                             hex += to_hex(body);
                         });
    EXPECT_EQ(hex,
              "0068e5cf8b010000030000000306020004000000000000001400000000000000"
              "e803000000000000c8000000000000006f726465727301000000000000000200"
              "00000000000003000000000000000100000000000000000a0000000000000001"
              "610c000000000000000800000000010000000000000000000001000000000000"
              "004800000000000000000000000000000078");
}

TEST(Format, GoldenIndexFile) {
    const FileIndex index(3, 0xAABBCCDD, 1'700'000'000'000,
                          {{3, 0, 0, Offset{20}, 1000}, {8, 0, 0, Offset{1}, 72}},
                          {{3, 0, Offset{4}, Lsn{0x301000}},
                           {8, 0, Offset{0}, Lsn{0x302000}},
                           {3, 0, Offset{12}, Lsn{0x320000}}});
    const std::string golden =
        "57414c494e4458310300000000000000ddccbbaa010000000068e5cf8b010000"
        "0200000000000000030000000000000003000000020000000000000000000000"
        "1400000000000000e80300000000000008000000010000000200000000000000"
        "0100000000000000480000000000000003000000000000000400000000000000"
        "001030000000000003000000000000000c000000000000000000320000000000"
        "0800000000000000000000000000000000203000000000006c7733dd";
    EXPECT_EQ(to_hex(index.encode()), golden);
    const auto decoded = FileIndex::decode(from_hex(golden), 3, 0xAABBCCDD);
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_TRUE((*decoded)->same_content(index));
    EXPECT_EQ((*decoded)->left_wall_ms(), 1'700'000'000'000U);
}

TEST(Format, GoldenControlBodies) {
    std::byte retention[kRetentionBodySize];
    encode_retention({.max_age_ms = 1, .max_bytes = 2, .max_records = 3, .reclaim_read = true},
                     retention);
    EXPECT_EQ(to_hex(retention),
              "0100000000000000020000000000000003000000000000000100000000000000");
}

TEST(Format, NumberedNamesAreSixteenHexadecimalDigits) {
    EXPECT_EQ(log_file_name(3), "0000000000000003.log");
    EXPECT_EQ(index_file_name(0xABC), "0000000000000abc.idx");
    EXPECT_EQ(spare_file_name(~std::uint64_t{0}), "ffffffffffffffff.spare");
    EXPECT_EQ(shard_dir_name(7), "shard-007");
    EXPECT_EQ(parse_numbered_name("0000000000000abc.idx", ".idx"), 0xABCU);
    for (const char* bad : {"000000000000abc.idx", "00000000000000abc.idx", "000000000000ABC0.idx",
                            "000000000000000g.idx", "0000000000000abc.log", ".idx", ""})
        EXPECT_FALSE(parse_numbered_name(bad, ".idx")) << bad;
}

// --- error paths ---

TEST(Format, FullHeaderWithAnyBitFlippedIsRefused) {
    std::byte bytes[kFullHeaderSize];
    encode_full_header({}, bytes);
    ASSERT_TRUE(decode_full_header(bytes));
    for (std::size_t bit = 0; bit < 8 * kFullHeaderSize; ++bit) {
        bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
        EXPECT_FALSE(decode_full_header(bytes)) << "bit " << bit;
        bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    }
}

TEST(Format, FileHeaderSaysWhetherItIsDamagedOrOfAnotherVersion) {
    std::vector<std::byte> bytes(kFileHeaderSize);
    encode_file_header({3, 1 << 20, 2, 1}, bytes.data());
    for (std::size_t bit = 0; bit < 8 * 44; ++bit) {
        bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
        const auto decoded = decode_file_header(bytes);
        ASSERT_FALSE(decoded) << "bit " << bit;
        EXPECT_EQ(decoded.error().code, Errc::kCorruption);
        bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    }
    EXPECT_FALSE(decode_file_header(Bytes{bytes}.first(100)));

    // Version 2, with a right checksum.
    bytes = from_hex(
        "57414c524c4f4731020000000200000003000000000000000000100000000000"
        "ddccbbaa00000000");
    bytes.resize(kFileHeaderSize);
    store_le(bytes.data() + 40, crc32c(Bytes{bytes}.first(40)));
    EXPECT_EQ(decode_file_header(bytes).error().code, Errc::kUnsupported);
}

TEST(Format, FormatFileSaysWhetherItIsDamagedOrOfAnotherVersion) {
    const std::string good = encode_log_format({1, 2, 1 << 20});
    EXPECT_EQ(decode_log_format("").error().code, Errc::kCorruption);
    EXPECT_EQ(decode_log_format("something else\n").error().code, Errc::kCorruption);
    EXPECT_EQ(decode_log_format("walrus-wal 2\nshards 2\n").error().code, Errc::kUnsupported);
    EXPECT_EQ(decode_log_format(good.substr(0, good.size() - 1)).error().code, Errc::kCorruption);
    EXPECT_EQ(decode_log_format(good + "x").error().code, Errc::kCorruption);
    std::string edited = good;
    edited[edited.find("shards 2") + 7] = '3';
    EXPECT_EQ(decode_log_format(edited).error().code, Errc::kCorruption);
}

TEST(Format, IndexFileWithAnyByteChangedIsRefused) {
    const FileIndex index(3, 9, 1, {{3, 0, 0, Offset{20}, 1000}},
                          {{3, 0, Offset{4}, Lsn{0x301000}}});
    std::vector<std::byte> bytes = index.encode();
    ASSERT_TRUE(FileIndex::decode(bytes, 3, 9));
    EXPECT_FALSE(FileIndex::decode(bytes, 4, 9));
    EXPECT_FALSE(FileIndex::decode(bytes, 3, 8));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] ^= std::byte{0x40};
        EXPECT_FALSE(FileIndex::decode(bytes, 3, 9)) << "byte " << i;
        bytes[i] ^= std::byte{0x40};
        EXPECT_FALSE(FileIndex::decode(Bytes{bytes}.first(i), 3, 9)) << "cut at " << i;
    }
}

}  // namespace
}  // namespace walrus::wal

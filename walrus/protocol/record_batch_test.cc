// Against bytes of Kafka's own client (test_batches.h).
#include "walrus/protocol/record_batch.h"

#include <gtest/gtest.h>

#include <limits>

#include "walrus/base/crc32c.h"
#include "walrus/base/random.h"
#include "walrus/protocol/big_endian.h"
#include "walrus/protocol/record_batch_builder.h"
#include "walrus/protocol/record_reader.h"
#include "walrus/protocol/test_batches.h"
#include "walrus/protocol/test_hex.h"
#include "walrus/testing/seed.h"

namespace walrus::protocol {
namespace {

constexpr std::int64_t kTime = 1'700'000'000'000;

// The four records of the golden batches.
std::vector<Record> golden_records() {
    static const std::string many_a(80, 'a');
    return {
        {42, kTime, as_bytes("k1"), as_bytes("value one"), {{"h", as_bytes("x")}, {"n", {}}}},
        {43, kTime + 200, {}, as_bytes(""), {}},
        {44, kTime - 100, as_bytes("k3"), {}, {}},
        {45, kTime + 100, {}, as_bytes(many_a), {}},
    };
}

std::string text_of(const std::optional<Bytes>& bytes) {
    return bytes ? "'" + std::string(as_text(*bytes)) + "'" : "null";
}

std::string text_of(const Record& record) {
    std::string text = std::to_string(record.offset) + "@" + std::to_string(record.timestamp_ms) +
                       " " + text_of(record.key) + "=" + text_of(record.value);
    for (const RecordHeader& header : record.headers)
        text.append(" ").append(header.key).append(":").append(text_of(header.value));
    return text;
}

std::vector<std::string> texts_of(const std::vector<Record>& records) {
    std::vector<std::string> texts;
    for (const Record& record : records) texts.push_back(text_of(record));
    return texts;
}

std::vector<std::string> read_all(const RecordBatchView& batch) {
    std::vector<std::string> texts;
    auto reader = RecordReader::open(batch);
    EXPECT_TRUE(reader) << reader.error().to_string();
    Record record;
    while (reader) {
        const auto more = reader->next(record);
        EXPECT_TRUE(more) << more.error().to_string();
        if (!more || !*more) break;
        texts.push_back(text_of(record));
    }
    return texts;
}

// Bytes of a batch, which tests change in places.
class Batch {
public:
    explicit Batch(std::string bytes) : bytes_(std::move(bytes)) {}
    static Batch golden(std::string_view hex) { return Batch(from_hex(hex)); }

    Bytes bytes() const { return as_bytes(bytes_); }
    MutableBytes mutable_bytes() {
        return {reinterpret_cast<std::byte*>(bytes_.data()), bytes_.size()};
    }
    template <class T>
    Batch& set(std::size_t at, T value) {
        store_be(mutable_bytes().data() + at, value);
        return *this;
    }
    Batch& renew_crc() { return set(17, crc32c(bytes().subspan(21))); }

    Result<RecordBatchView> parse() const { return RecordBatchView::parse(bytes()); }
    RecordBatchView view() const { return *parse(); }
    Errc parse_error() const { return parse().error().code; }
    Errc verify_error() const { return view().verify().error().code; }
    Errc records_error() const { return check_records(view()).error().code; }

private:
    std::string bytes_;
};

TEST(RecordBatch, TheHeaderOfKafkasClientIsUnderstood) {
    const Batch bytes = Batch::golden(golden_batches::kNone);
    const RecordBatchView batch = bytes.view();
    EXPECT_TRUE(batch.verify());
    EXPECT_EQ(batch.size_bytes(), bytes.bytes().size());
    EXPECT_EQ(batch.base_offset(), 42);
    EXPECT_EQ(batch.last_offset(), 45);
    EXPECT_EQ(batch.leader_epoch(), 9);
    EXPECT_EQ(batch.record_count(), 4);
    EXPECT_EQ(batch.base_timestamp(), kTime);
    EXPECT_EQ(batch.max_timestamp(), kTime + 200);
    EXPECT_EQ(batch.compression(), Compression::kNone);
    EXPECT_FALSE(batch.has_append_time());
    EXPECT_FALSE(batch.is_transactional());
    EXPECT_FALSE(batch.is_control());
    EXPECT_EQ(batch.producer_id(), 4242);
    EXPECT_EQ(batch.producer_epoch(), 3);
    EXPECT_EQ(batch.base_sequence(), 17);
}

TEST(RecordBatch, EveryCodecOfKafkasClientIsRead) {
    const std::pair<std::string_view, Compression> batches[] = {
        {golden_batches::kNone, Compression::kNone},
        {golden_batches::kGzip, Compression::kGzip},
        {golden_batches::kSnappy, Compression::kSnappy},
        {golden_batches::kLz4, Compression::kLz4},
        {golden_batches::kZstd, Compression::kZstd},
    };
    for (const auto& [hex, codec] : batches) {
        const Batch bytes = Batch::golden(hex);
        EXPECT_EQ(bytes.view().compression(), codec);
        EXPECT_TRUE(bytes.view().verify());
        EXPECT_TRUE(check_records(bytes.view()));
        EXPECT_EQ(read_all(bytes.view()), texts_of(golden_records()));
        // Only the gzip one was made in a transaction.
        EXPECT_EQ(bytes.view().is_transactional(), codec == Compression::kGzip);
    }
}

TEST(RecordBatch, AControlBatchIsKnownAsOne) {
    const Batch bytes = Batch::golden(golden_batches::kControl);
    EXPECT_TRUE(bytes.view().verify());
    EXPECT_TRUE(bytes.view().is_control());
    EXPECT_TRUE(bytes.view().is_transactional());
}

TEST(RecordBatch, TheBuilderWritesTheBytesOfKafkasClient) {
    RecordBatchBuilder builder({.id = 4242, .epoch = 3, .base_sequence = 17});
    for (const Record& record : golden_records()) builder.add(record);
    EXPECT_EQ(builder.record_count(), 4);
    const std::size_t size = builder.size_bytes();
    Batch batch(std::move(builder).finish());
    EXPECT_EQ(batch.bytes().size(), size);
    place_batch(batch.mutable_bytes(), 42, 9);
    EXPECT_EQ(to_hex(as_text(batch.bytes())), golden_batches::kNone);
}

TEST(RecordBatch, OneRecordIsTheBatchOfKafkasClient) {
    EXPECT_EQ(to_hex(one_record_batch(as_bytes("walrus"), kTime)), golden_batches::kOne);
}

TEST(RecordBatch, PlacingChangesOffsetAndEpochAndNothingElse) {
    Batch batch = Batch::golden(golden_batches::kLz4);
    place_batch(batch.mutable_bytes(), 1'000'000'000'000, 77);
    EXPECT_TRUE(batch.view().verify());
    EXPECT_EQ(batch.view().base_offset(), 1'000'000'000'000);
    EXPECT_EQ(batch.view().last_offset(), 1'000'000'000'003);
    EXPECT_EQ(batch.view().leader_epoch(), 77);
    place_batch(batch.mutable_bytes(), 42, 9);
    EXPECT_EQ(to_hex(as_text(batch.bytes())), golden_batches::kLz4);
}

TEST(RecordBatch, TheAppendTimeIsThatOfEveryRecord) {
    Batch batch = Batch::golden(golden_batches::kZstd);
    set_append_time(batch.mutable_bytes(), kTime + 5000);
    EXPECT_TRUE(batch.view().verify());
    EXPECT_TRUE(batch.view().has_append_time());
    EXPECT_EQ(batch.view().compression(), Compression::kZstd);
    std::vector<Record> expected = golden_records();
    for (Record& record : expected) record.timestamp_ms = kTime + 5000;
    EXPECT_EQ(read_all(batch.view()), texts_of(expected));
}

TEST(RecordBatch, BatchesAreWalkedOneAfterAnother) {
    const std::string two = from_hex(golden_batches::kOne) + from_hex(golden_batches::kSnappy);
    const auto first = RecordBatchView::parse(as_bytes(two));
    ASSERT_TRUE(first);
    const auto second = RecordBatchView::parse(as_bytes(two).subspan(first->size_bytes()));
    ASSERT_TRUE(second);
    EXPECT_EQ(first->record_count(), 1);
    EXPECT_EQ(second->record_count(), 4);
    EXPECT_EQ(RecordBatchView::parse_only(as_bytes(two)).error().code, Errc::kInvalidArgument);
    EXPECT_TRUE(RecordBatchView::parse_only(second->bytes()));
}

TEST(RecordBatch, RandomRecordsComeBack) {
    SeededRandom random(testing::test_seed());
    for (int round = 0; round < 50; ++round) {
        std::vector<std::string> stored;
        std::vector<Record> records;
        const auto some = [&]() -> std::optional<Bytes> {
            if (random.chance(1, 4)) return std::nullopt;
            return as_bytes(stored.emplace_back(random.below(300), 'x'));
        };
        const std::size_t count = 1 + random.below(40);
        stored.reserve(count * 6);
        RecordBatchBuilder builder;
        for (std::size_t i = 0; i < count; ++i) {
            // All 64 bits: differences of times may wrap around.
            Record record{static_cast<std::int64_t>(i), static_cast<std::int64_t>(random.next())};
            record.key = some();
            record.value = some();
            for (std::size_t n = random.below(3); n > 0; --n)
                record.headers.push_back({"header", some()});
            builder.add(record);
            records.push_back(record);
        }
        const Batch batch(std::move(builder).finish());
        EXPECT_TRUE(batch.view().verify());
        EXPECT_EQ(read_all(batch.view()), texts_of(records));
    }
}

// --- error paths ---

TEST(RecordBatch, EveryCutIsNoticed) {
    const std::string whole = from_hex(golden_batches::kNone);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto batch = RecordBatchView::parse(as_bytes(whole).first(size));
        ASSERT_FALSE(batch) << size;
        EXPECT_EQ(batch.error().code, Errc::kCorruption) << size;
    }
}

TEST(RecordBatch, EveryFlippedBitBehindTheCrcIsNoticed) {
    for (std::size_t at = 17; at < from_hex(golden_batches::kOne).size(); ++at)
        for (unsigned bit = 0; bit < 8; ++bit) {
            Batch batch = Batch::golden(golden_batches::kOne);
            batch.mutable_bytes()[at] ^= static_cast<std::byte>(1U << bit);
            if (const auto view = batch.parse())
                EXPECT_EQ(view->verify().error().code, Errc::kCorruption) << at << "/" << bit;
            else
                EXPECT_EQ(view.error().code, Errc::kUnsupported) << at << "/" << bit;
        }
}

TEST(RecordBatch, LengthsThatCannotBeAreCorrupt) {
    const auto size = static_cast<std::int32_t>(from_hex(golden_batches::kOne).size());
    for (const std::int32_t length :
         {0, -1, 48, size - 11, std::numeric_limits<std::int32_t>::max(),
          std::numeric_limits<std::int32_t>::min()}) {
        Batch batch = Batch::golden(golden_batches::kOne);
        EXPECT_EQ(batch.set(8, length).parse_error(), Errc::kCorruption) << length;
    }
}

TEST(RecordBatch, OtherMagicsAndCodecsAreUnsupported) {
    for (const int magic : {0, 1, 3, -1}) {
        Batch batch = Batch::golden(golden_batches::kOne);
        EXPECT_EQ(batch.set(16, static_cast<std::int8_t>(magic)).parse_error(), Errc::kUnsupported);
    }
    Batch batch = Batch::golden(golden_batches::kOne);
    EXPECT_EQ(batch.set(21, std::int16_t{5}).parse_error(), Errc::kUnsupported);
}

TEST(RecordBatch, ACountThatDiffersFromTheOffsetsIsRefused) {
    const std::pair<std::int32_t, std::int32_t> kCountAndDelta[] = {
        {3, 3},
        {5, 3},
        {4, 4},
        {4, -1},
        {0, -1},
        {-1, -2},
        {0, 0},
        {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()},
    };
    for (const auto& [count, delta] : kCountAndDelta) {
        Batch batch = Batch::golden(golden_batches::kNone);
        batch.set(57, count).set(23, delta).renew_crc();
        EXPECT_EQ(batch.verify_error(), Errc::kInvalidArgument) << count << " " << delta;
    }
}

TEST(RecordBatch, RecordsThatAreNotWhatTheHeaderSaysAreCorrupt) {
    // One record more, and one less, than there are.
    Batch batch = Batch::golden(golden_batches::kNone);
    EXPECT_EQ(batch.set(57, std::int32_t{5}).records_error(), Errc::kCorruption);
    EXPECT_EQ(batch.set(57, std::int32_t{3}).records_error(), Errc::kCorruption);
    EXPECT_EQ(batch.set(57, std::int32_t{-1}).records_error(), Errc::kCorruption);
}

// kOne's record begins at 61: length 18 (12), attributes, time 0, offset 0, key -1, value 6 (0c),
// "walrus", 0 headers.
TEST(RecordBatch, MalformedRecordsAreCorrupt) {
    const std::pair<std::size_t, int> kChanges[] = {
        {61, 0x16},  // Length: one less than the fields take.
        {61, 0x1a},  // One more than there is.
        {61, 0x01},  // Negative.
        {61, 0xff},  // A varint without an end in sight.
        {64, 0x02},  // Offset delta 1 for the first.
        {65, 0x03},  // Key length -2.
        {65, 0x7e},  // Key length 63.
        {66, 0x0e},  // Value one longer.
        {73, 0x02},  // A header that is not there.
        {73, 0x01},  // Header count -1.
    };
    ASSERT_EQ(as_text(Batch::golden(golden_batches::kOne).bytes().subspan(67, 6)), "walrus");
    for (const auto& [at, value] : kChanges) {
        Batch batch = Batch::golden(golden_batches::kOne);
        batch.mutable_bytes()[at] = static_cast<std::byte>(value);
        EXPECT_EQ(batch.records_error(), Errc::kCorruption) << at << " " << value;
    }
}

TEST(RecordBatch, AHeaderWithoutANameIsCorrupt) {
    RecordBatchBuilder builder;
    builder.add({.headers = {{"h", std::nullopt}}});
    Batch batch(std::move(builder).finish());
    // ... header count 1, key length 1, "h", value length -1.
    batch.mutable_bytes()[batch.bytes().size() - 3] = std::byte{1};
    EXPECT_EQ(batch.records_error(), Errc::kCorruption);
}

TEST(RecordBatch, DecompressionIsBounded) {
    const Batch batch = Batch::golden(golden_batches::kGzip);
    EXPECT_EQ(check_records(batch.view(), 20).error().code, Errc::kTooLarge);
}

TEST(RecordBatch, AReaderStaysAtItsEndAfterDamage) {
    Batch bytes = Batch::golden(golden_batches::kOne);
    bytes.mutable_bytes()[64] = std::byte{2};
    auto reader = RecordReader::open(bytes.view());
    ASSERT_TRUE(reader);
    Record record;
    EXPECT_FALSE(reader->next(record));
    EXPECT_FALSE(reader->next(record).value_or(true));
}

}  // namespace
}  // namespace walrus::protocol

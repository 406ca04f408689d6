// Any bytes may be produced by a client: they are refused, or read to the end; and records that
// were read are the same after they were built into a batch again.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "walrus/base/crc32c.h"
#include "walrus/protocol/batch_layout.h"
#include "walrus/protocol/big_endian.h"
#include "walrus/protocol/record_batch_builder.h"
#include "walrus/protocol/record_reader.h"

namespace walrus::protocol {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;

bool same(const std::optional<Bytes>& a, const std::optional<Bytes>& b) {
    return a.has_value() == b.has_value() && (!a || as_text(*a) == as_text(*b));
}

bool same(const Record& a, const Record& b) {
    if (a.timestamp_ms != b.timestamp_ms || !same(a.key, b.key) || !same(a.value, b.value) ||
        a.headers.size() != b.headers.size())
        return false;
    for (std::size_t i = 0; i < a.headers.size(); ++i)
        if (a.headers[i].key != b.headers[i].key || !same(a.headers[i].value, b.headers[i].value))
            return false;
    return true;
}

void rebuild(const RecordBatchView& batch) {
    auto reader = RecordReader::open(batch, kMaxBytes);
    if (!reader) return;
    std::vector<Record> records;
    Record record;
    while (true) {
        const Result<bool> more = reader->next(record);
        if (!more) return;
        if (!*more) break;
        records.push_back(record);
    }
    if (records.empty()) return;
    RecordBatchBuilder builder;
    for (const Record& each : records) builder.add(each);
    const std::string bytes = std::move(builder).finish();
    const auto again = RecordBatchView::parse_only(as_bytes(bytes));
    if (!again || !again->verify()) std::abort();
    auto second = RecordReader::open(*again);
    if (!second) std::abort();
    for (const Record& each : records) {
        const Result<bool> more = second->next(record);
        if (!more || !*more || !same(each, record)) std::abort();
    }
}

// The CRC would stop the fuzzer at the door, so it is made right.
void seal(std::vector<std::byte>& bytes) {
    using namespace batch_layout;
    if (bytes.size() < kBatchHeaderBytes) return;
    const auto length = static_cast<std::int32_t>(bytes.size() - kLengthCountsFrom);
    store_be(bytes.data() + kLength, length);
    store_be(bytes.data() + kMagic, kBatchMagic);
    store_be(bytes.data() + kCrc, crc32c(Bytes{bytes}.subspan(kCrcCoversFrom)));
}

void walk(Bytes bytes) {
    while (const auto batch = RecordBatchView::parse(bytes)) {
        if (batch->verify()) static_cast<void>(check_records(*batch, kMaxBytes).has_value());
        rebuild(*batch);
        bytes = bytes.subspan(batch->size_bytes());
    }
}

}  // namespace
}  // namespace walrus::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace walrus;
    using namespace walrus::protocol;
    const Bytes input{reinterpret_cast<const std::byte*>(data), size};
    std::vector<std::byte> bytes(input.begin(), input.end());
    walk(bytes);
    seal(bytes);
    walk(bytes);
    for (int codec = 1; codec <= 4; ++codec)
        static_cast<void>(
            decompress(static_cast<Compression>(codec), input, kMaxBytes).has_value());
    return 0;
}

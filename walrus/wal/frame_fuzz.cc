// Arbitrary bytes are never followed out of their bounds, and never crash a decoder.
//
// Checksums would stop the fuzzer at the door, so each input is tried as it is and, behind the
// first byte, with the checksums of its headers made right.
#include <cstdint>
#include <memory>

#include "walrus/base/crc32c.h"
#include "walrus/wal/frame.h"
#include "walrus/wal/log_index.h"
#include "walrus/wal/topic_table.h"

namespace walrus::wal {
namespace {

constexpr std::uint64_t kFileSize = 64 << 10;

// A copy at the end of an allocation of its own, so that ASan sees the first byte read too much.
std::vector<std::byte> exact(Bytes bytes) {
    return {bytes.begin(), bytes.end()};
}

// Makes what stands at `at` pass for a frame of the walk, when it has the shape of one.
void seal_header(std::vector<std::byte>& bytes, std::size_t at, const FrameCursor& cursor) {
    if (at + kFullHeaderSize > bytes.size()) return;
    std::byte* header = bytes.data() + at;
    if (load_le<std::uint32_t>(header) >> 24 != kFrameMagic >> 24) return;
    store_le(header, kFrameMagic);
    header[4] = static_cast<std::byte>(kFormatVersion);
    header[5] = static_cast<std::byte>(1 + static_cast<unsigned>(header[5]) % 4);
    store_le(header + 8, cursor.epoch());
    store_le(header + 16, cursor.lsn().value);
    const std::size_t length = load_le<std::uint32_t>(header + 44);
    if (length <= bytes.size() - at - kFullHeaderSize)
        store_le(header + 48, crc32c({header + kFullHeaderSize, length}));
    store_le(header + 60, crc32c({header, 60}));
}

void read_records(const Frame& frame) {
    const Result<BatchBody> body = BatchBody::parse(frame);
    if (!body) return;
    std::uint64_t total = 0;
    body->for_each(0, [&](std::uint32_t, Bytes record) {
        for (const std::byte byte : record) total += static_cast<unsigned>(byte);
        return true;
    });
    volatile std::uint64_t used = total;
    static_cast<void>(used);
}

void walk(std::vector<std::byte> bytes, bool sealed) {
    FrameCursor cursor(Lsn{kFileHeaderSize}, 7, kFileSize);
    TopicTable table;
    std::size_t at = 0;
    while (at < bytes.size() && !cursor.at_file_start()) {
        if (sealed) seal_header(bytes, at, cursor);
        Frame frame;
        std::uint64_t needed = 0;
        const Bytes rest = Bytes{bytes}.subspan(at);
        const FrameStatus status = cursor.parse(rest, frame, needed);
        if (status == FrameStatus::kNeedMore) WALRUS_ASSERT(needed > rest.size());
        if (status != FrameStatus::kOk) return;
        WALRUS_ASSERT(frame.size > 0 && frame.size % kFrameAlignment == 0);
        WALRUS_ASSERT(frame.size <= kFileSize - cursor.lsn().value % kFileSize);
        if (frame.header.type == FrameType::kBatch) read_records(frame);
        static_cast<void>(table.apply(frame).has_value());
        cursor.advance(frame);
        if (frame.size > bytes.size() - at) return;
        at += frame.size;
    }
}

// What comes back from a decoder goes out again as it was.
void decode(Bytes bytes) {
    if (bytes.size() >= kFullHeaderSize)
        if (const auto header = decode_full_header(bytes.data())) {
            std::byte again[kFullHeaderSize];
            encode_full_header(*header, again);
        }
    static_cast<void>(decode_file_header(bytes).has_value());
    static_cast<void>(decode_log_format(as_text(bytes)).has_value());
    if (const auto index = FileIndex::decode(bytes, 1, 2))
        static_cast<void>((*index)->locate(1, Offset{1}));
}

}  // namespace
}  // namespace walrus::wal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace walrus;
    if (size == 0) return 0;
    const Bytes input{reinterpret_cast<const std::byte*>(data), size};
    wal::walk(wal::exact(input), false);
    wal::walk(wal::exact(input.subspan(1)), true);
    wal::decode(wal::exact(input));

    // An index with a right checksum.
    if (size > 24) {
        std::vector<std::byte> index = wal::exact(input.subspan(1));
        store_le<std::uint64_t>(index.data(), 0x3158444E494C4157);
        store_le<std::uint64_t>(index.data() + 8, 1);
        store_le<std::uint32_t>(index.data() + 16, 2);
        store_le(index.data() + index.size() - 4, crc32c(Bytes{index}.first(index.size() - 4)));
        wal::decode(index);
    }
    return 0;
}

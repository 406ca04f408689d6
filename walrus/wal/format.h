// The stored format, as named constants and codecs.  The prose is walrus/spec/wal_format.md; the
// golden tests in format_test.cc tie the two.  Pure: no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/base/strong.h"
#include "walrus/env/env.h"

namespace walrus::wal {

inline constexpr std::uint32_t kFormatVersion = 1;

// Every frame begins at a multiple of this.
inline constexpr std::uint64_t kFrameAlignment = 8;
// The head of a log file, outside the frames; the rest of the file is frames.
inline constexpr std::uint64_t kFileHeaderSize = env::kBlockSize;
inline constexpr std::uint64_t kFullHeaderSize = 64;
inline constexpr std::uint64_t kShortHeaderSize = 8;
inline constexpr std::uint32_t kFrameMagic = 0x46524C57;  // "WLRF" in file order.
// A short header keeps its mark above a 24-bit length.
inline constexpr std::uint32_t kShortDataMark = 0xA5;
inline constexpr std::uint32_t kShortPadMark = 0xA6;
inline constexpr std::uint32_t kMaxShortLength = (1u << 24) - 1;
// A full header comes at least this often, so that a reader can enter the log there.
inline constexpr std::uint64_t kAnchorInterval = 64 << 10;

enum class FrameType : std::uint8_t { kBatch = 1, kControl = 2, kPad = 3, kSeal = 4 };

enum class ControlKind : std::uint32_t {
    kNone = 0,
    kCreateTopic = 1,   // body: name
    kDeleteTopic = 2,   // body: empty
    kCommitCursor = 3,  // first_offset: where the cursor stands; body: consumer
    kDeleteCursor = 4,  // body: consumer
    kTruncateHead = 5,  // first_offset: new log start; body: u64 topic bytes before it
    kMark = 6,          // first_offset: 1 clean, 0 dirty
    kSetRetention = 7,  // body: max_age_ms, max_bytes, max_records, reclaim_read as u64
    kReign = 8,         // body: u32 epoch of the frames that follow
    kSnapshot = 9,      // body: topic entries (topic_table.h); record_count: their number
    kClose = 10,        // the log was closed after everything before was durable
};

// Flag of a batch frame: the body is one opaque blob that stands for record_count records.
inline constexpr std::uint8_t kBatchOpaque = 1;
// Flags of a kSnapshot frame: the table is the concatenation of the frames from first to last.
inline constexpr std::uint8_t kSnapshotFirst = 1;
inline constexpr std::uint8_t kSnapshotLast = 2;

// A full header, decoded.
struct FrameHeader {
    FrameType type = FrameType::kBatch;
    std::uint8_t flags = 0;          // kBatch*, kSnapshot*.
    std::uint32_t epoch = 0;         // Random per use of a file and per opening of the log.
    std::uint32_t record_count = 0;  // Of a batch: at least 1.
    Lsn lsn;                         // Of this header.
    Lsn durable_upto;  // Every byte before it was on stable storage when this was made.
    Offset first_offset;
    std::uint32_t topic_id = 0;
    std::uint32_t body_length = 0;
    std::uint32_t body_crc = 0;
    ControlKind control = ControlKind::kNone;
};

// What a short header leaves out: the frame continues the data frame before it.
struct ShortContext {
    std::uint32_t epoch = 0;
    Lsn lsn;  // Of this short header.
    std::uint32_t topic_id = 0;
    Offset offset;
};

// Space a frame takes in the log.
constexpr std::uint64_t full_frame_size(std::uint64_t body_length) {
    return align_up(kFullHeaderSize + body_length, kFrameAlignment);
}
constexpr std::uint64_t short_frame_size(std::uint64_t body_length) {
    return align_up(kShortHeaderSize + body_length, kFrameAlignment);
}

// Writes kFullHeaderSize bytes.
void encode_full_header(const FrameHeader& header, std::byte* to);
// nullopt: not a full header, or damaged, or of another version.  Reads kFullHeaderSize bytes.
std::optional<FrameHeader> decode_full_header(const std::byte* from);

// Writes kShortHeaderSize bytes.  A data frame's `body_crc` is of its record; a pad's is 0.
void encode_short_header(std::uint32_t mark, const ShortContext& context, std::uint32_t length,
                         std::uint32_t body_crc, std::byte* to);
// The checksum a short header must carry.
std::uint32_t short_header_crc(std::uint32_t mark, const ShortContext& context,
                               std::uint32_t length, std::uint32_t body_crc);

// The head of a log file.
struct FileHeader {
    std::uint64_t number = 0;  // The file holds lsn [number, number + 1) * file_size.
    std::uint64_t file_size = 0;
    std::uint32_t shard = 0;
    std::uint32_t epoch = 0;  // Of its frames until a kReign frame says otherwise.
};

// Writes kFileHeaderSize bytes.
void encode_file_header(const FileHeader& header, std::byte* to);
// kCorruption, or kUnsupported for another format version.
Result<FileHeader> decode_file_header(Bytes from);

// The FORMAT file of a log directory.
struct LogFormat {
    std::uint32_t version = kFormatVersion;
    std::uint32_t shards = 1;
    std::uint64_t file_size = 0;
};

std::string encode_log_format(const LogFormat& format);
// kUnsupported: another version.  kCorruption: not such a file.
Result<LogFormat> decode_log_format(std::string_view text);

// Names inside a shard's directory.
std::string log_file_name(std::uint64_t number);      // "0000000000000003.log"
std::string index_file_name(std::uint64_t number);    // "0000000000000003.idx"
std::string spare_file_name(std::uint64_t sequence);  // "0000000000000003.spare"
std::optional<std::uint64_t> parse_numbered_name(std::string_view name, std::string_view suffix);
std::string shard_dir_name(std::uint32_t shard);  // "shard-000"
inline constexpr std::string_view kRingFileName = "ring";
inline constexpr std::string_view kLockFileName = "LOCK";
inline constexpr std::string_view kFormatFileName = "FORMAT";

}  // namespace walrus::wal

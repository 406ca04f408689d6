#include "walrus/wal/format.h"

#include <cstdio>
#include <cstring>

#include "walrus/base/crc32c.h"

namespace walrus::wal {
namespace {

constexpr std::uint64_t kFileMagic = 0x31474F4C524C4157;  // "WALRLOG1" in file order.
constexpr std::size_t kFileHeaderUsed = 40;               // Bytes before its checksum.

std::string numbered_name(std::uint64_t number, const char* suffix) {
    char name[32];
    std::snprintf(name, sizeof name, "%016llx%s", static_cast<unsigned long long>(number), suffix);
    return name;
}

bool known_type(std::uint8_t type) {
    return type >= static_cast<std::uint8_t>(FrameType::kBatch) &&
           type <= static_cast<std::uint8_t>(FrameType::kSeal);
}

}  // namespace

void encode_full_header(const FrameHeader& header, std::byte* to) {
    std::memset(to, 0, kFullHeaderSize);
    store_le<std::uint32_t>(to, kFrameMagic);
    to[4] = static_cast<std::byte>(kFormatVersion);
    to[5] = static_cast<std::byte>(header.type);
    to[6] = static_cast<std::byte>(header.flags);
    store_le(to + 8, header.epoch);
    store_le(to + 12, header.record_count);
    store_le(to + 16, header.lsn.value);
    store_le(to + 24, header.durable_upto.value);
    store_le(to + 32, header.first_offset.value);
    store_le(to + 40, header.topic_id);
    store_le(to + 44, header.body_length);
    store_le(to + 48, header.body_crc);
    store_le(to + 52, static_cast<std::uint32_t>(header.control));
    store_le(to + 60, crc32c({to, 60}));
}

std::optional<FrameHeader> decode_full_header(const std::byte* from) {
    if (load_le<std::uint32_t>(from) != kFrameMagic) return std::nullopt;
    if (load_le<std::uint32_t>(from + 60) != crc32c({from, 60})) return std::nullopt;
    if (static_cast<std::uint32_t>(from[4]) != kFormatVersion) return std::nullopt;
    if (!known_type(static_cast<std::uint8_t>(from[5]))) return std::nullopt;
    FrameHeader header;
    header.type = static_cast<FrameType>(from[5]);
    header.flags = static_cast<std::uint8_t>(from[6]);
    header.epoch = load_le<std::uint32_t>(from + 8);
    header.record_count = load_le<std::uint32_t>(from + 12);
    header.lsn = Lsn{load_le<std::uint64_t>(from + 16)};
    header.durable_upto = Lsn{load_le<std::uint64_t>(from + 24)};
    header.first_offset = Offset{load_le<std::uint64_t>(from + 32)};
    header.topic_id = load_le<std::uint32_t>(from + 40);
    header.body_length = load_le<std::uint32_t>(from + 44);
    header.body_crc = load_le<std::uint32_t>(from + 48);
    header.control = static_cast<ControlKind>(load_le<std::uint32_t>(from + 52));
    return header;
}

std::uint32_t short_header_crc(std::uint32_t mark, const ShortContext& context,
                               std::uint32_t length, std::uint32_t body_crc) {
    std::byte covered[32];
    store_le(covered, context.lsn.value);
    store_le(covered + 8, context.offset.value);
    store_le(covered + 16, context.epoch);
    store_le(covered + 20, context.topic_id);
    store_le(covered + 24, (mark << 24) | length);
    store_le(covered + 28, body_crc);
    return crc32c({covered, sizeof covered});
}

void encode_short_header(std::uint32_t mark, const ShortContext& context, std::uint32_t length,
                         std::uint32_t body_crc, std::byte* to) {
    WALRUS_ASSERT(length <= kMaxShortLength);
    store_le(to, (mark << 24) | length);
    store_le(to + 4, short_header_crc(mark, context, length, body_crc));
}

void encode_file_header(const FileHeader& header, std::byte* to) {
    std::memset(to, 0, kFileHeaderSize);
    store_le(to, kFileMagic);
    store_le(to + 8, kFormatVersion);
    store_le(to + 12, header.shard);
    store_le(to + 16, header.number);
    store_le(to + 24, header.file_size);
    store_le(to + 32, header.epoch);
    store_le(to + kFileHeaderUsed, crc32c({to, kFileHeaderUsed}));
}

Result<FileHeader> decode_file_header(Bytes from) {
    if (from.size() < kFileHeaderSize || load_le<std::uint64_t>(from.data()) != kFileMagic)
        return Error{Errc::kCorruption, "log file header: bad magic"};
    const std::byte* at = from.data();
    if (load_le<std::uint32_t>(at + kFileHeaderUsed) != crc32c(from.first(kFileHeaderUsed)))
        return Error{Errc::kCorruption, "log file header: checksum differs"};
    if (const auto version = load_le<std::uint32_t>(at + 8); version != kFormatVersion)
        return Error{Errc::kUnsupported,
                     "log file header: format version " + std::to_string(version)};
    FileHeader header;
    header.shard = load_le<std::uint32_t>(at + 12);
    header.number = load_le<std::uint64_t>(at + 16);
    header.file_size = load_le<std::uint64_t>(at + 24);
    header.epoch = load_le<std::uint32_t>(at + 32);
    return header;
}

std::string encode_log_format(const LogFormat& format) {
    std::string text = "walrus-wal " + std::to_string(format.version) + "\nshards " +
                       std::to_string(format.shards) + "\nfile_size " +
                       std::to_string(format.file_size) + "\n";
    char line[32];
    std::snprintf(line, sizeof line, "crc32c %08x\n", crc32c(as_bytes(text)));
    return text + line;
}

Result<LogFormat> decode_log_format(std::string_view text) {
    LogFormat format;
    const std::string copy(text);
    unsigned long long file_size = 0;
    if (std::sscanf(copy.c_str(), "walrus-wal %u\n", &format.version) != 1)
        return Error{Errc::kCorruption, "FORMAT: not the FORMAT file of a walrus log"};
    if (format.version != kFormatVersion)
        return Error{Errc::kUnsupported,
                     "FORMAT: format version " + std::to_string(format.version) +
                         ", this build knows " + std::to_string(kFormatVersion)};
    if (std::sscanf(copy.c_str(), "walrus-wal %*u\nshards %u\nfile_size %llu\n", &format.shards,
                    &file_size) != 2)
        return Error{Errc::kCorruption, "FORMAT: unreadable"};
    format.file_size = file_size;
    if (copy != encode_log_format(format))
        return Error{Errc::kCorruption, "FORMAT: checksum differs"};
    return format;
}

std::string log_file_name(std::uint64_t number) {
    return numbered_name(number, ".log");
}
std::string index_file_name(std::uint64_t number) {
    return numbered_name(number, ".idx");
}
std::string spare_file_name(std::uint64_t sequence) {
    return numbered_name(sequence, ".spare");
}

std::optional<std::uint64_t> parse_numbered_name(std::string_view name, std::string_view suffix) {
    if (name.size() != 16 + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
    std::uint64_t number = 0;
    for (const char c : name.substr(0, 16)) {
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) return std::nullopt;
        number = number << 4 | static_cast<std::uint64_t>(digit);
    }
    return number;
}

std::string shard_dir_name(std::uint32_t shard) {
    char name[24];
    std::snprintf(name, sizeof name, "shard-%03u", shard);
    return name;
}

}  // namespace walrus::wal

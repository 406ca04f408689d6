#include "walrus/broker/offset_record.h"

#include <limits>

#include "walrus/base/assert.h"
#include "walrus/protocol/kafka/wire.h"

namespace walrus::broker {
namespace {

constexpr std::int8_t kVersion = 1;
// Lengths, numbers and times; strings come on top.
constexpr std::size_t kOffsetOverheadBytes = 32;

// As stored: the primitive types of Kafka's protocol, big-endian.
struct StoredOffset {
    std::string topic = {};
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    std::int32_t leader_epoch = -1;
    std::int64_t commit_time_ms = 0;
    std::string metadata = {};

    static void fields(auto& io, auto& m) {
        io(m.topic, m.partition, m.offset, m.leader_epoch, m.commit_time_ms, m.metadata);
    }
};

struct StoredRecord {
    OffsetRecordKind kind = OffsetRecordKind::kCommit;
    std::string name = {};
    std::vector<StoredOffset> offsets = {};

    static void fields(auto& io, auto& m) { io(m.kind, m.name, m.offsets); }
};

Error invalid(std::string what) {
    return {Errc::kInvalidArgument, "offset store: " + std::move(what)};
}

bool is_number(std::uint64_t value) {
    return value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}

Status check(const OffsetCommit& offset) {
    if (offset.topic.empty() || offset.topic.size() > kMaxOffsetNameBytes)
        return invalid("a topic's name has 1 to " + std::to_string(kMaxOffsetNameBytes) + " bytes");
    if (offset.partition < 0) return invalid("a partition is not negative");
    const CommittedOffset& committed = offset.committed;
    if (!is_number(committed.offset.value) || !is_number(committed.commit_time_ms))
        return invalid("offset and time are below 2^63");
    if (committed.metadata.size() > kMaxOffsetMetadataBytes)
        return invalid("metadata has at most " + std::to_string(kMaxOffsetMetadataBytes) +
                       " bytes");
    return {};
}

bool makes_sense(const StoredRecord& stored) {
    switch (stored.kind) {
        case OffsetRecordKind::kCommit: break;
        case OffsetRecordKind::kForgetGroup:
        case OffsetRecordKind::kForgetTopic: return stored.offsets.empty();
        default: return false;
    }
    for (const StoredOffset& offset : stored.offsets)
        if (offset.topic.empty() || offset.partition < 0 || offset.offset < 0 ||
            offset.commit_time_ms < 0)
            return false;
    return true;
}

}  // namespace

Status check(const OffsetRecord& record) {
    if (record.name.size() > kMaxOffsetNameBytes)
        return invalid("a name has at most " + std::to_string(kMaxOffsetNameBytes) + " bytes");
    for (const OffsetCommit& offset : record.offsets) WALRUS_RETURN_IF_ERROR(check(offset));
    return {};
}

std::size_t encoded_bytes(const OffsetCommit& offset) {
    return kOffsetOverheadBytes + offset.topic.size() + offset.committed.metadata.size();
}

std::string encode(const OffsetRecord& record) {
    WALRUS_ASSERT(check(record).has_value());
    StoredRecord stored{.kind = record.kind, .name = record.name};
    stored.offsets.reserve(record.offsets.size());
    for (const OffsetCommit& offset : record.offsets)
        stored.offsets.push_back(
            {.topic = offset.topic,
             .partition = offset.partition,
             .offset = static_cast<std::int64_t>(offset.committed.offset.value),
             .leader_epoch = offset.committed.leader_epoch,
             .commit_time_ms = static_cast<std::int64_t>(offset.committed.commit_time_ms),
             .metadata = offset.committed.metadata});
    std::string out;
    protocol::kafka::Writer writer(out, kVersion, false);
    writer(kVersion, stored);
    return out;
}

Result<OffsetRecord> decode_offset_record(Bytes bytes) {
    protocol::kafka::Reader reader(bytes, kVersion, false);
    std::int8_t version = 0;
    reader(version);
    if (reader.ok() && version != kVersion)
        return Error{Errc::kUnsupported,
                     "offset store: a record of version " + std::to_string(version) +
                         "; this build reads version 1: use the build that wrote it"};
    StoredRecord stored;
    reader(stored);
    if (!reader.finish("offset record") || !makes_sense(stored))
        return Error{Errc::kCorruption, "offset store: a malformed record"};

    OffsetRecord record{.kind = stored.kind, .name = std::move(stored.name)};
    record.offsets.reserve(stored.offsets.size());
    for (StoredOffset& offset : stored.offsets)
        record.offsets.push_back(
            {.topic = std::move(offset.topic),
             .partition = offset.partition,
             .committed = {.offset = Offset{static_cast<std::uint64_t>(offset.offset)},
                           .leader_epoch = offset.leader_epoch,
                           .metadata = std::move(offset.metadata),
                           .commit_time_ms = static_cast<std::uint64_t>(offset.commit_time_ms)}});
    return record;
}

}  // namespace walrus::broker

// One record of the offset store's log: walrus/spec/offset_store.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/broker/types.h"

namespace walrus::broker {

enum class OffsetRecordKind : std::int8_t {
    kCommit = 1,       // `offsets` are where `name`, a group, goes on.
    kForgetGroup = 2,  // Nothing is known of `name`, a group.
    kForgetTopic = 3,  // No group knows anything of `name`, a topic.
};

struct OffsetRecord {
    OffsetRecordKind kind = OffsetRecordKind::kCommit;
    std::string name = {};
    std::vector<OffsetCommit> offsets = {};  // Of kCommit.
};

inline constexpr std::size_t kMaxOffsetNameBytes = 1024;  // Of a group or topic.
inline constexpr std::size_t kMaxOffsetMetadataBytes = 32'767;

// kInvalidArgument, naming what is wrong.
Status check(const OffsetRecord& record);

// Of a record that check() likes.
std::string encode(const OffsetRecord& record);
// About what one more offset takes in encode(); never less.
std::size_t encoded_bytes(const OffsetCommit& offset);

// kCorruption: the bytes are no record.  kUnsupported: of a newer version.
Result<OffsetRecord> decode_offset_record(Bytes bytes);

}  // namespace walrus::broker

// The bytes of messages, entries, hard state and snapshot metadata.
//
// Every encoding begins with the version byte.  Integers are little-endian and of fixed size:
//
//   message     version u8 | type u8 (position in MessageBody) | from u64 | to u64 | term u64 |
//   body entry       index u64 | term u64 | kind u8 | bytes bytes       length u32 | that many
//   bytes node list   count u16 | count x u64 conf state  voters | outgoing | learners |
//   next_learners (node lists) | auto_leave u8 snapshot    index u64 | term u64 | conf state hard
//   state  version u8 | term u64 | vote u64 | commit u64
//
// A body holds the fields of its struct in order; booleans are 0 or 1; the entries of an
// AppendRequest are a count u32 and that many entries.  There is no checksum: frames and storage
// have their own.  Decoding trusts nothing: it answers kCorruption, never asserts, and allocates
// no more than the input's size justifies.
#pragma once

#include <cstdint>
#include <string>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/raft/message.h"

namespace walrus::raft {

inline constexpr std::uint8_t kCodecVersion = 1;

std::string encode(const Message& message);
std::string encode(const Entry& entry);
std::string encode(const HardState& hard_state);
std::string encode(const SnapshotMeta& meta);
std::string encode(const ConfState& conf);

// Each wants exactly one value: bytes left over are an error.  What decodes has passed validate().
Result<Message> decode_message(Bytes bytes);
Result<Entry> decode_entry(Bytes bytes);
Result<HardState> decode_hard_state(Bytes bytes);
Result<SnapshotMeta> decode_snapshot_meta(Bytes bytes);
Result<ConfState> decode_conf_state(Bytes bytes);

// Whether a message makes sense by itself: addresses, terms, contiguous entries, valid
// configurations.  kCorruption names the first fault.
Status validate(const Message& message);

}  // namespace walrus::raft

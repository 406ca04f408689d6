// MemberFile: the small file that says whose directory it is and where the others are.
//
//   "WMBR" version u8 | phase u8 | drained u8 | cluster u64 | node u64 | peers u32 |
//   peers x (node u64 | address length u32 | address) | CRC-32C of all before u32
//
// Little-endian.  It is replaced as a whole: temporary name, sync, rename, sync of the directory.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "walrus/base/result.h"
#include "walrus/cluster/types.h"
#include "walrus/env/env.h"

namespace walrus::member {

enum class MemberPhase : std::uint8_t {
    kBootstrapping,  // The first member of a new cluster is being made.
    kJoining,        // A member is being made; the cluster may know it already.
    kMade,
};

struct MemberFile {
    MemberPhase phase = MemberPhase::kMade;
    bool drained = false;  // Only for a stop: the next start ends it.
    std::uint64_t cluster = 0;
    cluster::NodeId node = cluster::kNobody;
    std::map<cluster::NodeId, std::string> peers = {};  // "host:port", of the transport.

    bool operator==(const MemberFile&) const = default;
};

std::string encode(const MemberFile& file);
// kCorruption: not a whole file of this version.
Result<MemberFile> decode_member_file(std::string_view bytes);

// Nothing: there is none.  kCorruption: it is damaged.
Result<std::optional<MemberFile>> read_member_file(env::Env& env, const std::string& directory);
// Durable when it returns.  Makes the directory.
Status write_member_file(env::Env& env, const std::string& directory, const MemberFile& file);

}  // namespace walrus::member

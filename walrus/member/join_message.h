// What a node that wants to join asks, and what it is told.  Carried by Transport::ask().
//
//   question   version u8 | cluster u64 | node u64 | boot u64 | disk u64 | three addresses
//   answer     version u8 | kind u8 | code u8 | cluster u64 | text | peers u32 | peers x (node u64
//              | address)
//
// Little-endian; texts stand behind a u32 length.  Another version of the question is answered with
// a refusal of this version, which every version must be able to read.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "walrus/base/result.h"
#include "walrus/cluster/types.h"

namespace walrus::member {

struct JoinQuestion {
    std::uint64_t cluster = 0;  // 0: any.
    cluster::NodeId node = cluster::kNobody;
    cluster::BootId boot = 0;
    cluster::DiskId disk = 0;  // 0: it has none yet, because it does not know the cluster.
    std::string peer_address = {};
    std::string text_address = {};
    std::string kafka_address = {};

    bool operator==(const JoinQuestion&) const = default;
};

struct JoinAnswer {
    enum class Kind : std::uint8_t {
        kRefused,   // `code` and `text` say why.
        kNotNow,    // No leader is known, or it is busy: ask again soon.
        kRedirect,  // Ask the node at address `text`.
        kMakeDisk,  // Welcome in `cluster`: make a disk and ask again with its id.
        kAccepted,  // A member of `cluster`; `peers` are the others.
    };
    Kind kind = Kind::kRefused;
    Errc code = Errc::kIo;
    std::uint64_t cluster = 0;
    std::string text = {};
    std::map<cluster::NodeId, std::string> peers = {};  // Their addresses.

    bool operator==(const JoinAnswer&) const = default;
};

std::string encode(const JoinQuestion& question);
std::string encode(const JoinAnswer& answer);
// kUnsupported: of another version.  kCorruption: no such message.
Result<JoinQuestion> decode_join_question(std::string_view bytes);
Result<JoinAnswer> decode_join_answer(std::string_view bytes);

}  // namespace walrus::member

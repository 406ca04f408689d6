// What nodes say to each other about segments.  Bytes: message_codec.h.
//
// Every message may be lost, delayed, repeated and reordered.  A request is answered with the epoch
// it carried; an answer names the disk it speaks for, because a disk that was replaced has
// forgotten its promises (I12).
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "walrus/cluster/batch.h"
#include "walrus/cluster/types.h"

namespace walrus::cluster {

// Leader to replica; with `recovery`, coordinator or repairer to replica.  Without batches: a
// question for the state, or news of the high watermark.
struct AppendRequest {
    SegmentKey key = {};
    Epoch epoch = {};
    std::uint64_t first = 0;           // Length before the first batch.
    ChainHash prev_chain = {};         // Hash there.
    std::uint64_t high_watermark = 0;  // As a length.
    bool recovery = false;
    std::vector<Batch> batches = {};

    bool operator==(const AppendRequest&) const = default;
};

enum class AppendStatus : std::uint8_t {
    kOk,       // The batches are stored or on their way; durable_length says how far it is.
    kFenced,   // `promised` is above the request's epoch.
    kGap,      // `length` is where this replica goes on.
    kSealed,   // The segment has ended.
    kCorrupt,  // The chain differs: not the same segment any more.
    kFailed,   // The disk failed; this copy is of no more use.
    kUnknown,  // This node does not know of its copy (yet).
};
constexpr AppendStatus last_of(AppendStatus) {
    return AppendStatus::kUnknown;
}

struct AppendReply {
    SegmentKey key = {};
    Epoch epoch = {};  // Of the request.
    DiskId disk = 0;
    AppendStatus status = AppendStatus::kOk;
    Epoch promised = {};
    std::uint64_t length = 0;          // Stored, durable or not.
    std::uint64_t durable_length = 0;  // Durable as the topic's policy asks.
    // The prev_chain of the request was compared and fits; with kOk and no batches this proves that
    // the replica holds everything before `first`.
    std::uint64_t verified_length = 0;

    bool operator==(const AppendReply&) const = default;
};

struct FenceRequest {
    SegmentKey key = {};
    Epoch epoch = {};

    bool operator==(const FenceRequest&) const = default;
};

enum class FenceStatus : std::uint8_t {
    kFenced,      // Promised durably; the rest of the answer is this replica's durable state.
    kSuperseded,  // `promised` is above the request's epoch.
    kFailed,
    kUnknown,
};
constexpr FenceStatus last_of(FenceStatus) {
    return FenceStatus::kUnknown;
}

struct FenceReply {
    SegmentKey key = {};
    Epoch epoch = {};  // Of the request.
    DiskId disk = 0;
    FenceStatus status = FenceStatus::kFenced;
    Epoch promised = {};
    std::uint64_t length = 0;  // Claimed; beyond `intact` it cannot be read.
    Mark intact = {};          // The readable prefix.
    std::uint64_t high_watermark = 0;
    bool lossy = false;  // May have lost what it had answered for: counts as unknown, not absent.

    bool operator==(const FenceReply&) const = default;
};

// Reads what a fenced or sealed replica holds.  Only with the promised epoch, so that no reader
// sees an end that may still move (the read fences).
struct ReadRequest {
    SegmentKey key = {};
    Epoch epoch = {};
    std::uint64_t first = 0;
    std::uint64_t max_bytes = 0;  // At least one batch comes back.

    bool operator==(const ReadRequest&) const = default;
};

enum class ReadStatus : std::uint8_t { kOk, kFenced, kOutOfRange, kFailed, kUnknown };
constexpr ReadStatus last_of(ReadStatus) {
    return ReadStatus::kUnknown;
}

struct ReadReply {
    SegmentKey key = {};
    Epoch epoch = {};  // Of the request.
    ReadStatus status = ReadStatus::kOk;
    std::uint64_t first = 0;
    ChainHash prev_chain = {};
    std::vector<Batch> batches = {};

    bool operator==(const ReadReply&) const = default;
};

// "Have you promised anything above this epoch?"  Confirms reads (lease.h).
struct ConfirmRequest {
    SegmentKey key = {};
    Epoch epoch = {};
    std::uint64_t round = 0;

    bool operator==(const ConfirmRequest&) const = default;
};

struct ConfirmReply {
    SegmentKey key = {};
    Epoch epoch = {};
    DiskId disk = 0;
    std::uint64_t round = 0;
    bool confirmed = false;

    bool operator==(const ConfirmReply&) const = default;
};

// A new leader asks a holder of the sealed predecessor for the producers' state at its end.
struct ProducersRequest {
    SegmentKey key = {};
    std::uint64_t length = 0;  // Where it was sealed.

    bool operator==(const ProducersRequest&) const = default;
};

struct ProducersReply {
    SegmentKey key = {};
    bool known = false;
    Payload table = {};

    bool operator==(const ProducersReply&) const = default;
};

// Every node to every node, at a fixed interval: this run is alive.
struct NodeHeartbeat {
    BootId boot = 0;
    DiskId disk = 0;

    bool operator==(const NodeHeartbeat&) const = default;
};

// The controller asks a node to make itself a copy of a sealed segment.
struct CopyRequest {
    SegmentKey key = {};

    bool operator==(const CopyRequest&) const = default;
};

using MessageBody = std::variant<AppendRequest, AppendReply, FenceRequest, FenceReply, ReadRequest,
                                 ReadReply, ConfirmRequest, ConfirmReply, ProducersRequest,
                                 ProducersReply, NodeHeartbeat, CopyRequest>;

struct Message {
    NodeId from = kNobody;
    NodeId to = kNobody;
    MessageBody body = {};

    bool operator==(const Message&) const = default;
};

}  // namespace walrus::cluster

// Replica: one copy of one segment, as a pure state machine.
//
// Every member of a segment has one, also the leader's node: the leader talks to its own copy as to
// any other.  It keeps the promises of the segment protocol: nothing of an epoch below the promised
// one is stored or answered for, nothing stands behind a gap or on another chain, and every answer
// speaks of durable things only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "walrus/base/result.h"
#include "walrus/cluster/metadata.h"
#include "walrus/cluster/output.h"
#include "walrus/cluster/producer_table.h"

namespace walrus::cluster {

// A stored batch without its data.
struct BatchHeader {
    std::uint32_t records = 0;
    ProducerStamp producer = {};
    Mark end = {};  // Behind the batch.

    bool operator==(const BatchHeader&) const = default;
};

// What a copy's store found when the node started.
struct RestoredReplica {
    Epoch promised = {};
    // A boundary at or below the high watermark (0 is one), the producers' state there, and the
    // readable batches behind it.
    Mark trusted = {};
    ProducerTable producers = {};
    std::vector<BatchHeader> tail = {};
    // Above the readable end: damage hides what was there, up to here.
    std::uint64_t claimed_length = 0;
    std::uint64_t last_ticket = 0;  // Of an earlier copy of this run that was removed.
    // The last run ended uncleanly under a policy weaker than kDisk, so answered appends may be
    // missing.
    bool lossy = false;
};

// One thread at a time.  Writes leave in order as Output::writes; the driver reports them with
// persisted() when they are as durable as they ask for.
class Replica {
public:
    Replica(TopicId topic, const Segment& segment, ReplicaId self, RestoredReplica restored);

    void on(NodeId from, const AppendRequest& request, Output& out);
    void on(NodeId from, const FenceRequest& request, Output& out);
    void on(NodeId from, const ReadRequest& request, Output& out);
    void on(NodeId from, const ConfirmRequest& request, Output& out);
    void on(NodeId from, const ProducersRequest& request, Output& out);

    // All writes up to `ticket` are durable.
    void persisted(std::uint64_t ticket, Output& out);
    // A write failed: this copy answers for nothing any more.  What was durable can still be read.
    void write_failed(Output& out);
    // The metadata has moved on; only the sealed state matters to a copy.
    void update(const Segment& segment, Output& out);

    SegmentKey key() const { return key_; }
    Epoch promised() const { return promised_; }
    const Mark& end() const { return end_; }
    std::uint64_t durable_length() const { return durable_; }
    // One past the last record that may be read by consumers: never taken back.
    std::uint64_t readable_length() const;
    // It holds all of the sealed segment and nothing else.
    bool complete() const;
    // It is not the segment it should be: to be dropped and fetched again.
    bool corrupt() const { return corrupt_; }
    bool failed() const { return failed_; }
    const ProducerTable& producers() const { return producers_; }
    std::uint64_t last_ticket() const { return ticket_; }

    // All of the state as bytes: copies with equal bytes behave alike.  For comparing.
    void append_state(std::string& out) const;

private:
    struct AppendWaiting {
        NodeId to = {};
        Epoch epoch = {};
        std::uint64_t verified = {};
    };
    struct FenceWaiting {
        NodeId to = {};
        Epoch epoch = {};

        bool operator==(const FenceWaiting&) const = default;
    };
    struct Waiting {
        std::uint64_t ticket = {};
        std::uint64_t length = {};  // Of the copy once the ticket is durable.
        std::variant<std::monostate, AppendWaiting, FenceWaiting> answer = {};
    };

    AppendStatus admit(const AppendRequest& request) const;
    // Stores what is new of the request; false: it contradicts what is here.
    bool store(const AppendRequest& request, Output& out);
    bool take_preamble(const Batch& batch);
    void promise(Epoch epoch, Output& out);
    void write(decltype(DiskWrite::operation) operation, Output& out);
    void answer(NodeId to, Epoch epoch, AppendStatus status, std::uint64_t verified, Output& out);
    void answer_fence(NodeId to, Epoch epoch, Output& out);
    // Compares and cuts once the sealed length is known and reached.
    void settle(Output& out);
    void learn_high_watermark(std::uint64_t length);
    // Moves the trusted boundary up to `length`, which the tail reaches.
    void trust(std::uint64_t length);
    // The boundary at `length`, if it is still known.
    std::optional<Mark> mark_at(std::uint64_t length) const;
    Mark durable_mark() const;

    SegmentKey key_;
    ReplicaId self_;
    Durability durability_;
    Offset base_;
    Epoch promised_;
    Mark trusted_;
    ProducerTable producers_;        // At trusted_.
    std::vector<BatchHeader> tail_;  // Between trusted_ and end_.
    Mark end_;
    std::uint64_t durable_ = 0;
    std::uint64_t claimed_ = 0;
    std::uint64_t high_watermark_ = 0;  // As told; may be beyond end_.
    std::optional<Mark> sealed_;
    std::uint64_t ticket_ = 0;
    std::uint64_t persisted_ = 0;
    std::vector<Waiting> waiting_;  // By ticket.
    bool lossy_ = false;
    bool corrupt_ = false;
    bool failed_ = false;
};

}  // namespace walrus::cluster

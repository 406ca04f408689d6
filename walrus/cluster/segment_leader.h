// SegmentLeader: the one incarnation that may append to an open segment, as a pure state machine.
//
// It gives out positions, sends every batch to all replicas (its own node's included) and counts
// what they have durable.  The high watermark is the A-th largest of that; a batch is acknowledged
// when it is covered.  It never changes the set of replicas: when one is dead or slow it asks for a
// rollover to a healthy set.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "walrus/cluster/lease.h"
#include "walrus/cluster/metadata.h"
#include "walrus/cluster/output.h"
#include "walrus/cluster/producer_table.h"

namespace walrus::cluster {

// `self` is the one incarnation that may lead it.  A restarted node is another: it has forgotten
// what it gave out, so it must not go on (I1).
bool may_lead(const Segment& segment, const LeaderId& self);

struct LeaderOptions {
    std::uint64_t max_unacked_bytes = std::uint64_t{64} << 20;   // Admission stops above it.
    std::uint64_t max_inflight_bytes = std::uint64_t{16} << 20;  // To one follower, unanswered.
    std::uint64_t max_message_bytes = std::uint64_t{1} << 20;
    // Acknowledged batches kept for followers that are behind; who needs older ones is lost to
    // this segment and repaired after the seal.
    std::uint64_t max_window_bytes = std::uint64_t{128} << 20;
    std::uint32_t resend_ticks = 3;    // Without progress, what is unanswered is sent again.
    std::uint32_t trouble_ticks = 20;  // Without progress, the follower is in trouble.
};

// One thread at a time.
class SegmentLeader {
public:
    // `segment` is open and led by this incarnation; `producers` is the state at its base.
    SegmentLeader(const LeaderOptions& options, TopicId topic, const Segment& segment,
                  ProducerTable producers);

    // Answered by an AppendDone with `request`, at once or later.
    void append(std::uint64_t request, Batch batch, Output& out);
    // Answered by a ReadDone with the high watermark after a round that began after this call; not
    // confirmed when this leader has stopped admitting, for then the next one may be at work.
    void confirm_read(std::uint64_t request, Output& out);
    void on(NodeId from, const AppendReply& reply, Output& out);
    void on(NodeId from, const ConfirmReply& reply, Output& out);
    void tick(Output& out);

    // Graceful rollover: admits nothing more; once drained() the segment may be sealed at
    // content().
    void stop_admitting() { admitting_ = false; }
    bool admitting() const { return admitting_ && !fenced_; }
    // A batch came that does not fit into what is left of max_records; smaller ones wait, too, or
    // they would overtake it.
    bool full() const { return full_; }
    bool drained() const;
    SealedContent content() const;
    // The copies that have everything durable; at least A once it is drained.
    std::vector<ReplicaId> holders() const;
    // Every copy that is not lost has everything.
    bool all_hold_it() const;
    // The reign is over: what is not acknowledged has an unknown outcome.
    void abandon(Output& out);
    bool fenced() const { return fenced_; }

    SegmentKey key() const { return key_; }
    Epoch epoch() const { return segment_.epoch; }
    const Mark& end() const { return end_; }
    std::uint64_t high_watermark() const { return committed_.length; }
    // What the copy on `disk` is known to have durable; 0 for strangers.
    std::uint64_t durable_length(DiskId disk) const;
    // Some replica failed, is lost or makes no progress.
    bool replica_trouble() const;
    const ProducerTable& producers() const { return producers_; }

    // All of the state as bytes, but for the batches' data.  For comparing.
    void append_state(std::string& out) const;

private:
    struct Peer {
        ReplicaId id;
        std::uint64_t durable = 0;
        std::uint64_t next = 0;                    // First record not yet sent.
        std::uint64_t told = 0;                    // High watermark it was told.
        std::uint64_t gap_at = ~std::uint64_t{0};  // A gap that is being closed.
        std::uint32_t idle_ticks = 0;              // Without progress while something is open.
        bool lost = false;  // Failed, on another chain, or behind the window.
    };
    struct Sent {
        Mark before;
        Batch batch;
    };
    struct Pending {
        std::uint64_t request;
        Offset offset;
        AppendOutcome outcome;  // When committed.
    };

    // Answers everything that is not new; true: append it.
    bool admit(std::uint64_t request, const Batch& batch, Output& out);
    void finish(std::uint64_t request, AppendOutcome outcome, std::optional<Offset> offset,
                Output& out) const;
    Peer* peer(NodeId node, DiskId disk);
    void send_batches(Peer& peer, Output& out);
    void tell(Peer& peer, Output& out);
    AppendRequest request_at(const Mark& mark) const;
    std::size_t window_index(std::uint64_t length) const;
    void advance(Output& out);
    void prune();
    // Asks A replicas whether this is still the leader; the answer is confirmed(id, ...).
    void confirm(std::uint64_t id, Output& out);
    void confirmed(std::uint64_t id, bool leads, Output& out);
    bool may_be_sealed() const;
    void begin_round(Output& out);
    std::uint64_t bytes_between(std::uint64_t from, std::uint64_t to) const;

    LeaderOptions options_;
    SegmentKey key_;
    Segment segment_;
    std::vector<Peer> peers_;
    Mark end_;                 // Behind the last appended batch.
    Mark committed_;           // At the high watermark.
    std::deque<Sent> window_;  // Contiguous up to end_.
    std::uint64_t window_bytes_ = 0;
    std::uint64_t unacked_bytes_ = 0;
    std::multimap<std::uint64_t, Pending> pending_;  // By the length that commits them.
    ProducerTable producers_;                        // At end_.
    ReadRounds rounds_;
    std::uint64_t rounds_asked_ = 0;
    // What waits for a round, by its id there: the requests of reads, and of appends that look out
    // of order, which only a leader that is confirmed may say.
    std::map<std::uint64_t, std::uint64_t> reads_;
    std::map<std::uint64_t, std::uint64_t> doubts_;
    bool admitting_ = true;
    bool full_ = false;
    bool fenced_ = false;
};

}  // namespace walrus::cluster

// Lease: permission in time, for read freshness and the hand-over of single-copy segments only.
//
// Never the fence: no append is safe because of a clock.  Records below the high watermark need no
// lease at all; "there is nothing newer" does.  The default answer to that is ReadRounds: A
// replicas say, after the question arrived, that they have not promised a newer epoch.  A seal
// needs F fenced replicas and A + F > RF, so no seal had completed when the read began; but for the
// graceful one of the leader itself, which confirms nothing once it may have proposed it.  No clock
// is involved.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "walrus/cluster/types.h"

namespace walrus::cluster {

// Confirmation of reads by one batched round per heartbeat.  One thread at a time.
class ReadRounds {
public:
    explicit ReadRounds(std::uint32_t ack_quorum) : ack_quorum_(ack_quorum) {}

    // A read arrived; its answer waits for a round that starts from now on.
    void add(std::uint64_t read) { waiting_.push_back(read); }
    // Some read is not confirmed yet.
    bool has_open() const { return !waiting_.empty() || !asked_.empty(); }

    // Begins the next round for what waits now; the heartbeats must be sent after this call.
    std::uint64_t begin();
    std::uint64_t round() const { return round_; }

    // `node` has not promised a newer epoch, and said so after `round` began.  Returns the reads
    // that are confirmed by it.
    std::vector<std::uint64_t> confirm(NodeId node, std::uint64_t round);
    // The leader was fenced: nothing that waits can be confirmed here.  Returns all of it.
    std::vector<std::uint64_t> abandon();

private:
    struct Asked {
        std::uint64_t round;
        std::vector<std::uint64_t> reads;
    };

    std::uint32_t ack_quorum_;
    std::uint64_t round_ = 0;
    std::vector<std::uint64_t> waiting_;
    std::vector<Asked> asked_;                   // By round.
    std::map<NodeId, std::uint64_t> confirmed_;  // Highest round each node answered.
};

// Hand-over of a segment with a single copy: without a second copy nothing can be fenced, so the
// next leader waits until the last grant has expired on the old leader's clock.
struct LeaseOptions {
    std::uint64_t ttl_ms = 2000;
    std::uint64_t drift_per_mille = 10;  // Clocks differ in speed by at most this.
    std::uint64_t margin_ms = 50;
};
// On the holder's clock: a grant for a request sent at `sent_ms` holds until here.  Counted from
// the sending, so that the grantor's wait always covers it.
std::uint64_t lease_expires_ms(const LeaseOptions& options, std::uint64_t sent_ms);
// On the grantor's clock: from here on a lease granted at `granted_ms` has surely expired.
std::uint64_t lease_over_ms(const LeaseOptions& options, std::uint64_t granted_ms);

}  // namespace walrus::cluster

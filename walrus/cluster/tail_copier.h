// TailCopier: brings one target's copy of a segment up to a known end, from one source.
//
// Pure; used by seal coordinators (holders) and repairers (new copies).  It asks the target where
// it is, reads the next piece from the source, appends it, and ends with the target's own word
// that it holds everything up to the end on the same chain.
#pragma once

#include <cstdint>
#include <string>

#include "walrus/cluster/output.h"

namespace walrus::cluster {

class TailCopier {
public:
    struct Job {
        NodeId self = kNobody;
        SegmentKey key = {};
        Epoch epoch = {};
        ReplicaId source = {};
        ReplicaId target = {};
        Mark end = {};
        std::uint64_t max_bytes = std::uint64_t{1} << 20;
    };

    explicit TailCopier(const Job& job) : job_(job) {}

    // Asks the target where it is; also after a message was lost.
    void start(Output& out);
    void on(NodeId from, const AppendReply& reply, Output& out);
    void on(NodeId from, const ReadReply& reply, Output& out);

    const Job& job() const { return job_; }
    // The target holds [0, end) durably and on the right chain.
    bool done() const { return done_; }
    // Target or source cannot do it: another chain, a failed disk, a newer epoch.
    bool failed() const { return failed_; }

    // All of the state as bytes.  For comparing.
    void append_state(std::string& out) const;

private:
    void read(Output& out);

    Job job_;
    std::uint64_t position_ = 0;  // Where the target goes on, once `reading_`.
    bool reading_ = false;
    bool done_ = false;
    bool failed_ = false;
};

}  // namespace walrus::cluster

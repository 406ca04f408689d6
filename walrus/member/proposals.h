// Proposals: commands of this node that somebody waits for.
//
// A proposal may be lost on its way, so it is made again until it is applied here or its time is
// over: a command is answered from memory the second time (cluster/dedup_table.h).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "walrus/cluster/command.h"
#include "walrus/member/member.h"
#include "walrus/raft/raft.h"

namespace walrus::member {

// All on the loop.
class Proposals {
public:
    // `client` is this run's boot id.
    explicit Proposals(std::uint64_t client) : client_(client) {}

    void add(cluster::CommandBody body, std::uint64_t deadline_ms, ProposeCallback done);
    // Nobody waits for it: made once.
    void propose_once(raft::Raft& raft, cluster::CommandBody body);

    // Makes those that are due.
    void make(raft::Raft& raft);
    // Somebody else leads: what was made may be lost.
    void make_all_again();
    void applied(const raft::Entry& entry, const cluster::CommandResult& result);
    void tick(std::uint64_t now_ms, const raft::Raft& raft);

    // What was decided since the last call, for the callers to be told.
    std::vector<std::function<void()>> take_decided();

private:
    struct Open {
        raft::Payload command;
        std::uint64_t deadline_ms = 0;
        ProposeCallback done;
        bool due = true;
        raft::Proposed made = {};
        std::uint64_t made_tick = 0;
    };

    bool is_lost(const Open& open, const raft::Raft& raft) const;
    void decide(std::map<std::uint64_t, Open>::iterator which,
                Result<cluster::CommandResult> result);

    const std::uint64_t client_;
    std::uint64_t sequence_ = 0;
    std::uint64_t ticks_ = 0;
    bool any_due_ = false;
    std::map<std::uint64_t, Open> open_;  // By sequence.
    std::vector<std::function<void()>> decided_;
};

}  // namespace walrus::member

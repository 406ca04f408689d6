// RunBuilder: what a read returned, in the few words of a history.
#pragma once

#include <cstdint>

#include "harness/history/history.h"
#include "walrus/base/bytes.h"

namespace walrus::harness {

// Fills the runs of one poll.  Used by one thread.
class RunBuilder {
public:
    RunBuilder(std::uint64_t run_id, PollOp& poll) : run_id_(run_id), poll_(poll) {}

    // The next record that was read.
    void add(std::uint64_t offset, Bytes record);
    bool empty() const {
        return poll_.runs.empty() && poll_.damaged.empty() && poll_.foreign.empty();
    }
    // One past the last offset added.
    std::uint64_t next_offset() const { return next_offset_; }

private:
    const std::uint64_t run_id_;
    PollOp& poll_;
    std::uint64_t next_offset_ = 0;
};

}  // namespace walrus::harness

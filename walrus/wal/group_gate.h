// GroupGate: where the appenders of a commit group sleep until their group is durable.
//
// One futex word per group, so that finishing a group wakes its own members and nobody else
// (a shared condition variable costs a third of the rate at 10 writers; spec/decisions.md).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "walrus/base/strong.h"

namespace walrus::wal {

// Thread-safe.  Groups are numbered from 1 on and opened in order.
class GroupGate {
public:
    enum class Outcome {
        kDone,    // Durable up to what was waited for.
        kLead,    // The caller was chosen to write the next group; it must do so.
        kFailed,  // fail() was called.
    };

    // Group `group` begins to take members.
    void open(std::uint64_t group) { slot(group).store(word(group, kPending)); }
    // Everything before `durable` is durable.
    void advance(Lsn durable) { durable_.store(durable.value, std::memory_order_release); }
    Lsn durable() const { return Lsn{durable_.load(std::memory_order_acquire)}; }
    // Marks the group done; then wake() its members, best outside of any lock.
    void finish(std::uint64_t group) { slot(group).store(word(group, kDone)); }
    void wake(std::uint64_t group);
    // Asks one sleeping member of the open group to lead.
    void offer_lead(std::uint64_t group);
    // Nothing will be durable any more; wakes everybody.
    void fail();

    // Waits as a member of `group` until everything before `end` is durable.
    Outcome wait(std::uint64_t group, Lsn end);

private:
    enum State : std::uint32_t { kPending = 0, kOffered = 1, kTaken = 2, kDone = 3 };
    static constexpr std::size_t kSlots = 64;
    static std::uint32_t word(std::uint64_t group, State state) {
        return static_cast<std::uint32_t>(group << 2) | state;
    }
    std::atomic<std::uint32_t>& slot(std::uint64_t group) { return slots_[group % kSlots]; }

    std::array<std::atomic<std::uint32_t>, kSlots> slots_{};
    std::atomic<std::uint64_t> durable_{0};
    std::atomic<bool> failed_{false};
};

}  // namespace walrus::wal

#include "walrus/wal/group_gate.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

namespace walrus::wal {
namespace {

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected) {
    syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

void futex_wake(std::atomic<std::uint32_t>& word, int count) {
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

}  // namespace

void GroupGate::wake(std::uint64_t group) {
    futex_wake(slot(group), INT_MAX);
}

void GroupGate::offer_lead(std::uint64_t group) {
    std::uint32_t pending = word(group, kPending);
    std::uint32_t taken = word(group, kTaken);
    // A group that was led and then not written whole can be offered again.
    if (!slot(group).compare_exchange_strong(pending, word(group, kOffered)))
        slot(group).compare_exchange_strong(taken, word(group, kOffered));
    futex_wake(slot(group), 1);
}

void GroupGate::fail() {
    failed_.store(true, std::memory_order_release);
    for (std::atomic<std::uint32_t>& word : slots_) {
        word.fetch_add(1U << 2);  // Whatever a member is about to sleep on is no longer there.
        futex_wake(word, INT_MAX);
    }
}

GroupGate::Outcome GroupGate::wait(std::uint64_t group, Lsn end) {
    std::atomic<std::uint32_t>& mine = slot(group);
    for (;;) {
        std::uint32_t seen = mine.load(std::memory_order_acquire);
        if (durable() >= end) return Outcome::kDone;
        if (failed_.load(std::memory_order_acquire)) return Outcome::kFailed;
        if (seen == word(group, kOffered) &&
            mine.compare_exchange_strong(seen, word(group, kTaken)))
            return Outcome::kLead;
        futex_wait(mine, seen);
    }
}

}  // namespace walrus::wal

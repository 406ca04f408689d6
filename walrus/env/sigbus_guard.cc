#include "walrus/env/sigbus_guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>

namespace walrus::env {
namespace {

constexpr std::uintptr_t kPageSize = 4096;

// One covered range.  The handler reads it at any moment, so everything is atomic, and `end` is
// zero whenever `begin` changes: a half-written slot covers nothing.
struct Slot {
    std::atomic<bool> taken{false};
    std::atomic<std::uintptr_t> begin{0};
    std::atomic<std::uintptr_t> end{0};
    std::atomic<bool> failed{false};
};

// All that the handler touches has static storage and needs no construction at run time.
constinit std::array<Slot, 1024> slots{};
struct sigaction previous {};

static_assert(std::atomic<std::uintptr_t>::is_always_lock_free);
static_assert(std::atomic<bool>::is_always_lock_free);

Slot* slot_of(std::uintptr_t address) {
    for (Slot& slot : slots) {
        const std::uintptr_t end = slot.end.load(std::memory_order_acquire);
        if (address < end && address >= slot.begin.load(std::memory_order_acquire)) return &slot;
    }
    return nullptr;
}

// The system call itself: sanitizers intercept mmap(), and their hook is not for signal handlers.
bool replace_page(std::uintptr_t address) {
    const std::uintptr_t page = address / kPageSize * kPageSize;
    const long got = ::syscall(SYS_mmap, page, kPageSize, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    return static_cast<std::uintptr_t>(got) == page;
}

void hand_on(int number, siginfo_t* info, void* context) {
    if ((previous.sa_flags & SA_SIGINFO) != 0) {
        previous.sa_sigaction(number, info, context);
    } else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
        // The signal is blocked here and arrives, with the default action, when we return.
        ::signal(number, SIG_DFL);
        ::raise(number);
    } else {
        previous.sa_handler(number);
    }
}

// Async-signal-safe: lock-free atomics and system calls only.
void on_sigbus(int number, siginfo_t* info, void* context) {
    const int saved_errno = errno;
    const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
    Slot* slot = info->si_code > 0 ? slot_of(address) : nullptr;  // <= 0: sent by a process.
    if (slot != nullptr && replace_page(address)) {
        slot->failed.store(true, std::memory_order_release);
    } else {
        hand_on(number, info, context);
    }
    errno = saved_errno;
}

void install_handler() {
    static std::once_flag once;
    std::call_once(once, [] {
        struct sigaction action {};
        action.sa_sigaction = on_sigbus;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        ::sigemptyset(&action.sa_mask);
        ::sigaction(SIGBUS, nullptr, &previous);  // First, so that the handler never sees it empty.
        ::sigaction(SIGBUS, &action, nullptr);
    });
}

}  // namespace

Result<std::unique_ptr<SigbusGuard>> SigbusGuard::cover(void* begin, std::size_t size_bytes) {
    install_handler();
    const auto address = reinterpret_cast<std::uintptr_t>(begin);
    for (std::size_t i = 0; i < slots.size(); ++i) {
        if (slots[i].taken.exchange(true, std::memory_order_acq_rel)) continue;
        slots[i].failed.store(false, std::memory_order_release);
        slots[i].begin.store(address, std::memory_order_release);
        slots[i].end.store(address + size_bytes, std::memory_order_release);
        return std::unique_ptr<SigbusGuard>(new SigbusGuard(i));
    }
    return Error{Errc::kResourceExhausted, "map: too many mapped files"};
}

SigbusGuard::~SigbusGuard() {
    slots[slot_].end.store(0, std::memory_order_release);
    slots[slot_].begin.store(0, std::memory_order_release);
    slots[slot_].taken.store(false, std::memory_order_release);
}

bool SigbusGuard::failed() const {
    return slots[slot_].failed.load(std::memory_order_acquire);
}

}  // namespace walrus::env

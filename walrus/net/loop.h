// Loop: the one thread on which a server's state lives.
//
// Everything that a server decides, it decides here, one function after the other; so its rooms
// need no locks.  What blocks (a cold read, a sync) runs elsewhere and comes back with post().
#pragma once

#include <cstdint>
#include <functional>

namespace walrus::net {

// A timer that was set; 0 is none.
using TimerId = std::uint64_t;

class Loop {
public:
    virtual ~Loop() = default;

    // Runs `work` on the loop, after what was posted before.  From any thread.
    virtual void post(std::function<void()> work) = 0;

    // --- on the loop only ---
    // Runs `work` once, not before `delay_ms` have passed.
    virtual TimerId after_ms(std::uint64_t delay_ms, std::function<void()> work) = 0;
    // The timer's work will not run.  Fine when it has run, or is 0.
    virtual void cancel(TimerId timer) = 0;
    // Calls `readable` whenever the descriptor is, until unwatch(), which has to come before the
    // descriptor is closed.  False: this loop cannot, and nothing will be called.
    virtual bool watch(int /*fd*/, std::function<void()> /*readable*/) { return false; }
    virtual void unwatch(int /*fd*/) {}
    // Monotonic, in milliseconds since some moment; and the wall clock's, since 1970.
    virtual std::uint64_t now_ms() const = 0;
    virtual std::uint64_t wall_ms() const = 0;
};

}  // namespace walrus::net

// Wake: one post to the loop for however many calls.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "walrus/net/loop.h"

namespace walrus::member {

// Made by make(), because a post that is under way keeps it alive.
class Wake : public std::enable_shared_from_this<Wake> {
public:
    // `loop` outlives it.
    static std::shared_ptr<Wake> make(net::Loop& loop, std::function<void()> work) {
        return std::shared_ptr<Wake>(new Wake(loop, std::move(work)));
    }

    // Runs the work on the loop once, soon.  From any thread.
    void operator()() {
        if (posted_.exchange(true)) return;
        loop_.post([self = shared_from_this()] {
            self->posted_ = false;
            if (!self->abandoned_) self->work_();
        });
    }
    // On the loop: the work never runs again.
    void abandon() { abandoned_ = true; }

private:
    Wake(net::Loop& loop, std::function<void()> work) : loop_(loop), work_(std::move(work)) {}

    net::Loop& loop_;
    const std::function<void()> work_;
    std::atomic<bool> posted_ = false;
    bool abandoned_ = false;  // Of the loop.
};

}  // namespace walrus::member

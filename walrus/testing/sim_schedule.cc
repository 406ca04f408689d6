#include "walrus/testing/sim_schedule.h"

#include <algorithm>
#include <utility>

namespace walrus::testing {

void SimSchedule::after(std::uint64_t delay_ns, Action action) {
    heap_.push_back({now_ns_ + delay_ns, ++numbers_, std::move(action)});
    std::push_heap(heap_.begin(), heap_.end(), later);
}

void SimSchedule::move_to(std::uint64_t ns) {
    clock_.advance_ns(ns - now_ns_);
    now_ns_ = ns;
}

bool SimSchedule::run_next(std::uint64_t until_ns) {
    if (heap_.empty() || heap_.front().at_ns > until_ns) {
        if (until_ns > now_ns_) move_to(until_ns);
        return false;
    }
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Event event = std::move(heap_.back());
    heap_.pop_back();
    move_to(event.at_ns);
    ++steps_;
    event.action();
    return true;
}

}  // namespace walrus::testing

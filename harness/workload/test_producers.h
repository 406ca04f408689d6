// Producers for tests: systems of known behaviour on a virtual clock.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "harness/driver/driver.h"
#include "harness/workload/test_clock.h"

namespace walrus::harness {

// Takes `service_ns` for each append; acknowledges asynchronous ones when the next but `depth`
// comes, or at drain().
class FakeProducer final : public Producer {
public:
    FakeProducer(VirtualClock& clock, std::uint64_t service_ns, std::size_t depth = 0)
        : clock_(clock), service_ns_(service_ns), depth_(depth) {}

    Status append(std::uint32_t topic, std::span<const Bytes> records) override {
        calls_ns.push_back(clock_.monotonic_ns());
        clock_.advance(service_ns_);
        topics.push_back(topic);
        if (fail_at != 0 && topics.size() == fail_at) return fail_with;
        for (const Bytes record : records) stored.emplace_back(record.begin(), record.end());
        return {};
    }
    Status append_async(std::uint32_t topic, std::span<const Bytes> records,
                        Completion& completion) override {
        WALRUS_RETURN_IF_ERROR(append(topic, records));
        waiting_.push_back(&completion);
        most_waiting = std::max(most_waiting, waiting_.size());
        if (waiting_.size() > depth_) complete_oldest();
        return {};
    }
    Status drain() override {
        while (!waiting_.empty()) complete_oldest();
        return {};
    }

    std::vector<std::uint64_t> calls_ns;  // When each append was called.
    std::vector<std::uint32_t> topics;
    std::vector<std::vector<std::byte>> stored;
    std::size_t most_waiting = 0;
    std::size_t fail_at = 0;  // The append that fails, from 1.
    Error fail_with{Errc::kNoSpace, "full"};

private:
    void complete_oldest() {
        waiting_.front()->done({});
        waiting_.erase(waiting_.begin());
    }

    VirtualClock& clock_;
    const std::uint64_t service_ns_;
    const std::size_t depth_;
    std::vector<Completion*> waiting_;
};

// Takes `service_ns`, but acknowledges nothing during the first `stall_ns` of every `period_ns`.
class StallingProducer final : public Producer {
public:
    StallingProducer(VirtualClock& clock, std::uint64_t service_ns, std::uint64_t stall_ns,
                     std::uint64_t period_ns)
        : clock_(clock), service_ns_(service_ns), stall_ns_(stall_ns), period_ns_(period_ns) {}

    Status append(std::uint32_t, std::span<const Bytes>) override {
        const std::uint64_t now_ns = clock_.monotonic_ns();
        const std::uint64_t period_begin_ns = now_ns / period_ns_ * period_ns_;
        clock_.wait_until(period_begin_ns + stall_ns_);
        clock_.advance(service_ns_);
        return {};
    }
    Status append_async(std::uint32_t topic, std::span<const Bytes> records,
                        Completion& completion) override {
        WALRUS_RETURN_IF_ERROR(append(topic, records));
        completion.done({});
        return {};
    }
    Status drain() override { return {}; }

private:
    VirtualClock& clock_;
    const std::uint64_t service_ns_;
    const std::uint64_t stall_ns_;
    const std::uint64_t period_ns_;
};

}  // namespace walrus::harness

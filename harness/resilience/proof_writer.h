// ProofWriter: offers records at fixed moments, whatever happens, and writes down what became of
// them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "harness/driver/driver.h"
#include "harness/history/history_writer.h"
#include "harness/metrics/paced_clock.h"
#include "harness/scenario/resilience.h"
#include "harness/workload/payload.h"

namespace walrus::harness {

struct ProofWriterPlan {
    std::uint32_t writer = 0;
    ResilienceLoad load;
    std::uint64_t seed = 0;
    std::uint64_t run_id = 0;
    std::uint64_t begin_ns = 0;
};

// A thread of its own from start() to stop().  Errors do not end it: an outcome is written down and
// the next record is sent when it is due.  All arguments outlive it.
class ProofWriter {
public:
    ProofWriter(System& system, HistoryWriter& history, PacedClock& clock,
                const ProofWriterPlan& plan);
    ~ProofWriter();
    ProofWriter(const ProofWriter&) = delete;
    ProofWriter& operator=(const ProofWriter&) = delete;

    Status start();
    // Sends no more; returns when everything sent has an outcome or never will.
    void stop();

    std::uint64_t acknowledged() const { return acknowledged_; }
    // The sequence of a record that was acknowledged lately; nothing: there is none.
    std::optional<std::uint64_t> recent() const;

private:
    struct Pending;

    void run();
    // Null: stopped meanwhile.
    Pending* take_slot();
    void send(Pending& slot, std::uint64_t due_ns);
    void finished(Pending& slot, const Status& status);
    void renew_producer();
    bool wait_until(std::uint64_t due_ns);

    System& system_;
    HistoryWriter& history_;
    PacedClock& clock_;
    const ProofWriterPlan plan_;
    PayloadStream payload_;
    std::unique_ptr<Producer> producer_;
    std::uint64_t sent_ = 0;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> poisoned_{false};
    std::atomic<std::uint64_t> acknowledged_{0};
    std::atomic<std::uint64_t> recent_{0};  // One past it; 0: none.
    std::mutex mutex_;
    std::condition_variable room_;
    std::deque<Pending> slots_;  // All there are; they do not move.
    std::deque<Pending*> free_;
    std::thread thread_;
};

}  // namespace walrus::harness

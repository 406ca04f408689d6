// ProofConsumer: follows every topic, whatever happens, and writes down what it got.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "harness/driver/driver.h"
#include "harness/history/history_writer.h"
#include "harness/metrics/paced_clock.h"

namespace walrus::harness {

struct ProofConsumerPlan {
    std::uint32_t consumer = 0;
    std::uint32_t consumers = 1;
    std::uint32_t topics = 1;
    std::uint64_t run_id = 0;
};

// A thread of its own from start() to stop().  After an error it reads the topic again from its
// start, as the next consumer of its line (id + consumers).  All arguments outlive it.
class ProofConsumer {
public:
    ProofConsumer(System& system, HistoryWriter& history, PacedClock& clock,
                  const ProofConsumerPlan& plan);
    ~ProofConsumer() { stop(); }
    ProofConsumer(const ProofConsumer&) = delete;
    ProofConsumer& operator=(const ProofConsumer&) = delete;

    Status start();
    void stop();
    // One past the last offset it got of `topic`.
    std::uint64_t next_offset(std::uint32_t topic) const { return follows_[topic].next; }

private:
    struct Follow {
        std::unique_ptr<Reader> reader;  // Null: to be made again.
        std::uint32_t id = 0;
        std::atomic<std::uint64_t> next{0};
    };

    void run();
    // True: something came.
    bool poll(std::uint32_t topic);
    void wait_for_more(std::uint32_t topic);

    System& system_;
    HistoryWriter& history_;
    PacedClock& clock_;
    const ProofConsumerPlan plan_;
    std::vector<Follow> follows_;  // By topic.
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}  // namespace walrus::harness

// Histories written by hand, for tests of what judges them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "harness/history/history.h"

namespace walrus::harness {

// One topic, one consumer and two writers unless told otherwise; time goes on by 1 ms an operation.
// Every append is one record.
class HandWritten {
public:
    explicit HandWritten(std::uint32_t topics = 1, std::uint32_t consumers = 1) {
        history_.header = {.run_id = 1,
                           .topics = topics,
                           .writers = 2,
                           .consumers = consumers,
                           .begin_ns = 1,
                           .wall_ms = 0};
        history_.complete = true;
    }

    // The writer's next record; for acknowledged ones at this offset.
    HandWritten& ok(std::uint64_t offset, std::uint32_t writer = 0, std::uint32_t topic = 0) {
        append(writer, topic, Outcome::kAcknowledged).offset = offset;
        return *this;
    }
    HandWritten& fail(std::uint32_t writer = 0, std::uint32_t topic = 0) {
        append(writer, topic, Outcome::kFailed);
        return *this;
    }
    HandWritten& unknown(std::uint32_t writer = 0, std::uint32_t topic = 0) {
        append(writer, topic, Outcome::kUnknown).done_ns = 0;
        return *this;
    }
    HandWritten& poll(std::vector<RecordRun> runs, std::uint32_t topic = 0,
                      std::uint32_t consumer = 0) {
        add_poll(std::move(runs), topic).consumer = consumer;
        return *this;
    }
    HandWritten& final_read(std::vector<RecordRun> runs, std::uint32_t topic = 0,
                            const std::string& node = "n1") {
        PollOp& poll = add_poll(std::move(runs), topic);
        poll.final_read = true;
        poll.reached_end = true;
        poll.node = node;
        return *this;
    }
    HandWritten& phase(const std::string& name) {
        history_.phases.push_back({.name = name, .begin_ns = tick()});
        return *this;
    }
    // A fault's next step: begun, witnessed, healing, healed.
    HandWritten& begun() {
        history_.faults.push_back({.id = static_cast<std::uint32_t>(history_.faults.size()),
                                   .kind = "kill",
                                   .node = "n1",
                                   .begun_ns = tick()});
        return *this;
    }
    HandWritten& witnessed() {
        history_.faults.back().witnessed_ns = tick();
        return *this;
    }
    HandWritten& healing() {
        history_.faults.back().healing_ns = tick();
        return *this;
    }
    HandWritten& healed() {
        history_.faults.back().healed_ns = tick();
        return *this;
    }
    HandWritten& after_ms(std::uint64_t ms) {
        now_ns_ += ms * 1'000'000;
        return *this;
    }

    History& history() { return history_; }
    History& done() {
        history_.end_ns = tick();
        return history_;
    }

private:
    std::uint64_t tick() { return now_ns_ += 1'000'000; }

    AppendOp& append(std::uint32_t writer, std::uint32_t topic, Outcome outcome) {
        const std::uint64_t sent_ns = tick();
        history_.appends.push_back({.writer = writer,
                                    .sequence = next_[writer]++,
                                    .topic = topic,
                                    .due_ns = sent_ns,
                                    .sent_ns = sent_ns,
                                    .done_ns = tick(),
                                    .outcome = outcome});
        return history_.appends.back();
    }
    PollOp& add_poll(std::vector<RecordRun> runs, std::uint32_t topic) {
        const std::uint64_t begin_ns = tick();
        history_.polls.push_back(
            {.topic = topic, .begin_ns = begin_ns, .end_ns = tick(), .runs = std::move(runs)});
        return history_.polls.back();
    }

    History history_;
    std::uint64_t now_ns_ = 0;
    std::uint64_t next_[2] = {0, 0};
};

}  // namespace walrus::harness

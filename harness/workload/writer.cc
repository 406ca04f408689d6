#include "harness/workload/writer.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "harness/workload/pacer.h"
#include "harness/workload/recorder.h"

namespace walrus::harness {
namespace {

// One append at a time; the next begins when the last is acknowledged.
template <class Pacer>
void run_one_by_one(const WriterTools& tools, const WriterPlan& plan, WriterReport& report) {
    Recorder<Pacer::kScheduled> recorder(plan, report, tools.latency);
    Pacer pacer(plan, tools.clock, report);
    TopicCycle topic(plan);
    AppendTimes times;
    std::uint64_t left = plan.max_appends == 0 ? ~std::uint64_t{0} : plan.max_appends;
    times.end_ns = tools.clock.monotonic_ns();
    for (; left > 0 && pacer.wait(times.end_ns, times.due_ns); --left) {
        const std::uint64_t sequence = tools.payload.sequence();
        const std::span<const Bytes> records = tools.payload.next(plan.batch, times.due_ns);
        times.begin_ns = tools.clock.monotonic_ns();
        Status status = tools.producer.append(topic.next(), records);
        times.end_ns = tools.clock.monotonic_ns();
        recorder.sent(times);
        if (!status) {
            tools.journal.add(sequence, plan.batch, outcome_of_error(status.error()));
            report.status = std::move(status);
            return;
        }
        tools.journal.add(sequence, plan.batch, Outcome::kAcknowledged);
        recorder.acknowledged(times);
    }
}

// One append in flight.  The completion fills end_ns and status, then marks the slot finished; the
// writer reads them after it saw that, so its histogram has one user only.
struct Slot final : Completion {
    enum State : int { kPending, kAwaited, kFinished };

    std::uint64_t sequence = 0;
    AppendTimes times;
    Status status;
    PacedClock* clock = nullptr;
    bool used = false;  // By the writer: sent and not yet harvested.
    std::atomic<int> state{kPending};

    void done(const Status& outcome) override {
        times.end_ns = clock->monotonic_ns();
        if (!outcome) status = outcome;
        if (state.exchange(kFinished, std::memory_order_acq_rel) == kAwaited) state.notify_one();
    }
    bool finished() const { return state.load(std::memory_order_acquire) == kFinished; }
    void wait() {
        int seen = kPending;
        state.compare_exchange_strong(seen, kAwaited, std::memory_order_acq_rel);
        while (!finished()) state.wait(kAwaited, std::memory_order_acquire);
    }
};

// Keeps a ring of slots; the oldest is harvested before its place is used again, so at most
// `outstanding` appends are in flight and outcomes are journaled in order.
template <class Pacer>
class InFlightLoop {
public:
    InFlightLoop(const WriterTools& tools, const WriterPlan& plan, WriterReport& report)
        : tools_(tools),
          plan_(plan),
          report_(report),
          recorder_(plan, report, tools.latency),
          pacer_(plan, tools.clock, report),
          topic_(plan),
          slots_(std::make_unique<Slot[]>(plan.outstanding)) {
        for (std::uint32_t i = 0; i < plan.outstanding; ++i) slots_[i].clock = &tools.clock;
    }

    void run() {
        std::uint64_t left = plan_.max_appends == 0 ? ~std::uint64_t{0} : plan_.max_appends;
        std::uint32_t at = 0;
        std::uint64_t due_ns = 0;
        for (; left > 0; --left) {
            Slot& slot = slots_[at];
            if (slot.used) {
                wait_for_room(at);
                harvest(slot);
            }
            if (!report_.status || !pacer_.wait(tools_.clock.monotonic_ns(), due_ns)) break;
            if (!send(slot, due_ns)) break;
            if (++at == plan_.outstanding) at = 0;
        }
        finish(at);
    }

private:
    bool send(Slot& slot, std::uint64_t due_ns) {
        slot.sequence = tools_.payload.sequence();
        const std::span<const Bytes> records = tools_.payload.next(plan_.batch, due_ns);
        slot.state.store(Slot::kPending, std::memory_order_relaxed);
        slot.times = {.due_ns = due_ns, .begin_ns = tools_.clock.monotonic_ns(), .end_ns = 0};
        recorder_.sent(slot.times);
        Status status = tools_.producer.append_async(topic_.next(), records, slot);
        slot.used = status.has_value();
        if (slot.used) return true;
        refused_ = {slot.sequence, slot.sequence + plan_.batch, outcome_of_error(status.error())};
        if (report_.status) report_.status = std::move(status);
        return false;
    }

    // A full window is refilled by a quarter at once.  A producer that is woken for every single
    // acknowledgement takes turns with the thread that delivers them, at two context switches per
    // append; no client library works so.  An open loop has its own moments.
    void wait_for_room(std::uint32_t at) {
        if (plan_.load != Load::kWindow || slots_[at].finished()) return;
        const std::uint32_t ahead = std::max(1u, plan_.outstanding / 4) - 1;
        Slot& last = slots_[(at + ahead) % plan_.outstanding];
        if (last.used) last.wait();
    }

    void harvest(Slot& slot) {
        slot.wait();
        slot.used = false;
        if (slot.status) {
            tools_.journal.add(slot.sequence, plan_.batch, Outcome::kAcknowledged);
            recorder_.acknowledged(slot.times);
            return;
        }
        tools_.journal.add(slot.sequence, plan_.batch, outcome_of_error(slot.status.error()));
        if (report_.status) report_.status = slot.status;
        slot.status = {};
    }

    // Harvests what is in flight, oldest first; `at` is where the next append would have gone.
    void finish(std::uint32_t at) {
        Status drained = tools_.producer.drain();
        if (!drained && report_.status) report_.status = drained;
        for (std::uint32_t i = 0; i < plan_.outstanding; ++i) {
            Slot& slot = slots_[(at + i) % plan_.outstanding];
            if (!slot.used) continue;
            if (drained || slot.finished()) {
                harvest(slot);
            } else {
                tools_.journal.add(slot.sequence, plan_.batch, Outcome::kUnknown);
                recorder_.outstanding_at_end();
            }
        }
        if (refused_.end > 0) {
            tools_.journal.add(refused_.begin, refused_.end - refused_.begin, refused_.outcome);
        }
    }

    const WriterTools& tools_;
    const WriterPlan& plan_;
    WriterReport& report_;
    Recorder<Pacer::kScheduled> recorder_;
    Pacer pacer_;
    TopicCycle topic_;
    std::unique_ptr<Slot[]> slots_;
    Exception refused_;  // The append that was not accepted; end == 0 when there is none.
};

}  // namespace

WriterReport run_writer(const WriterTools& tools, const WriterPlan& plan) {
    WriterReport report;
    switch (plan.load) {
        case Load::kClosed: run_one_by_one<ClosedPacer>(tools, plan, report); break;
        case Load::kBurst: run_one_by_one<BurstPacer>(tools, plan, report); break;
        case Load::kWindow: InFlightLoop<ClosedPacer>(tools, plan, report).run(); break;
        case Load::kOpen:
            if (plan.outstanding == 1) {
                run_one_by_one<OpenPacer>(tools, plan, report);
            } else {
                InFlightLoop<OpenPacer>(tools, plan, report).run();
            }
            break;
    }
    return report;
}

}  // namespace walrus::harness

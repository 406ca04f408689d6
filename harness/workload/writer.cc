#include "harness/workload/writer.h"

#include <atomic>
#include <memory>
#include <utility>

namespace walrus::harness {
namespace {

// Counts acknowledgements that fall into the window.
class Recorder {
public:
    Recorder(const Window& window, WriterReport& report)
        : window_(window), report_(report), interval_end_ns_(window.begin_ns + window.interval_ns) {
        report.series.resize(1);
    }

    void acknowledged(std::uint64_t begin_ns, std::uint64_t end_ns, std::uint64_t records) {
        if (!window_.contains(end_ns)) return;
        report_.latency_ns.record(end_ns - begin_ns);
        ++report_.appends;
        report_.records += records;
        while (end_ns >= interval_end_ns_) {
            interval_end_ns_ += window_.interval_ns;
            report_.series.push_back(0);
        }
        report_.series.back() += records;
    }

private:
    const Window& window_;
    WriterReport& report_;
    std::uint64_t interval_end_ns_;  // Of the last element of the series.
};

// Topics in turn, so that every topic of the writer gets the same share.
class TopicCycle {
public:
    explicit TopicCycle(const WriterPlan& plan) : plan_(plan), topic_(plan.first_topic) {}

    std::uint32_t next() {
        const std::uint32_t topic = topic_;
        topic_ += plan_.topic_step;
        if (topic_ >= plan_.topics) topic_ = plan_.first_topic;
        return topic;
    }

private:
    const WriterPlan& plan_;
    std::uint32_t topic_;
};

Outcome outcome_of_error(const Error& error) {
    return error.code == Errc::kTimeout || error.code == Errc::kIo ? Outcome::kUnknown
                                                                   : Outcome::kFailed;
}

bool more_to_send(const WriterPlan& plan, std::uint64_t now_ns, std::uint64_t sent) {
    return now_ns < plan.window.end_ns && (plan.max_appends == 0 || sent < plan.max_appends);
}

void run_closed(Producer& producer, PayloadStream& payload, PacedClock& clock,
                const WriterPlan& plan, WriterReport& report) {
    Recorder recorder(plan.window, report);
    TopicCycle topic(plan);
    std::uint64_t now_ns = clock.monotonic_ns();
    for (std::uint64_t sent = 0; more_to_send(plan, now_ns, sent); ++sent) {
        const std::uint64_t sequence = payload.sequence();
        const std::span<const Bytes> records = payload.next(plan.batch);
        const std::uint64_t begin_ns = clock.monotonic_ns();
        Status status = producer.append(topic.next(), records);
        now_ns = clock.monotonic_ns();
        if (!status) {
            report.journal.add(sequence, plan.batch, outcome_of_error(status.error()));
            report.status = std::move(status);
            return;
        }
        report.journal.add(sequence, plan.batch, Outcome::kAcknowledged);
        recorder.acknowledged(begin_ns, now_ns, plan.batch);
    }
}

// One append in flight.  The completion fills end_ns and status, then sets finished; the writer
// reads them after it saw that, so its histogram has one user only.
struct Slot final : Completion {
    std::uint64_t sequence = 0;
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;
    Status status;
    PacedClock* clock = nullptr;
    bool used = false;  // By the writer: sent and not yet harvested.
    std::atomic<int> finished{0};

    void done(const Status& outcome) override {
        end_ns = clock->monotonic_ns();
        if (!outcome) status = outcome;
        finished.store(1, std::memory_order_release);
        finished.notify_one();
    }
};

// Keeps a ring of slots; the oldest is harvested before its place is used again, so at most
// `outstanding` appends are in flight and outcomes are journaled in order.
class WindowLoop {
public:
    WindowLoop(Producer& producer, PayloadStream& payload, PacedClock& clock,
               const WriterPlan& plan, WriterReport& report)
        : producer_(producer),
          payload_(payload),
          clock_(clock),
          plan_(plan),
          report_(report),
          recorder_(plan.window, report),
          topic_(plan),
          slots_(std::make_unique<Slot[]>(plan.outstanding)) {
        for (std::uint32_t i = 0; i < plan.outstanding; ++i) slots_[i].clock = &clock;
    }

    void run() {
        std::uint64_t sent = 0;
        std::uint32_t at = 0;
        while (report_.status && more_to_send(plan_, clock_.monotonic_ns(), sent)) {
            Slot& slot = slots_[at];
            if (slot.used) harvest(slot);
            if (!send(slot)) break;
            ++sent;
            if (++at == plan_.outstanding) at = 0;
        }
        finish(at);
    }

private:
    bool send(Slot& slot) {
        slot.sequence = payload_.sequence();
        const std::span<const Bytes> records = payload_.next(plan_.batch);
        slot.finished.store(0, std::memory_order_relaxed);
        slot.begin_ns = clock_.monotonic_ns();
        Status status = producer_.append_async(topic_.next(), records, slot);
        slot.used = status.has_value();
        if (slot.used) return true;
        refused_ = {slot.sequence, slot.sequence + plan_.batch, outcome_of_error(status.error())};
        if (report_.status) report_.status = std::move(status);
        return false;
    }

    void harvest(Slot& slot) {
        slot.finished.wait(0, std::memory_order_acquire);
        slot.used = false;
        if (slot.status) {
            report_.journal.add(slot.sequence, plan_.batch, Outcome::kAcknowledged);
            recorder_.acknowledged(slot.begin_ns, slot.end_ns, plan_.batch);
            return;
        }
        report_.journal.add(slot.sequence, plan_.batch, outcome_of_error(slot.status.error()));
        if (report_.status) report_.status = slot.status;
        slot.status = {};
    }

    // Harvests what is in flight, oldest first; `at` is where the next append would have gone.
    void finish(std::uint32_t at) {
        Status drained = producer_.drain();
        if (!drained && report_.status) report_.status = drained;
        for (std::uint32_t i = 0; i < plan_.outstanding; ++i) {
            Slot& slot = slots_[(at + i) % plan_.outstanding];
            if (!slot.used) continue;
            if (drained || slot.finished.load(std::memory_order_acquire) != 0) {
                harvest(slot);
            } else {
                report_.journal.add(slot.sequence, plan_.batch, Outcome::kUnknown);
            }
        }
        if (refused_.end > 0) {
            report_.journal.add(refused_.begin, refused_.end - refused_.begin, refused_.outcome);
        }
    }

    Producer& producer_;
    PayloadStream& payload_;
    PacedClock& clock_;
    const WriterPlan& plan_;
    WriterReport& report_;
    Recorder recorder_;
    TopicCycle topic_;
    std::unique_ptr<Slot[]> slots_;
    Exception refused_;  // The append that was not accepted; end == 0 when there is none.
};

}  // namespace

WriterReport run_writer(Producer& producer, PayloadStream& payload, PacedClock& clock,
                        const WriterPlan& plan) {
    WriterReport report;
    switch (plan.load) {
        case Load::kClosed: run_closed(producer, payload, clock, plan, report); break;
        case Load::kWindow: WindowLoop(producer, payload, clock, plan, report).run(); break;
    }
    return report;
}

}  // namespace walrus::harness

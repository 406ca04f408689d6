#include "harness/resilience/proof_writer.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

#include "harness/workload/schedule.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kStopNoticedNs = 20'000'000;  // How soon a stop is noticed.

}  // namespace

// One append in flight.  Free again when it is done, or when its producer is gone.
struct ProofWriter::Pending final : Completion {
    explicit Pending(ProofWriter& owner) : writer(owner) {}

    void placed_at(std::uint64_t offset) override { append.offset = offset; }
    void done(const Status& status) override { writer.finished(*this, status); }

    ProofWriter& writer;
    AppendOp append;
    bool in_flight = false;  // Under the writer's mutex.
};

ProofWriter::ProofWriter(System& system, HistoryWriter& history, PacedClock& clock,
                         const ProofWriterPlan& plan)
    : system_(system),
      history_(history),
      clock_(clock),
      plan_(plan),
      payload_({.seed = plan.seed,
                .run_id = plan.run_id,
                .writer = plan.writer,
                .bytes = plan.load.payload_bytes}) {}

ProofWriter::~ProofWriter() {
    stop();
    producer_.reset();  // Before the slots that it may still know.
}

Status ProofWriter::start() {
    auto producer = system_.producer(plan_.writer);
    if (!producer) return std::move(producer).error();
    producer_ = std::move(*producer);
    thread_ = std::thread([this] { run(); });
    return {};
}

void ProofWriter::stop() {
    stopping_ = true;
    room_.notify_all();
    if (thread_.joinable()) thread_.join();
}

std::optional<std::uint64_t> ProofWriter::recent() const {
    const std::uint64_t end = recent_;
    if (end == 0) return std::nullopt;
    return end - 1;
}

void ProofWriter::run() {
    const double per_s =
        static_cast<double>(plan_.load.rate_per_s) / static_cast<double>(plan_.load.writers);
    Schedule schedule({.appends_per_s = per_s,
                       .begin_ns = plan_.begin_ns,
                       .phase = static_cast<double>(plan_.writer) / plan_.load.writers});
    for (;;) {
        const std::uint64_t due_ns = schedule.next();
        if (!wait_until(due_ns)) break;
        if (poisoned_) renew_producer();
        Pending* slot = take_slot();
        if (slot == nullptr) break;
        send(*slot, due_ns);
    }
    const Status drained = producer_->drain();
    static_cast<void>(drained.has_value());  // What has no outcome by now is unknown.
}

bool ProofWriter::wait_until(std::uint64_t due_ns) {
    while (!stopping_) {
        const std::uint64_t now_ns = clock_.monotonic_ns();
        if (now_ns >= due_ns) return true;
        clock_.wait_until(std::min(due_ns, now_ns + kStopNoticedNs));
    }
    return false;
}

ProofWriter::Pending* ProofWriter::take_slot() {
    std::unique_lock lock(mutex_);
    while (free_.empty() && slots_.size() >= plan_.load.outstanding && !stopping_) {
        room_.wait_for(lock, std::chrono::nanoseconds(kStopNoticedNs));
    }
    if (stopping_) return nullptr;
    if (free_.empty()) {
        slots_.emplace_back(*this);
        free_.push_back(&slots_.back());
    }
    Pending* slot = free_.front();
    free_.pop_front();
    slot->in_flight = true;
    return slot;
}

void ProofWriter::send(Pending& slot, std::uint64_t due_ns) {
    const std::uint64_t sequence = payload_.sequence();
    const std::span<const Bytes> records = payload_.next(1, due_ns);
    const auto topic = static_cast<std::uint32_t>((plan_.writer + sent_++) % plan_.load.topics);
    slot.append = {.writer = plan_.writer,
                   .sequence = sequence,
                   .topic = topic,
                   .due_ns = due_ns,
                   .sent_ns = clock_.monotonic_ns()};
    history_.append_sent(slot.append);
    const Status sent = producer_->append_async(topic, records, slot);
    if (!sent) finished(slot, sent);
}

// On any thread.  The line is written before the slot may be used again.
void ProofWriter::finished(Pending& slot, const Status& status) {
    AppendOp& append = slot.append;
    append.done_ns = clock_.monotonic_ns();
    append.outcome = status ? Outcome::kAcknowledged : outcome_of_error(status.error());
    if (!status) append.why = status.error().message;
    history_.append_done(append);
    if (status) {
        ++acknowledged_;
        recent_ = append.sequence + 1;
    } else if (status.error().code == Errc::kPoisoned) {
        poisoned_ = true;
    }
    const std::lock_guard lock(mutex_);
    slot.in_flight = false;
    free_.push_back(&slot);
    room_.notify_one();
}

// The old one says nothing more after it is gone: what it had in flight stays without an outcome.
void ProofWriter::renew_producer() {
    const Status drained = producer_->drain();
    static_cast<void>(drained.has_value());
    auto producer = system_.producer(plan_.writer);
    if (!producer) return;  // Tried again with the next record.
    producer_ = std::move(*producer);
    poisoned_ = false;
    const std::lock_guard lock(mutex_);
    for (Pending& slot : slots_) {
        if (std::exchange(slot.in_flight, false)) free_.push_back(&slot);
    }
}

}  // namespace walrus::harness

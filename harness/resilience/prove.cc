#include "harness/resilience/prove.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/nodes.h"
#include "harness/fault/fault.h"
#include "harness/fault/process_control.h"
#include "harness/history/history_writer.h"
#include "harness/resilience/proof_consumer.h"
#include "harness/resilience/proof_writer.h"
#include "harness/resilience/run_builder.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kLookNs = 5'000'000;
constexpr std::uint64_t kPatienceForAcksNs = 30'000'000'000;
constexpr std::uint64_t kMostLogBytes = 16 << 20;
// How servers say that they hit a bug of their own.
constexpr std::array<std::string_view, 8> kCrashWords = {
    "Assertion",       "assertion failed", "AddressSanitizer", "runtime error:",
    "ThreadSanitizer", "terminate called", "OutOfMemoryError", "FATAL"};

class Prover {
public:
    Prover(System& system, const ProveRequest& request, PacedClock& clock)
        : system_(system),
          request_(request),
          scenario_(request.scenario),
          clock_(clock),
          random_(request.scenario.seed) {}

    Status run() {
        WALRUS_RETURN_IF_ERROR(system_.create_topics(scenario_.load.topics));
        WALRUS_RETURN_IF_ERROR(open_history());
        WALRUS_RETURN_IF_ERROR(start_clients());
        const ResiliencePhases& phases = scenario_.phases;
        begin_phase("warm-up", phases.warm_up_ns);
        begin_phase("steady", phases.steady_ns);
        fault_phase();
        begin_phase("healed", phases.healed_ns);
        begin_phase("final", 0);
        for (const auto& writer : writers_) writer->stop();
        final_reads();
        look_for_crashes();
        history_->end(clock_.monotonic_ns());
        return history_->status();
    }

private:
    Status open_history() {
        auto history =
            HistoryWriter::create(request_.history, {.run_id = request_.run_id,
                                                     .scenario = scenario_.name,
                                                     .system = request_.system,
                                                     .version = request_.version,
                                                     .topics = scenario_.load.topics,
                                                     .writers = scenario_.load.writers,
                                                     .consumers = scenario_.load.consumers,
                                                     .begin_ns = clock_.monotonic_ns(),
                                                     .wall_ms = clock_.wall_ms()});
        if (!history) return std::move(history).error();
        history_ = std::move(*history);
        return {};
    }

    Status start_clients() {
        const ResilienceLoad& load = scenario_.load;
        for (std::uint32_t i = 0; i < load.consumers; ++i) {
            consumers_.push_back(
                std::make_unique<ProofConsumer>(system_, *history_, clock_,
                                                ProofConsumerPlan{.consumer = i,
                                                                  .consumers = load.consumers,
                                                                  .topics = load.topics,
                                                                  .run_id = request_.run_id}));
            WALRUS_RETURN_IF_ERROR(consumers_.back()->start());
        }
        const std::uint64_t begin_ns = clock_.monotonic_ns();
        for (std::uint32_t i = 0; i < load.writers; ++i) {
            writers_.push_back(std::make_unique<ProofWriter>(system_, *history_, clock_,
                                                             ProofWriterPlan{
                                                                 .writer = i,
                                                                 .load = load,
                                                                 .seed = scenario_.seed,
                                                                 .run_id = request_.run_id,
                                                                 .begin_ns = begin_ns,
                                                             }));
            WALRUS_RETURN_IF_ERROR(writers_.back()->start());
        }
        return {};
    }

    std::uint64_t begin_phase(std::string_view name, std::uint64_t duration_ns) {
        const std::uint64_t begin_ns = clock_.monotonic_ns();
        history_->phase(name, begin_ns);
        clock_.wait_until(begin_ns + duration_ns);
        return begin_ns;
    }

    void fault_phase() {
        const std::uint64_t begin_ns = begin_phase("fault", 0);
        for (const DueFault& due : due_faults(scenario_)) {
            clock_.wait_until(begin_ns + due.at_ns);
            wait_for_acks(due.plan->after_acks);
            do_fault(*due.plan);
        }
        clock_.wait_until(begin_ns + scenario_.phases.fault_ns);
    }

    std::uint64_t acknowledged() const {
        std::uint64_t count = 0;
        for (const auto& writer : writers_) count += writer->acknowledged();
        return count;
    }

    void wait_for_acks(std::uint64_t count) {
        const std::uint64_t target = acknowledged() + count;
        const std::uint64_t deadline_ns = clock_.monotonic_ns() + kPatienceForAcksNs;
        while (acknowledged() < target) {
            if (clock_.monotonic_ns() >= deadline_ns) {
                history_->note(fmt::format("after_acks = {}: they did not come", count));
                return;
            }
            clock_.wait_until(clock_.monotonic_ns() + kLookNs);
        }
    }

    // One fault that was begun.
    struct Begun {
        std::uint32_t id;
        std::string node;
        std::unique_ptr<Fault> fault;
    };

    void do_fault(const FaultPlan& plan) {
        Nodes* nodes = system_.nodes();
        const auto targets = nodes == nullptr
                                 ? Error{Errc::kUnsupported, "the system has no nodes of its own"}
                                 : nodes->find(plan.target);
        if (!targets || targets->empty()) {
            history_->note(
                fmt::format("{} of {}: {}", fault_name(plan.kind), role_name(plan.target),
                            targets ? "no node has this role" : targets.error().message));
            return;
        }
        std::vector<Begun> begun;
        for (const std::uint32_t node : *targets) {
            begun.push_back({.id = next_fault_++,
                             .node = nodes->facts(node).name,
                             .fault = make_fault(plan, {*nodes, random_, some_record()}, node)});
            inject(plan, begun.back());
        }
        clock_.wait_until(clock_.monotonic_ns() + plan.duration_ns);
        for (Begun& one : begun) {
            note_step(plan, one, "healing", std::string());
            note_step(plan, one, "undone", one.fault->heal());
        }
        for (Begun& one : begun) note_step(plan, one, "healed", one.fault->await_healed());
    }

    void inject(const FaultPlan& plan, Begun& one) {
        note_step(plan, one, "begun", std::string());
        note_step(plan, one, "witnessed", one.fault->inject());
    }

    void note_step(const FaultPlan& plan, const Begun& one, std::string_view state,
                   const Result<std::string>& seen) {
        if (!seen && state != "witnessed") refused_.insert(one.node);
        if (seen && state == "healed") refused_.erase(one.node);
        history_->fault({.id = one.id,
                         .kind = fault_name(plan.kind),
                         .node = one.node,
                         .state = seen ? state : "failed",
                         .what = seen ? *seen : seen.error().message},
                        clock_.monotonic_ns());
    }

    std::optional<RecordBytes> some_record() const {
        for (const auto& writer : writers_) {
            const auto recent = writer->recent();
            if (!recent) continue;
            // From the middle: its neighbours were acknowledged as well.
            return RecordBytes{.run_id = request_.run_id,
                               .writer = static_cast<std::uint32_t>(&writer - writers_.data()),
                               .sequence = *recent / 2};
        }
        return std::nullopt;
    }

    // Every topic to its end; then the consumers, until they have all of that too.
    void final_reads() {
        std::vector<std::uint64_t> ends;
        for (std::uint32_t topic = 0; topic < scenario_.load.topics; ++topic) {
            ends.push_back(final_read(topic));
        }
        const std::uint64_t deadline_ns = clock_.monotonic_ns() + scenario_.load.settle_ns;
        const auto all_there = [&] {
            return std::ranges::all_of(consumers_, [&](const auto& consumer) {
                for (std::uint32_t topic = 0; topic < ends.size(); ++topic) {
                    if (consumer->next_offset(topic) < ends[topic]) return false;
                }
                return true;
            });
        };
        while (!all_there() && clock_.monotonic_ns() < deadline_ns) {
            clock_.wait_until(clock_.monotonic_ns() + kLookNs);
        }
        for (const auto& consumer : consumers_) consumer->stop();
    }

    // Returns one past the last offset.
    std::uint64_t final_read(std::uint32_t topic) {
        PollOp poll{.topic = topic, .begin_ns = clock_.monotonic_ns(), .final_read = true};
        RunBuilder runs(request_.run_id, poll);
        auto reader = system_.reader(topic);
        while (reader) {
            const auto got = (*reader)->read_at(
                [&](std::uint64_t offset, Bytes record) { runs.add(offset, record); });
            poll.reached_end = got && *got == 0;
            if (!got) poll.error = got.error().message;
            if (!got || *got == 0) break;
        }
        if (!reader) {
            poll.error = reader.error().message;
            // A topic that is gone has an end: there is nothing.
            poll.reached_end = reader.error().code == Errc::kNotFound;
        }
        poll.end_ns = clock_.monotonic_ns();
        history_->poll(poll);
        return runs.next_offset();
    }

    // Servers that are not there any more, and what their logs say.
    void look_for_crashes() {
        Nodes* nodes = system_.nodes();
        for (std::uint32_t i = 0; nodes != nullptr && i < nodes->count(); ++i) {
            const NodeFacts facts = nodes->facts(i);
            const char state = process_state(facts.pid);
            const bool ended = state == 0 || state == 'Z';
            // Who would not start again has said so, and it is part of the fault.
            if (ended && !refused_.contains(facts.name)) {
                history_->crash(
                    fmt::format("{} (pid {}) has ended by itself", facts.name, facts.pid));
            }
            const std::string log = read_whole_file(facts.log).value_or("");
            search(facts.name, log);
            const std::string kept =
                log.size() > kMostLogBytes ? log.substr(log.size() - kMostLogBytes) : log;
            const Status written = write_whole_file(
                fmt::format("{}/{}-{}.log", request_.logs, request_.system, facts.name), kept);
            if (!written) history_->note(written.error().message);
        }
    }

    void search(const std::string& node, std::string_view log) {
        for (const std::string_view word : kCrashWords) {
            const auto at = log.find(word);
            if (at == std::string_view::npos) continue;
            const auto line = at == 0 ? 0 : log.rfind('\n', at) + 1;
            history_->crash(
                fmt::format("{} says: {}", node, log.substr(line, log.find('\n', at) - line)));
        }
    }

    System& system_;
    const ProveRequest& request_;
    const ResilienceScenario& scenario_;
    PacedClock& clock_;
    SeededRandom random_;
    std::unique_ptr<HistoryWriter> history_;
    // Clients end before the history that they write to.
    std::vector<std::unique_ptr<ProofConsumer>> consumers_;
    std::vector<std::unique_ptr<ProofWriter>> writers_;
    std::uint32_t next_fault_ = 0;
    std::set<std::string> refused_;  // Nodes that could not be brought back.
};

}  // namespace

Status prove(System& system, const ProveRequest& request, PacedClock& clock) {
    return Prover(system, request, clock).run();
}

}  // namespace walrus::harness

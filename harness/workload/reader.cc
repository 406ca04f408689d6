#include "harness/workload/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "harness/workload/payload.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kWaitMs = 10;
// Between looks at many topics, or at a reader that cannot wait.
constexpr std::uint64_t kPollNs = 100'000;

class ReaderLoop {
public:
    ReaderLoop(const ReaderTools& tools, const ReaderPlan& plan)
        : tools_(tools),
          plan_(plan),
          next_sequence_(std::max<std::size_t>(tools.topics.size(), plan.writers), 0) {}

    ReaderReport run() {
        const std::function<void(Bytes)> visit = [this](Bytes record) { observe(record); };
        progress_ns_ = tools_.clock.monotonic_ns();
        while (report_.status && !finished()) {
            const std::uint64_t before = report_.total;
            for (topic_ = 0; topic_ < tools_.topics.size() && report_.status; ++topic_) {
                const auto got = tools_.topics[topic_]->read(visit);
                if (!got) report_.status = got.error();
            }
            if (report_.total == before) found_nothing();
        }
        return std::move(report_);
    }

private:
    bool finished() {
        const std::uint64_t target = tools_.target.load(std::memory_order_acquire);
        if (report_.total < target) return false;
        caught_up(tools_.clock.monotonic_ns());
        return true;
    }

    void observe(Bytes record) {
        RecordIdentity identity;
        if (!identify_payload(record, identity) || identity.run_id != plan_.run_id ||
            identity.writer >= plan_.writers) {
            return fail(fmt::format("a reader got a record that no writer sent, after {} records",
                                    report_.total));
        }
        // With more writers than topics a writer has one topic; otherwise a topic has one writer.
        const std::size_t pair = tools_.topics.size() >= plan_.writers ? topic_ : identity.writer;
        if (identity.sequence < next_sequence_[pair]) {
            return fail(fmt::format("a reader got writer {} record {} after record {}",
                                    identity.writer, identity.sequence, next_sequence_[pair] - 1));
        }
        next_sequence_[pair] = identity.sequence + 1;
        count(record, identity.sent_ns);
    }

    void count(Bytes record, std::uint64_t sent_ns) {
        const std::uint64_t now_ns = tools_.clock.monotonic_ns();
        progress_ns_ = now_ns;
        ++report_.total;
        if (now_ns < plan_.window.begin_ns) ++report_.records_before;
        if (!plan_.window.contains(now_ns)) return;
        const std::size_t interval = plan_.window.interval_of(now_ns);
        if (interval >= report_.series.size()) report_.series.resize(interval + 1);
        ++report_.series[interval];
        if (sent_ns >= plan_.window.begin_ns) {
            report_.latency_ns.record(now_ns > sent_ns ? now_ns - sent_ns : 0);
        }
        if (plan_.until_caught_up && report_.caught_up_ns != 0) return;
        ++report_.records;
        report_.bytes += record.size();
    }

    void found_nothing() {
        const std::uint64_t now_ns = tools_.clock.monotonic_ns();
        const std::uint64_t target = tools_.target.load(std::memory_order_acquire);
        if (target == kTargetUnknown) {
            caught_up(now_ns);
            progress_ns_ = now_ns;
        } else if (report_.total < target && now_ns - progress_ns_ > plan_.patience_ns) {
            report_.status = Error{
                Errc::kTimeout,
                fmt::format("a reader got {} of {} acknowledged records", report_.total, target)};
            return;
        }
        if (tools_.topics.size() == 1 && tools_.topics.front()->wait(kWaitMs)) return;
        tools_.clock.wait_until(now_ns + kPollNs);
    }

    void caught_up(std::uint64_t now_ns) {
        if (report_.caught_up_ns == 0 && now_ns >= plan_.window.begin_ns) {
            report_.caught_up_ns = now_ns;
        }
    }

    void fail(std::string what) {
        if (report_.status) report_.status = Error{Errc::kCorruption, std::move(what)};
    }

    const ReaderTools& tools_;
    const ReaderPlan& plan_;
    ReaderReport report_;
    std::size_t topic_ = 0;
    std::vector<std::uint64_t> next_sequence_;
    std::uint64_t progress_ns_ = 0;  // When the last record came, or the end was found.
};

}  // namespace

ReaderReport run_reader(const ReaderTools& tools, const ReaderPlan& plan) {
    return ReaderLoop(tools, plan).run();
}

}  // namespace walrus::harness

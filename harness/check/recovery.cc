#include "harness/check/recovery.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace walrus::harness {
namespace {

constexpr std::uint64_t kNever = ~std::uint64_t{0};
constexpr const char* kLastLoadPhase = "healed";

// How far each consumer was in each topic, and when.
class Progress {
public:
    explicit Progress(const History& history) : consumers_(history.header.consumers) {
        for (const PollOp& poll : history.polls) {
            for (const RecordRun& run : poll.runs) {
                const std::uint64_t end = run.offset + run.count;
                for (std::uint64_t i = 0; i < run.count; ++i) {
                    places_.try_emplace({run.writer, run.sequence + i}, run.offset + i);
                }
                if (poll.final_read || consumers_ == 0) continue;
                auto& steps = steps_[{poll.consumer % consumers_, poll.topic}];
                if (steps.empty() || end > steps.back().first) {
                    steps.emplace_back(end, poll.end_ns);
                }
            }
        }
    }

    // When the last consumer had got all records of `topic` below `end`; kNever: one never did.
    std::uint64_t reached(std::uint32_t topic, std::uint64_t end) const {
        std::uint64_t last_ns = 0;
        for (std::uint32_t consumer = 0; end > 0 && consumer < consumers_; ++consumer) {
            const auto found = steps_.find({consumer, topic});
            if (found == steps_.end()) return kNever;
            const auto step = std::ranges::lower_bound(
                found->second, end, {}, &std::pair<std::uint64_t, std::uint64_t>::first);
            if (step == found->second.end()) return kNever;
            last_ns = std::max(last_ns, step->second);
        }
        return last_ns;
    }

    // One past the append's last record; 0 when nobody ever saw it.
    std::uint64_t end_of(const AppendOp& append) const {
        const auto found = places_.find({append.writer, append.sequence + append.records - 1});
        return found == places_.end() ? 0 : found->second + 1;
    }

private:
    const std::uint32_t consumers_;
    // (consumer, topic) -> (one past the last offset, when), both ascending.
    std::map<std::pair<std::uint32_t, std::uint32_t>,
             std::vector<std::pair<std::uint64_t, std::uint64_t>>>
        steps_;
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint64_t> places_;
};

bool acknowledged(const AppendOp& append) {
    return append.outcome == Outcome::kAcknowledged;
}

// When the last topic had acknowledged an append sent at `from_ns` or later; kNever: one never did.
std::uint64_t all_topics_answer(const History& history, std::uint64_t from_ns) {
    std::vector<std::uint64_t> first(history.header.topics, kNever);
    std::set<std::uint32_t> used;
    for (const AppendOp& append : history.appends) {
        used.insert(append.topic);
        if (!acknowledged(append) || append.sent_ns < from_ns) continue;
        first[append.topic] = std::min(first[append.topic], append.done_ns);
    }
    std::uint64_t last_ns = 0;
    for (const std::uint32_t topic : used) last_ns = std::max(last_ns, first[topic]);
    return last_ns;
}

std::uint64_t recovered_at(const History& history, const Progress& progress,
                           std::uint64_t healed_ns) {
    std::uint64_t at_ns = all_topics_answer(history, healed_ns);
    for (const AppendOp& append : history.appends) {
        if (append.sent_ns < healed_ns) at_ns = std::max(at_ns, append.done_ns);
    }
    if (at_ns == kNever) return kNever;
    std::map<std::uint32_t, std::uint64_t> ends;
    for (const AppendOp& append : history.appends) {
        if (!acknowledged(append) || append.done_ns > at_ns) continue;
        std::uint64_t& end = ends[append.topic];
        end = std::max(end, progress.end_of(append));
    }
    std::uint64_t read_ns = at_ns;
    for (const auto& [topic, end] : ends) {
        read_ns = std::max(read_ns, progress.reached(topic, end));
    }
    return read_ns;
}

FaultFigures figures_of(const History& history, const Progress& progress,
                        const FaultRecord& fault) {
    FaultFigures figures{.id = fault.id, .first_ack_ns = {}, .recovered_ns = {}};
    const std::uint64_t healed_ns = fault.healed_ns == 0 ? kNever : fault.healed_ns;
    for (const AppendOp& append : history.appends) {
        if (append.sent_ns < fault.begun_ns || append.sent_ns >= healed_ns) continue;
        ++figures.attempts;
        if (acknowledged(append)) ++figures.acknowledged;
    }
    if (fault.witnessed_ns == 0) return figures;
    if (const std::uint64_t at_ns = all_topics_answer(history, fault.witnessed_ns);
        at_ns != kNever) {
        figures.first_ack_ns = at_ns - fault.begun_ns;
    }
    if (fault.healed_ns == 0) return figures;
    figures.down_ns = fault.healed_ns - fault.begun_ns;
    const std::uint64_t at_ns = recovered_at(history, progress, fault.healed_ns);
    if (at_ns != kNever) {
        figures.recovered_ns = std::max(at_ns, fault.healed_ns) - fault.healing_ns;
    }
    return figures;
}

std::vector<PhaseFigures> phases_of(const History& history) {
    std::vector<PhaseFigures> phases;
    for (std::size_t i = 0; i < history.phases.size(); ++i) {
        const PhaseMark& mark = history.phases[i];
        phases.push_back({.name = mark.name,
                          .begin_ns = mark.begin_ns,
                          .end_ns = i + 1 < history.phases.size() ? history.phases[i + 1].begin_ns
                                                                  : history.end_ns,
                          .latency_ns = {}});
    }
    for (const AppendOp& append : history.appends) {
        const auto phase = std::ranges::find_if(phases, [&](const PhaseFigures& p) {
            return append.due_ns >= p.begin_ns && append.due_ns < p.end_ns;
        });
        if (phase == phases.end()) continue;
        ++phase->appends;
        switch (append.outcome) {
            case Outcome::kAcknowledged: ++phase->acknowledged; break;
            case Outcome::kFailed: ++phase->failed; break;
            case Outcome::kUnknown: ++phase->unknown; break;
        }
        const std::uint64_t end_ns = append.done_ns == 0 ? history.end_ns : append.done_ns;
        phase->latency_ns.record(end_ns - std::min(end_ns, append.due_ns));
    }
    return phases;
}

// [begin, end) of the load, warm-up excluded.
std::pair<std::uint64_t, std::uint64_t> load_window(const std::vector<PhaseFigures>& phases) {
    std::pair<std::uint64_t, std::uint64_t> window{kNever, 0};
    for (const PhaseFigures& phase : phases) {
        if (phase.name == "steady") window.first = phase.begin_ns;
        if (phase.name == kLastLoadPhase) window.second = phase.end_ns;
    }
    return window;
}

std::vector<TopicAvailability> availability_of(const History& history,
                                               const std::vector<PhaseFigures>& phases) {
    const auto [begin_ns, end_ns] = load_window(phases);
    if (begin_ns >= end_ns) return {};
    std::map<std::uint32_t, std::vector<std::uint64_t>> acks;
    for (const AppendOp& append : history.appends) {
        auto& of_topic = acks[append.topic];
        if (!acknowledged(append) || append.done_ns < begin_ns || append.done_ns >= end_ns) {
            continue;
        }
        of_topic.push_back(append.done_ns);
    }
    std::vector<TopicAvailability> topics;
    for (auto& [topic, moments] : acks) {
        std::ranges::sort(moments);
        moments.push_back(end_ns);
        TopicAvailability availability{.topic = topic};
        std::uint64_t last_ns = begin_ns;
        for (const std::uint64_t moment : moments) {
            const std::uint64_t gap_ns = moment - last_ns;
            availability.longest_gap_ns = std::max(availability.longest_gap_ns, gap_ns);
            if (gap_ns > kUnavailableNs) availability.unavailable_ns += gap_ns;
            last_ns = moment;
        }
        topics.push_back(availability);
    }
    return topics;
}

}  // namespace

RecoveryFigures measure_recovery(const History& history) {
    RecoveryFigures figures;
    figures.phases = phases_of(history);
    figures.topics = availability_of(history, figures.phases);
    const Progress progress(history);
    for (const FaultRecord& fault : history.faults) {
        figures.faults.push_back(figures_of(history, progress, fault));
    }
    return figures;
}

std::vector<std::uint64_t> unread_over_time(const History& history, std::uint64_t begin_ns,
                                            std::uint64_t end_ns, std::uint64_t interval_ns) {
    if (end_ns <= begin_ns) return {};
    const std::size_t intervals = (end_ns - begin_ns + interval_ns - 1) / interval_ns;
    const auto interval_of = [&](std::uint64_t at_ns) {
        const std::uint64_t since = at_ns - std::min(at_ns, begin_ns);
        return std::min<std::size_t>(since / interval_ns, intervals - 1);
    };
    std::vector<std::uint64_t> acked(intervals, 0);
    for (const AppendOp& append : history.appends) {
        if (!acknowledged(append)) continue;
        acked[interval_of(append.done_ns)] += append.records;
    }
    std::vector<std::vector<std::uint64_t>> read(history.header.consumers,
                                                 std::vector<std::uint64_t>(intervals, 0));
    for (const PollOp& poll : history.polls) {
        if (poll.final_read || read.empty()) continue;
        for (const RecordRun& run : poll.runs) {
            read[poll.consumer % read.size()][interval_of(poll.end_ns)] += run.count;
        }
    }
    std::vector<std::uint64_t> unread(intervals, 0);
    for (const std::vector<std::uint64_t>& consumer : read) {
        std::uint64_t ahead = 0;
        std::uint64_t behind = 0;
        for (std::size_t i = 0; i < intervals; ++i) {
            ahead += acked[i];
            behind += consumer[i];
            unread[i] = std::max(unread[i], ahead > behind ? ahead - behind : 0);
        }
    }
    return unread;
}

}  // namespace walrus::harness

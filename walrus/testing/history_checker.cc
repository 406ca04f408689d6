#include "walrus/testing/history_checker.h"

#include <algorithm>
#include <set>

namespace walrus::testing {
namespace {

std::string at(const std::string& topic, std::uint64_t offset) {
    return topic + " at " + std::to_string(offset);
}

}  // namespace

void HistoryChecker::fail(const std::string& anomaly, const std::string& what) {
    if (!violation_) violation_ = anomaly + ": " + what;
}

std::size_t HistoryChecker::append(AppendEvent event) {
    by_value_[event.value] = appends_.size();
    appends_.push_back(std::move(event));
    return appends_.size() - 1;
}

void HistoryChecker::end_seen(const EndEvent& event) {
    ends_.push_back(event);
}

std::size_t HistoryChecker::get(GetEvent event) {
    gets_.push_back(std::move(event));
    return gets_.size() - 1;
}

void HistoryChecker::poll(PollEvent event) {
    std::uint64_t next = std::max(event.next, event.log_start);
    for (const SeenBatch& batch : event.seen) {
        ++polled_;
        if (batch.offset < next) fail("nonmonotonic-poll", at(event.topic, batch.offset));
        if (batch.offset > next) fail("poll-skip", at(event.topic, next));
        next = batch.offset + batch.records;
        const auto [found, first] = seen_.try_emplace({event.topic, batch.offset}, batch.value);
        if (found->second != batch.value) {
            fail("inconsistent-offsets",
                 at(event.topic, batch.offset) + " is " + found->second + " and " + batch.value);
        }
    }
}

void HistoryChecker::final_log(const std::string& topic, FinalLog log) {
    const auto [found, first] = finals_.try_emplace(topic, log);
    if (first) return;
    // Copies may be of different length; what both have must be the same.
    std::map<std::uint64_t, const SeenBatch*> known;
    for (const SeenBatch& batch : found->second.batches) known[batch.offset] = &batch;
    for (const SeenBatch& batch : log.batches) {
        const auto other = known.find(batch.offset);
        if (other == known.end()) continue;
        if (other->second->value != batch.value || other->second->records != batch.records) {
            fail("replica-divergence", at(topic, batch.offset));
        }
    }
    if (log.batches.size() > found->second.batches.size()) found->second = std::move(log);
}

std::optional<std::string> HistoryChecker::check() {
    for (const auto& [topic, log] : finals_) check_values(topic, log);
    check_appends();
    check_ends();
    check_gets();
    return violation_;
}

void HistoryChecker::check_values(const std::string& topic, const FinalLog& log) {
    std::set<std::string> values;
    std::uint64_t next = log.log_start;
    for (const SeenBatch& batch : log.batches) {
        if (batch.offset != next) fail("poll-skip", at(topic, next) + " in the final read");
        next = batch.offset + batch.records;
        const auto found = by_value_.find(batch.value);
        if (found == by_value_.end()) {
            // The part before the first dot names the batch.
            const std::string head = batch.value.substr(0, batch.value.find('.') + 1);
            const auto next_known = by_value_.lower_bound(head);
            const bool known_start = !head.empty() && next_known != by_value_.end() &&
                                     next_known->first.starts_with(head);
            fail(known_start ? "corrupt" : "phantom", at(topic, batch.offset));
            continue;
        }
        const AppendEvent& event = appends_[found->second];
        if (event.topic != topic) fail("phantom", at(topic, batch.offset) + " of another topic");
        if (event.outcome == ClientOutcome::kFailed) {
            fail("G1a", at(topic, batch.offset) + " was refused: " + batch.value.substr(0, 16));
        }
        if (!values.insert(batch.value).second) {
            fail("duplicate", at(topic, batch.offset) + ": " + batch.value.substr(0, 16));
        }
        if (event.offset && *event.offset != batch.offset) {
            fail("inconsistent-offsets",
                 at(topic, batch.offset) + " was acknowledged at " + std::to_string(*event.offset));
        }
        const auto seen = seen_.find({topic, batch.offset});
        if (seen != seen_.end() && seen->second != batch.value) {
            fail("inconsistent-offsets", at(topic, batch.offset) + " was read as another");
        }
    }
    for (const auto& [place, value] : seen_) {
        if (place.first != topic || place.second < log.log_start) continue;
        if (!values.contains(value)) fail("lost-write", at(topic, place.second) + " was read");
    }
}

void HistoryChecker::check_appends() {
    std::map<std::string, std::set<std::string>> kept;
    for (const auto& [topic, log] : finals_) {
        for (const SeenBatch& batch : log.batches) kept[topic].insert(batch.value);
    }
    for (const AppendEvent& event : appends_) {
        if (event.outcome != ClientOutcome::kOk) continue;
        const auto log = finals_.find(event.topic);
        if (log == finals_.end()) continue;
        // Without an offset it was recognised as an old one, which retention may have dropped.
        const std::uint64_t offset = event.offset.value_or(0);
        if (offset < log->second.log_start) continue;
        if (!kept[event.topic].contains(event.value)) {
            fail("lost-write", at(event.topic, offset) + ": " + event.value.substr(0, 16));
        }
    }
}

void HistoryChecker::check_ends() {
    for (const EndEvent& end : ends_) {
        for (const AppendEvent& event : appends_) {
            const bool before = event.outcome == ClientOutcome::kOk && event.topic == end.topic &&
                                event.completed_ns < end.began_ns;
            if (before && event.offset.value_or(0) + (event.offset ? event.records : 0) > end.end) {
                return fail("unseen", at(event.topic, *event.offset) +
                                          " was acknowledged before an end of " +
                                          std::to_string(end.end) + " was confirmed");
            }
        }
    }
}

// Nothing is handed out twice; what nobody was handed was lost with an answer.
void HistoryChecker::check_gets() {
    std::map<std::string, std::vector<GetEvent>> by_topic;
    for (const GetEvent& event : gets_) {
        if (event.outcome != ClientOutcome::kFailed) by_topic[event.topic].push_back(event);
    }
    for (auto& [topic, events] : by_topic) {
        std::ranges::sort(events, {}, [](const GetEvent& e) { return std::pair(e.from, e.to); });
        std::uint64_t handed_out = 0;
        std::uint64_t covered = events.front().from;
        std::uint64_t needed = 0;
        for (const GetEvent& event : events) {
            if (event.outcome == ClientOutcome::kOk) needed = std::max(needed, event.to);
        }
        for (const GetEvent& event : events) {
            const bool ok = event.outcome == ClientOutcome::kOk;
            if (ok && event.from < handed_out) {
                fail("nonmonotonic-poll", at(topic, event.from) + " was handed out twice");
            }
            if (ok) handed_out = std::max(handed_out, event.to);
            const std::uint64_t start = finals_.contains(topic) ? finals_[topic].log_start : 0;
            if (event.from > std::max(covered, start) && covered < needed) {
                fail("poll-skip", at(topic, covered) + " was handed to nobody");
            }
            covered = std::max(covered, event.to);
        }
    }
}

}  // namespace walrus::testing

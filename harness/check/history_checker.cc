#include "harness/check/history_checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace walrus::harness {
namespace {

constexpr std::size_t kHistoryExamples = 5;

// Which record: writer and sequence in one number.
using RecordId = std::uint64_t;
constexpr unsigned kSequenceBits = 44;
constexpr RecordId kDamaged = ~RecordId{0};
constexpr RecordId kForeign = ~RecordId{1};

RecordId make_id(std::uint32_t writer, std::uint64_t sequence) {
    return (RecordId{writer} << kSequenceBits) | sequence;
}

std::string name_of(RecordId id) {
    if (id == kDamaged) return "a damaged record";
    if (id == kForeign) return "a record of another run";
    return fmt::format("writer {} record {}", id >> kSequenceBits,
                       id & ((RecordId{1} << kSequenceBits) - 1));
}

struct TopicLog {
    std::map<std::uint64_t, RecordId> at;                 // By offset, from whoever saw it.
    std::unordered_map<RecordId, std::uint64_t> place;    // The first offset it was seen at.
    std::set<std::pair<std::uint64_t, RecordId>> others;  // Besides that in `at`; counted once.
    std::set<std::uint64_t> damaged;                      // Offsets at which somebody got damage.
    std::set<RecordId> final_ids;                         // In a final read that reached the end.
    bool read_to_end = false;
};

class HistoryJudge {
public:
    explicit HistoryJudge(const History& history)
        : history_(history), logs_(history.header.topics), sent_(history.header.writers) {
        for (const AppendOp& append : history.appends) note_append(append);
    }

    HistoryVerdict run() {
        for (const PollOp& poll : history_.polls) observe(poll);
        for (const AppendOp& append : history_.appends) {
            if (append.outcome != Outcome::kAcknowledged || !append.offset) continue;
            observe_at(append.topic, *append.offset, make_id(append.writer, append.sequence));
        }
        for (std::uint32_t topic = 0; topic < logs_.size(); ++topic) {
            check_order(topic);
            if (logs_[topic].read_to_end) {
                verdict_.in_log += logs_[topic].final_ids.size();
                check_loss(topic);
            } else {
                verdict_.unread_topics.push_back(topic);
            }
            compare_nodes(topic);
        }
        check_consumers();
        return std::move(verdict_);
    }

private:
    struct Consumer {
        std::vector<const PollOp*> polls;  // Of one topic.
    };

    void note(AnomalyKind kind, std::uint64_t count, const std::string& example) {
        Anomaly& anomaly = verdict_.anomalies[static_cast<std::size_t>(kind)];
        anomaly.count += count;
        if (anomaly.examples.size() < kHistoryExamples) anomaly.examples.push_back(example);
    }

    void note_append(const AppendOp& append) {
        sent_[append.writer] = std::max(sent_[append.writer], append.sequence + append.records);
        for (std::uint64_t i = 0; i < append.records; ++i) {
            appends_[make_id(append.writer, append.sequence + i)] = &append;
        }
        switch (append.outcome) {
            case Outcome::kAcknowledged: verdict_.acknowledged += append.records; break;
            case Outcome::kFailed: verdict_.failed += append.records; break;
            case Outcome::kUnknown: verdict_.unknown += append.records; break;
        }
    }

    const AppendOp* find(RecordId id) const {
        const auto found = appends_.find(id);
        return found == appends_.end() ? nullptr : found->second;
    }

    // Null: nobody sent it to this topic.
    const AppendOp* find_in(std::uint32_t topic, RecordId id) const {
        const AppendOp* append = id == kDamaged || id == kForeign ? nullptr : find(id);
        return append != nullptr && append->topic == topic ? append : nullptr;
    }

    void observe(const PollOp& poll) {
        TopicLog& log = logs_[poll.topic];
        const bool whole = poll.final_read && poll.reached_end;
        log.read_to_end = log.read_to_end || whole;
        for (const RecordRun& run : poll.runs) {
            for (std::uint64_t i = 0; i < run.count; ++i) {
                const RecordId id = make_id(run.writer, run.sequence + i);
                observe_at(poll.topic, run.offset + i, id);
                if (whole && find_in(poll.topic, id) != nullptr) log.final_ids.insert(id);
            }
        }
        for (const std::uint64_t offset : poll.damaged) observe_at(poll.topic, offset, kDamaged);
        for (const std::uint64_t offset : poll.foreign) observe_at(poll.topic, offset, kForeign);
    }

    void observe_at(std::uint32_t topic, std::uint64_t offset, RecordId id) {
        TopicLog& log = logs_[topic];
        const std::string where = fmt::format("topic {} offset {}", topic, offset);
        if (id == kDamaged) {
            // Whatever others got there: damage is no other record.
            if (log.damaged.insert(offset).second) note(AnomalyKind::kCorrupt, 1, where);
            return;
        }
        const auto [at, fresh] = log.at.try_emplace(offset, id);
        if (!fresh) {
            if (at->second == id || !log.others.emplace(offset, id).second) return;
            note(AnomalyKind::kInconsistentOffsets, 1,
                 fmt::format("{}: {} and {}", where, name_of(at->second), name_of(id)));
        }
        if (id == kForeign) {
            return note(AnomalyKind::kPhantom, 1, fmt::format("{}: {}", where, name_of(id)));
        }
        check_record(topic, offset, id);
    }

    void check_record(std::uint32_t topic, std::uint64_t offset, RecordId id) {
        TopicLog& log = logs_[topic];
        const auto [first, is_new] = log.place.try_emplace(id, offset);
        if (!is_new) {
            if (first->second == offset) return;
            return note(AnomalyKind::kDuplicate, 1,
                        fmt::format("{} at offsets {} and {} of topic {}", name_of(id),
                                    first->second, offset, topic));
        }
        const AppendOp* append = find(id);
        if (append == nullptr || append->topic != topic) {
            if (append == nullptr && may_have_been_sent(id)) return;
            return note(AnomalyKind::kPhantom, 1,
                        fmt::format("{} at topic {} offset {}", name_of(id), topic, offset));
        }
        if (append->outcome == Outcome::kFailed) {
            note(AnomalyKind::kFailedVisible, 1, name_of(id));
        } else if (append->outcome == Outcome::kUnknown) {
            ++verdict_.unknown_found;
        }
    }

    bool may_have_been_sent(RecordId id) const {
        const std::uint64_t writer = id >> kSequenceBits;
        return !history_.complete && writer < sent_.size() &&
               id >= make_id(static_cast<std::uint32_t>(writer), sent_[writer]);
    }

    // Acknowledged records of a writer are in the order in which it sent them.
    void check_order(std::uint32_t topic) {
        std::vector<RecordId> latest(sent_.size(), 0);  // One past it.
        for (const auto& [offset, id] : logs_[topic].at) {
            const AppendOp* append = find_in(topic, id);
            if (append == nullptr || append->outcome != Outcome::kAcknowledged) continue;
            if (logs_[topic].place.at(id) != offset) continue;  // Its other copy is a duplicate.
            RecordId& last = latest[append->writer];
            if (id < last) {
                note(AnomalyKind::kNonmonotonicPoll, 1,
                     fmt::format("topic {} offset {}: {} is behind {}", topic, offset, name_of(id),
                                 name_of(last - 1)));
            } else {
                last = id + 1;
            }
        }
    }

    void check_loss(std::uint32_t topic) {
        for (const AppendOp& append : history_.appends) {
            if (append.topic != topic || append.outcome != Outcome::kAcknowledged) continue;
            for (std::uint64_t i = 0; i < append.records; ++i) {
                const RecordId id = make_id(append.writer, append.sequence + i);
                if (logs_[topic].final_ids.contains(id)) continue;
                const bool damaged = damaged_at(append, i);
                if (!damaged) note(AnomalyKind::kLostWrite, 1, name_of(id));
            }
        }
    }

    // It is there, and counted as corrupt already.
    bool damaged_at(const AppendOp& append, std::uint64_t i) const {
        const TopicLog& log = logs_[append.topic];
        const auto place = log.place.find(make_id(append.writer, append.sequence + i));
        return place != log.place.end() && log.damaged.contains(place->second);
    }

    static std::map<std::uint64_t, RecordId> contents_of(const PollOp& poll) {
        std::map<std::uint64_t, RecordId> contents;
        for (const RecordRun& run : poll.runs) {
            for (std::uint64_t i = 0; i < run.count; ++i) {
                contents[run.offset + i] = make_id(run.writer, run.sequence + i);
            }
        }
        for (const std::uint64_t offset : poll.damaged) contents[offset] = kDamaged;
        for (const std::uint64_t offset : poll.foreign) contents[offset] = kForeign;
        return contents;
    }

    void compare_nodes(std::uint32_t topic) {
        const PollOp* first = nullptr;
        std::map<std::uint64_t, RecordId> expected;
        for (const PollOp& poll : history_.polls) {
            if (!poll.final_read || !poll.reached_end || poll.topic != topic) continue;
            if (first == nullptr) {
                first = &poll;
                expected = contents_of(poll);
                continue;
            }
            if (poll.node == first->node) continue;
            const auto contents = contents_of(poll);
            const auto [a, b] =
                std::mismatch(expected.begin(), expected.end(), contents.begin(), contents.end());
            if (a == expected.end() && b == contents.end()) continue;
            const std::uint64_t offset = std::min(a == expected.end() ? b->first : a->first,
                                                  b == contents.end() ? a->first : b->first);
            note(AnomalyKind::kReplicaDivergence, 1,
                 fmt::format("topic {} from offset {}: {} has {} records, {} has {}", topic, offset,
                             first->node, expected.size(), poll.node, contents.size()));
        }
    }

    void check_consumers() {
        const std::uint32_t consumers = history_.header.consumers;
        // Consumers c, c + consumers, ... are one after the other, each from the start.
        std::map<std::pair<std::uint32_t, std::uint32_t>, std::map<std::uint32_t, Consumer>> all;
        for (std::uint32_t consumer = 0; consumer < consumers; ++consumer) {
            for (std::uint32_t topic = 0; topic < logs_.size(); ++topic) all[{consumer, topic}];
        }
        for (const PollOp& poll : history_.polls) {
            if (poll.final_read || consumers == 0) continue;
            all[{poll.consumer % consumers, poll.topic}][poll.consumer].polls.push_back(&poll);
        }
        for (const auto& [who, generations] : all) {
            std::uint64_t next = 0;
            for (const auto& [id, consumer] : generations) next = follow(id, who.second, consumer);
            check_seen(who.first, who.second, next);
        }
    }

    // Returns one past the last offset that it got.
    std::uint64_t follow(std::uint32_t id, std::uint32_t topic, const Consumer& consumer) {
        std::uint64_t next = 0;
        for (const PollOp* poll : consumer.polls) {
            const auto contents = contents_of(*poll);
            bool went_back = false;
            for (const RecordRun& run : poll->runs) {
                went_back = went_back || run.offset < next;
                if (run.offset > next) check_skip(id, topic, {next, run.offset}, contents);
                next = std::max(next, run.offset + run.count);
            }
            if (!contents.empty()) next = std::max(next, contents.rbegin()->first + 1);
            if (!went_back) continue;
            note(AnomalyKind::kNonmonotonicPoll, 1,
                 fmt::format("consumer {} went back in topic {} to offset {}", id, topic,
                             contents.begin()->first));
        }
        return next;
    }

    struct Gap {
        std::uint64_t begin;
        std::uint64_t end;
    };

    void check_skip(std::uint32_t id, std::uint32_t topic, Gap gap,
                    const std::map<std::uint64_t, RecordId>& got) {
        const auto& log = logs_[topic].at;
        for (auto at = log.lower_bound(gap.begin); at != log.end() && at->first < gap.end; ++at) {
            if (got.contains(at->first)) continue;
            note(AnomalyKind::kPollSkip, 1,
                 fmt::format("consumer {} was led past {} at offset {} of topic {}", id,
                             name_of(at->second), at->first, topic));
        }
    }

    void check_seen(std::uint32_t consumer, std::uint32_t topic, std::uint64_t next) {
        const TopicLog& log = logs_[topic];
        if (!log.read_to_end || !history_.complete) return;
        for (auto at = log.at.lower_bound(next); at != log.at.end(); ++at) {
            const AppendOp* append = find_in(topic, at->second);
            if (append == nullptr || append->outcome != Outcome::kAcknowledged) continue;
            if (!log.final_ids.contains(at->second)) continue;  // Lost, for everybody.
            note(AnomalyKind::kUnseen, 1,
                 fmt::format("consumer {} never got {} at offset {} of topic {}", consumer,
                             name_of(at->second), at->first, topic));
        }
    }

    const History& history_;
    std::vector<TopicLog> logs_;
    std::vector<std::uint64_t> sent_;  // By writer: one past its last record.
    std::unordered_map<RecordId, const AppendOp*> appends_;
    HistoryVerdict verdict_;
};

}  // namespace

std::vector<AnomalyKind> HistoryVerdict::found() const {
    std::vector<AnomalyKind> kinds;
    for (std::size_t i = 0; i < anomalies.size(); ++i) {
        if (anomalies[i].count > 0) kinds.push_back(static_cast<AnomalyKind>(i));
    }
    return kinds;
}

HistoryVerdict judge_history(const History& history) {
    return HistoryJudge(history).run();
}

std::vector<std::string> reasons_for_invalidity(const History& history, bool may_refuse) {
    std::vector<std::string> reasons = history.notes;
    if (!history.complete) {
        reasons.emplace_back("the history has no end: the harness ended early");
    }
    std::uint64_t first_fault_ns = ~std::uint64_t{0};
    for (const FaultRecord& fault : history.faults) {
        first_fault_ns = std::min(first_fault_ns, fault.begun_ns);
        const std::string name =
            fmt::format("fault {} ({} of {})", fault.id, fault.kind, fault.node);
        const std::string last = fault.what.empty() ? "" : ": " + fault.what.back();
        if (fault.witnessed_ns == 0) {
            reasons.push_back(fmt::format("{} was not witnessed{}", name, last));
            continue;
        }
        if (fault.healed_ns == 0 && !may_refuse) {
            reasons.push_back(fmt::format("{} was not healed{}", name, last));
        }
        const std::uint64_t until_ns = fault.healed_ns == 0 ? ~std::uint64_t{0} : fault.healed_ns;
        const bool worked = std::ranges::any_of(history.appends, [&](const AppendOp& append) {
            return append.sent_ns >= fault.begun_ns && append.sent_ns < until_ns;
        });
        if (!worked) reasons.push_back(name + ": nothing was attempted while it lasted");
    }
    const bool began = std::ranges::any_of(history.appends, [&](const AppendOp& append) {
        return append.outcome == Outcome::kAcknowledged && append.done_ns < first_fault_ns;
    });
    if (!began) {
        reasons.emplace_back(history.faults.empty()
                                 ? "nothing was acknowledged"
                                 : "nothing was acknowledged before the first fault");
    }
    return reasons;
}

}  // namespace walrus::harness

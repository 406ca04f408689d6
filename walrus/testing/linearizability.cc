#include "walrus/testing/linearizability.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace walrus::testing {
namespace {

// The state: id 0 is absent.  After an effect whose answer nobody saw, id or version are any.
struct Topic {
    static constexpr std::uint64_t kAny = ~std::uint64_t{0};
    std::uint64_t id = 0;
    std::uint64_t version = 0;

    auto operator<=>(const Topic&) const = default;
    bool may_be(std::uint64_t topic) const { return id == topic || id == kAny; }
    bool may_have(std::uint64_t v) const { return version == v || version == kAny; }
};

// The state after the event took effect here with the outcome that was seen; nothing: impossible.
std::optional<Topic> step(const Topic& now, const TopicEvent& event) {
    const bool unknown = event.outcome == ClientOutcome::kUnknown;
    if (event.op == TopicOp::kCreate) {
        if (event.outcome == ClientOutcome::kFailed) {
            if (now.id == 0 || !now.may_be(event.result_topic)) return {};
            return Topic{event.result_topic, now.version};
        }
        if (now.id != 0) return {};
        if (unknown) return Topic{Topic::kAny, Topic::kAny};
        return Topic{event.result_topic, event.result_version};
    }
    const bool fits = now.id != 0 && now.may_be(event.topic) && now.may_have(event.expect_version);
    if (event.outcome == ClientOutcome::kFailed) {
        const bool surely = now.id == event.topic && now.version == event.expect_version;
        if (surely) return {};
        return now;
    }
    if (!fits) return {};
    if (event.op == TopicOp::kDelete) return Topic{};
    return Topic{event.topic, unknown ? Topic::kAny : event.result_version};
}

class Search {
public:
    explicit Search(const std::vector<TopicEvent>& events) : events_(events) {
        std::ranges::sort(events_, {}, &TopicEvent::began_ns);
    }

    bool run() { return from(Topic{}, std::vector<bool>(events_.size())); }

private:
    bool from(const Topic& now, std::vector<bool> done) {
        std::uint64_t first_end = ~std::uint64_t{0};
        bool rest = false;
        for (std::size_t i = 0; i < events_.size(); ++i) {
            if (done[i]) continue;
            rest = rest || events_[i].outcome != ClientOutcome::kUnknown;
            first_end = std::min(first_end, events_[i].ended_ns);
        }
        // What is unknown need not have happened.
        if (!rest) return true;
        if (!seen_.insert({done, now}).second) return false;
        for (std::size_t i = 0; i < events_.size(); ++i) {
            // Behind an operation that has ended by then, it cannot come first.
            if (events_[i].began_ns > first_end) break;
            if (done[i]) continue;
            const std::optional<Topic> next = step(now, events_[i]);
            if (!next) continue;
            done[i] = true;
            if (from(*next, done)) return true;
            done[i] = false;
        }
        return false;
    }

    std::vector<TopicEvent> events_;
    std::set<std::pair<std::vector<bool>, Topic>> seen_;
};

}  // namespace

std::optional<std::string> check_linearizable(const std::vector<TopicEvent>& events) {
    if (Search(events).run()) return {};
    return std::to_string(events.size()) + " operations on one topic have no order";
}

}  // namespace walrus::testing

#include "walrus/cluster/seal_search.h"

#include <deque>
#include <unordered_set>
#include <vector>

#include "walrus/cluster/seal_world.h"

namespace walrus::cluster {
namespace {

// How a state was first reached.
struct Reached {
    std::uint32_t parent;
    Step step;
};

struct Frontier {
    std::uint32_t number;
    SealWorld world;
};

std::string trace(const std::vector<Reached>& reached, std::uint32_t number, const Step& last,
                  const SealWorld& world) {
    std::vector<Step> steps{last};
    for (; number != 0; number = reached[number].parent) steps.push_back(reached[number].step);
    std::string text = *world.violation();
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
        text += "\n  " + world.describe(*step);
    }
    return text;
}

}  // namespace

SearchResult search_seal(const SearchOptions& options) {
    SearchTable table;
    SearchResult result;
    std::unordered_set<std::uint64_t> seen;
    std::vector<Reached> reached;
    std::deque<Frontier> frontier;
    frontier.push_back({0, SealWorld::initial(options, table)});
    seen.insert(frontier.front().world.hash());
    reached.push_back({});

    while (!frontier.empty() && reached.size() < options.max_states) {
        const Frontier from = std::move(frontier.front());
        frontier.pop_front();
        for (const Step& step : from.world.steps()) {
            SealWorld next = from.world;
            if (!next.take(step)) continue;
            ++result.transitions;
            if (next.violation()) {
                result.violation = trace(reached, from.number, step, next);
                result.states = reached.size();
                return result;
            }
            if (next.sealed() && !from.world.sealed()) ++result.seals;
            if (!seen.insert(next.hash()).second) continue;
            const auto number = static_cast<std::uint32_t>(reached.size());
            reached.push_back({from.number, step});
            frontier.push_back({number, std::move(next)});
        }
    }
    result.states = reached.size();
    result.exhausted = frontier.empty();
    return result;
}

}  // namespace walrus::cluster

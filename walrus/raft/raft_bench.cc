// How many proposals per second one group carries on one core, with disks that cost nothing.
#include <benchmark/benchmark.h>

#include <map>
#include <string>
#include <vector>

#include "walrus/base/random.h"
#include "walrus/raft/raft.h"

namespace walrus::raft {
namespace {

constexpr std::size_t kPayloadBytes = 64;
constexpr Index kSnapshotEvery = 20'000;

// Nodes whose writes complete at once and whose messages arrive at once.
class Group {
public:
    explicit Group(NodeId size) {
        Restored restored;
        for (NodeId id = 1; id <= size; ++id) restored.snapshot.conf.voters.push_back(id);
        for (NodeId id = 1; id <= size; ++id) {
            nodes_.emplace(id, Raft::open({.id = id}, restored, random_).value());
        }
        nodes_.at(1).campaign();
        settle();
    }

    Raft& leader() { return nodes_.at(1); }

    void settle() {
        bool busy = true;
        while (busy) {
            busy = false;
            for (auto& [id, node] : nodes_) busy = work(node) || busy;
        }
    }

private:
    bool work(Raft& node) {
        if (!node.has_ready()) return false;
        Ready ready = node.ready();
        node.advance();
        const Index applied = node.log().applied_index();
        if (applied >= node.log().snapshot().index + kSnapshotEvery) {
            node.snapshot_saved({applied, *node.log().term(applied), node.conf_at(applied)});
        }
        for (auto* queue : {&ready.messages, &ready.messages_after_persist}) {
            for (Message& message : *queue) {
                Raft& to = nodes_.at(message.to);
                to.step(std::move(message)).value();
            }
        }
        return true;
    }

    SeededRandom random_{1};
    std::map<NodeId, Raft> nodes_;
};

// Arguments: nodes, proposals between two rounds of work.
void BM_Propose(benchmark::State& state) {
    Group group(static_cast<NodeId>(state.range(0)));
    const std::int64_t batch = state.range(1);
    const Payload payload(std::string(kPayloadBytes, 'x'));
    for (auto _ : state) {
        for (std::int64_t i = 0; i < batch; ++i) {
            benchmark::DoNotOptimize(group.leader().propose(payload).has_value());
        }
        group.settle();
    }
    const RaftLog& log = group.leader().log();
    if (log.applied_index() != log.last_index()) state.SkipWithError("not everything was applied");
    state.SetItemsProcessed(state.iterations() * batch);
}
BENCHMARK(BM_Propose)->ArgNames({"nodes", "batch"})->ArgsProduct({{1, 3, 5}, {1, 16, 256}});

}  // namespace
}  // namespace walrus::raft

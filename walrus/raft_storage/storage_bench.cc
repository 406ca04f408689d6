// Durable metadata proposals of a lone voter: Raft, store and engine on the real disk.
//
//   storage_bench --benchmark_filter=window:1/
//
// Closed loop with `window` proposals outstanding; latency from propose() to the moment the entry
// may be applied.  DiskFloor is one durable 4 KiB write into a written file: no store can be
// faster.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <filesystem>
#include <mutex>
#include <vector>

#include "walrus/base/aligned_buffer.h"
#include "walrus/base/clock.h"
#include "walrus/env/posix_env.h"
#include "walrus/raft/raft.h"
#include "walrus/raft_storage/storage.h"

namespace walrus::raft_storage {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDirectory = "raft_storage_bench_data";
constexpr std::size_t kPayloadBytes = 64;

double percentile(std::vector<std::uint64_t>& sorted_ns, double share) {
    if (sorted_ns.empty()) return 0;
    const auto at = static_cast<std::size_t>(share * static_cast<double>(sorted_ns.size() - 1));
    return static_cast<double>(sorted_ns[at]) / 1000;
}

void report(benchmark::State& state, std::vector<std::uint64_t>& latencies_ns) {
    std::sort(latencies_ns.begin(), latencies_ns.end());
    state.counters["p50_us"] = percentile(latencies_ns, 0.5);
    state.counters["p99_us"] = percentile(latencies_ns, 0.99);
    state.SetItemsProcessed(static_cast<std::int64_t>(latencies_ns.size()));
}

// A driver as a node has one: a loop that the engine's thread wakes.
class LoneVoter {
public:
    LoneVoter() {
        fs::remove_all(kDirectory);
        Options options;
        options.directory = kDirectory;
        options.cluster = options.node = 1;
        options.on_progress = [this] {
            const std::lock_guard lock(mutex_);
            progressed_ = true;
            progress_.notify_one();
        };
        Storage::format(options, {.voters = {1}}).value();
        store_ = Storage::open(options).value();
        raft_.emplace(raft::Raft::open({.id = 1}, store_->restored(), random_).value());
        raft_->campaign();
        while (raft_->role() != raft::Role::kLeader || raft_->log().applied_index() == 0) work();
    }
    ~LoneVoter() {
        store_.reset();
        fs::remove_all(kDirectory);
    }

    void propose(const raft::Payload& payload) {
        raft_->propose(payload).value();
        began_.push_back(clock_.monotonic_ns());
    }
    std::size_t outstanding() const { return began_.size(); }
    std::vector<std::uint64_t>& latencies_ns() { return latencies_ns_; }

    // Does what there is to do, or waits for the disk.
    void work() {
        raft_->persisted(store_->durable_batch());
        if (!raft_->has_ready()) {
            std::unique_lock lock(mutex_);
            progress_.wait(lock, [this] { return progressed_; });
            progressed_ = false;
            return;
        }
        const raft::Ready ready = raft_->ready();
        store_->submit(ready).value();
        const std::uint64_t now = clock_.monotonic_ns();
        for (const raft::Entry& entry : ready.committed) {
            raft_->applied(entry.index);
            if (entry.kind != raft::EntryKind::kCommand) continue;
            latencies_ns_.push_back(now - began_.front());
            began_.pop_front();
        }
        snapshot();
    }

private:
    void snapshot() {
        const raft::Index applied = raft_->log().applied_index();
        if (applied < raft_->log().snapshot().index + 50'000) return;
        const raft::SnapshotMeta meta{applied, *raft_->log().term(applied),
                                      raft_->conf_at(applied)};
        SnapshotWriter writer = store_->create_snapshot(meta).value();
        const SnapshotFile file = writer.finish().value();
        raft_->snapshot_saved(meta);
        store_->save(file, raft_->log().base_index()).value();
    }

    Clock& clock_ = system_clock();
    SeededRandom random_{1};
    std::mutex mutex_;
    std::condition_variable progress_;
    bool progressed_ = false;
    std::unique_ptr<Storage> store_;
    std::optional<raft::Raft> raft_;
    std::deque<std::uint64_t> began_;
    std::vector<std::uint64_t> latencies_ns_;
};

void BM_ProposeDurably(benchmark::State& state) {
    LoneVoter voter;
    const auto window = static_cast<std::size_t>(state.range(0));
    const raft::Payload payload(std::string(kPayloadBytes, 'x'));
    for (auto _ : state) {
        while (voter.outstanding() < window) voter.propose(payload);
        const std::size_t before = voter.outstanding();
        while (voter.outstanding() == before) voter.work();
    }
    report(state, voter.latencies_ns());
    state.SetLabel("class=disk");
}
BENCHMARK(BM_ProposeDurably)->ArgName("window")->Arg(1)->Arg(16)->Arg(256)->UseRealTime();

void BM_DiskFloor(benchmark::State& state) {
    fs::create_directories(kDirectory);
    env::OpenFlags flags;
    flags.create = flags.direct = true;
    const std::string path = env::join_path(kDirectory, "floor");
    constexpr std::uint64_t kSize = 16 << 20;
    {
        auto file = env::posix_env().open(path, flags).value();
        const AlignedBuffer whole(kSize);
        std::memset(whole.data(), 0, kSize);
        file->write_at(whole.span(), 0, env::Durability::kData).value();
        const AlignedBuffer block(env::kBlockSize);
        std::memset(block.data(), 'x', env::kBlockSize);
        std::vector<std::uint64_t> latencies_ns;
        std::uint64_t at = 0;
        for (auto _ : state) {
            const std::uint64_t began = system_clock().monotonic_ns();
            file->write_at(block.span(), at, env::Durability::kData).value();
            latencies_ns.push_back(system_clock().monotonic_ns() - began);
            at = (at + env::kBlockSize) % kSize;
        }
        report(state, latencies_ns);
    }
    fs::remove_all(kDirectory);
    state.SetLabel("class=disk");
}
BENCHMARK(BM_DiskFloor)->UseRealTime();

}  // namespace
}  // namespace walrus::raft_storage

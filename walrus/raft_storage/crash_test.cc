// Power cuts and faults at every operation of a store's life.
//
// A seeded script runs on a simulated disk.  What the next start finds must be the state after some
// step of the script: none before the last step that was reported durable, none that was not tried.
// Small batches are steps of their own; a batch above a frame may leave any prefix of itself.
#include <gtest/gtest.h>

#include <algorithm>

#include "walrus/raft_storage/test_store.h"
#include "walrus/testing/seed.h"
#include "walrus/testing/sim_clock.h"
#include "walrus/testing/sim_env.h"

namespace walrus::raft_storage {
namespace {

using walrus::testing::CrashKind;
using walrus::testing::CrashOptions;
using walrus::testing::SimEnv;
using walrus::testing::Unsynced;

// What a store should hold.
struct Model {
    raft::HardState hard_state;
    raft::SnapshotMeta snapshot{0, 0, three_voters()};
    std::string body;  // Of the snapshot.
    std::vector<raft::Entry> entries;

    bool operator==(const Model&) const = default;

    raft::Index last_index() const {
        return entries.empty() ? snapshot.index : entries.back().index;
    }
    raft::Term term_at(raft::Index index) const {
        return entries[index - entries.front().index].term;
    }
    void cut_from(raft::Index from) {
        while (!entries.empty() && entries.back().index >= from) entries.pop_back();
    }
};

std::string describe(const Model& model) {
    std::string text = "term " + std::to_string(model.hard_state.term) + " vote " +
                       std::to_string(model.hard_state.vote) + " commit " +
                       std::to_string(model.hard_state.commit) + " snapshot " +
                       std::to_string(model.snapshot.index) + " entries";
    for (const raft::Entry& entry : model.entries) {
        text += " " + std::to_string(entry.index) + "@" + std::to_string(entry.term);
    }
    return text;
}

class StoreScript {
public:
    explicit StoreScript(std::uint64_t seed) : seed_(seed) {}

    // Formats, opens and uses a store, until the end or the first error that does not pass.
    // Returns that error.  The store stays open: SimEnv::after_crash wants it so.
    Status run(SimEnv& env, int steps) {
        env_ = &env;
        versions_ = {Model{}};
        durable_ = 0;
        formatted_ = false;
        random_ = SeededRandom(seed_);
        Status status = retried([&] { return Storage::format(options(), three_voters()); });
        formatted_ = status.has_value();
        if (status) status = open();
        for (int i = 0; i < steps && status; ++i) status = step();
        return status;
    }

    // What a start on `disk` finds must be a state of the script.  Goes on from there a little,
    // loses power again, and looks again.
    void expect_survived(SimEnv& disk, std::uint64_t crash_seed) {
        store_.reset();
        env_ = &disk;
        random_ = SeededRandom(crash_seed);
        Result<std::unique_ptr<Storage>> store = Storage::open(options());
        if (!store && store.error().code == Errc::kNotFound && !formatted_) {
            ASSERT_TRUE(Storage::format(options(), three_voters()));
            store = Storage::open(options());
        }
        ASSERT_TRUE(store) << store.error().to_string();
        store_ = *std::move(store);
        const Result<Model> read_back = read();
        ASSERT_TRUE(read_back) << read_back.error().to_string();
        const Model& found = *read_back;
        const auto from = versions_.begin() + static_cast<std::ptrdiff_t>(durable_);
        ASSERT_NE(std::find(from, versions_.end(), found), versions_.end())
            << "found: " << describe(found) << "\ndurable: " << describe(versions_[durable_])
            << "\nlast: " << describe(versions_.back());
        begin_at(found);
        for (int i = 0; i < 6; ++i) {
            const Status status = step();
            ASSERT_TRUE(status) << status.error().to_string();
        }
    }
    std::uint64_t durable_steps() const { return durable_; }

private:
    Options options() { return inline_options(*env_, clock_, store_random_); }
    Model& now() { return versions_.back(); }

    // A fault may say once that there is no space.
    template <class Call>
    Status retried(Call call) {
        Status status = call();
        if (!status && status.error().code == Errc::kNoSpace) status = call();
        return status;
    }

    Status open() {
        Result<std::unique_ptr<Storage>> store = Storage::open(options());
        if (!store && store.error().code == Errc::kNoSpace) store = Storage::open(options());
        if (!store) return store.error();
        store_ = *std::move(store);
        const Result<Model> found = read();
        if (!found) return found.error();
        begin_at(*found);
        return {};
    }
    void begin_at(const Model& found) {
        versions_ = {found};
        durable_ = 0;
        batches_ = {};
        lazy_commit_ = 0;
        submitted_.clear();
    }
    Result<Model> read() {
        const raft::Restored restored = store_->restored();
        Model model{restored.hard_state, restored.snapshot, "", restored.entries};
        if (restored.snapshot.index == 0) return model;
        const Result<SnapshotReader> reader = store_->open_snapshot();
        if (!reader) return reader.error();
        Result<std::string> body = reader->read_body(0, 1 << 20);
        if (!body) return std::move(body).error();
        model.body = *std::move(body);
        return model;
    }

    Status step() {
        const std::uint64_t kind = random_.below(100);
        Status status;
        if (kind < 40) {
            status = append(1 + random_.below(4), 1 + random_.below(300));
        } else if (kind < 45) {
            status = append(12, 5'000);
        } else if (kind < 60) {
            status = commit();
        } else if (kind < 70) {
            status = save();
        } else if (kind < 75) {
            status = install();
        } else if (kind < 95) {
            status = flush();
        } else {
            status = restart();
        }
        note_durable();
        return status;
    }

    // Which version each batch leads to, so that the watermark says what must survive.
    void submitted() { submitted_.push_back({batches_.last(), versions_.size() - 1}); }
    void note_durable() {
        if (store_ == nullptr) return;
        while (!submitted_.empty() && submitted_.front().first <= store_->durable_batch()) {
            durable_ = std::max(durable_, submitted_.front().second);
            submitted_.erase(submitted_.begin());
        }
    }

    Status append(std::uint64_t count, std::size_t size) {
        Model next = now();
        next.hard_state.commit = std::max(next.hard_state.commit, lazy_commit_);
        if (random_.chance(1, 4)) {
            next.hard_state.term += 1 + random_.below(2);
            next.hard_state.vote = random_.below(4);
        }
        if (next.hard_state.term == 0) next.hard_state.term = 1;
        const raft::Index lowest = std::max(next.hard_state.commit, next.snapshot.index) + 1;
        raft::Index from = next.last_index() + 1;
        if (random_.chance(1, 3)) from -= random_.below(from - lowest + 1);
        std::vector<raft::Entry> entries;
        for (std::uint64_t i = 0; i < count; ++i) {
            std::string text = std::to_string(++texts_);
            text.resize(std::max(text.size(), size), '.');
            entries.push_back(command(from + i, next.hard_state.term, std::move(text)));
        }
        const bool one_frame = count * (size + 64) < (64 << 10) / 4;
        if (!one_frame) versions_.push_back(with_hard_state(now(), next.hard_state));
        next.cut_from(from);
        if (!one_frame) versions_.push_back(next);
        for (const raft::Entry& entry : entries) {
            next.entries.push_back(entry);
            if (!one_frame) versions_.push_back(next);
        }
        if (one_frame) versions_.push_back(next);
        return submit(batches_.sync(next.hard_state, std::move(entries)));
    }
    static Model with_hard_state(Model model, raft::HardState state) {
        model.hard_state = state;
        return model;
    }

    Status submit(const raft::Ready& ready) {
        submitted();
        lazy_commit_ = 0;
        return retried([&] { return store_->submit(ready); });
    }

    // Of what is durable only, as Raft does.
    Status commit() {
        const raft::Index from = std::max(now().hard_state.commit, lazy_commit_);
        if (durable_ + 1 != versions_.size() || from >= now().last_index()) return {};
        raft::HardState state = now().hard_state;
        state.commit = from + 1 + random_.below(now().last_index() - from);
        if (random_.chance(1, 2)) {
            lazy_commit_ = state.commit;
            return store_->submit(batches_.lazy(state));
        }
        versions_.push_back(with_hard_state(now(), state));
        return submit(batches_.sync(state));
    }

    Status save() {
        Model next = now();
        const raft::Index upto = next.hard_state.commit;
        if (upto <= next.snapshot.index) return {};
        const raft::Index index =
            next.snapshot.index + 1 + random_.below(upto - next.snapshot.index);
        const raft::Index first_kept = index - std::min<raft::Index>(index, random_.below(4));
        next.snapshot = {index, next.term_at(index), three_voters()};
        next.body = "state " + std::to_string(++texts_);
        std::erase_if(next.entries, [&](const raft::Entry& e) { return e.index < first_kept; });
        Result<SnapshotFile> file = write_snapshot(*store_, next.snapshot, next.body);
        if (!file && file.error().code == Errc::kNoSpace) {
            file = write_snapshot(*store_, next.snapshot, next.body);
        }
        // Nothing was promised: a node goes on without the snapshot.
        if (!file) return env_->dead() ? Status(file.error()) : Status{};
        versions_.push_back(next);
        return retried([&] { return store_->save(*file, first_kept); });
    }

    Status install() {
        Model next = now();
        next.hard_state.commit = std::max(next.hard_state.commit, lazy_commit_);
        if (next.hard_state.term == 0) return {};
        next.snapshot = {next.last_index() + 1 + random_.below(20), next.hard_state.term,
                         three_voters()};
        next.body = "received " + std::to_string(++texts_);
        next.entries.clear();
        const Result<SnapshotFile> file = write_snapshot(*store_, next.snapshot, next.body);
        if (!file) return env_->dead() ? Status(file.error()) : Status{};
        store_->adopt(*file);
        raft::Ready ready = batches_.sync(next.hard_state);
        ready.install = next.snapshot;
        versions_.push_back(next);
        return submit(ready);
    }

    Status flush() {
        const Status status = retried([&] { return store_->flush(); });
        if (status) durable_ = versions_.size() - 1;
        return status;
    }

    Status restart() {
        // Closing writes what was put off.
        if (lazy_commit_ > 0) {
            raft::HardState state = now().hard_state;
            state.commit = std::max(state.commit, lazy_commit_);
            versions_.push_back(with_hard_state(now(), state));
            lazy_commit_ = 0;
        }
        WALRUS_RETURN_IF_ERROR(retried([&] { return store_->close(); }));
        durable_ = versions_.size() - 1;
        const Model closed = now();
        store_.reset();
        WALRUS_RETURN_IF_ERROR(open());
        EXPECT_EQ(now(), closed) << describe(now()) << "\n" << describe(closed);
        return {};
    }

    const std::uint64_t seed_;
    SimEnv* env_ = nullptr;
    testing::SimClock clock_;
    SeededRandom random_{0};
    SeededRandom store_random_{99};
    std::unique_ptr<Storage> store_;
    ReadyMaker batches_;
    std::vector<Model> versions_;
    std::size_t durable_ = 0;  // The version that must survive.
    std::vector<std::pair<std::uint64_t, std::size_t>> submitted_;
    raft::Index lazy_commit_ = 0;
    std::uint64_t texts_ = 0;
    bool formatted_ = false;
};

constexpr int kSteps = 60;

std::uint64_t count_operations(std::uint64_t seed) {
    SimEnv env(seed);
    StoreScript script(seed);
    const Status status = script.run(env, kSteps);
    EXPECT_TRUE(status) << status.error().to_string();
    return env.operation_count();
}

constexpr CrashOptions kCrashes[] = {
    {CrashKind::kPower, Unsynced::kDrop, 0},     {CrashKind::kPower, Unsynced::kTorn512, 0},
    {CrashKind::kPower, Unsynced::kTorn4096, 0}, {CrashKind::kPower, Unsynced::kKeep, 0},
    {CrashKind::kKill, Unsynced::kKeep, 0},
};

// Cuts the power after every operation, and lets every kind of crash happen to what was unsynced.
void sweep_cuts(std::uint64_t seed) {
    const std::uint64_t total = count_operations(seed);
    const std::uint64_t stride = testing::test_switch("WALRUS_CRASH_FULL") ? 1 : 3;
    for (std::uint64_t n = seed % stride; n <= total; n += stride) {
        for (CrashOptions crash : kCrashes) {
            SimEnv env(seed);
            env.cut_after(n);
            StoreScript script(seed);
            const Status status = script.run(env, kSteps);
            // Not every failure stops it: a file that was superseded may stay.
            ASSERT_TRUE(n == total || env.dead()) << status.error().to_string();
            crash.seed = seed + n;
            const auto survivor = env.after_crash(crash);
            script.expect_survived(*survivor, crash.seed);
            ASSERT_FALSE(::testing::Test::HasFatalFailure())
                << "after operation " << n << ", crash " << static_cast<int>(crash.kind) << "/"
                << static_cast<int>(crash.unsynced) << "\nWALRUS_SEED=" << seed;
        }
    }
}

TEST(RaftStoreCrash, EveryPowerCutLeavesAStateOfTheScript) {
    const std::uint64_t seed = testing::test_seed();
    for (std::uint64_t i = 0; i < 3 && !::testing::Test::HasFatalFailure(); ++i)
        sweep_cuts(seed + i);
}

// One operation fails.  The store must say so, or not need it; nothing reported durable is lost.
void sweep_faults(std::uint64_t seed, Errc error) {
    const std::uint64_t total = count_operations(seed);
    for (std::uint64_t n = 1; n <= total; ++n) {
        SimEnv env(seed);
        env.fail_operation(n, error);
        StoreScript script(seed);
        const Status status = script.run(env, kSteps);
        if (!status) {
            const Errc code = status.error().code;
            ASSERT_TRUE(code == error || code == Errc::kPoisoned || code == Errc::kIo)
                << status.error().to_string();
        }
        const auto survivor = env.after_crash({CrashKind::kPower, Unsynced::kDrop, n});
        script.expect_survived(*survivor, n);
        ASSERT_FALSE(::testing::Test::HasFatalFailure())
            << "operation " << n << " failed\nWALRUS_SEED=" << seed;
    }
}

TEST(RaftStoreCrash, EveryFailedOperationIsReportedAndLosesNothing) {
    sweep_faults(testing::test_seed(), Errc::kIo);
}

TEST(RaftStoreCrash, EveryFullDiskIsReportedAndLosesNothing) {
    sweep_faults(testing::test_seed() + 1, Errc::kNoSpace);
}

}  // namespace
}  // namespace walrus::raft_storage

// Every boundary between two disk operations of a scripted run is cut and recovered.
#include <gtest/gtest.h>

#include <cstdlib>

#include "walrus/testing/seed.h"
#include "walrus/wal/crash_script.h"

namespace walrus::wal {
namespace {

using testing::CrashKind;
using testing::CrashOptions;
using testing::SimEnv;
using testing::test_seed;
using testing::Unsynced;

constexpr CrashOptions kCrashes[] = {
    {CrashKind::kKill, Unsynced::kKeep},     {CrashKind::kKill, Unsynced::kTorn512},
    {CrashKind::kPower, Unsynced::kKeep},    {CrashKind::kPower, Unsynced::kDrop},
    {CrashKind::kPower, Unsynced::kTorn512}, {CrashKind::kPower, Unsynced::kTorn4096},
};

bool full_sweep() {
    return testing::test_switch("WALRUS_CRASH_FULL");
}

std::string describe(const CrashScriptConfig& config, std::uint64_t cut, CrashOptions crash) {
    return "\nclass " + std::string(durability_class_name(config.durability)) + " backend " +
           std::string(backend_name(config.backend)) + " script seed " +
           std::to_string(config.seed) + " cut after " + std::to_string(cut) + " crash " +
           (crash.kind == CrashKind::kKill ? "kill" : "power") + "/" +
           std::to_string(static_cast<int>(crash.unsynced)) + " crash seed " +
           std::to_string(crash.seed) + "; WALRUS_SEED=" + std::to_string(test_seed());
}

std::uint64_t count_operations(const CrashScriptConfig& config) {
    SimEnv env(config.seed);
    CrashScript script(config);
    const std::string wrong = script.run(env);
    EXPECT_EQ(wrong, "") << describe(config, ~std::uint64_t{0}, {});
    return wrong.empty() ? env.operation_count() : 0;
}

// Cuts after every operation.  Each cut suffers one kind of crash, by turns, and all of them in a
// full sweep.
void sweep(CrashScriptConfig config) {
    const std::uint64_t total = count_operations(config);
    std::uint64_t turn = config.seed;
    for (std::uint64_t cut = 0; cut <= total && !::testing::Test::HasFailure(); ++cut) {
        SimEnv env(config.seed);
        env.cut_after(cut);
        CrashScript script(config);
        ASSERT_EQ(script.run(env), "") << describe(config, cut, {});
        ++turn;
        for (std::size_t i = 0; i < std::size(kCrashes); ++i) {
            if (!full_sweep() && i % 3 != turn % 3) continue;
            CrashOptions crash = kCrashes[i];
            crash.seed = config.seed + cut;
            const std::unique_ptr<SimEnv> survivor = env.after_crash(crash);
            const auto after = static_cast<CrashScript::After>((cut + i) % 3);
            EXPECT_EQ(script.check(*survivor, crash.kind, after), "")
                << describe(config, cut, crash);
        }
    }
}

constexpr Backend kBackends[] = {Backend::kDirect, Backend::kBuffered, Backend::kMmap};

void sweep_seeds(DurabilityClass durability, int seeds) {
    for (int i = 0; i < seeds; ++i)
        sweep({test_seed() + static_cast<std::uint64_t>(i), durability, kBackends[i % 3]});
}

TEST(Crash, ClassDiskKeepsWhatItAcknowledgedThroughEveryCut) {
    sweep_seeds(DurabilityClass::kDisk, 6);
}

TEST(Crash, ClassProcessKeepsWhatItAcknowledgedThroughEveryKill) {
    sweep_seeds(DurabilityClass::kProcess, 6);
}

TEST(Crash, ClassOsIntervalKeepsAPrefixThroughEveryCut) {
    sweep_seeds(DurabilityClass::kOsInterval, 2);
}

TEST(Crash, ClassNoneKeepsAPrefixThroughEveryCut) {
    sweep_seeds(DurabilityClass::kNone, 2);
}

// The survivor's recovery dies too, after each of its operations; the next one must do.
void sweep_recovery(CrashScriptConfig config, std::uint64_t stride) {
    const std::uint64_t total = count_operations(config);
    for (std::uint64_t cut = config.seed % stride; cut <= total; cut += stride) {
        SimEnv env(config.seed);
        env.cut_after(cut);
        CrashScript script(config);
        ASSERT_EQ(script.run(env), "") << describe(config, cut, {});
        for (CrashOptions crash : kCrashes) {
            crash.seed = config.seed + cut;
            for (std::uint64_t second = 0;; ++second) {
                const std::unique_ptr<SimEnv> survivor = env.after_crash(crash);
                survivor->cut_after(second);
                const Result<std::unique_ptr<Wal>> wal = Wal::open(script.options(*survivor));
                if (!survivor->dead()) break;
                const CrashOptions again{crash.kind, crash.unsynced, crash.seed + second + 1};
                const std::unique_ptr<SimEnv> last = survivor->after_crash(again);
                const auto after = static_cast<CrashScript::After>(second % 3);
                ASSERT_EQ(script.check(*last, crash.kind, after), "")
                    << describe(config, cut, crash) << ", again after " << second;
            }
        }
    }
}

TEST(Crash, RecoveryThatDiesCanBeRecoveredFrom) {
    const std::uint64_t stride = full_sweep() ? 1 : 17;
    for (const DurabilityClass durability : {DurabilityClass::kDisk, DurabilityClass::kProcess})
        for (std::uint64_t i = 0; i < 2; ++i)
            sweep_recovery({test_seed() + i, durability, kBackends[i]}, stride);
}

TEST(Crash, TheScriptDoesEverythingItIsFor) {
    std::map<std::string, int> taken;
    // Enough scripts that the rarest step is missed once in far more than a million runs.
    for (std::uint64_t i = 0; i < 60; ++i) {
        SimEnv env;
        CrashScript script({test_seed() + i, DurabilityClass::kDisk, Backend::kDirect});
        ASSERT_EQ(script.run(env), "");
        for (const auto& [step, times] : script.taken()) taken[step] += times;
    }
    for (const char* step :
         {"append", "opaque", "batch", "async", "read", "commit", "delete cursor", "truncate",
          "create topic", "delete topic", "mark", "retention", "recycled", "sync", "close", "drop"})
        EXPECT_GT(taken[step], 0) << step;
}

}  // namespace
}  // namespace walrus::wal

// The whole way from a load to a judgement, against the file driver: honest, and lying.
#include "harness/resilience/prove.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/driver/file_driver.h"
#include "harness/driver/scratch_directory.h"
#include "harness/resilience/judgement.h"
#include "harness/resilience/run_builder.h"
#include "harness/workload/payload.h"

namespace walrus::harness {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kMs = 1'000'000;

class ProveTest : public ::testing::Test {
protected:
    ProofJudgement run(const std::string& misbehave) {
        ResilienceScenario scenario;
        scenario.name = "tiny";
        scenario.load = {.durability = Durability::kProcess,
                         .topics = 2,
                         .writers = 2,
                         .consumers = 1,
                         .rate_per_s = 2'000,
                         .payload_bytes = 100,
                         .settle_ns = 200 * kMs};
        scenario.phases = {
            .warm_up_ns = 20 * kMs, .steady_ns = 150 * kMs, .fault_ns = 0, .healed_ns = 20 * kMs};
        auto system = make_file_driver()->open({.directory = directory_.path(),
                                                .durability = Durability::kProcess,
                                                .settings = {{"misbehave", misbehave}},
                                                .writers = 2});
        EXPECT_TRUE(system) << system.error().message;
        const std::string path = directory_.path() + "/history.jsonl";
        const Status proved = prove(**system,
                                    {.scenario = scenario,
                                     .system = "file",
                                     .run_id = 5,
                                     .history = path,
                                     .logs = directory_.path()},
                                    machine_clock());
        EXPECT_TRUE(proved) << proved.error().message;
        auto history = read_history(path);
        EXPECT_TRUE(history) << history.error().message;
        history_ = std::move(*history);
        return judge(history_, {});
    }
    static std::vector<std::string> names(const ProofJudgement& judgement) {
        std::vector<std::string> found;
        for (const AnomalyKind kind : judgement.verdict.found()) {
            found.emplace_back(anomaly_name(kind));
        }
        return found;
    }

    ScratchDirectory directory_;
    History history_;
};

TEST_F(ProveTest, AnHonestSystemPasses) {
    const ProofJudgement judgement = run("none");
    EXPECT_EQ(judgement.outcome, ProofOutcome::kPassed) << judgement.reasons.front();
    EXPECT_GT(judgement.verdict.acknowledged, 100u);
    EXPECT_EQ(judgement.verdict.in_log, judgement.verdict.acknowledged);
    EXPECT_EQ(history_.phases.size(), 5u);
    EXPECT_EQ(judgement.recovery.phases.at(1).name, "steady");
    EXPECT_GT(judgement.recovery.phases.at(1).appends, 50u);
}

TEST_F(ProveTest, ADroppedRecordIsLost) {
    EXPECT_THAT(names(run("drop")), ElementsAre("lost-write"));
}

TEST_F(ProveTest, ARecordWrittenTwiceIsADuplicate) {
    EXPECT_THAT(names(run("duplicate")), ElementsAre("duplicate"));
}

TEST_F(ProveTest, ARecordWithADamagedBodyIsCorrupt) {
    const ProofJudgement judgement = run("corrupt");
    EXPECT_EQ(judgement.outcome, ProofOutcome::kSafety);
    EXPECT_GT(judgement.verdict[AnomalyKind::kCorrupt].count, 0u);
}

TEST(RunBuilder, JoinsWhatFollowsAndSetsApartWhatIsNotOurs) {
    PayloadStream ours({.seed = 1, .run_id = 5, .writer = 1, .bytes = 64, .batch = 4});
    PayloadStream other({.seed = 1, .run_id = 6, .writer = 1, .bytes = 64, .batch = 1});
    const auto records = ours.next(4, 0);
    PollOp poll;
    RunBuilder runs(5, poll);
    EXPECT_TRUE(runs.empty());
    runs.add(10, records[0]);
    runs.add(11, records[1]);
    runs.add(13, records[2]);
    runs.add(14, other.next(1, 0)[0]);
    std::vector<std::byte> damaged(records[3].begin(), records[3].end());
    damaged.back() ^= std::byte{1};
    runs.add(15, damaged);
    EXPECT_THAT(poll.runs, ElementsAre(RecordRun{10, 1, 0, 2}, RecordRun{13, 1, 2, 1}));
    EXPECT_THAT(poll.foreign, ElementsAre(14u));
    EXPECT_THAT(poll.damaged, ElementsAre(15u));
    EXPECT_EQ(runs.next_offset(), 16u);
}

}  // namespace
}  // namespace walrus::harness

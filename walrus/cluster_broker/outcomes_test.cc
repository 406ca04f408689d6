#include "walrus/cluster_broker/outcomes.h"

#include <gtest/gtest.h>

namespace walrus::cluster_broker {
namespace {

using broker::AppendOutcome;

broker::AppendResult result_of(cluster::AppendOutcome outcome, std::optional<Offset> offset = {}) {
    return append_result({.outcome = outcome, .offset = offset});
}

TEST(ClusterOutcomes, AnAppendIsWhereItWasPut) {
    const auto done = result_of(cluster::AppendOutcome::kCommitted, Offset{7});
    EXPECT_EQ(done.outcome, AppendOutcome::kAppended);
    EXPECT_EQ(done.base_offset, Offset{7});
}

TEST(ClusterOutcomes, ADuplicateIsWhereItsOriginalIsIfThatIsKnown) {
    EXPECT_EQ(result_of(cluster::AppendOutcome::kDuplicate, Offset{7}).outcome,
              AppendOutcome::kDuplicate);
    EXPECT_EQ(result_of(cluster::AppendOutcome::kDuplicate).outcome,
              AppendOutcome::kForgottenDuplicate);
}

// What a client may do again without harm depends on these.
TEST(ClusterOutcomes, OnlyAnUnknownOutcomeIsATimeout) {
    using cluster::AppendOutcome;
    EXPECT_EQ(result_of(AppendOutcome::kOutcomeUnknown).status.error().code, Errc::kTimeout);
    EXPECT_EQ(result_of(AppendOutcome::kNotLeader).status.error().code, Errc::kNotLeader);
    EXPECT_EQ(result_of(AppendOutcome::kBusy).status.error().code, Errc::kResourceExhausted);
    EXPECT_EQ(result_of(AppendOutcome::kTooLarge).status.error().code, Errc::kTooLarge);
}

TEST(ClusterOutcomes, ProducersAreToldWhatIsWrongWithTheirNumbers) {
    EXPECT_EQ(result_of(cluster::AppendOutcome::kOutOfOrder).outcome,
              AppendOutcome::kOutOfOrderSequence);
    EXPECT_EQ(result_of(cluster::AppendOutcome::kProducerFenced).outcome,
              AppendOutcome::kProducerFenced);
}

TEST(ClusterOutcomes, ACommandSaysWhyItWasNotApplied) {
    const Error error = command_error("topic t", cluster::Outcome::kNotEnoughReplicas);
    EXPECT_EQ(error.code, Errc::kResourceExhausted);
    EXPECT_NE(error.message.find("topic t: not-enough-replicas"), std::string::npos);
    EXPECT_EQ(command_error("x", cluster::Outcome::kStaleEpoch).code, Errc::kFenced);
    EXPECT_EQ(command_error("x", cluster::Outcome::kAlreadyExists).code, Errc::kAlreadyExists);
}

}  // namespace
}  // namespace walrus::cluster_broker

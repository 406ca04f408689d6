#include "walrus/cluster_broker/outcomes.h"

#include <string>

namespace walrus::cluster_broker {
namespace {

broker::AppendResult failed(Errc code, const char* message) {
    return {.outcome = broker::AppendOutcome::kFailed, .status = Error{code, message}};
}

Errc errc_of(cluster::Outcome outcome) {
    using cluster::Outcome;
    switch (outcome) {
        case Outcome::kMalformed:
        case Outcome::kInvalid: return Errc::kInvalidArgument;
        case Outcome::kNotFound: return Errc::kNotFound;
        case Outcome::kAlreadyExists: return Errc::kAlreadyExists;
        case Outcome::kStaleEpoch: return Errc::kFenced;
        // Something changed since we looked; it is worth another look.
        case Outcome::kApplied:
        case Outcome::kStaleIndex:
        case Outcome::kStaleVersion:
        case Outcome::kStaleNode:
        case Outcome::kWrongState:
        case Outcome::kInUse: return Errc::kBusy;
        case Outcome::kNotEnoughReplicas:
        case Outcome::kLimit: return Errc::kResourceExhausted;
        case Outcome::kOutOfRange: return Errc::kOutOfRange;
    }
    return Errc::kInvalidArgument;
}

}  // namespace

broker::AppendResult append_result(const cluster::AppendDone& done) {
    using broker::AppendOutcome;
    switch (done.outcome) {
        case cluster::AppendOutcome::kCommitted:
            return {.outcome = AppendOutcome::kAppended,
                    .base_offset = done.offset.value_or(Offset{})};
        case cluster::AppendOutcome::kDuplicate:
            if (!done.offset) return {.outcome = AppendOutcome::kForgottenDuplicate};
            return {.outcome = AppendOutcome::kDuplicate, .base_offset = *done.offset};
        case cluster::AppendOutcome::kOutcomeUnknown:
            return failed(Errc::kTimeout,
                          "append: its leader lost the topic meanwhile; the batch "
                          "may or may not be there");
        case cluster::AppendOutcome::kNotLeader:
            return failed(Errc::kNotLeader, "append: another node leads the topic");
        case cluster::AppendOutcome::kBusy:
            return failed(Errc::kResourceExhausted,
                          "append: the topic is changing segments or has too much in flight; "
                          "nothing was appended, try again");
        case cluster::AppendOutcome::kTooLarge:
            return failed(Errc::kTooLarge,
                          "append: the batch fits into no segment of the topic; "
                          "raise segment.bytes or walrus.segment.records");
        case cluster::AppendOutcome::kOutOfOrder:
            return {.outcome = AppendOutcome::kOutOfOrderSequence};
        case cluster::AppendOutcome::kProducerFenced:
            return {.outcome = AppendOutcome::kProducerFenced};
    }
    return failed(Errc::kTimeout, "append: unknown outcome");
}

Error command_error(std::string_view what, cluster::Outcome outcome) {
    std::string message = std::string(what) + ": " + cluster::outcome_name(outcome);
    if (outcome == cluster::Outcome::kNotEnoughReplicas)
        message += ": too few nodes are live for the topic's min.insync.replicas";
    return {errc_of(outcome), std::move(message)};
}

}  // namespace walrus::cluster_broker

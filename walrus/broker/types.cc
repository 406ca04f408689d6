#include "walrus/broker/types.h"

namespace walrus::broker {

std::string_view append_outcome_name(AppendOutcome outcome) {
    switch (outcome) {
        case AppendOutcome::kAppended: return "appended";
        case AppendOutcome::kDuplicate: return "duplicate";
        case AppendOutcome::kForgottenDuplicate: return "forgotten-duplicate";
        case AppendOutcome::kOutOfOrderSequence: return "out-of-order-sequence";
        case AppendOutcome::kUnknownProducer: return "unknown-producer";
        case AppendOutcome::kProducerFenced: return "producer-fenced";
        case AppendOutcome::kFailed: return "failed";
    }
    return "unknown";
}

}  // namespace walrus::broker

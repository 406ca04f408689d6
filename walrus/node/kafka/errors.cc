#include "walrus/node/kafka/errors.h"

namespace walrus::node::kafka {
namespace {

ErrorCode write_error(Errc code) {
    switch (code) {
        case Errc::kInvalidArgument: return ErrorCode::kInvalidRecord;
        case Errc::kNotFound: return ErrorCode::kUnknownTopicOrPartition;
        case Errc::kTooLarge: return ErrorCode::kMessageTooLarge;
        case Errc::kCorruption: return ErrorCode::kCorruptMessage;
        case Errc::kUnsupported: return ErrorCode::kUnsupportedForMessageFormat;
        case Errc::kNoSpace:
        case Errc::kIo:
        case Errc::kPoisoned: return ErrorCode::kKafkaStorageError;
        // The one code that says: not written, and worth another try.
        case Errc::kResourceExhausted:
        case Errc::kBusy: return ErrorCode::kNotEnoughReplicas;
        case Errc::kFenced:
        case Errc::kNotLeader: return ErrorCode::kNotLeaderOrFollower;
        case Errc::kTimeout:
        case Errc::kClosed: return ErrorCode::kRequestTimedOut;
        case Errc::kAlreadyExists:
        case Errc::kOutOfRange: return ErrorCode::kUnknownServerError;
    }
    return ErrorCode::kUnknownServerError;
}

}  // namespace

ErrorCode append_error(const broker::AppendResult& result) {
    using broker::AppendOutcome;
    switch (result.outcome) {
        case AppendOutcome::kAppended:
        case AppendOutcome::kDuplicate: return ErrorCode::kNone;
        case AppendOutcome::kForgottenDuplicate: return ErrorCode::kDuplicateSequenceNumber;
        case AppendOutcome::kOutOfOrderSequence: return ErrorCode::kOutOfOrderSequenceNumber;
        case AppendOutcome::kUnknownProducer: return ErrorCode::kUnknownProducerId;
        case AppendOutcome::kProducerFenced: return ErrorCode::kInvalidProducerEpoch;
        case AppendOutcome::kFailed:
            return result.status ? ErrorCode::kUnknownServerError
                                 : write_error(result.status.error().code);
    }
    return ErrorCode::kUnknownServerError;
}

ErrorCode read_error(const Status& status) {
    if (status) return ErrorCode::kNone;
    switch (status.error().code) {
        case Errc::kOutOfRange: return ErrorCode::kOffsetOutOfRange;
        case Errc::kNotFound: return ErrorCode::kUnknownTopicOrPartition;
        case Errc::kNotLeader:
        case Errc::kFenced: return ErrorCode::kNotLeaderOrFollower;
        case Errc::kCorruption:
        case Errc::kNoSpace:
        case Errc::kIo:
        case Errc::kPoisoned: return ErrorCode::kKafkaStorageError;
        case Errc::kInvalidArgument:
        case Errc::kTooLarge:
        case Errc::kUnsupported: return ErrorCode::kInvalidRequest;
        case Errc::kResourceExhausted:
        case Errc::kBusy:
        case Errc::kTimeout:
        case Errc::kClosed: return ErrorCode::kRequestTimedOut;
        case Errc::kAlreadyExists: return ErrorCode::kUnknownServerError;
    }
    return ErrorCode::kUnknownServerError;
}

ErrorCode admin_error(const Status& status) {
    if (status) return ErrorCode::kNone;
    switch (status.error().code) {
        case Errc::kAlreadyExists: return ErrorCode::kTopicAlreadyExists;
        case Errc::kNotFound: return ErrorCode::kUnknownTopicOrPartition;
        case Errc::kInvalidArgument: return ErrorCode::kInvalidConfig;
        case Errc::kResourceExhausted: return ErrorCode::kPolicyViolation;
        case Errc::kNotLeader:
        case Errc::kFenced: return ErrorCode::kNotController;
        case Errc::kTimeout:
        case Errc::kBusy:
        case Errc::kClosed: return ErrorCode::kRequestTimedOut;
        case Errc::kNoSpace:
        case Errc::kIo:
        case Errc::kCorruption:
        case Errc::kPoisoned: return ErrorCode::kKafkaStorageError;
        case Errc::kTooLarge:
        case Errc::kUnsupported: return ErrorCode::kInvalidRequest;
        case Errc::kOutOfRange: return ErrorCode::kUnknownServerError;
    }
    return ErrorCode::kUnknownServerError;
}

ErrorCode epoch_error(std::int32_t theirs, std::int32_t ours) {
    if (theirs < 0 || theirs == ours) return ErrorCode::kNone;
    return theirs < ours ? ErrorCode::kFencedLeaderEpoch : ErrorCode::kUnknownLeaderEpoch;
}

}  // namespace walrus::node::kafka

#include "walrus/node/kafka/errors.h"

#include <gtest/gtest.h>

namespace walrus::node::kafka {
namespace {

broker::AppendResult outcome(broker::AppendOutcome value) {
    broker::AppendResult result;
    result.outcome = value;
    return result;
}

broker::AppendResult failed(Errc code) {
    broker::AppendResult result;
    result.status = Error{code, "test"};
    return result;
}

TEST(KafkaErrors, WhatBecameOfAnAppend) {
    using broker::AppendOutcome;
    EXPECT_EQ(append_error(outcome(AppendOutcome::kAppended)), ErrorCode::kNone);
    EXPECT_EQ(append_error(outcome(AppendOutcome::kDuplicate)), ErrorCode::kNone);
    EXPECT_EQ(append_error(outcome(AppendOutcome::kForgottenDuplicate)),
              ErrorCode::kDuplicateSequenceNumber);
    EXPECT_EQ(append_error(outcome(AppendOutcome::kOutOfOrderSequence)),
              ErrorCode::kOutOfOrderSequenceNumber);
    EXPECT_EQ(append_error(outcome(AppendOutcome::kUnknownProducer)),
              ErrorCode::kUnknownProducerId);
    EXPECT_EQ(append_error(outcome(AppendOutcome::kProducerFenced)),
              ErrorCode::kInvalidProducerEpoch);
    EXPECT_EQ(append_error(outcome(AppendOutcome::kFailed)), ErrorCode::kUnknownServerError);
}

struct Row {
    Errc code;
    ErrorCode append;
    ErrorCode read;
    ErrorCode admin;
};

constexpr Row kRows[] = {
    {Errc::kInvalidArgument, ErrorCode::kInvalidRecord, ErrorCode::kInvalidRequest,
     ErrorCode::kInvalidConfig},
    {Errc::kNotFound, ErrorCode::kUnknownTopicOrPartition, ErrorCode::kUnknownTopicOrPartition,
     ErrorCode::kUnknownTopicOrPartition},
    {Errc::kAlreadyExists, ErrorCode::kUnknownServerError, ErrorCode::kUnknownServerError,
     ErrorCode::kTopicAlreadyExists},
    {Errc::kOutOfRange, ErrorCode::kUnknownServerError, ErrorCode::kOffsetOutOfRange,
     ErrorCode::kUnknownServerError},
    {Errc::kTooLarge, ErrorCode::kMessageTooLarge, ErrorCode::kInvalidRequest,
     ErrorCode::kInvalidRequest},
    {Errc::kNoSpace, ErrorCode::kKafkaStorageError, ErrorCode::kKafkaStorageError,
     ErrorCode::kKafkaStorageError},
    {Errc::kResourceExhausted, ErrorCode::kNotEnoughReplicas, ErrorCode::kRequestTimedOut,
     ErrorCode::kPolicyViolation},
    {Errc::kBusy, ErrorCode::kNotEnoughReplicas, ErrorCode::kRequestTimedOut,
     ErrorCode::kRequestTimedOut},
    {Errc::kIo, ErrorCode::kKafkaStorageError, ErrorCode::kKafkaStorageError,
     ErrorCode::kKafkaStorageError},
    {Errc::kCorruption, ErrorCode::kCorruptMessage, ErrorCode::kKafkaStorageError,
     ErrorCode::kKafkaStorageError},
    {Errc::kUnsupported, ErrorCode::kUnsupportedForMessageFormat, ErrorCode::kInvalidRequest,
     ErrorCode::kInvalidRequest},
    {Errc::kPoisoned, ErrorCode::kKafkaStorageError, ErrorCode::kKafkaStorageError,
     ErrorCode::kKafkaStorageError},
    {Errc::kClosed, ErrorCode::kRequestTimedOut, ErrorCode::kRequestTimedOut,
     ErrorCode::kRequestTimedOut},
    {Errc::kTimeout, ErrorCode::kRequestTimedOut, ErrorCode::kRequestTimedOut,
     ErrorCode::kRequestTimedOut},
    {Errc::kFenced, ErrorCode::kNotLeaderOrFollower, ErrorCode::kNotLeaderOrFollower,
     ErrorCode::kNotController},
    {Errc::kNotLeader, ErrorCode::kNotLeaderOrFollower, ErrorCode::kNotLeaderOrFollower,
     ErrorCode::kNotController},
};

TEST(KafkaErrors, EveryErrorHasACodeForWhatTheClientCanDo) {
    for (const Row& row : kRows) {
        SCOPED_TRACE(errc_name(row.code));
        const Status status = Error{row.code, "test"};
        EXPECT_EQ(append_error(failed(row.code)), row.append);
        EXPECT_EQ(read_error(status), row.read);
        EXPECT_EQ(admin_error(status), row.admin);
    }
    EXPECT_EQ(std::size(kRows), static_cast<std::size_t>(Errc::kNotLeader) + 1)
        << "an error of ours has no row here";
    EXPECT_EQ(read_error({}), ErrorCode::kNone);
    EXPECT_EQ(admin_error({}), ErrorCode::kNone);
}

}  // namespace
}  // namespace walrus::node::kafka

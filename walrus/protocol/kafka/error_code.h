// Error codes of Kafka's protocol, with Kafka's names.
//
// kafka.apache.org/protocol, section "Error Codes".  A code that is not named here is still
// carried.
#pragma once

#include <cstdint>
#include <string_view>

namespace walrus::protocol::kafka {

enum class ErrorCode : std::int16_t {
    kUnknownServerError = -1,
    kNone = 0,
    kOffsetOutOfRange = 1,
    kCorruptMessage = 2,
    kUnknownTopicOrPartition = 3,
    kInvalidFetchSize = 4,
    kLeaderNotAvailable = 5,
    kNotLeaderOrFollower = 6,
    kRequestTimedOut = 7,
    kBrokerNotAvailable = 8,
    kReplicaNotAvailable = 9,
    kMessageTooLarge = 10,
    kOffsetMetadataTooLarge = 12,
    kNetworkException = 13,
    kCoordinatorLoadInProgress = 14,
    kCoordinatorNotAvailable = 15,
    kNotCoordinator = 16,
    kInvalidTopicException = 17,
    kRecordListTooLarge = 18,
    kNotEnoughReplicas = 19,
    kNotEnoughReplicasAfterAppend = 20,
    kInvalidRequiredAcks = 21,
    kIllegalGeneration = 22,
    kInconsistentGroupProtocol = 23,
    kInvalidGroupId = 24,
    kUnknownMemberId = 25,
    kInvalidSessionTimeout = 26,
    kRebalanceInProgress = 27,
    kInvalidCommitOffsetSize = 28,
    kTopicAuthorizationFailed = 29,
    kGroupAuthorizationFailed = 30,
    kClusterAuthorizationFailed = 31,
    kInvalidTimestamp = 32,
    kUnsupportedSaslMechanism = 33,
    kIllegalSaslState = 34,
    kUnsupportedVersion = 35,
    kTopicAlreadyExists = 36,
    kInvalidPartitions = 37,
    kInvalidReplicationFactor = 38,
    kInvalidReplicaAssignment = 39,
    kInvalidConfig = 40,
    kNotController = 41,
    kInvalidRequest = 42,
    kUnsupportedForMessageFormat = 43,
    kPolicyViolation = 44,
    kOutOfOrderSequenceNumber = 45,
    kDuplicateSequenceNumber = 46,
    kInvalidProducerEpoch = 47,
    kInvalidTxnState = 48,
    kInvalidProducerIdMapping = 49,
    kTransactionalIdAuthorizationFailed = 53,
    kSecurityDisabled = 54,
    kKafkaStorageError = 56,
    kSaslAuthenticationFailed = 58,
    kUnknownProducerId = 59,
    kFetchSessionIdNotFound = 70,
    kInvalidFetchSessionEpoch = 71,
    kTopicDeletionDisabled = 73,
    kFencedLeaderEpoch = 74,
    kUnknownLeaderEpoch = 75,
    kUnsupportedCompressionType = 76,
    kOffsetNotAvailable = 78,
    kMemberIdRequired = 79,
    kGroupMaxSizeReached = 81,
    kFencedInstanceId = 82,
    kInvalidRecord = 87,
    kThrottlingQuotaExceeded = 89,
    kProducerFenced = 90,
};

// Kafka's name, e.g. "OFFSET_OUT_OF_RANGE"; "UNKNOWN_CODE" for a number that is not in the list.
std::string_view error_name(ErrorCode code);

}  // namespace walrus::protocol::kafka

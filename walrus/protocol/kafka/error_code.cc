#include "walrus/protocol/kafka/error_code.h"

#include <array>

namespace walrus::protocol::kafka {
namespace {

struct Name {
    ErrorCode code;
    std::string_view name;
};

constexpr std::array kNames = {
    Name{ErrorCode::kUnknownServerError, "UNKNOWN_SERVER_ERROR"},
    Name{ErrorCode::kNone, "NONE"},
    Name{ErrorCode::kOffsetOutOfRange, "OFFSET_OUT_OF_RANGE"},
    Name{ErrorCode::kCorruptMessage, "CORRUPT_MESSAGE"},
    Name{ErrorCode::kUnknownTopicOrPartition, "UNKNOWN_TOPIC_OR_PARTITION"},
    Name{ErrorCode::kInvalidFetchSize, "INVALID_FETCH_SIZE"},
    Name{ErrorCode::kLeaderNotAvailable, "LEADER_NOT_AVAILABLE"},
    Name{ErrorCode::kNotLeaderOrFollower, "NOT_LEADER_OR_FOLLOWER"},
    Name{ErrorCode::kRequestTimedOut, "REQUEST_TIMED_OUT"},
    Name{ErrorCode::kBrokerNotAvailable, "BROKER_NOT_AVAILABLE"},
    Name{ErrorCode::kReplicaNotAvailable, "REPLICA_NOT_AVAILABLE"},
    Name{ErrorCode::kMessageTooLarge, "MESSAGE_TOO_LARGE"},
    Name{ErrorCode::kOffsetMetadataTooLarge, "OFFSET_METADATA_TOO_LARGE"},
    Name{ErrorCode::kNetworkException, "NETWORK_EXCEPTION"},
    Name{ErrorCode::kCoordinatorLoadInProgress, "COORDINATOR_LOAD_IN_PROGRESS"},
    Name{ErrorCode::kCoordinatorNotAvailable, "COORDINATOR_NOT_AVAILABLE"},
    Name{ErrorCode::kNotCoordinator, "NOT_COORDINATOR"},
    Name{ErrorCode::kInvalidTopicException, "INVALID_TOPIC_EXCEPTION"},
    Name{ErrorCode::kRecordListTooLarge, "RECORD_LIST_TOO_LARGE"},
    Name{ErrorCode::kNotEnoughReplicas, "NOT_ENOUGH_REPLICAS"},
    Name{ErrorCode::kNotEnoughReplicasAfterAppend, "NOT_ENOUGH_REPLICAS_AFTER_APPEND"},
    Name{ErrorCode::kInvalidRequiredAcks, "INVALID_REQUIRED_ACKS"},
    Name{ErrorCode::kIllegalGeneration, "ILLEGAL_GENERATION"},
    Name{ErrorCode::kInconsistentGroupProtocol, "INCONSISTENT_GROUP_PROTOCOL"},
    Name{ErrorCode::kInvalidGroupId, "INVALID_GROUP_ID"},
    Name{ErrorCode::kUnknownMemberId, "UNKNOWN_MEMBER_ID"},
    Name{ErrorCode::kInvalidSessionTimeout, "INVALID_SESSION_TIMEOUT"},
    Name{ErrorCode::kRebalanceInProgress, "REBALANCE_IN_PROGRESS"},
    Name{ErrorCode::kInvalidCommitOffsetSize, "INVALID_COMMIT_OFFSET_SIZE"},
    Name{ErrorCode::kTopicAuthorizationFailed, "TOPIC_AUTHORIZATION_FAILED"},
    Name{ErrorCode::kGroupAuthorizationFailed, "GROUP_AUTHORIZATION_FAILED"},
    Name{ErrorCode::kClusterAuthorizationFailed, "CLUSTER_AUTHORIZATION_FAILED"},
    Name{ErrorCode::kInvalidTimestamp, "INVALID_TIMESTAMP"},
    Name{ErrorCode::kUnsupportedSaslMechanism, "UNSUPPORTED_SASL_MECHANISM"},
    Name{ErrorCode::kIllegalSaslState, "ILLEGAL_SASL_STATE"},
    Name{ErrorCode::kUnsupportedVersion, "UNSUPPORTED_VERSION"},
    Name{ErrorCode::kTopicAlreadyExists, "TOPIC_ALREADY_EXISTS"},
    Name{ErrorCode::kInvalidPartitions, "INVALID_PARTITIONS"},
    Name{ErrorCode::kInvalidReplicationFactor, "INVALID_REPLICATION_FACTOR"},
    Name{ErrorCode::kInvalidReplicaAssignment, "INVALID_REPLICA_ASSIGNMENT"},
    Name{ErrorCode::kInvalidConfig, "INVALID_CONFIG"},
    Name{ErrorCode::kNotController, "NOT_CONTROLLER"},
    Name{ErrorCode::kInvalidRequest, "INVALID_REQUEST"},
    Name{ErrorCode::kUnsupportedForMessageFormat, "UNSUPPORTED_FOR_MESSAGE_FORMAT"},
    Name{ErrorCode::kPolicyViolation, "POLICY_VIOLATION"},
    Name{ErrorCode::kOutOfOrderSequenceNumber, "OUT_OF_ORDER_SEQUENCE_NUMBER"},
    Name{ErrorCode::kDuplicateSequenceNumber, "DUPLICATE_SEQUENCE_NUMBER"},
    Name{ErrorCode::kInvalidProducerEpoch, "INVALID_PRODUCER_EPOCH"},
    Name{ErrorCode::kInvalidTxnState, "INVALID_TXN_STATE"},
    Name{ErrorCode::kInvalidProducerIdMapping, "INVALID_PRODUCER_ID_MAPPING"},
    Name{ErrorCode::kTransactionalIdAuthorizationFailed, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"},
    Name{ErrorCode::kSecurityDisabled, "SECURITY_DISABLED"},
    Name{ErrorCode::kKafkaStorageError, "KAFKA_STORAGE_ERROR"},
    Name{ErrorCode::kSaslAuthenticationFailed, "SASL_AUTHENTICATION_FAILED"},
    Name{ErrorCode::kUnknownProducerId, "UNKNOWN_PRODUCER_ID"},
    Name{ErrorCode::kFetchSessionIdNotFound, "FETCH_SESSION_ID_NOT_FOUND"},
    Name{ErrorCode::kInvalidFetchSessionEpoch, "INVALID_FETCH_SESSION_EPOCH"},
    Name{ErrorCode::kTopicDeletionDisabled, "TOPIC_DELETION_DISABLED"},
    Name{ErrorCode::kFencedLeaderEpoch, "FENCED_LEADER_EPOCH"},
    Name{ErrorCode::kUnknownLeaderEpoch, "UNKNOWN_LEADER_EPOCH"},
    Name{ErrorCode::kUnsupportedCompressionType, "UNSUPPORTED_COMPRESSION_TYPE"},
    Name{ErrorCode::kOffsetNotAvailable, "OFFSET_NOT_AVAILABLE"},
    Name{ErrorCode::kMemberIdRequired, "MEMBER_ID_REQUIRED"},
    Name{ErrorCode::kGroupMaxSizeReached, "GROUP_MAX_SIZE_REACHED"},
    Name{ErrorCode::kFencedInstanceId, "FENCED_INSTANCE_ID"},
    Name{ErrorCode::kInvalidRecord, "INVALID_RECORD"},
    Name{ErrorCode::kThrottlingQuotaExceeded, "THROTTLING_QUOTA_EXCEEDED"},
    Name{ErrorCode::kProducerFenced, "PRODUCER_FENCED"},
};

}  // namespace

std::string_view error_name(ErrorCode code) {
    for (const Name& name : kNames)
        if (name.code == code) return name.name;
    return "UNKNOWN_CODE";
}

}  // namespace walrus::protocol::kafka

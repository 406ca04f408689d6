// The requests of Kafka's protocol that Walrus speaks, and in which versions.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace walrus::protocol::kafka {

enum class ApiKey : std::int16_t {
    kProduce = 0,
    kFetch = 1,
    kListOffsets = 2,
    kMetadata = 3,
    kOffsetCommit = 8,
    kOffsetFetch = 9,
    kFindCoordinator = 10,
    kJoinGroup = 11,
    kHeartbeat = 12,
    kLeaveGroup = 13,
    kSyncGroup = 14,
    kDescribeGroups = 15,
    kListGroups = 16,
    kApiVersions = 18,
    kCreateTopics = 19,
    kDeleteTopics = 20,
    kDeleteRecords = 21,
    kInitProducerId = 22,
    kOffsetForLeaderEpoch = 23,
    kDescribeConfigs = 32,
};

// No version: every version of an api that is capped below its first flexible one.
inline constexpr std::int16_t kNeverFlexible = 32767;

// The versions, both ends included as Kafka has it, that these codecs read and write.  They begin
// at 0 because librdkafka switches features off that are not offered from the start; whether an
// old version is also served (Produce before 3 carries other batches) is the server's matter.
struct Api {
    ApiKey key;
    std::string_view name;
    std::int16_t max_version;
    std::int16_t first_flexible = kNeverFlexible;  // From here on: compact types and tagged fields.

    static constexpr std::int16_t kMinVersion = 0;
    constexpr bool has_version(std::int16_t version) const {
        return version >= kMinVersion && version <= max_version;
    }
    constexpr bool is_flexible(std::int16_t version) const { return version >= first_flexible; }
};

inline constexpr std::array kApis = {
    Api{ApiKey::kProduce, "Produce", 7},
    Api{ApiKey::kFetch, "Fetch", 11},
    Api{ApiKey::kListOffsets, "ListOffsets", 5},
    Api{ApiKey::kMetadata, "Metadata", 8},
    Api{ApiKey::kOffsetCommit, "OffsetCommit", 7},
    Api{ApiKey::kOffsetFetch, "OffsetFetch", 5},
    Api{ApiKey::kFindCoordinator, "FindCoordinator", 2},
    Api{ApiKey::kJoinGroup, "JoinGroup", 5},
    Api{ApiKey::kHeartbeat, "Heartbeat", 3},
    Api{ApiKey::kLeaveGroup, "LeaveGroup", 2},
    Api{ApiKey::kSyncGroup, "SyncGroup", 3},
    Api{ApiKey::kDescribeGroups, "DescribeGroups", 4},
    Api{ApiKey::kListGroups, "ListGroups", 2},
    Api{ApiKey::kApiVersions, "ApiVersions", 3, 3},
    Api{ApiKey::kCreateTopics, "CreateTopics", 4},
    Api{ApiKey::kDeleteTopics, "DeleteTopics", 3},
    Api{ApiKey::kDeleteRecords, "DeleteRecords", 1},
    Api{ApiKey::kInitProducerId, "InitProducerId", 1},
    Api{ApiKey::kOffsetForLeaderEpoch, "OffsetForLeaderEpoch", 3},
    Api{ApiKey::kDescribeConfigs, "DescribeConfigs", 2},
};

// Null when the key is none of ours.
constexpr const Api* find_api(std::int16_t key) {
    for (const Api& api : kApis)
        if (static_cast<std::int16_t>(api.key) == key) return &api;
    return nullptr;
}

// Of a key of ours.
constexpr const Api& api_of(ApiKey key) {
    return *find_api(static_cast<std::int16_t>(key));
}

}  // namespace walrus::protocol::kafka

// KafkaGroups: consumer groups, what they have committed and how far they are behind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "walrus/base/result.h"
#include "walrus/client/kafka_admin.h"

namespace walrus::client {

struct GroupListing {
    std::string name;
    std::string state;  // "Stable", "Empty" and so on; "Unknown" from an older server.
};

struct GroupMember {
    std::string id;
    std::string client_id;
    std::string host;
    std::vector<std::pair<std::string, std::int32_t>> partitions;  // Topic and partition.
};

// Where the group is in one partition.
struct GroupPosition {
    std::string topic;
    std::int32_t partition = 0;
    std::optional<std::int64_t> committed = {};  // Next offset to read; nothing: none committed.
    std::int64_t start = 0;
    std::int64_t end = 0;
    std::string member;  // Who reads it at the moment; "": nobody.

    // Records that are there and not passed.
    std::int64_t lag() const;
};

struct GroupDescription {
    std::string name;
    std::string state;
    std::string assignor;
    std::int32_t coordinator = -1;
    std::vector<GroupMember> members;
    // By topic and partition: every partition of a topic in which the group has committed or reads.
    std::vector<GroupPosition> positions;
};

// One thread at a time.  `admin` must outlive it.
class KafkaGroups {
public:
    explicit KafkaGroups(KafkaAdmin& admin) : admin_(admin) {}

    // By name.
    Result<std::vector<GroupListing>> list();
    // kNotFound: there is no such group, or none that anything is known of.
    Result<GroupDescription> describe(const std::string& name);
    // kBusy: it has members.  kUnsupported: the server cannot delete groups.
    Status remove(const std::string& name);

private:
    Result<GroupDescription> describe_members(const std::string& name);
    // Committed offsets of everything there is.
    Result<std::vector<GroupPosition>> committed(const std::string& name,
                                                 const ClusterInfo& cluster);
    Status fill_ends(std::vector<GroupPosition>& positions, const ClusterInfo& cluster);

    KafkaAdmin& admin_;
};

}  // namespace walrus::client

// Which topic of the cluster is which partition of a topic as clients know it.
//
//   partition 0    "<topic>"
//   partition k    "<topic>/<k>"       '/' is in no topic's name (broker/topic_config.h)
//
// A topic exists when its partition 0 does; the others are made before it and dropped after it.  It
// has so many partitions as there are without a gap, from 0 on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace walrus::cluster_broker {

struct PartitionName {
    std::string_view topic;
    std::int32_t partition = 0;

    bool operator==(const PartitionName&) const = default;
};

std::string cluster_topic_name(std::string_view topic, std::int32_t partition);
// Nothing: no partition has this name.  The view is into `name`.
std::optional<PartitionName> parse_cluster_topic(std::string_view name);

}  // namespace walrus::cluster_broker

#include "walrus/cluster_broker/topic_names.h"

#include <charconv>

namespace walrus::cluster_broker {

std::string cluster_topic_name(std::string_view topic, std::int32_t partition) {
    std::string name(topic);
    if (partition != 0) name += "/" + std::to_string(partition);
    return name;
}

std::optional<PartitionName> parse_cluster_topic(std::string_view name) {
    const std::size_t slash = name.find('/');
    if (slash == std::string_view::npos) return PartitionName{name, 0};
    PartitionName found{name.substr(0, slash), 0};
    const std::string_view digits = name.substr(slash + 1);
    const char* const end = digits.data() + digits.size();
    const auto [stop, trouble] = std::from_chars(digits.data(), end, found.partition);
    // A number has one way to be written, so that two names are never one partition.
    if (trouble != std::errc{} || stop != end || found.partition <= 0 || digits.front() == '0')
        return std::nullopt;
    return found;
}

}  // namespace walrus::cluster_broker

#include "walrus/cluster/retention.h"

#include <algorithm>
#include <optional>

namespace walrus::cluster {
namespace {

std::optional<Offset> slowest_cursor(const Topic& topic) {
    if (topic.cursors.empty()) return {};
    const auto slowest = std::ranges::min_element(
        topic.cursors, {}, [](const auto& entry) { return entry.second.offset; });
    return slowest->second.offset;
}

}  // namespace

SegmentNumber first_kept_segment(const Topic& topic, std::uint64_t now_ms) {
    const Retention& keep = topic.config.retention;
    std::uint64_t bytes = 0;
    std::uint64_t records = 0;
    for (const auto& [number, segment] : topic.segments) {
        bytes += segment.bytes;
        records += segment.length;
    }
    const std::optional<Offset> read_up_to =
        keep.reclaim_read ? slowest_cursor(topic) : std::nullopt;
    for (const auto& [number, segment] : topic.segments) {
        const bool last = number == topic.last().number;
        if (last || segment.state != SegmentState::kSealed) return number;
        // What stays without this segment must still fill the limit.
        const bool too_big = keep.max_bytes != 0 && bytes - segment.bytes >= keep.max_bytes;
        const bool too_many = keep.max_records != 0 && records - segment.length >= keep.max_records;
        const bool too_old = keep.max_age_ms != 0 && now_ms >= segment.sealed_ms &&
                             now_ms - segment.sealed_ms > keep.max_age_ms;
        const bool read = read_up_to && segment.end() <= *read_up_to;
        if (!too_big && !too_many && !too_old && !read) return number;
        bytes -= segment.bytes;
        records -= segment.length;
    }
    return topic.last().number;
}

}  // namespace walrus::cluster

// GroupOffsets: what every group has committed, in memory.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "walrus/broker/offset_record.h"
#include "walrus/broker/types.h"

namespace walrus::broker {

// One thread at a time.  A group is known as long as it has an offset.
class GroupOffsets {
public:
    void apply(const OffsetRecord& record);

    std::optional<CommittedOffset> find(std::string_view group, std::string_view topic,
                                        std::int32_t partition) const;
    std::vector<OffsetCommit> of_group(std::string_view group) const;
    std::vector<std::string> groups() const;
    bool has_group(std::string_view group) const { return groups_.find(group) != groups_.end(); }
    std::size_t size() const { return size_; }  // Offsets, of all groups together.

    // Everything as kCommit records, each of about `max_bytes` at most.
    std::vector<OffsetRecord> records(std::size_t max_bytes) const;

private:
    struct Place {
        std::string topic;
        std::int32_t partition;
    };
    using PlaceView = std::pair<std::string_view, std::int32_t>;
    struct Before {
        using is_transparent = void;
        static PlaceView view(const Place& place) { return {place.topic, place.partition}; }
        static PlaceView view(const PlaceView& place) { return place; }
        bool operator()(const auto& a, const auto& b) const { return view(a) < view(b); }
    };
    using Positions = std::map<Place, CommittedOffset, Before>;

    void forget_topic(std::string_view topic);

    std::map<std::string, Positions, std::less<>> groups_;  // Invariant: none is empty.
    std::size_t size_ = 0;
};

}  // namespace walrus::broker

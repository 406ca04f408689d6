#include "walrus/broker/group_offsets.h"

namespace walrus::broker {

void GroupOffsets::apply(const OffsetRecord& record) {
    switch (record.kind) {
        case OffsetRecordKind::kCommit: {
            if (record.offsets.empty()) return;
            Positions& positions = groups_[record.name];
            size_ -= positions.size();
            for (const OffsetCommit& offset : record.offsets)
                positions.insert_or_assign({offset.topic, offset.partition}, offset.committed);
            size_ += positions.size();
            return;
        }
        case OffsetRecordKind::kForgetGroup: {
            const auto group = groups_.find(record.name);
            if (group == groups_.end()) return;
            size_ -= group->second.size();
            groups_.erase(group);
            return;
        }
        case OffsetRecordKind::kForgetTopic: return forget_topic(record.name);
    }
}

void GroupOffsets::forget_topic(std::string_view topic) {
    for (auto group = groups_.begin(); group != groups_.end();) {
        Positions& positions = group->second;
        auto at = positions.lower_bound(PlaceView{topic, 0});
        while (at != positions.end() && at->first.topic == topic) {
            at = positions.erase(at);
            --size_;
        }
        group = positions.empty() ? groups_.erase(group) : std::next(group);
    }
}

std::optional<CommittedOffset> GroupOffsets::find(std::string_view group, std::string_view topic,
                                                  std::int32_t partition) const {
    const auto found = groups_.find(group);
    if (found == groups_.end()) return std::nullopt;
    const auto position = found->second.find(PlaceView{topic, partition});
    if (position == found->second.end()) return std::nullopt;
    return position->second;
}

std::vector<OffsetCommit> GroupOffsets::of_group(std::string_view group) const {
    std::vector<OffsetCommit> all;
    const auto found = groups_.find(group);
    if (found == groups_.end()) return all;
    all.reserve(found->second.size());
    for (const auto& [place, committed] : found->second)
        all.push_back({place.topic, place.partition, committed});
    return all;
}

std::vector<std::string> GroupOffsets::groups() const {
    std::vector<std::string> names;
    names.reserve(groups_.size());
    for (const auto& [name, positions] : groups_) names.push_back(name);
    return names;
}

std::vector<OffsetRecord> GroupOffsets::records(std::size_t max_bytes) const {
    std::vector<OffsetRecord> records;
    for (const auto& [name, positions] : groups_) {
        std::size_t bytes = 0;
        for (const auto& [place, committed] : positions) {
            OffsetCommit offset{place.topic, place.partition, committed};
            const std::size_t more = encoded_bytes(offset);
            if (bytes == 0 || bytes + more > max_bytes) {
                records.push_back({.kind = OffsetRecordKind::kCommit, .name = name});
                bytes = name.size();
            }
            bytes += more;
            records.back().offsets.push_back(std::move(offset));
        }
    }
    return records;
}

}  // namespace walrus::broker

// Reads of this node's own copies.
#include <algorithm>
#include <utility>

#include "walrus/member/segment_host.h"

namespace walrus::member {
namespace {

Error not_here(Offset offset) {
    return {Errc::kOutOfRange,
            "segments: nothing readable on this node at offset " + std::to_string(offset.value)};
}

// `end` is a boundary, so batches are below it or not.
std::vector<ReadBatch> placed(replica_store::Found found, Offset base, Offset end,
                              cluster::SegmentNumber segment) {
    std::vector<ReadBatch> batches;
    Offset at = base + found.first;
    for (cluster::Batch& batch : found.batches) {
        if (at + batch.records > end) break;
        batches.push_back({at, batch.records, segment, std::move(batch.data)});
        at = at + batch.records;
    }
    return batches;
}

}  // namespace

std::uint64_t SegmentHost::readable_length(const cluster::SegmentKey& key) const {
    const cluster::Replica* copy = node_->replica(key);
    if (copy == nullptr) return 0;
    const cluster::SegmentLeader* leader = node_->leader(key.topic);
    if (leader == nullptr || leader->key() != key) return copy->readable_length();
    // Others may be ahead of this node's own disk.
    const std::uint64_t committed = std::min(leader->high_watermark(), copy->durable_length());
    return std::max(copy->readable_length(), committed);
}

Offset SegmentHost::readable_end(cluster::TopicId id) const {
    const cluster::Topic* topic = state_.topic(id);
    if (topic == nullptr) return {};
    for (auto at = topic->segments.rbegin(); at != topic->segments.rend(); ++at) {
        // A copy without records still says that there is nothing before its base but what others
        // hold.
        const cluster::SegmentKey key{id, at->first};
        if (node_->replica(key) != nullptr) return at->second.base + readable_length(key);
    }
    return topic->log_start_offset();
}

// Numbers are contiguous and bases ascend.
const cluster::Segment* SegmentHost::segment_at(const cluster::Topic& topic, Offset offset) const {
    if (offset >= topic.last().base) return &topic.last();
    cluster::SegmentNumber low = topic.first().number;
    cluster::SegmentNumber high = topic.last().number;
    if (offset < topic.first().base) return nullptr;
    // The base of `low` is at most the offset, that of `high` is above it.
    while (high - low > 1) {
        const cluster::SegmentNumber middle = low + (high - low) / 2;
        (topic.segment(middle)->base <= offset ? low : high) = middle;
    }
    return topic.segment(low);
}

void SegmentHost::read(cluster::TopicId id, Offset from, std::uint64_t max_bytes,
                       ReadCallback done) {
    const cluster::Topic* topic = state_.topic(id);
    if (topic == nullptr) {
        return done(Error{Errc::kNotFound, "segments: no topic " + std::to_string(id)});
    }
    const cluster::Segment* segment = segment_at(*topic, from);
    if (segment == nullptr) return done(not_here(from));
    const cluster::SegmentKey key{id, segment->number};
    const Offset base = segment->base;
    const Offset end = base + readable_length(key);
    if (from >= end) return done(not_here(from));
    auto plan = store_->plan(key, from.value - base.value, max_bytes);
    if (!plan) return done(not_here(from));
    plan->containing = true;
    jobs_.run([store = store_.get(), plan = *std::move(plan)] { return store->read(plan); },
              [key, base, end, done](Result<replica_store::Found> found) {
                  if (!found) return done(std::move(found).error());
                  done(placed(*std::move(found), base, end, key.segment));
              });
}

}  // namespace walrus::member

// Retention: which records are given up, and which files can go round again because of it.
#include <algorithm>

#include "walrus/wal/shard.h"

namespace walrus::wal {
namespace {

bool limits_anything(const Retention& retention) {
    return retention.max_age_ms > 0 || retention.max_bytes > 0 || retention.max_records > 0 ||
           retention.reclaim_read;
}

}  // namespace

// Bytes of the topic before `offset`, counted in whole files.
Result<std::uint64_t> Shard::bytes_before(std::uint32_t topic_id, Offset offset) {
    std::uint64_t bytes = 0;
    std::uint64_t low = files_->first();
    std::uint64_t high = 0;
    {
        const MutexLock lock(writer_->mutex());
        high = writer_->current_file();
    }
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        const Result<std::shared_ptr<const FileIndex>> index = index_of(middle);
        if (!index && index.error().code == Errc::kNotFound) {  // Recycled: nothing kept is there.
            low = middle + 1;
            continue;
        }
        if (!index) return index.error();
        const IndexTopic* topic = (*index)->find(topic_id);
        if (topic != nullptr && topic->end_offset > offset) {
            high = middle;
        } else {
            if (topic != nullptr) bytes = topic->end_bytes;
            low = middle + 1;
        }
    }
    return bytes;
}

Status Shard::truncate_head(std::string_view name, Offset offset) {
    std::uint32_t id = 0;
    {
        const MutexLock lock(writer_->mutex());
        const Result<TopicPtr> topic = existing(name);
        if (!topic) return topic.error();
        if (offset <= (*topic)->log_start) return {};
        WALRUS_RETURN_IF_ERROR(check_range(**topic, offset));
        id = (*topic)->id;
    }
    const Result<std::uint64_t> bytes = bytes_before(id, offset);
    if (!bytes) return bytes.error();
    MutexLock lock(writer_->mutex());
    const TopicPtr topic = table_.find(id);
    if (topic == nullptr || offset <= topic->log_start) return {};
    std::byte body[8];
    store_le(body, std::max(*bytes, topic->start_bytes));
    return control(lock, *topic, {ControlKind::kTruncateHead, offset, body}, [&] {
        topic->log_start = std::max(topic->log_start, offset);
        topic->start_bytes = std::max(*bytes, topic->start_bytes);
    });
}

// Where the topic's log should begin by `policy`, judged by the files that were left.
Result<Offset> Shard::retained_from(const TopicState& topic, const Retention& policy) {
    Offset from;
    std::uint64_t current = 0;
    std::uint64_t end_bytes = 0;
    Offset readable;
    {
        const MutexLock lock(writer_->mutex());
        current = writer_->current_file();
        end_bytes = topic.end_bytes;
        readable = topic.readable;
        from = topic.log_start;
        if (policy.max_records > 0 && topic.log_end - from > policy.max_records)
            from = Offset{topic.log_end.value - policy.max_records};
        if (policy.reclaim_read && !topic.cursors.empty()) {
            Offset slowest = topic.log_end;
            for (const auto& [consumer, cursor] : topic.cursors)
                slowest = std::min(slowest, cursor->committed);
            from = std::max(from, slowest);
        }
    }
    if (policy.max_bytes == 0 && policy.max_age_ms == 0) return std::min(from, readable);
    const std::uint64_t now_ms = options_.clock->wall_ms();
    for (std::uint64_t number = files_->first(); number < current; ++number) {
        const Result<std::shared_ptr<const FileIndex>> index = index_of(number);
        if (!index) return index.error();
        const IndexTopic* left = (*index)->find(topic.id);
        if (left == nullptr) continue;
        const bool too_much =
            policy.max_bytes > 0 && end_bytes - left->end_bytes >= policy.max_bytes;
        const bool too_old =
            policy.max_age_ms > 0 && (*index)->left_wall_ms() + policy.max_age_ms < now_ms;
        if (!too_much && !too_old) break;  // Later files are smaller and younger.
        from = std::max(from, left->end_offset);
    }
    return std::min(from, readable);
}

// Truncates the topics whose policy lets go of all they have in the first file.
Status Shard::truncate_by_policy() {
    std::vector<std::pair<TopicPtr, Retention>> policies;
    std::uint64_t first = files_->first();
    {
        const MutexLock lock(writer_->mutex());
        if (first >= writer_->current_file()) return {};
        for (const auto& [id, topic] : table_.all()) {
            const Retention policy = topic->retention.value_or(options_.retention);
            if (limits_anything(policy)) policies.emplace_back(topic, policy);
        }
    }
    for (const auto& [topic, policy] : policies) {
        const Result<Offset> from = retained_from(*topic, policy);
        if (!from) return from.error();
        const Result<std::shared_ptr<const FileIndex>> index = index_of(first);
        if (!index) return index.error();
        const IndexTopic* left = (*index)->find(topic->id);
        if (left != nullptr && *from < left->end_offset) continue;
        const Status truncated = truncate_head(topic->name, *from);
        if (!truncated && truncated.error().code != Errc::kNotFound) return truncated;
    }
    return {};
}

// True when no record of the first file is kept any more.
Result<bool> Shard::first_file_dead() {
    const std::uint64_t first = files_->first();
    {
        const MutexLock lock(writer_->mutex());
        if (first >= writer_->current_file() || left_.contains(first)) return false;
    }
    const Result<std::shared_ptr<const FileIndex>> index = index_of(first);
    if (!index) return index.error();
    const MutexLock lock(writer_->mutex());
    for (const IndexTopic& left : (*index)->topics()) {
        const TopicPtr topic = table_.find(left.topic_id);
        if (topic != nullptr && topic->log_start < left.end_offset) return false;
    }
    return true;
}

Result<std::uint64_t> Shard::run_retention() {
    const std::lock_guard one_pass(retention_mutex_);
    if (!threaded()) {
        MutexLock lock(writer_->mutex());
        store_left_indexes(lock);
    }
    WALRUS_RETURN_IF_ERROR(truncate_by_policy());
    std::uint64_t recycled = 0;
    for (;;) {
        const Result<bool> dead = first_file_dead();
        if (!dead) return dead.error();
        if (!*dead) break;
        // Neither the truncations nor the next file's snapshot may be forgotten by a crash that
        // the removal survives.
        WALRUS_RETURN_IF_ERROR(sync());
        const std::uint64_t number = files_->first();
        WALRUS_RETURN_IF_ERROR(files_->recycle_first());
        index_cache_.erase(number);
        ++recycled;
        const MutexLock lock(writer_->mutex());
        ++stats_.files_recycled;
    }
    return recycled;
}

}  // namespace walrus::wal

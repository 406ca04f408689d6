// Reads and cursors of a shard.
#include <algorithm>

#include "walrus/base/log.h"
#include "walrus/wal/recovery.h"
#include "walrus/wal/shard.h"

namespace walrus::wal {
namespace {

Error no_topic(std::string_view name) {
    return {Errc::kNotFound, "topic " + std::string(name) + ": does not exist"};
}

}  // namespace

Result<TopicPtr> Shard::existing(std::string_view name) {
    const TopicPtr topic = table_.find(name);
    if (topic == nullptr) return no_topic(name);
    return topic;
}

// --- locating ---

Result<std::shared_ptr<const FileIndex>> Shard::index_of(std::uint64_t number) {
    std::shared_ptr<LeftFile> left;
    {
        const MutexLock lock(writer_->mutex());
        if (const auto it = left_.find(number); it != left_.end()) left = it->second;
    }
    if (left != nullptr) return left->index();
    if (std::shared_ptr<const FileIndex> cached = index_cache_.find(number)) return cached;

    const Result<std::shared_ptr<LogFile>> log_file = files_->open_file(number);
    if (!log_file) return log_file.error();
    const std::string path = env::join_path(config_.directory, index_file_name(number));
    env::OpenFlags flags;
    flags.read_only = true;
    std::string trouble = "absent";
    if (Result<std::unique_ptr<env::File>> file = options_.env->open(path, flags)) {
        const Result<std::uint64_t> size = (*file)->size();
        std::vector<std::byte> bytes(size ? *size : 0);
        const Result<std::size_t> got = (*file)->read_at(bytes, 0);
        if (got && *got == bytes.size()) {
            Result<std::shared_ptr<const FileIndex>> index =
                FileIndex::decode(bytes, number, (*log_file)->epoch);
            if (index) {
                index_cache_.insert(*index);
                return index;
            }
            trouble = index.error().message;
        }
    }
    log(LogLevel::kInfo, "index of " + log_file_name(number) + ": " + trouble + ", rebuilding it");
    Result<std::shared_ptr<const FileIndex>> rebuilt =
        rebuild_index(*files_, number, options_.clock->wall_ms());
    if (rebuilt) index_cache_.insert(*rebuilt);
    return rebuilt;
}

Result<Lsn> Shard::locate(std::uint32_t topic_id, Offset offset) {
    for (;;) {
        std::uint64_t current = 0;
        {
            const MutexLock lock(writer_->mutex());
            const TopicPtr topic = table_.find(topic_id);
            if (topic == nullptr) return Error{Errc::kNotFound, "topic: was deleted"};
            if (const auto entry = builder_->locate(topic->chain, offset)) return entry->lsn;
            current = builder_->number();
        }
        // The first left file that ends behind the offset has it.
        std::uint64_t low = files_->first();
        std::uint64_t high = current;
        while (low < high) {
            const std::uint64_t middle = low + (high - low) / 2;
            const Result<std::shared_ptr<const FileIndex>> index = index_of(middle);
            if (!index) return index.error();
            const IndexTopic* topic = (*index)->find(topic_id);
            if (topic != nullptr && topic->end_offset > offset)
                high = middle;
            else
                low = middle + 1;
        }
        if (low < current) {
            const Result<std::shared_ptr<const FileIndex>> index = index_of(low);
            if (!index) return index.error();
            if (const auto entry = (*index)->locate(topic_id, offset)) return entry->lsn;
            return Error{Errc::kOutOfRange,
                         "offset " + std::to_string(offset.value) + ": before the log start"};
        }
        const MutexLock lock(writer_->mutex());
        if (builder_->number() == current)
            return Error{Errc::kCorruption, "index: offset " + std::to_string(offset.value) +
                                                " of topic #" + std::to_string(topic_id) +
                                                " is in no file"};
    }
}

// The same from what is known without a file.
Result<Lsn> Shard::locate_in_memory(std::uint32_t topic_id, Offset offset) {
    std::shared_ptr<LeftFile> left;
    std::uint64_t previous = 0;
    {
        const MutexLock lock(writer_->mutex());
        const TopicPtr topic = table_.find(topic_id);
        if (topic == nullptr) return Error{Errc::kNotFound, "topic: was deleted"};
        if (const auto entry = builder_->locate(topic->chain, offset)) return entry->lsn;
        previous = builder_->number() - 1;
        if (const auto it = left_.find(previous); it != left_.end()) left = it->second;
    }
    // Of earlier files only the last one may still be in the ring.
    const std::shared_ptr<const FileIndex> index =
        left != nullptr ? left->index() : index_cache_.find(previous);
    if (index != nullptr)
        if (const auto entry = index->locate(topic_id, offset)) return entry->lsn;
    return Error{Errc::kBusy, "index: the offset is in an earlier file"};
}

// --- readers ---

std::unique_ptr<TopicReader> Shard::take_reader(std::uint32_t topic_id, Offset from, bool fresh) {
    if (!fresh) {
        const std::lock_guard lock(readers_mutex_);
        const auto it = std::find_if(readers_.begin(), readers_.end(), [&](const auto& reader) {
            return reader->topic_id() == topic_id && reader->position() == from;
        });
        if (it != readers_.end()) {
            std::unique_ptr<TopicReader> reader = std::move(*it);
            readers_.erase(it);
            return reader;
        }
    }
    FetchConfig fetch;
    fetch.env = options_.env;
    fetch.queue = config_.uring ? env::QueueKind::kUring : env::QueueKind::kInline;
    fetch.read_ahead_bytes = config_.uring ? options_.read_ahead_bytes : 0;
    return std::make_unique<TopicReader>(fetch, *files_, *writer_, buffers_, topic_id);
}

void Shard::put_reader(std::unique_ptr<TopicReader> reader) {
    if (!reader->position()) return;
    std::unique_ptr<TopicReader> oldest;
    const std::lock_guard lock(readers_mutex_);
    readers_.push_back(std::move(reader));
    if (readers_.size() <= kIdleReaders) return;
    oldest = std::move(readers_.front());
    readers_.erase(readers_.begin());
}

Result<RecordBatch> Shard::read_records(const TopicPtr& topic, Offset from,
                                        const ReadLimit& limit) {
    RecordBatch batch;
    if (from >= limit.end) return batch;
    for (bool again = true;;) {
        const std::uint64_t first_file = files_->first();
        // Several may stand where a file was recycled; one that asks the index does not.
        std::unique_ptr<TopicReader> reader = take_reader(topic->id, from, !again);
        const auto where = [&](std::uint32_t id, Offset offset) {
            return limit.memory_only ? locate_in_memory(id, offset) : locate(id, offset);
        };
        const Status status = reader->read(from, limit, where, batch);
        put_reader(std::move(reader));
        // What was read before the trouble is good; the next read begins at the trouble.
        if (status || !batch.empty()) return batch;
        const MutexLock lock(writer_->mutex());
        if (from < topic->log_start)
            return Error{Errc::kOutOfRange, "offset " + std::to_string(from.value) +
                                                ": given up by retention while it was read"};
        // The reader stood in a file that was recycled: what is kept begins in a later one.
        const bool recycled = status.error().code == Errc::kNotFound && !topic->deleted;
        if (!recycled || (!again && files_->first() == first_file)) return status.error();
        again = false;
    }
}

Status Shard::check_range(const TopicState& topic, Offset offset) const {
    if (offset >= topic.log_start && offset <= topic.readable) return {};
    return Error{Errc::kOutOfRange, "topic " + topic.name + ": offset " +
                                        std::to_string(offset.value) + " is outside of [" +
                                        std::to_string(topic.log_start.value) + ", " +
                                        std::to_string(topic.readable.value) + "]"};
}

Result<RecordBatch> Shard::read_at(std::string_view name, Offset offset, std::uint64_t max_bytes,
                                   bool memory_only) {
    TopicPtr topic;
    ReadLimit limit;
    {
        const MutexLock lock(writer_->mutex());
        Result<TopicPtr> found = existing(name);
        if (!found) return std::move(found).error();
        topic = std::move(*found);
        WALRUS_RETURN_IF_ERROR(check_range(*topic, offset));
        limit.end = topic->readable;
    }
    limit.max_bytes = max_bytes;
    limit.memory_only = memory_only;
    return read_records(topic, offset, limit);
}

Result<bool> Shard::wait_for(std::string_view name, Offset offset, std::uint64_t timeout_ms) {
    MutexLock lock(writer_->mutex());
    const std::uint64_t deadline_ns =
        options_.clock->monotonic_ns() + timeout_ms * std::uint64_t{1'000'000};
    const auto reached = [&] {
        const TopicState* topic = table_.peek(name);
        return topic != nullptr && topic->readable > offset;
    };
    while (!reached()) {
        if (closing_) return Error{Errc::kClosed, "log: closed"};
        WALRUS_RETURN_IF_ERROR(writer_->state());
        const std::uint64_t now_ns = options_.clock->monotonic_ns();
        if (now_ns >= deadline_ns || !threaded()) return false;
        ++followers_;
        follow_.wait_for(lock, (deadline_ns - now_ns) / 1'000'000 + 1);
        --followers_;
    }
    return true;
}

// --- cursors ---

Result<std::shared_ptr<CursorState>> Shard::cursor_of(TopicState& topic,
                                                      std::string_view consumer) {
    if (const auto it = topic.cursors.find(consumer); it != topic.cursors.end()) return it->second;
    if (topic.cursors.size() >= options_.limits.max_consumers_per_topic)
        return Error{Errc::kResourceExhausted,
                     "topic " + topic.name + ": has max_consumers_per_topic cursors already"};
    if (table_.snapshot_bytes() + full_frame_size(consumer.size()) >
        std::min(options_.ring_size, config_.file_size) / 4)
        return Error{Errc::kResourceExhausted,
                     "topic " + topic.name +
                         ": the log holds too many topics and cursors; raise "
                         "ring_size or file_size"};
    return table_.cursor(topic, consumer);
}

Result<RecordBatch> Shard::read(std::string_view name, ReadOptions options, std::uint64_t max_bytes,
                                std::uint64_t max_records) {
    MutexLock lock(writer_->mutex());
    const TopicPtr topic = table_.find(name);
    // A poll that finds nothing leaves no trace, not even a cursor.
    if (topic == nullptr || topic->log_start >= topic->readable) return RecordBatch{};
    ReadLimit limit;
    limit.max_bytes = max_bytes;
    limit.max_records = max_records;
    if (!options.checkpoint) {
        const auto it = topic->cursors.find(options.consumer);
        const Offset position = it == topic->cursors.end() ? Offset{} : it->second->position;
        const Offset from = std::max(position, topic->log_start);
        limit.end = topic->readable;
        lock.unlock();
        return read_records(topic, from, limit);
    }
    Result<std::shared_ptr<CursorState>> found = cursor_of(*topic, options.consumer);
    if (!found) return std::move(found).error();
    const std::shared_ptr<CursorState> cursor = std::move(*found);
    lock.unlock();

    const std::lock_guard reading(cursor->reading);
    lock.lock();
    WALRUS_RETURN_IF_ERROR(writer_->state());
    const Offset from = std::max(cursor->position, topic->log_start);
    limit.end = topic->readable;
    lock.unlock();
    Result<RecordBatch> batch = read_records(topic, from, limit);
    if (!batch || batch->empty()) return batch;
    lock.lock();
    const Offset next = batch->end_offset();
    const std::uint64_t unpersisted = cursor->unpersisted + (next - from);
    if (unpersisted < options_.consistency.persist_every) {
        cursor->position = next;
        cursor->unpersisted = static_cast<std::uint32_t>(unpersisted);
        return batch;
    }
    WALRUS_RETURN_IF_ERROR(
        control(lock, *topic, {ControlKind::kCommitCursor, next, as_bytes(options.consumer)}, [&] {
            cursor->committed = cursor->position = next;
            cursor->unpersisted = 0;
        }));
    return batch;
}

Result<Offset> Shard::position(std::string_view name, std::string_view consumer) {
    const MutexLock lock(writer_->mutex());
    const Result<TopicPtr> topic = existing(name);
    if (!topic) return topic.error();
    const auto it = (*topic)->cursors.find(consumer);
    const Offset position = it == (*topic)->cursors.end() ? Offset{} : it->second->position;
    return std::max(position, (*topic)->log_start);
}

Status Shard::commit(std::string_view name, std::string_view consumer, Offset offset) {
    MutexLock lock(writer_->mutex());
    const Result<TopicPtr> topic = existing(name);
    if (!topic) return topic.error();
    WALRUS_RETURN_IF_ERROR(check_range(**topic, offset));
    const Result<std::shared_ptr<CursorState>> cursor = cursor_of(**topic, consumer);
    if (!cursor) return cursor.error();
    return control(lock, **topic, {ControlKind::kCommitCursor, offset, as_bytes(consumer)}, [&] {
        (*cursor)->committed = (*cursor)->position = offset;
        (*cursor)->unpersisted = 0;
    });
}

Status Shard::seek(std::string_view name, std::string_view consumer, Offset offset) {
    const MutexLock lock(writer_->mutex());
    const Result<TopicPtr> topic = existing(name);
    if (!topic) return topic.error();
    WALRUS_RETURN_IF_ERROR(check_range(**topic, offset));
    const Result<std::shared_ptr<CursorState>> cursor = cursor_of(**topic, consumer);
    if (!cursor) return cursor.error();
    (*cursor)->position = offset;
    return {};
}

Status Shard::delete_cursor(std::string_view name, std::string_view consumer) {
    MutexLock lock(writer_->mutex());
    const Result<TopicPtr> topic = existing(name);
    if (!topic) return topic.error();
    if (!(*topic)->cursors.contains(consumer))
        return Error{Errc::kNotFound,
                     "topic " + std::string(name) + ": no cursor '" + std::string(consumer) + "'"};
    return control(lock, **topic, {ControlKind::kDeleteCursor, Offset{}, as_bytes(consumer)},
                   [&] { table_.erase_cursor(**topic, consumer); });
}

Result<std::map<std::string, Offset>> Shard::cursors(std::string_view name) {
    const MutexLock lock(writer_->mutex());
    const Result<TopicPtr> topic = existing(name);
    if (!topic) return topic.error();
    std::map<std::string, Offset> out;
    for (const auto& [consumer, cursor] : (*topic)->cursors) out[consumer] = cursor->committed;
    return out;
}

// --- what there is ---

TopicInfo Shard::info(const TopicState& topic) const {
    TopicInfo info;
    info.name = topic.name;
    info.log_start_offset = topic.log_start;
    info.log_end_offset = topic.log_end;
    info.high_watermark = topic.readable;
    info.durable_offset = std::max(topic.durable, topic.log_start);
    info.entry_count = topic.log_end - topic.log_start;
    const auto it = topic.cursors.find(std::string_view{});
    const Offset position = it == topic.cursors.end() ? Offset{} : it->second->position;
    const Offset unread_from = std::max(position, topic.log_start);
    info.unread_count = topic.readable > unread_from ? topic.readable - unread_from : 0;
    info.size_bytes = topic.end_bytes - topic.start_bytes;
    info.clean = topic.clean;
    return info;
}

void Shard::add_topics(std::vector<TopicInfo>& to) {
    const MutexLock lock(writer_->mutex());
    for (const auto& [id, topic] : table_.all()) to.push_back(info(*topic));
}

Result<TopicInfo> Shard::topic(std::string_view name) {
    const MutexLock lock(writer_->mutex());
    const Result<TopicPtr> topic = existing(name);
    if (!topic) return topic.error();
    return info(**topic);
}

Result<Offset> Shard::end_offset(std::string_view name) {
    const MutexLock lock(writer_->mutex());
    const TopicPtr topic = table_.find(name);
    return topic == nullptr ? Offset{} : topic->log_end;
}

void Shard::add_stats(Stats& to) {
    const MutexLock lock(writer_->mutex());
    to.appends += stats_.appends;
    to.records += stats_.records;
    to.payload_bytes += stats_.payload_bytes;
    to.frame_bytes += stats_.frame_bytes;
    to.files_recycled += stats_.files_recycled;
    to.recovery_us = std::max(to.recovery_us, stats_.recovery_us);
    to.recovered_bytes += stats_.recovered_bytes;
    const LogWriterStats& writer = writer_->stats();
    to.written_bytes += writer.written_bytes;
    to.writes += writer.writes;
    to.syncs += writer.syncs;
    to.groups += writer.groups;
    to.ring_waits += writer.ring_waits;
    to.files_prepared += writer.files_prepared;
}

}  // namespace walrus::wal

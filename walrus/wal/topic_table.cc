#include "walrus/wal/topic_table.h"

#include <algorithm>

namespace walrus::wal {
namespace {

constexpr std::size_t kChunkBytes = 128 << 10;
constexpr std::size_t kSnapshotPrefix = 8;  // u64 wall_ms before the entries.
constexpr std::size_t kEntryFixed = 40;
constexpr std::size_t kMaxName = 255;  // A snapshot keeps lengths in a byte.
constexpr std::uint8_t kEntryClean = 1;
constexpr std::uint8_t kEntryRetention = 2;

Retention decode_retention(const std::byte* from) {
    Retention retention;
    retention.max_age_ms = load_le<std::uint64_t>(from);
    retention.max_bytes = load_le<std::uint64_t>(from + 8);
    retention.max_records = load_le<std::uint64_t>(from + 16);
    retention.reclaim_read = load_le<std::uint64_t>(from + 24) != 0;
    return retention;
}

template <class T>
void append_le(std::vector<std::byte>& to, T value) {
    to.resize(to.size() + sizeof value);
    store_le(to.data() + to.size() - sizeof value, value);
}

void append_bytes(std::vector<std::byte>& to, Bytes bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
}

// Entry: id u32, flags u8, name length u8, cursor count u16, log start, log end, end bytes and
// start bytes u64; the name; the retention if flagged; per cursor length u8, consumer, offset u64.
void append_entry(std::vector<std::byte>& to, const TopicState& topic) {
    append_le(to, topic.id);
    append_le(to, static_cast<std::uint8_t>((topic.clean ? kEntryClean : 0) |
                                            (topic.retention ? kEntryRetention : 0)));
    append_le(to, static_cast<std::uint8_t>(topic.name.size()));
    append_le(to, static_cast<std::uint16_t>(topic.cursors.size()));
    append_le(to, topic.log_start.value);
    append_le(to, topic.log_end.value);
    append_le(to, topic.end_bytes);
    append_le(to, topic.start_bytes);
    append_bytes(to, as_bytes(topic.name));
    if (topic.retention) {
        to.resize(to.size() + kRetentionBodySize);
        encode_retention(*topic.retention, to.data() + to.size() - kRetentionBodySize);
    }
    for (const auto& [consumer, cursor] : topic.cursors) {
        append_le(to, static_cast<std::uint8_t>(consumer.size()));
        append_bytes(to, as_bytes(consumer));
        append_le(to, cursor->committed.value);
    }
}

Error contradiction(const Frame& frame, const std::string& cause) {
    return {Errc::kCorruption,
            "frame at lsn " + std::to_string(frame.header.lsn.value) + ": " + cause};
}

}  // namespace

void encode_retention(const Retention& retention, std::byte* to) {
    store_le(to, retention.max_age_ms);
    store_le(to + 8, retention.max_bytes);
    store_le(to + 16, retention.max_records);
    store_le<std::uint64_t>(to + 24, retention.reclaim_read ? 1 : 0);
}

TopicPtr TopicTable::find(std::string_view name) const {
    const auto it = by_name_.find(name);
    return it == by_name_.end() ? nullptr : it->second;
}

TopicState* TopicTable::peek(std::string_view name) const {
    const auto it = by_name_.find(name);
    return it == by_name_.end() ? nullptr : it->second.get();
}

TopicPtr TopicTable::find(std::uint32_t id) const {
    const auto it = by_id_.find(id);
    return it == by_id_.end() ? nullptr : it->second;
}

TopicPtr TopicTable::create(std::uint32_t id, std::string_view name) {
    auto topic = std::make_shared<TopicState>();
    topic->id = id;
    topic->name = name;
    by_name_[topic->name] = topic;
    by_id_[id] = topic;
    next_id_ = std::max(next_id_, id + 1);
    entry_bytes_ += entry_size(*topic);
    return topic;
}

void TopicTable::erase(std::uint32_t id) {
    const auto it = by_id_.find(id);
    if (it == by_id_.end()) return;
    it->second->deleted = true;
    entry_bytes_ -= entry_size(*it->second);
    by_name_.erase(it->second->name);
    by_id_.erase(it);
}

std::shared_ptr<CursorState> TopicTable::cursor(TopicState& topic, std::string_view consumer) {
    if (const auto it = topic.cursors.find(consumer); it != topic.cursors.end()) return it->second;
    entry_bytes_ -= entry_size(topic);
    auto cursor = std::make_shared<CursorState>();
    cursor->committed = cursor->position = topic.log_start;
    topic.cursors.emplace(consumer, cursor);
    entry_bytes_ += entry_size(topic);
    return cursor;
}

void TopicTable::erase_cursor(TopicState& topic, std::string_view consumer) {
    const auto it = topic.cursors.find(consumer);
    if (it == topic.cursors.end()) return;
    entry_bytes_ -= entry_size(topic);
    topic.cursors.erase(it);
    entry_bytes_ += entry_size(topic);
}

std::uint64_t TopicTable::entry_size(const TopicState& topic) {
    std::uint64_t size = kEntryFixed + topic.name.size() + kRetentionBodySize;
    for (const auto& [consumer, cursor] : topic.cursors) size += 9 + consumer.size();
    return size;
}

std::uint64_t TopicTable::snapshot_bytes() const {
    // A chunk is closed once it holds kChunkBytes, so all but the last are at least that long.
    const std::uint64_t frames = entry_bytes_ / kChunkBytes + 1;
    return entry_bytes_ + frames * (kFullHeaderSize + kSnapshotPrefix + kFrameAlignment);
}

void TopicTable::write_snapshot(std::uint64_t wall_ms, const EmitSnapshot& emit) const {
    std::vector<std::byte> body;
    append_le(body, wall_ms);
    std::uint8_t flags = kSnapshotFirst;
    std::uint32_t count = 0;
    for (const auto& [id, topic] : by_id_) {
        append_entry(body, *topic);
        ++count;
        if (body.size() < kChunkBytes || id == by_id_.rbegin()->first) continue;
        emit(flags, count, body);
        body.resize(kSnapshotPrefix);
        flags = 0;
        count = 0;
    }
    emit(flags | kSnapshotLast, count, body);
}

std::vector<IndexTopic> TopicTable::index_topics() const {
    std::vector<IndexTopic> topics;
    topics.reserve(by_id_.size());
    for (const auto& [id, topic] : by_id_)
        topics.push_back({id, 0, 0, topic->log_end, topic->end_bytes});
    return topics;
}

Status TopicTable::apply(const Frame& frame) {
    switch (frame.header.type) {
        case FrameType::kBatch: return apply_batch(frame);
        case FrameType::kControl: return apply_control(frame);
        case FrameType::kPad:
        case FrameType::kSeal: return {};
    }
    return {};
}

Status TopicTable::apply_batch(const Frame& frame) {
    const TopicPtr topic = find(frame.header.topic_id);
    if (topic == nullptr)
        return contradiction(
            frame, "topic #" + std::to_string(frame.header.topic_id) + " was never created");
    if (frame.header.first_offset != topic->log_end)
        return contradiction(frame, "topic " + topic->name + " continues at offset " +
                                        std::to_string(frame.header.first_offset.value) +
                                        ", expected " + std::to_string(topic->log_end.value));
    topic->log_end = topic->log_end + frame.header.record_count;
    topic->end_bytes += frame.size;
    topic->clean = false;
    return {};
}

Status TopicTable::apply_create(const Frame& frame) {
    const std::string_view name = as_text(frame.body);
    if (name.empty() || name.size() > kMaxName)
        return contradiction(frame, "a topic name of " + std::to_string(name.size()) + " bytes");
    if (find(frame.header.topic_id) != nullptr || peek(name) != nullptr)
        return contradiction(frame, "topic " + std::string(name) + " exists already");
    create(frame.header.topic_id, name);
    return {};
}

Status TopicTable::apply_control(const Frame& frame) {
    const FrameHeader& header = frame.header;
    if (header.control == ControlKind::kSnapshot) return apply_snapshot(frame);
    if (header.control == ControlKind::kReign || header.control == ControlKind::kClose) return {};
    if (header.control == ControlKind::kCreateTopic) return apply_create(frame);
    if (header.control == ControlKind::kNone || header.control > ControlKind::kClose)
        return contradiction(frame, "unknown control frame");
    const TopicPtr topic = find(header.topic_id);
    if (topic == nullptr)
        return contradiction(frame,
                             "topic #" + std::to_string(header.topic_id) + " was never created");
    switch (header.control) {
        case ControlKind::kDeleteTopic: erase(topic->id); break;
        case ControlKind::kCommitCursor: {
            if (header.first_offset > topic->log_end || frame.body.size() > kMaxName)
                return contradiction(frame, "a cursor of " + topic->name + " past its end");
            const auto moved = cursor(*topic, as_text(frame.body));
            moved->committed = moved->position = header.first_offset;
            break;
        }
        case ControlKind::kDeleteCursor: erase_cursor(*topic, as_text(frame.body)); break;
        case ControlKind::kTruncateHead:
            if (frame.body.size() != 8 || header.first_offset > topic->log_end)
                return contradiction(frame, "truncation of " + topic->name + " past its end");
            // Two truncations at once may stand in the log in either order.
            topic->log_start = std::max(topic->log_start, header.first_offset);
            topic->start_bytes =
                std::max(topic->start_bytes, load_le<std::uint64_t>(frame.body.data()));
            break;
        case ControlKind::kMark: topic->clean = header.first_offset.value != 0; break;
        case ControlKind::kSetRetention:
            if (frame.body.size() != kRetentionBodySize)
                return contradiction(frame, "retention of bad length");
            topic->retention = decode_retention(frame.body.data());
            break;
        case ControlKind::kNone:
        case ControlKind::kCreateTopic:
        case ControlKind::kReign:
        case ControlKind::kSnapshot:
        case ControlKind::kClose: break;
    }
    return {};
}

Status TopicTable::apply_snapshot(const Frame& frame) {
    const std::uint8_t flags = frame.header.flags;
    if ((flags & kSnapshotFirst) != 0) incoming_ = std::make_unique<TopicTable>();
    if (incoming_ == nullptr || frame.body.size() < kSnapshotPrefix)
        return contradiction(frame, "a snapshot without its beginning");
    incoming_->next_id_ = static_cast<std::uint32_t>(frame.header.first_offset.value);
    incoming_->entered_wall_ms_ = load_le<std::uint64_t>(frame.body.data());
    Bytes body = frame.body.subspan(kSnapshotPrefix);
    for (std::uint32_t i = 0; i < frame.header.record_count; ++i)
        if (!incoming_->decode_entry(body)) return contradiction(frame, "damaged snapshot entry");
    if (!body.empty()) return contradiction(frame, "snapshot longer than its entries");
    if ((flags & kSnapshotLast) == 0) return {};
    const std::unique_ptr<TopicTable> whole = std::move(incoming_);
    *this = std::move(*whole);
    complete_ = true;
    return {};
}

Status TopicTable::decode_entry(Bytes& body) {
    const Error bad{Errc::kCorruption, "snapshot entry"};
    const auto take = [&](std::size_t n) {
        const Bytes taken = body.first(n);
        body = body.subspan(n);
        return taken;
    };
    if (body.size() < kEntryFixed) return bad;
    const std::byte* at = take(kEntryFixed).data();
    const auto flags = static_cast<std::uint8_t>(at[4]);
    const auto name_length = static_cast<std::size_t>(at[5]);
    const auto cursor_count = load_le<std::uint16_t>(at + 6);
    if (name_length == 0 || body.size() < name_length) return bad;
    const std::string_view name = as_text(take(name_length));
    const auto id = load_le<std::uint32_t>(at);
    if (find(id) != nullptr || peek(name) != nullptr) return bad;
    const TopicPtr topic = create(id, name);
    topic->clean = (flags & kEntryClean) != 0;
    topic->log_start = Offset{load_le<std::uint64_t>(at + 8)};
    topic->log_end = Offset{load_le<std::uint64_t>(at + 16)};
    topic->end_bytes = load_le<std::uint64_t>(at + 24);
    topic->start_bytes = load_le<std::uint64_t>(at + 32);
    if (topic->log_start > topic->log_end || topic->start_bytes > topic->end_bytes) return bad;
    if ((flags & kEntryRetention) != 0) {
        if (body.size() < kRetentionBodySize) return bad;
        topic->retention = decode_retention(take(kRetentionBodySize).data());
    }
    for (std::uint16_t i = 0; i < cursor_count; ++i) {
        if (body.empty()) return bad;
        const auto length = static_cast<std::size_t>(take(1)[0]);
        if (body.size() < length + 8) return bad;
        const auto consumer = as_text(take(length));
        const auto entry = cursor(*topic, consumer);
        entry->committed = entry->position = Offset{load_le<std::uint64_t>(take(8).data())};
    }
    return {};
}

}  // namespace walrus::wal

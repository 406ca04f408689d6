#include "walrus/wal/log_index.h"

#include <algorithm>
#include <string>

#include "walrus/base/crc32c.h"
#include "walrus/wal/format.h"

namespace walrus::wal {
namespace {

// Stored form: header, topics, entries, checksum over all before it.  Little-endian.
constexpr std::uint64_t kIndexMagic = 0x3158444E494C4157;  // "WALINDX1" in file order.
constexpr std::size_t kHeaderSize = 48;
constexpr std::size_t kTopicSize = 32;
constexpr std::size_t kEntrySize = 24;

bool by_topic_and_offset(const IndexEntry& a, const IndexEntry& b) {
    return a.topic_id != b.topic_id ? a.topic_id < b.topic_id : a.offset < b.offset;
}

}  // namespace

FileIndex::FileIndex(std::uint64_t number, std::uint32_t epoch, std::uint64_t left_wall_ms,
                     std::vector<IndexTopic> topics, std::vector<IndexEntry> entries)
    : number_(number),
      epoch_(epoch),
      left_wall_ms_(left_wall_ms),
      topics_(std::move(topics)),
      entries_(std::move(entries)) {
    std::sort(topics_.begin(), topics_.end(),
              [](const IndexTopic& a, const IndexTopic& b) { return a.topic_id < b.topic_id; });
    std::sort(entries_.begin(), entries_.end(), by_topic_and_offset);
    // Entries of topics that are gone stay unreachable: no IndexTopic points at them.
    std::size_t at = 0;
    for (IndexTopic& topic : topics_) {
        while (at < entries_.size() && entries_[at].topic_id < topic.topic_id) ++at;
        topic.first_entry = static_cast<std::uint32_t>(at);
        while (at < entries_.size() && entries_[at].topic_id == topic.topic_id) ++at;
        topic.entry_count = static_cast<std::uint32_t>(at - topic.first_entry);
    }
}

const IndexTopic* FileIndex::find(std::uint32_t topic_id) const {
    const auto it = std::lower_bound(
        topics_.begin(), topics_.end(), topic_id,
        [](const IndexTopic& topic, std::uint32_t id) { return topic.topic_id < id; });
    return it != topics_.end() && it->topic_id == topic_id ? &*it : nullptr;
}

std::optional<IndexEntry> FileIndex::locate(std::uint32_t topic_id, Offset offset) const {
    const IndexTopic* topic = find(topic_id);
    if (topic == nullptr) return std::nullopt;
    const auto first = entries_.begin() + topic->first_entry;
    const auto last = first + topic->entry_count;
    const auto after = std::upper_bound(
        first, last, offset, [](Offset o, const IndexEntry& entry) { return o < entry.offset; });
    if (after == first) return std::nullopt;
    return *(after - 1);
}

std::uint64_t FileIndex::memory_bytes() const {
    return sizeof *this + topics_.size() * sizeof(IndexTopic) +
           entries_.size() * sizeof(IndexEntry);
}

bool FileIndex::same_content(const FileIndex& other) const {
    const auto same_topic = [](const IndexTopic& a, const IndexTopic& b) {
        return a.topic_id == b.topic_id && a.entry_count == b.entry_count &&
               a.first_entry == b.first_entry && a.end_offset == b.end_offset &&
               a.end_bytes == b.end_bytes;
    };
    const auto same_entry = [](const IndexEntry& a, const IndexEntry& b) {
        return a.topic_id == b.topic_id && a.offset == b.offset && a.lsn == b.lsn;
    };
    return number_ == other.number_ && epoch_ == other.epoch_ &&
           std::equal(topics_.begin(), topics_.end(), other.topics_.begin(), other.topics_.end(),
                      same_topic) &&
           std::equal(entries_.begin(), entries_.end(), other.entries_.begin(),
                      other.entries_.end(), same_entry);
}

std::vector<std::byte> FileIndex::encode() const {
    const std::size_t used =
        kHeaderSize + topics_.size() * kTopicSize + entries_.size() * kEntrySize;
    std::vector<std::byte> bytes(used + sizeof(std::uint32_t));
    std::byte* at = bytes.data();
    store_le(at, kIndexMagic);
    store_le(at + 8, number_);
    store_le(at + 16, epoch_);
    store_le(at + 20, kFormatVersion);
    store_le(at + 24, left_wall_ms_);
    store_le(at + 32, std::uint64_t{topics_.size()});
    store_le(at + 40, std::uint64_t{entries_.size()});
    at += kHeaderSize;
    for (const IndexTopic& topic : topics_) {
        store_le(at, topic.topic_id);
        store_le(at + 4, topic.entry_count);
        store_le(at + 8, topic.first_entry);
        store_le(at + 16, topic.end_offset.value);
        store_le(at + 24, topic.end_bytes);
        at += kTopicSize;
    }
    for (const IndexEntry& entry : entries_) {
        store_le(at, entry.topic_id);
        store_le(at + 8, entry.offset.value);
        store_le(at + 16, entry.lsn.value);
        at += kEntrySize;
    }
    store_le(at, crc32c({bytes.data(), used}));
    return bytes;
}

Result<std::shared_ptr<const FileIndex>> FileIndex::decode(Bytes bytes, std::uint64_t number,
                                                           std::uint32_t epoch) {
    const auto damaged = [&](const char* cause) {
        return Error{Errc::kCorruption, index_file_name(number) + ": " + cause};
    };
    if (bytes.size() < kHeaderSize + sizeof(std::uint32_t)) return damaged("too short");
    const std::size_t used = bytes.size() - sizeof(std::uint32_t);
    const std::byte* at = bytes.data();
    if (load_le<std::uint64_t>(at) != kIndexMagic) return damaged("bad magic");
    if (load_le<std::uint32_t>(at + used) != crc32c(bytes.first(used)))
        return damaged("checksum differs");
    if (load_le<std::uint64_t>(at + 8) != number || load_le<std::uint32_t>(at + 16) != epoch)
        return damaged("belongs to another use of the file");
    const std::uint64_t left_wall_ms = load_le<std::uint64_t>(at + 24);
    const std::uint64_t topic_count = load_le<std::uint64_t>(at + 32);
    const std::uint64_t entry_count = load_le<std::uint64_t>(at + 40);
    if (topic_count > used / kTopicSize || entry_count > used / kEntrySize ||
        kHeaderSize + topic_count * kTopicSize + entry_count * kEntrySize != used)
        return damaged("counts do not fit its size");
    at += kHeaderSize;
    std::vector<IndexTopic> topics(topic_count);
    for (IndexTopic& topic : topics) {
        topic.topic_id = load_le<std::uint32_t>(at);
        topic.end_offset = Offset{load_le<std::uint64_t>(at + 16)};
        topic.end_bytes = load_le<std::uint64_t>(at + 24);
        at += kTopicSize;
    }
    std::vector<IndexEntry> entries(entry_count);
    for (IndexEntry& entry : entries) {
        entry.topic_id = load_le<std::uint32_t>(at);
        entry.offset = Offset{load_le<std::uint64_t>(at + 8)};
        entry.lsn = Lsn{load_le<std::uint64_t>(at + 16)};
        at += kEntrySize;
    }
    return std::shared_ptr<const FileIndex>(std::make_shared<FileIndex>(
        number, epoch, left_wall_ms, std::move(topics), std::move(entries)));
}

void IndexBuilder::add(Chain& chain, std::uint32_t topic_id, Offset offset, Lsn lsn) {
    if (chain.file != number_) chain = Chain{number_, 0};
    if (chain.last != 0 && lsn - entries_[chain.last - 1].lsn < kAnchorInterval) return;
    entries_.push_back({topic_id, chain.last, offset, lsn});
    chain.last = static_cast<std::uint32_t>(entries_.size());
}

std::optional<IndexEntry> IndexBuilder::locate(const Chain& chain, Offset offset) const {
    if (chain.file != number_) return std::nullopt;
    for (std::uint32_t at = chain.last; at != 0; at = entries_[at - 1].previous)
        if (entries_[at - 1].offset <= offset) return entries_[at - 1];
    return std::nullopt;
}

std::shared_ptr<const FileIndex> IndexBuilder::finish(std::uint32_t epoch,
                                                      std::uint64_t left_wall_ms,
                                                      std::vector<IndexTopic> topics) && {
    return std::make_shared<FileIndex>(number_, epoch, left_wall_ms, std::move(topics),
                                       std::move(entries_));
}

std::shared_ptr<const FileIndex> IndexCache::find(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    const auto it = by_number_.find(number);
    if (it == by_number_.end()) return nullptr;
    recent_.splice(recent_.begin(), recent_, it->second);
    return *it->second;
}

void IndexCache::insert(std::shared_ptr<const FileIndex> index) {
    erase(index->number());
    const std::lock_guard lock(mutex_);
    used_ += index->memory_bytes();
    recent_.push_front(std::move(index));
    by_number_[recent_.front()->number()] = recent_.begin();
    while (used_ > budget_ && recent_.size() > 1) {
        used_ -= recent_.back()->memory_bytes();
        by_number_.erase(recent_.back()->number());
        recent_.pop_back();
    }
}

void IndexCache::erase(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    const auto it = by_number_.find(number);
    if (it == by_number_.end()) return;
    used_ -= (*it->second)->memory_bytes();
    recent_.erase(it->second);
    by_number_.erase(it);
}

}  // namespace walrus::wal

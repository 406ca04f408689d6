// The index of one log file: where a topic's offsets are.  Derived from the log and never believed
// over it; rebuilt by scanning when its file (<number>.idx) is absent or damaged.
//
// While a file is being written its index grows in an IndexBuilder; when the file is left the
// builder becomes a FileIndex, which is stored beside the file and kept in an IndexCache.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/base/strong.h"

namespace walrus::wal {

// A full data frame of a topic; a reader may enter the log there.
struct IndexEntry {
    std::uint32_t topic_id = 0;
    std::uint32_t previous = 0;  // 1 + position of the topic's entry before this one; 0: none.
    Offset offset;
    Lsn lsn;
};

// What a file knows about a topic that existed when the file was left.
struct IndexTopic {
    std::uint32_t topic_id = 0;
    std::uint32_t entry_count = 0;  // Of this topic in this file.
    std::uint32_t first_entry = 0;  // In the entries, which are sorted by topic and offset.
    Offset end_offset;              // The topic's log end when the file was left.
    std::uint64_t end_bytes = 0;    // Bytes ever appended to the topic by then.
};

// A left file's index.  Immutable, so any thread may read it.
class FileIndex {
public:
    FileIndex(std::uint64_t number, std::uint32_t epoch, std::uint64_t left_wall_ms,
              std::vector<IndexTopic> topics, std::vector<IndexEntry> entries);

    std::uint64_t number() const { return number_; }
    std::uint32_t epoch() const { return epoch_; }  // Of the file's header.
    std::uint64_t left_wall_ms() const { return left_wall_ms_; }
    const std::vector<IndexTopic>& topics() const { return topics_; }

    // Null: the topic did not exist when the file was left.
    const IndexTopic* find(std::uint32_t topic_id) const;
    // The last entry at or before `offset`; nullopt: the file has no such frame of the topic.
    std::optional<IndexEntry> locate(std::uint32_t topic_id, Offset offset) const;
    std::uint64_t memory_bytes() const;
    // Same topics, totals and entries, whenever the file was left.
    bool same_content(const FileIndex& other) const;

    std::vector<std::byte> encode() const;
    // kCorruption for anything but what encode() made for this file and epoch.
    static Result<std::shared_ptr<const FileIndex>> decode(Bytes bytes, std::uint64_t number,
                                                           std::uint32_t epoch);

private:
    std::uint64_t number_;
    std::uint32_t epoch_;
    std::uint64_t left_wall_ms_;
    std::vector<IndexTopic> topics_;  // Sorted by topic_id.
    std::vector<IndexEntry> entries_;
};

// The index of the file that is being written.  The shard's lock guards it.
class IndexBuilder {
public:
    explicit IndexBuilder(std::uint64_t number) : number_(number) { entries_.reserve(8192); }

    std::uint64_t number() const { return number_; }
    // Notes a full data frame.  Sparse: ignored while the topic has an entry less than
    // kAnchorInterval before it.  `chain` is the topic's slot for this builder.
    struct Chain {
        std::uint64_t file = ~std::uint64_t{0};
        std::uint32_t last = 0;  // 1 + position of the topic's last entry.
    };
    void add(Chain& chain, std::uint32_t topic_id, Offset offset, Lsn lsn);
    std::optional<IndexEntry> locate(const Chain& chain, Offset offset) const;
    // Sorts the entries under the topics' totals as of now.
    std::shared_ptr<const FileIndex> finish(std::uint32_t epoch, std::uint64_t left_wall_ms,
                                            std::vector<IndexTopic> topics) &&;

private:
    std::uint64_t number_;
    std::vector<IndexEntry> entries_;
};

// Indexes of left files, up to a budget of bytes; the least recently used go first.  Thread-safe.
class IndexCache {
public:
    explicit IndexCache(std::uint64_t budget_bytes) : budget_(budget_bytes) {}

    std::shared_ptr<const FileIndex> find(std::uint64_t number);
    void insert(std::shared_ptr<const FileIndex> index);
    void erase(std::uint64_t number);

private:
    using Recent = std::list<std::shared_ptr<const FileIndex>>;
    std::mutex mutex_;
    std::uint64_t budget_;
    std::uint64_t used_ = 0;
    Recent recent_;  // Most recently used first.
    std::unordered_map<std::uint64_t, Recent::iterator> by_number_;
};

}  // namespace walrus::wal

// TopicTable: what a shard knows about its topics and their cursors.  Pure: the shard's lock guards
// it, and recovery rebuilds it by applying the log's frames in order.
//
// Every log file begins with the whole table (kSnapshot frames), so recovery needs no other file.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "walrus/base/result.h"
#include "walrus/base/strong.h"
#include "walrus/wal/frame.h"
#include "walrus/wal/log_index.h"
#include "walrus/wal/options.h"

namespace walrus::wal {

struct CursorState {
    Offset committed;               // Where the log says it stands.
    Offset position;                // Where the next read begins.  The shard's lock guards both.
    std::uint32_t unpersisted = 0;  // Records read since `committed` was last written.
    // Held across a checkpointing read, so that concurrent readers take turns.
    std::mutex reading;
};

struct TopicState {
    std::uint32_t id = 0;
    std::string name;
    bool deleted = false;
    bool clean = true;
    Offset log_start;
    Offset log_end;
    Offset readable;                // High watermark.  Invariant: log_start <= readable <= log_end.
    Offset durable;                 // Invariant: durable <= log_end.
    std::uint64_t end_bytes = 0;    // Frame bytes appended since the topic began.
    std::uint64_t start_bytes = 0;  // Of them, those before log_start, as far as known.
    std::optional<Retention> retention;
    std::map<std::string, std::shared_ptr<CursorState>, std::less<>> cursors;
    IndexBuilder::Chain chain;
};

using TopicPtr = std::shared_ptr<TopicState>;

class TopicTable {
public:
    TopicPtr find(std::string_view name) const;
    // Without touching the reference count: valid under the lock only.
    TopicState* peek(std::string_view name) const;
    TopicPtr find(std::uint32_t id) const;
    std::size_t size() const { return by_id_.size(); }
    const std::map<std::uint32_t, TopicPtr>& all() const { return by_id_; }

    std::uint32_t next_id() const { return next_id_; }
    TopicPtr create(std::uint32_t id, std::string_view name);
    void erase(std::uint32_t id);
    std::shared_ptr<CursorState> cursor(TopicState& topic, std::string_view consumer);
    void erase_cursor(TopicState& topic, std::string_view consumer);

    // --- snapshot ---
    // Upper bound of the log bytes that write_snapshot() will take.
    std::uint64_t snapshot_bytes() const;
    // Calls emit(flags, count, body) for each frame, at least once.
    using EmitSnapshot = std::function<void(std::uint8_t flags, std::uint32_t count, Bytes body)>;
    void write_snapshot(std::uint64_t wall_ms, const EmitSnapshot& emit) const;
    std::vector<IndexTopic> index_topics() const;

    // --- recovery ---
    // Applies one frame in log order.  kCorruption: the frame contradicts what came before.
    Status apply(const Frame& frame);
    // A complete snapshot was applied; without one the table cannot be trusted.
    bool complete() const { return complete_; }
    // When the newest file was entered, as its snapshot says.
    std::uint64_t entered_wall_ms() const { return entered_wall_ms_; }

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view s) const {
            return std::hash<std::string_view>{}(s);
        }
    };
    static std::uint64_t entry_size(const TopicState& topic);
    Status apply_batch(const Frame& frame);
    Status apply_control(const Frame& frame);
    Status apply_create(const Frame& frame);
    Status apply_snapshot(const Frame& frame);
    Status decode_entry(Bytes& body);

    std::unordered_map<std::string, TopicPtr, Hash, std::equal_to<>> by_name_;
    std::map<std::uint32_t, TopicPtr> by_id_;
    std::uint32_t next_id_ = 1;
    std::uint64_t entry_bytes_ = 0;
    bool complete_ = false;
    std::uint64_t entered_wall_ms_ = 0;
    std::unique_ptr<TopicTable> incoming_;  // A snapshot whose last frame has not come yet.
};

// Body of a kSetRetention frame.
inline constexpr std::size_t kRetentionBodySize = 32;
void encode_retention(const Retention& retention, std::byte* to);

}  // namespace walrus::wal

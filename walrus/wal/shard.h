// Shard: one log with its topics.  Ties writer, table, index and readers together; the facade
// (wal.cc) picks the shard and checks what callers pass in.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "walrus/base/ring_queue.h"
#include "walrus/wal/left_file.h"
#include "walrus/wal/log_files.h"
#include "walrus/wal/log_index.h"
#include "walrus/wal/log_writer.h"
#include "walrus/wal/topic_reader.h"
#include "walrus/wal/topic_table.h"
#include "walrus/wal/wal.h"

namespace walrus::wal {

struct ShardConfig {
    const Options* options = nullptr;  // Seams resolved; outlives the shard.
    std::uint32_t number = 0;
    std::string directory;
    std::uint64_t file_size = 0;
    bool direct = false;
    bool mapped = false;
    bool uring = false;
};

// Readers that wait for the next read of their topic.
inline constexpr std::size_t kIdleReaders = 8;

// Thread-safe.  Methods are those of the facade, which documents them.
class Shard final : public LogOwner {
public:
    using Admission = LogWriter::Admission;

    static Result<std::unique_ptr<Shard>> open(ShardConfig config);
    ~Shard() override;
    Status close();

    Result<Offset> append(std::string_view topic, const BatchSource& source);
    Result<Ticket> append_async(std::string_view topic, const BatchSource& source,
                                AckCallback callback, Admission admission = Admission::kData);
    Status wait(Lsn end);
    Status sync();

    Result<RecordBatch> read(std::string_view topic, ReadOptions options, std::uint64_t max_bytes,
                             std::uint64_t max_records);
    Result<RecordBatch> read_at(std::string_view topic, Offset offset, std::uint64_t max_bytes,
                                bool memory_only = false);
    Result<bool> wait_for(std::string_view topic, Offset offset, std::uint64_t timeout_ms);

    Result<Offset> position(std::string_view topic, std::string_view consumer);
    Status commit(std::string_view topic, std::string_view consumer, Offset offset);
    Status seek(std::string_view topic, std::string_view consumer, Offset offset);
    Status delete_cursor(std::string_view topic, std::string_view consumer);
    Result<std::map<std::string, Offset>> cursors(std::string_view topic);

    Status create_topic(std::string_view topic);
    Status delete_topic(std::string_view topic);
    Result<Offset> end_offset(std::string_view topic);
    void add_topics(std::vector<TopicInfo>& to);
    Result<TopicInfo> topic(std::string_view topic);
    Status mark(std::string_view topic, bool clean);
    Status truncate_head(std::string_view topic, Offset offset);
    Status set_retention(std::string_view topic, const Retention& retention);
    Result<std::uint64_t> run_retention();
    Result<std::unique_ptr<Driver>> make_driver(std::function<void()> wake);
    void add_stats(Stats& to);

private:
    // What becomes readable or durable when the log is so up to `end`.
    struct Pending {
        TopicPtr topic;
        Lsn end;
        Offset offset;
        std::uint64_t group = 0;
    };
    struct PendingAck {
        Lsn end;
        Offset first_offset;
        AckCallback callback;
        std::uint64_t bytes = 0;
        bool failed = false;
    };
    struct ControlFrame {
        ControlKind kind = ControlKind::kNone;
        Offset operand;  // Its meaning is the kind's.
        Bytes body;
    };
    struct Appended {
        Offset first_offset;
        Lsn end;
        std::uint64_t group = 0;
    };

    explicit Shard(ShardConfig config);

    // --- LogOwner ---
    std::uint64_t roll_bytes() override { return table_.snapshot_bytes(); }
    void entered_file(std::uint64_t left) override;
    void progressed() override;
    bool deliver(std::size_t at_most) override;
    void poisoned(const Error& cause) override;

    // --- opening (shard.cc) ---
    Status recover_and_start();
    Result<std::unique_ptr<env::MappedRing>> recover_log(struct RecoveredLog& recovered);
    Status begin_reign(MutexLock& lock);
    void stage_snapshot();
    void run_keeper();
    void store_left_indexes(MutexLock& lock);
    bool threaded() const { return config_.options->threading == Threading::kBackground; }

    // --- appending (shard.cc) ---
    Result<Appended> append_locked(MutexLock& lock, std::string_view topic,
                                   const BatchSource& source, bool waits,
                                   Admission admission = Admission::kData);
    Result<TopicState*> find_or_create(MutexLock& lock, std::string_view topic,
                                       std::uint64_t more_bytes,
                                       Admission admission = Admission::kData);
    Result<Appended> stage_control(MutexLock& lock, TopicState& topic, const ControlFrame& frame);
    // Stages the frame, applies `change` under the same lock and waits for the acknowledgement.
    Status control(MutexLock& lock, TopicState& topic, const ControlFrame& frame,
                   const std::function<void()>& change);
    void note_pending(TopicState& topic, Lsn end, std::uint64_t group);
    bool too_much_outstanding(std::uint64_t bytes) const {
        return !acks_.empty() && outstanding_bytes_ + bytes > options_.limits.max_outstanding_bytes;
    }
    Status wait_outstanding(MutexLock& lock, std::uint64_t bytes);

    // --- reading (shard_read.cc) ---
    Result<TopicPtr> existing(std::string_view topic);
    Result<RecordBatch> read_records(const TopicPtr& topic, Offset from, const ReadLimit& limit);
    std::unique_ptr<TopicReader> take_reader(std::uint32_t topic_id, Offset from, bool fresh);
    void put_reader(std::unique_ptr<TopicReader> reader);
    Result<Lsn> locate(std::uint32_t topic_id, Offset offset);
    Result<Lsn> locate_in_memory(std::uint32_t topic_id, Offset offset);
    Result<std::shared_ptr<const FileIndex>> index_of(std::uint64_t number);
    Result<std::shared_ptr<CursorState>> cursor_of(TopicState& topic, std::string_view consumer);
    Status check_range(const TopicState& topic, Offset offset) const;
    TopicInfo info(const TopicState& topic) const;

    // --- giving up (shard_retention.cc) ---
    Result<Offset> retained_from(const TopicState& topic, const Retention& policy);
    Status truncate_by_policy();
    Result<bool> first_file_dead();
    Result<std::uint64_t> bytes_before(std::uint32_t topic_id, Offset offset);

    const ShardConfig config_;
    const Options& options_;
    std::unique_ptr<LogFiles> files_;
    std::unique_ptr<env::MappedRing> ring_;
    std::unique_ptr<LogWriter> writer_;
    std::shared_ptr<BufferPool> buffers_;
    IndexCache index_cache_;

    // Guarded by writer_->mutex().
    TopicTable table_;
    std::unique_ptr<IndexBuilder> builder_;
    std::uint32_t file_epoch_ = 0;  // Of the current file's header.
    std::map<std::uint64_t, std::shared_ptr<LeftFile>> left_;
    RingQueue<Pending> pending_;
    RingQueue<PendingAck> acks_;
    std::uint64_t outstanding_bytes_ = 0;
    // Acknowledged, not yet called back.  Callbacks run under delivering_ alone, which keeps their
    // order; ready_mutex_ is taken last of all.
    Mutex delivering_;
    Mutex ready_mutex_;
    RingQueue<PendingAck> ready_;
    bool reign_pending_ = false;
    bool snapshot_pending_ = false;  // The current file does not begin with one yet.
    std::uint64_t followers_ = 0;
    CondVar follow_;
    CondVar keeper_wake_;
    bool closing_ = false;
    Stats stats_;

    std::mutex readers_mutex_;
    std::vector<std::unique_ptr<TopicReader>> readers_;  // Idle ones, most recently used last.
    std::mutex storing_mutex_;                           // One index file is written at a time.
    std::mutex retention_mutex_;                         // One retention pass at a time.
    std::thread keeper_;
};

}  // namespace walrus::wal

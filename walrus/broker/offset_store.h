// LogOffsetStore: what groups have read, on a small log of its own.
//
// Every commit is one record of the log, so it is kept whole or not at all; commits that come while
// one is being written share the next write.  The log is rewritten when it holds much that is no
// longer true.  Records and recovery: walrus/spec/offset_store.md.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "walrus/broker/broker.h"
#include "walrus/broker/group_offsets.h"
#include "walrus/net/loop.h"
#include "walrus/wal/wal.h"

namespace walrus::broker {

struct OffsetStoreOptions {
    std::string directory;  // Of this store alone.
    // Of one file of the log; some three of them exist, and a ring of the same size.  A commit
    // takes a quarter at most.
    std::uint64_t file_size_bytes = 4 << 20;
    // What the log may grow by before it is rewritten; and it doubles what is worth keeping.
    std::uint64_t rewrite_after_bytes = 8 << 20;
    std::size_t max_offsets = 250'000;  // Of all groups together.
    wal::Backend backend = wal::Backend::kAuto;
    wal::Threading threading = wal::Threading::kBackground;
    // Runs what blocks for a few milliseconds, on another thread than the loop's; it must have run
    // before the store is destroyed.  Empty: it runs at once.
    std::function<void(std::function<void()> work)> run_elsewhere = {};

    // The seams; null means the real one.  They must outlive the store.
    env::Env* env = nullptr;
    Clock* clock = nullptr;
    Random* random = nullptr;
};

// What is read is durable; a commit is read when it has been answered.
//
// Failure: kInvalidArgument: a name, number or text that cannot be; kTooLarge: more than one record
// may hold; kResourceExhausted: max_offsets; kNoSpace: nothing was written, try again.  After a
// failed write everything that writes says kPoisoned, and the next open() decides what survived.
class LogOffsetStore final : public OffsetStore {
public:
    // Recovers, or makes an empty store.  Blocks.  `loop` must outlive the store.
    // kBusy: open elsewhere.  kCorruption, kUnsupported: the log is damaged, or a newer build's.
    static Result<std::unique_ptr<LogOffsetStore>> open(OffsetStoreOptions options,
                                                        net::Loop& loop);
    // Stops as a crash would; what was not answered never is.
    ~LogOffsetStore() override;
    // Makes everything durable and answers it, and stops.  Later calls fail.  Blocks.
    Status close();

    void commit(std::string_view group, std::vector<OffsetCommit> offsets,
                StatusCallback done) override;
    std::optional<CommittedOffset> committed(std::string_view group, std::string_view topic,
                                             std::int32_t partition) const override;
    std::vector<OffsetCommit> of_group(std::string_view group) const override;
    std::vector<std::string> groups() const override;
    void forget_group(std::string_view group, StatusCallback done) override;
    void forget_topic(std::string_view topic, StatusCallback done) override;

    // How often the log was rewritten since open(), for metrics.
    std::uint64_t rewrites() const { return rewrites_; }

private:
    // Carries acknowledgements from the log's thread to the loop.
    struct Acks;
    struct Write {
        OffsetRecord record = {};  // Applied when it is durable; of a rewrite it changes nothing.
        StatusCallback done = {};  // Null: of a rewrite.
        std::uint64_t size_bytes = 0;
    };
    enum class Rewrite { kNone, kDue, kWriting };

    LogOffsetStore(OffsetStoreOptions options, net::Loop& loop);
    Status open_log();
    Status replay();
    Status rewrite_at_open();

    void submit(OffsetRecord record, StatusCallback done);
    bool has_room_for(const OffsetRecord& record) const;
    // Appends what may be appended now.
    void pump();
    void append(Write write);
    Status append_bytes(std::string bytes);
    void on_acks();
    void begin_rewrite();
    void continue_rewrite();
    void end_rewrite(bool complete);

    const OffsetStoreOptions options_;
    GroupOffsets offsets_;  // What is durable.
    std::deque<Write> waiting_;
    std::deque<Write> in_flight_;  // In the order of the log.
    std::uint64_t in_flight_bytes_ = 0;
    Lsn end_;  // Of the last append.
    bool pumping_ = false;

    Rewrite rewrite_ = Rewrite::kNone;
    std::deque<OffsetRecord> rewriting_;  // Not yet appended.
    Offset new_head_;                     // The first record of the rewrite.
    bool has_new_head_ = false;
    bool cutting_ = false;  // The head is being moved.
    Lsn rewritten_end_;     // Where the log ended after the last rewrite.
    bool has_rewritten_end_ = false;
    std::uint64_t rewrites_ = 0;

    std::shared_ptr<Acks> acks_;
    std::shared_ptr<wal::Wal> wal_;  // Last: its threads call acks_.
};

}  // namespace walrus::broker

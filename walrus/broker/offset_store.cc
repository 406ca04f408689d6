#include "walrus/broker/offset_store.h"

#include <algorithm>
#include <utility>

#include "walrus/base/log.h"
#include "walrus/base/mutex.h"

namespace walrus::broker {
namespace {

constexpr std::string_view kTopic = "offsets";
constexpr std::uint64_t kReadUnit = 1 << 20;
// Waiting for the disk at a time; the log's ring holds more, so an append never waits for it.
constexpr std::uint64_t kMaxInFlightBytes = 1 << 20;

// What a record takes in the log besides its bytes, about.
constexpr std::uint64_t kRecordOverheadBytes = 80;

std::uint64_t max_record_bytes(const OffsetStoreOptions& options) {
    return options.file_size_bytes / 4;
}

OffsetStoreOptions with_real_seams(OffsetStoreOptions options) {
    wal::Options log;
    log.env = options.env;
    log.clock = options.clock;
    log.random = options.random;
    log = wal::with_real_seams(std::move(log));
    options.env = log.env;
    options.clock = log.clock;
    options.random = log.random;
    return options;
}

wal::Options log_options(const OffsetStoreOptions& options) {
    wal::Options log;
    log.data_dir = options.directory;
    log.durability = wal::DurabilityClass::kDisk;
    log.backend = options.backend;
    log.file_size = log.ring_size = options.file_size_bytes;
    log.shards = 1;
    log.spare_files = 1;
    log.read_ahead_bytes = std::min(log.read_ahead_bytes, options.file_size_bytes);
    // Room for the record's own length in its frame.
    log.limits.max_batch_bytes = log.limits.max_record_bytes = max_record_bytes(options);
    log.threading = options.threading;
    log.env = options.env;
    log.clock = options.clock;
    log.random = options.random;
    return log;
}

// Gives up what is before `head`.
Status shorten(wal::Wal& wal, Offset head, wal::Threading threading) {
    WALRUS_RETURN_IF_ERROR(wal.truncate_head(kTopic, head));
    if (threading == wal::Threading::kBackground) return {};  // The log's keeper frees the files.
    const Result<std::uint64_t> recycled = wal.run_retention();
    return recycled ? Status{} : recycled.error();
}

Error in_record(const OffsetStoreOptions& options, Offset offset, const Error& error) {
    return {error.code,
            options.directory + ": record " + std::to_string(offset.value) + ": " + error.message};
}

}  // namespace

struct LogOffsetStore::Acks {
    net::Loop& loop;
    LogOffsetStore* store;  // The loop's; null: it is gone.
    std::weak_ptr<Acks> self = {};
    Mutex mutex = {};
    std::vector<Status> arrived = {};  // Under mutex.

    static void on_ack(void* context, Offset, const Status& status) {
        auto& acks = *static_cast<Acks*>(context);
        {
            const MutexLock lock(acks.mutex);
            acks.arrived.push_back(status);
            if (acks.arrived.size() > 1) return;  // The loop was told.
        }
        acks.loop.post([acks = acks.self.lock()] {
            if (acks && acks->store != nullptr) acks->store->on_acks();
        });
    }
};

Result<std::unique_ptr<LogOffsetStore>> LogOffsetStore::open(OffsetStoreOptions options,
                                                             net::Loop& loop) {
    std::unique_ptr<LogOffsetStore> store(
        new LogOffsetStore(with_real_seams(std::move(options)), loop));
    WALRUS_RETURN_IF_ERROR(store->open_log());
    WALRUS_RETURN_IF_ERROR(store->replay());
    WALRUS_RETURN_IF_ERROR(store->rewrite_at_open());
    return store;
}

LogOffsetStore::LogOffsetStore(OffsetStoreOptions options, net::Loop& loop)
    : options_(std::move(options)), acks_(new Acks{.loop = loop, .store = this}) {
    acks_->self = acks_;
}

LogOffsetStore::~LogOffsetStore() {
    acks_->store = nullptr;
}

Status LogOffsetStore::close() {
    Status closed = wal_->close();
    on_acks();
    return closed;
}

// --- opening ---

Status LogOffsetStore::open_log() {
    Result<std::unique_ptr<wal::Wal>> wal = wal::Wal::open(log_options(options_));
    if (!wal) return std::move(wal).error();
    wal_ = *std::move(wal);
    return {};
}

Status LogOffsetStore::replay() {
    const Result<wal::TopicInfo> topic = wal_->topic(kTopic);
    if (!topic && topic.error().code == Errc::kNotFound) return {};
    if (!topic) return topic.error();
    Offset at = topic->log_start_offset;
    while (at < topic->log_end_offset) {
        const Result<wal::RecordBatch> batch = wal_->read_at(kTopic, at, kReadUnit);
        if (!batch) return batch.error();
        for (const wal::Record& stored : *batch) {
            const Result<OffsetRecord> record = decode_offset_record(stored.data);
            if (!record) return in_record(options_, stored.offset, record.error());
            offsets_.apply(*record);
        }
        at = batch->back().offset + 1;
    }
    return {};
}

// Otherwise a server that is restarted often would have an ever longer log.
Status LogOffsetStore::rewrite_at_open() {
    const Result<wal::TopicInfo> topic = wal_->topic(kTopic);
    if (!topic || topic->entry_count == 0) return {};  // A new store.
    const Offset head = topic->log_end_offset;
    std::vector<OffsetRecord> records = offsets_.records(max_record_bytes(options_) / 2);
    if (topic->entry_count <= records.size()) return {};
    // The log needs a record to stand on.
    if (records.empty()) records.push_back({.kind = OffsetRecordKind::kCommit});
    Status status;
    for (const OffsetRecord& record : records) {
        const Result<Offset> written = wal_->append(kTopic, as_bytes(encode(record)));
        if (!written) status = written.error();
        if (!status) break;
    }
    if (status) status = shorten(*wal_, head, options_.threading);
    if (status || status.error().code != Errc::kNoSpace) return status;
    log(LogLevel::kWarn, options_.directory + ": no space to rewrite the offsets; later");
    return {};
}

// --- the interface ---

void LogOffsetStore::commit(std::string_view group, std::vector<OffsetCommit> offsets,
                            StatusCallback done) {
    if (offsets.empty()) return done({});
    submit({OffsetRecordKind::kCommit, std::string(group), std::move(offsets)}, std::move(done));
}

void LogOffsetStore::forget_group(std::string_view group, StatusCallback done) {
    submit({.kind = OffsetRecordKind::kForgetGroup, .name = std::string(group)}, std::move(done));
}

void LogOffsetStore::forget_topic(std::string_view topic, StatusCallback done) {
    submit({.kind = OffsetRecordKind::kForgetTopic, .name = std::string(topic)}, std::move(done));
}

std::optional<CommittedOffset> LogOffsetStore::committed(std::string_view group,
                                                         std::string_view topic,
                                                         std::int32_t partition) const {
    return offsets_.find(group, topic, partition);
}

std::vector<OffsetCommit> LogOffsetStore::of_group(std::string_view group) const {
    return offsets_.of_group(group);
}

std::vector<std::string> LogOffsetStore::groups() const {
    return offsets_.groups();
}

// --- writing ---

void LogOffsetStore::submit(OffsetRecord record, StatusCallback done) {
    if (const Status status = check(record); !status) return done(status);
    if (!has_room_for(record))
        return done(Error{Errc::kResourceExhausted,
                          "offset store: it holds " + std::to_string(offsets_.size()) +
                              " offsets of at most " + std::to_string(options_.max_offsets) +
                              "; delete groups that are not used"});
    waiting_.push_back({std::move(record), std::move(done)});
    pump();
}

bool LogOffsetStore::has_room_for(const OffsetRecord& record) const {
    if (offsets_.size() + record.offsets.size() <= options_.max_offsets) return true;
    const auto more = std::count_if(
        record.offsets.begin(), record.offsets.end(), [&](const OffsetCommit& offset) {
            return !offsets_.find(record.name, offset.topic, offset.partition);
        });
    return offsets_.size() + static_cast<std::size_t>(more) <= options_.max_offsets;
}

void LogOffsetStore::pump() {
    if (pumping_) return;  // A callback came back: the loop below goes on.
    pumping_ = true;
    if (rewrite_ == Rewrite::kDue && in_flight_.empty()) begin_rewrite();
    if (rewrite_ == Rewrite::kWriting) continue_rewrite();
    while (rewrite_ == Rewrite::kNone && !waiting_.empty() &&
           in_flight_bytes_ < kMaxInFlightBytes) {
        Write next = std::move(waiting_.front());
        waiting_.pop_front();
        append(std::move(next));
    }
    pumping_ = false;
}

void LogOffsetStore::append(Write write) {
    std::string bytes = encode(write.record);
    write.size_bytes = bytes.size();
    if (const Status status = append_bytes(std::move(bytes)); !status) return write.done(status);
    in_flight_bytes_ += write.size_bytes;
    in_flight_.push_back(std::move(write));
    const std::uint64_t worth = offsets_.size() * kRecordOverheadBytes;
    if (!has_rewritten_end_) rewritten_end_ = end_;
    has_rewritten_end_ = true;
    if (!cutting_ && end_ - rewritten_end_ >= std::max(options_.rewrite_after_bytes, 2 * worth))
        rewrite_ = Rewrite::kDue;
}

Status LogOffsetStore::append_bytes(std::string bytes) {
    const Bytes record = as_bytes(bytes);
    const Result<wal::Ticket> ticket =
        wal_->append_async(kTopic, std::span(&record, 1), {&Acks::on_ack, acks_.get()});
    if (!ticket) return ticket.error();
    end_ = ticket->end;
    if (rewrite_ == Rewrite::kWriting && !has_new_head_) {
        new_head_ = ticket->first_offset;
        has_new_head_ = true;
    }
    // Without threads nobody else writes it; how it went, the acknowledgement says.
    if (options_.threading == wal::Threading::kInline) static_cast<void>(wal_->wait(*ticket));
    return {};
}

void LogOffsetStore::on_acks() {
    std::vector<Status> arrived;
    {
        const MutexLock lock(acks_->mutex);
        arrived.swap(acks_->arrived);
    }
    bool rewrite_failed = false;
    for (Status& status : arrived) {
        WALRUS_ASSERT(!in_flight_.empty());
        Write write = std::move(in_flight_.front());
        in_flight_.pop_front();
        in_flight_bytes_ -= write.size_bytes;
        if (!write.done) {
            rewrite_failed = rewrite_failed || !status;
            continue;
        }
        if (status) offsets_.apply(write.record);
        write.done(std::move(status));
    }
    if (rewrite_failed && rewrite_ == Rewrite::kWriting) end_rewrite(false);
    pump();
}

// --- rewriting the log ---
// What is durable is appended anew while new commits wait, so that the order of the log is the
// order of what happened; then the log begins there.

void LogOffsetStore::begin_rewrite() {
    std::vector<OffsetRecord> records = offsets_.records(max_record_bytes(options_) / 2);
    if (records.empty()) records.push_back({.kind = OffsetRecordKind::kCommit});
    rewriting_.assign(std::make_move_iterator(records.begin()),
                      std::make_move_iterator(records.end()));
    has_new_head_ = false;
    rewrite_ = Rewrite::kWriting;
}

void LogOffsetStore::continue_rewrite() {
    while (!rewriting_.empty() && in_flight_bytes_ < kMaxInFlightBytes) {
        std::string bytes = encode(rewriting_.front());
        const std::uint64_t size_bytes = bytes.size();
        if (!append_bytes(std::move(bytes))) return end_rewrite(false);
        rewriting_.pop_front();
        in_flight_bytes_ += size_bytes;
        in_flight_.push_back({.size_bytes = size_bytes});
    }
    if (rewriting_.empty() && in_flight_.empty()) end_rewrite(true);
}

// An incomplete rewrite says nothing that the log did not say before it.
void LogOffsetStore::end_rewrite(bool complete) {
    rewriting_.clear();
    rewrite_ = Rewrite::kNone;
    rewritten_end_ = end_;  // After a failure it is tried again when the log has grown again.
    if (!complete) return;
    ++rewrites_;
    cutting_ = true;
    auto cut = [wal = wal_, head = new_head_, acks = acks_, threading = options_.threading] {
        const Status status = shorten(*wal, head, threading);
        if (!status)
            log(LogLevel::kWarn, "offset store: cannot shorten its log: " + status.error().message);
        acks->loop.post([acks] {
            if (acks->store != nullptr) acks->store->cutting_ = false;
        });
    };
    if (options_.run_elsewhere) return options_.run_elsewhere(std::move(cut));
    cut();
}

}  // namespace walrus::broker

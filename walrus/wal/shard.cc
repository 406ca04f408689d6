// Opening, closing, appending.  Reads and cursors: shard_read.cc.  Retention: shard_retention.cc.
#include "walrus/wal/shard.h"

#include <algorithm>

#include "walrus/base/log.h"
#include "walrus/wal/recovery.h"

namespace walrus::wal {
namespace {

constexpr std::size_t kReadBuffer = 1 << 20;
constexpr std::size_t kQueueDepth = 4;
constexpr std::size_t kEverybody = ~std::size_t{0};
// Admission keeps the topic table below a quarter of ring and file (find_or_create); a third leaves
// room for what is not admitted one by one, such as retention settings.
constexpr std::uint64_t kSnapshotShareOfRing = 3;

}  // namespace

Shard::Shard(ShardConfig config)
    : config_(std::move(config)),
      options_(*config_.options),
      buffers_(std::make_shared<BufferPool>(
          kReadBuffer, kIdleReaders * (options_.read_ahead_bytes / kReadBuffer + 2))),
      index_cache_(options_.index_cache_bytes) {}

Result<std::unique_ptr<Shard>> Shard::open(ShardConfig config) {
    std::unique_ptr<Shard> shard(new Shard(std::move(config)));
    WALRUS_RETURN_IF_ERROR(shard->recover_and_start());
    return shard;
}

Shard::~Shard() {
    if (writer_ == nullptr) return;
    {
        const MutexLock lock(writer_->mutex());
        closing_ = true;
        keeper_wake_.notify_all();
        follow_.notify_all();
    }
    writer_->stop();
    if (keeper_.joinable()) keeper_.join();
}

// Recovers and maps the ring for the run that begins; a ring of another size is made anew.
Result<std::unique_ptr<env::MappedRing>> Shard::recover_log(RecoveredLog& recovered) {
    env::Env& env = *options_.env;
    const std::string path = env::join_path(config_.directory, kRingFileName);
    std::unique_ptr<env::MappedRing> ring;
    std::uint64_t ring_size = 0;
    env::OpenFlags flags;
    flags.read_only = true;
    if (Result<std::unique_ptr<env::File>> file = env.open(path, flags)) {
        Result<std::uint64_t> size = (*file)->size();
        if (!size) return std::move(size).error();
        ring_size = *size;
    } else if (file.error().code != Errc::kNotFound) {
        return std::move(file).error();
    }
    if (ring_size > 0 && ring_size % env::kBlockSize == 0) {
        Result<std::unique_ptr<env::MappedRing>> mapped = env.map_ring(path, ring_size);
        if (!mapped) return std::move(mapped).error();
        ring = std::move(*mapped);
    }
    Result<RecoveredLog> log = recover(*files_, ring.get(), *options_.clock);
    if (!log) return std::move(log).error();
    recovered = std::move(*log);
    if (ring != nullptr && ring_size == options_.ring_size) return ring;
    // Every file begins with the whole topic table, which has to pass through the ring at once.
    if (recovered.table.snapshot_bytes() > options_.ring_size / kSnapshotShareOfRing)
        return Error{Errc::kInvalidArgument,
                     path + ": the stored topics and cursors need a ring_size of at least " +
                         std::to_string(kSnapshotShareOfRing * recovered.table.snapshot_bytes()) +
                         " bytes, not " + std::to_string(options_.ring_size)};
    ring.reset();
    if (ring_size > 0) WALRUS_RETURN_IF_ERROR(env.remove(path));
    return env.map_ring(path, options_.ring_size);
}

Status Shard::recover_and_start() {
    LogFilesConfig files;
    files.env = options_.env;
    files.random = options_.random;
    files.directory = config_.directory;
    files.shard = config_.number;
    files.file_size = config_.file_size;
    files.direct = config_.direct;
    files.mapped = config_.mapped;
    files.zero_fill = options_.durability == DurabilityClass::kDisk;
    files.spare_files = options_.spare_files;
    Result<std::unique_ptr<LogFiles>> opened = LogFiles::open(std::move(files));
    if (!opened) return std::move(opened).error();
    files_ = std::move(*opened);

    const std::uint64_t began_ns = options_.clock->monotonic_ns();
    RecoveredLog recovered;
    Result<std::unique_ptr<env::MappedRing>> ring = recover_log(recovered);
    if (!ring) return std::move(ring).error();
    ring_ = std::move(*ring);
    WALRUS_RETURN_IF_ERROR(options_.env->sync_dir(config_.directory));
    stats_.recovery_us = (options_.clock->monotonic_ns() - began_ns) / 1000;
    stats_.recovered_bytes = recovered.scanned_bytes;

    if (files_->empty()) {
        WALRUS_RETURN_IF_ERROR(files_->prepare(0, [] { return true; }));
        recovered.end = Lsn{kFileHeaderSize};
    }
    LogWriterConfig config;
    config.durability = options_.durability;
    config.sync_interval_ms = std::max<std::uint64_t>(1, options_.sync_interval_ms);
    config.threading = options_.threading;
    config.ballast_bytes = std::min<std::uint64_t>(1 << 20, config_.file_size / 8);
    config.clock = options_.clock;
    std::unique_ptr<env::IoQueue> queue;
    if (config_.uring && threaded()) {
        Result<std::unique_ptr<env::IoQueue>> made =
            options_.env->open_queue(env::QueueKind::kUring, kQueueDepth);
        if (!made) return std::move(made).error();
        queue = std::move(*made);
    }
    writer_ = std::make_unique<LogWriter>(config, *files_, *ring_, std::move(queue), *this);
    writer_->set_keeper_wake(&keeper_wake_);

    table_ = std::move(recovered.table);
    for (const auto& [id, topic] : table_.all()) topic->readable = topic->durable = topic->log_end;
    for (auto& index : recovered.left) {
        const std::uint64_t number = index->number();
        left_[number] = std::make_shared<LeftFile>(std::move(index));
    }
    const std::uint64_t current = files_->last();
    const Result<std::shared_ptr<LogFile>> file = files_->open_file(current);
    if (!file) return file.error();
    file_epoch_ = (*file)->epoch;
    builder_ =
        recovered.builder ? std::move(recovered.builder) : std::make_unique<IndexBuilder>(current);
    const std::uint32_t epoch = recovered.epoch != 0 ? recovered.epoch : file_epoch_;
    WALRUS_RETURN_IF_ERROR(writer_->start(recovered.end, epoch));
    MutexLock lock(writer_->mutex());
    reign_pending_ = true;
    snapshot_pending_ = recovered.needs_snapshot;
    // Before the reign, which may have to wait for the next file.
    if (threaded()) keeper_ = std::thread([this] { run_keeper(); });
    // A full disk must not keep anybody from reading; the next append tries again.
    if (const Status begun = begin_reign(lock); !begun && begun.error().code != Errc::kNoSpace)
        return begun;
    return {};
}

// What follows carries an epoch of its own, so that nothing which an earlier run had in flight
// behind the recovered end can pass for part of the log.
Status Shard::begin_reign(MutexLock& lock) {
    if (!reign_pending_) return {};
    std::byte body[4];
    const std::uint64_t snapshot_bytes = snapshot_pending_ ? table_.snapshot_bytes() : 0;
    WALRUS_RETURN_IF_ERROR(writer_->reserve(lock, full_frame_size(sizeof body) + snapshot_bytes,
                                            LogWriter::Admission::kControl));
    if (!reign_pending_) return {};
    reign_pending_ = false;
    store_le(body, static_cast<std::uint32_t>(options_.random->next()));
    FrameHeader header;
    header.control = ControlKind::kReign;
    writer_->staging().control(header, {body, sizeof body}, writer_->durable());
    if (snapshot_pending_) stage_snapshot();
    writer_->staged(false);
    return {};
}

void Shard::stage_snapshot() {
    snapshot_pending_ = false;
    const Lsn durable = writer_->durable();
    table_.write_snapshot(options_.clock->wall_ms(),
                          [&](std::uint8_t flags, std::uint32_t count, Bytes body) {
                              FrameHeader header;
                              header.control = ControlKind::kSnapshot;
                              header.flags = flags;
                              header.record_count = count;
                              header.first_offset = Offset{table_.next_id()};
                              writer_->staging().control(header, body, durable);
                          });
}

void Shard::entered_file(std::uint64_t left) {
    left_[left] = std::make_shared<LeftFile>(std::move(builder_), table_.index_topics(),
                                             file_epoch_, options_.clock->wall_ms());
    builder_ = std::make_unique<IndexBuilder>(left + 1);
    file_epoch_ = writer_->staging().epoch();
    stage_snapshot();
}

Status Shard::close() {
    MutexLock lock(writer_->mutex());
    Status status = writer_->sync(lock);
    if (status) status = begin_reign(lock);
    if (status) status = writer_->reserve(lock, full_frame_size(0), LogWriter::Admission::kControl);
    if (status) {
        FrameHeader header;
        header.control = ControlKind::kClose;
        writer_->staging().control(header, {}, writer_->durable());
        writer_->staged(false);
        status = writer_->sync(lock);
    } else if (status.error().code == Errc::kNoSpace) {
        status = {};  // Everything is durable; only the end mark found no room.
    }
    store_left_indexes(lock);
    closing_ = true;
    keeper_wake_.notify_all();
    follow_.notify_all();
    lock.unlock();
    writer_->stop();
    if (keeper_.joinable()) keeper_.join();
    return status;
}

// --- writing on somebody else's thread ---

namespace {

class ShardDriver final : public Driver {
public:
    ShardDriver(LogWriter& writer, std::unique_ptr<env::IoQueue> queue)
        : writer_(writer), queue_(std::move(queue)) {}
    ~ShardDriver() override {
        MutexLock lock(writer_.mutex());
        writer_.detach_driver(lock);
    }

    int event_fd() const override { return queue_->event_fd(); }
    void drive() override {
        MutexLock lock(writer_.mutex());
        writer_.drive(lock);
    }

private:
    LogWriter& writer_;
    const std::unique_ptr<env::IoQueue> queue_;
};

}  // namespace

Result<std::unique_ptr<Driver>> Shard::make_driver(std::function<void()> wake) {
    if (options_.durability != DurabilityClass::kDisk || !config_.uring || !threaded())
        return Error{Errc::kUnsupported, "driver: needs class disk and a backend with a queue"};
    Result<std::unique_ptr<env::IoQueue>> queue =
        options_.env->open_queue(env::QueueKind::kUring, kQueueDepth);
    if (!queue) return std::move(queue).error();
    const MutexLock lock(writer_->mutex());
    WALRUS_RETURN_IF_ERROR(writer_->attach_driver(**queue, std::move(wake)));
    return std::unique_ptr<Driver>(std::make_unique<ShardDriver>(*writer_, std::move(*queue)));
}

// --- the keeper: files ready ahead, indexes stored behind ---

void Shard::run_keeper() {
    MutexLock lock(writer_->mutex());
    std::uint64_t next_retention_ms = 0;
    bool refused = false;  // No further file could be had; asked again when somebody needs one.
    // Looked at before every wait: whatever came up while the lock was released had no one to wake.
    const auto file_due = [&] {
        return writer_->wants_file(refused ? 0 : options_.prepared_files);
    };
    const auto index_due = [&] {
        return !left_.empty() && writer_->state() &&
               writer_->written() >= files_->base(left_.begin()->first + 1);
    };
    while (!closing_) {
        if (file_due()) {
            refused = !writer_->prepare_file(lock).has_value();
            continue;
        }
        if (index_due()) {
            store_left_indexes(lock);
            continue;
        }
        const std::uint64_t now_ms = options_.clock->monotonic_ns() / 1'000'000;
        if (now_ms >= next_retention_ms) {
            next_retention_ms = now_ms + options_.retention_interval_ms;
            refused = false;
            lock.unlock();
            const Result<std::uint64_t> recycled = run_retention();
            lock.lock();
            if (!recycled && recycled.error().code != Errc::kClosed)
                log(LogLevel::kWarn, "retention: " + recycled.error().to_string());
            continue;
        }
        keeper_wake_.wait_for(lock, next_retention_ms - now_ms);
    }
}

void Shard::store_left_indexes(MutexLock& lock) {
    for (auto it = left_.begin(); it != left_.end();) {
        const std::uint64_t number = it->first;
        const std::shared_ptr<LeftFile> left = it->second;
        const Result<bool> durable = writer_->make_file_durable(lock, number);
        if (!durable || !*durable) return;
        lock.unlock();
        std::unique_lock storing(storing_mutex_);  // The keeper and close() may both be here.
        const std::shared_ptr<const FileIndex> index = left->index();
        const std::vector<std::byte> bytes = index->encode();
        const std::string temporary = env::join_path(config_.directory, "index.tmp");
        env::OpenFlags flags;
        flags.create = true;
        // Best effort: an index that is not there is made again by scanning its file.
        if (Result<std::unique_ptr<env::File>> file = options_.env->open(temporary, flags)) {
            Status stored = (*file)->truncate(0);
            if (stored) stored = (*file)->write_at(bytes, 0, env::Durability::kNone);
            file->reset();
            if (stored)
                stored = options_.env->rename(
                    temporary, env::join_path(config_.directory, index_file_name(number)));
            if (!stored) log(LogLevel::kWarn, "index: " + stored.error().to_string());
        }
        index_cache_.insert(index);
        storing.unlock();
        lock.lock();
        left_.erase(number);
        it = left_.upper_bound(number);
    }
}

// --- appending ---

Result<TopicState*> Shard::find_or_create(MutexLock& lock, std::string_view name,
                                          std::uint64_t more_bytes, Admission admission) {
    const std::uint64_t create_bytes = full_frame_size(name.size());
    for (;;) {
        WALRUS_RETURN_IF_ERROR(begin_reign(lock));
        const bool creating = table_.peek(name) == nullptr;
        WALRUS_RETURN_IF_ERROR(
            writer_->reserve(lock, more_bytes + (creating ? create_bytes : 0), admission));
        if (TopicState* topic = table_.peek(name)) return topic;
        if (!creating) continue;  // Deleted while we waited for room.
        if (table_.size() >= options_.limits.max_topics ||
            table_.snapshot_bytes() + create_bytes >
                std::min(options_.ring_size, config_.file_size) / 4)
            return Error{Errc::kResourceExhausted,
                         "topic " + std::string(name) + ": the log holds " +
                             std::to_string(table_.size()) +
                             " topics already; raise max_topics, ring_size or file_size"};
        FrameHeader header;
        header.control = ControlKind::kCreateTopic;
        header.topic_id = table_.next_id();
        writer_->staging().control(header, as_bytes(name), writer_->durable());
        return table_.create(header.topic_id, name).get();
    }
}

void Shard::note_pending(TopicState& topic, Lsn end, std::uint64_t group) {
    if (options_.durability != DurabilityClass::kDisk) {
        topic.readable = topic.log_end;
        if (followers_ > 0) follow_.notify_all();
    }
    if (!pending_.empty() && pending_.back().group == group &&
        pending_.back().topic.get() == &topic) {
        pending_.back().end = end;
        pending_.back().offset = topic.log_end;
        return;
    }
    pending_.push_back({table_.find(topic.id), end, topic.log_end, group});
}

Result<Shard::Appended> Shard::append_locked(MutexLock& lock, std::string_view name,
                                             const BatchSource& source, bool waits,
                                             Admission admission) {
    const Result<TopicState*> found =
        find_or_create(lock, name, full_frame_size(source.body_length()), admission);
    if (!found) return found.error();
    TopicState& topic = **found;
    Appended appended;
    appended.first_offset = topic.log_end;
    const Staging::Placed placed =
        writer_->staging().batch(topic.id, topic.log_end, source, writer_->durable());
    if (placed.anchor) builder_->add(topic.chain, topic.id, topic.log_end, placed.lsn);
    appended.end = placed.end;
    appended.group = writer_->staged(waits);
    topic.log_end = topic.log_end + source.record_count;
    topic.end_bytes += placed.end - placed.lsn;
    topic.clean = false;
    note_pending(topic, placed.end, appended.group);
    ++stats_.appends;
    stats_.records += source.record_count;
    stats_.payload_bytes += source.data_bytes;
    stats_.frame_bytes += placed.end - placed.lsn;
    return appended;
}

Result<Offset> Shard::append(std::string_view name, const BatchSource& source) {
    MutexLock lock(writer_->mutex());
    const Result<Appended> appended = append_locked(lock, name, source, true);
    if (!appended) return appended.error();
    WALRUS_RETURN_IF_ERROR(writer_->wait_acknowledged(lock, appended->group, appended->end));
    return appended->first_offset;
}

Status Shard::wait_outstanding(MutexLock& lock, std::uint64_t bytes) {
    while (too_much_outstanding(bytes)) {
        // Half of it at once, so that a producer at the limit is not woken for every group.
        WALRUS_RETURN_IF_ERROR(writer_->wait_progress(lock, acks_[acks_.size() / 2].end));
    }
    return {};
}

Result<Ticket> Shard::append_async(std::string_view name, const BatchSource& source,
                                   AckCallback callback, Admission admission) {
    MutexLock lock(writer_->mutex());
    if (admission == Admission::kDataNow && too_much_outstanding(source.body_length()))
        return Error{Errc::kBusy, "log: max_outstanding_bytes are not acknowledged yet"};
    WALRUS_RETURN_IF_ERROR(wait_outstanding(lock, source.body_length()));
    const Result<Appended> appended = append_locked(lock, name, source, false, admission);
    if (!appended) return appended.error();
    WALRUS_RETURN_IF_ERROR(writer_->state());  // Staging may have found the ring failed.
    if (writer_->acknowledged() >= appended->end) {
        if (callback.function != nullptr)
            callback.function(callback.context, appended->first_offset, {});
    } else {
        acks_.push_back(
            {appended->end, appended->first_offset, callback, source.body_length(), false});
        outstanding_bytes_ += source.body_length();
    }
    return Ticket{appended->first_offset, config_.number, appended->end};
}

Status Shard::wait(Lsn end) {
    Status status;
    {
        MutexLock lock(writer_->mutex());
        if (writer_->acknowledged() < end) status = writer_->wait_progress(lock, end);
    }
    deliver(kEverybody);  // Whoever waited finds its callbacks called.
    return status;
}

Status Shard::sync() {
    Status status;
    {
        MutexLock lock(writer_->mutex());
        status = writer_->sync(lock);
    }
    deliver(kEverybody);
    return status;
}

void Shard::progressed() {
    const Lsn durable = writer_->durable();
    const Lsn acknowledged = writer_->acknowledged();
    while (!pending_.empty() && pending_.front().end <= durable) {
        const Pending& done = pending_.front();
        done.topic->durable = done.offset;
        done.topic->readable = std::max(done.topic->readable, done.offset);
        pending_.pop_front();
    }
    if (!acks_.empty() && acks_.front().end <= acknowledged) {
        const MutexLock ready(ready_mutex_);
        while (!acks_.empty() && acks_.front().end <= acknowledged) {
            outstanding_bytes_ -= acks_.front().bytes;
            if (acks_.front().callback.function != nullptr) ready_.push_back(acks_.front());
            acks_.pop_front();
        }
    }
    if (followers_ > 0) follow_.notify_all();
}

bool Shard::deliver(std::size_t at_most) {
    const MutexLock one_at_a_time(delivering_);
    MutexLock ready(ready_mutex_);
    for (std::size_t told = 0; told < at_most && !ready_.empty(); ++told) {
        const PendingAck ack = ready_.front();
        ready_.pop_front();
        ready.unlock();
        const Status status =
            ack.failed ? Status(Error{Errc::kPoisoned, "shard poisoned"}) : Status{};
        ack.callback.function(ack.callback.context, ack.first_offset, status);
        ready.lock();
    }
    return !ready_.empty();
}

void Shard::poisoned(const Error& cause) {
    {
        const MutexLock ready(ready_mutex_);
        while (!acks_.empty()) {
            acks_.front().failed = true;
            if (acks_.front().callback.function != nullptr) ready_.push_back(acks_.front());
            acks_.pop_front();
        }
    }
    outstanding_bytes_ = 0;
    deliver(kEverybody);
    follow_.notify_all();
    log(LogLevel::kError, "shard poisoned: " + cause.message);
}

// --- control frames ---

Result<Shard::Appended> Shard::stage_control(MutexLock& lock, TopicState& topic,
                                             const ControlFrame& frame) {
    WALRUS_RETURN_IF_ERROR(begin_reign(lock));
    WALRUS_RETURN_IF_ERROR(
        writer_->reserve(lock, full_frame_size(frame.body.size()), LogWriter::Admission::kControl));
    if (topic.deleted) return Error{Errc::kNotFound, "topic " + topic.name + ": was deleted"};
    FrameHeader header;
    header.control = frame.kind;
    header.topic_id = topic.id;
    header.first_offset = frame.operand;
    const Staging::Placed placed =
        writer_->staging().control(header, frame.body, writer_->durable());
    return Appended{frame.operand, placed.end, 0};
}

Status Shard::control(MutexLock& lock, TopicState& topic, const ControlFrame& frame,
                      const std::function<void()>& change) {
    Result<Appended> staged = stage_control(lock, topic, frame);
    if (!staged) return std::move(staged).error();
    change();
    const std::uint64_t group = writer_->staged(true);
    return writer_->wait_acknowledged(lock, group, staged->end);
}

Status Shard::create_topic(std::string_view name) {
    MutexLock lock(writer_->mutex());
    if (table_.peek(name) != nullptr) return writer_->wait_progress(lock, writer_->staging().end());
    const Result<TopicState*> topic = find_or_create(lock, name, 0);
    if (!topic) return topic.error();
    const Lsn end = writer_->staging().end();
    const std::uint64_t group = writer_->staged(true);
    return writer_->wait_acknowledged(lock, group, end);
}

Status Shard::delete_topic(std::string_view name) {
    MutexLock lock(writer_->mutex());
    const TopicPtr topic = table_.find(name);
    if (topic == nullptr) return Error{Errc::kNotFound, "topic " + std::string(name)};
    return control(lock, *topic, {ControlKind::kDeleteTopic, Offset{}, {}},
                   [&] { table_.erase(topic->id); });
}

Status Shard::mark(std::string_view name, bool clean) {
    MutexLock lock(writer_->mutex());
    const TopicPtr topic = table_.find(name);
    if (topic == nullptr) return Error{Errc::kNotFound, "topic " + std::string(name)};
    if (topic->clean == clean) return {};
    return control(lock, *topic, {ControlKind::kMark, Offset{clean ? 1U : 0U}, {}},
                   [&] { topic->clean = clean; });
}

Status Shard::set_retention(std::string_view name, const Retention& retention) {
    MutexLock lock(writer_->mutex());
    const TopicPtr topic = table_.find(name);
    if (topic == nullptr) return Error{Errc::kNotFound, "topic " + std::string(name)};
    std::byte body[kRetentionBodySize];
    encode_retention(retention, body);
    return control(lock, *topic, {ControlKind::kSetRetention, Offset{}, body},
                   [&] { topic->retention = retention; });
}

}  // namespace walrus::wal

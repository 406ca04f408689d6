#include "walrus/raft_storage/storage.h"

#include <algorithm>
#include <utility>

#include "walrus/base/assert.h"
#include "walrus/base/log.h"
#include "walrus/raft_storage/storage_directory.h"

namespace walrus::raft_storage {
namespace {

constexpr std::uint64_t kReadUnit = 1 << 20;
// Of the engine's framing, per record.
constexpr std::uint64_t kRecordLengthBytes = 4;
// Received snapshots that Raft may still install; it decides about one before it takes the next.
constexpr std::size_t kMaxAdopted = 2;

}  // namespace

Storage::Storage(Options options) : options_(std::move(options)), acks_(options_.on_progress) {}

Storage::~Storage() = default;

// --- opening ---

Status Storage::format(const Options& given, const raft::ConfState& first_conf) {
    Options silent = with_real_seams(given);
    silent.on_progress = nullptr;
    Storage store(std::move(silent));
    const Options& options = store.options_;
    WALRUS_RETURN_IF_ERROR(check(options));
    if (!raft::valid(first_conf)) {
        return Error{Errc::kInvalidArgument, "raft store: the first members contradict each other"};
    }
    const Result<bool> snapshots = has_snapshots(options);
    if (!snapshots) return snapshots.error();
    if (*snapshots) return exists_already(options);
    WALRUS_RETURN_IF_ERROR(options.env->create_dirs(snapshot_directory(options)));
    WALRUS_RETURN_IF_ERROR(store.open_log());
    // A topic without records is what a crash of an earlier attempt leaves.
    const Result<wal::TopicInfo> topic = store.wal_->topic(kTopic);
    if (topic && topic->log_end_offset > Offset{}) return exists_already(options);
    if (!topic && topic.error().code != Errc::kNotFound) return topic.error();

    Identity identity{options.cluster, options.node, 0};
    while (identity.disk == 0) identity.disk = options.random->next();
    // One frame, so that it is there whole or not at all.
    SnapshotFile nothing;
    nothing.meta.conf = first_conf;
    WALRUS_RETURN_IF_ERROR(store.emit(CheckpointBegin{kFormatVersion, identity, 0}));
    WALRUS_RETURN_IF_ERROR(store.emit(SnapshotInstalled{nothing}));
    WALRUS_RETURN_IF_ERROR(store.emit(raft::HardState{}));
    WALRUS_RETURN_IF_ERROR(store.emit(CheckpointEnd{0}));
    WALRUS_RETURN_IF_ERROR(store.send_frame(0));
    WALRUS_RETURN_IF_ERROR(store.wal_->sync());
    return store.wal_->close();
}

Result<std::unique_ptr<Storage>> Storage::open(Options given) {
    std::unique_ptr<Storage> store(new Storage(with_real_seams(std::move(given))));
    WALRUS_RETURN_IF_ERROR(check(store->options_));
    WALRUS_RETURN_IF_ERROR(expect_log(store->options_));
    WALRUS_RETURN_IF_ERROR(store->open_log());
    WALRUS_RETURN_IF_ERROR(store->replay());
    WALRUS_RETURN_IF_ERROR(store->check_identity());
    WALRUS_RETURN_IF_ERROR(store->check_snapshot());
    WALRUS_RETURN_IF_ERROR(store->remove_leftovers());
    WALRUS_RETURN_IF_ERROR(store->begin_boot());
    return store;
}

Status Storage::open_log() {
    Result<std::unique_ptr<wal::Wal>> wal = wal::Wal::open(log_options(options_));
    if (!wal) return std::move(wal).error();
    wal_ = *std::move(wal);
    return {};
}

Status Storage::replay() {
    const Result<wal::TopicInfo> topic = wal_->topic(kTopic);
    if (!topic && topic.error().code == Errc::kNotFound) return no_store(options_);
    if (!topic) return topic.error();
    if (topic->log_end_offset == Offset{}) return no_store(options_);
    Offset at = topic->log_start_offset;
    while (at < topic->log_end_offset) {
        const Result<wal::RecordBatch> batch = wal_->read_at(kTopic, at, kReadUnit);
        if (!batch) return batch.error();
        for (const wal::Record& stored : *batch) {
            Result<Record> record = decode(stored.data);
            const Status applied = record ? state_.apply(*std::move(record)) : record.error();
            if (!applied) {
                return Error{applied.error().code, options_.directory + ": record " +
                                                       std::to_string(stored.offset.value) + ": " +
                                                       applied.error().message};
            }
        }
        at = batch->back().offset + 1;
    }
    if (!state_.complete()) {
        return Error{Errc::kCorruption, options_.directory + ": no whole checkpoint in its log"};
    }
    return {};
}

Status Storage::check_identity() const {
    const Identity& stored = state_.identity();
    if (stored.cluster == options_.cluster && stored.node == options_.node) return {};
    return Error{Errc::kInvalidArgument,
                 options_.directory + ": belongs to node " + std::to_string(stored.node) +
                     " of cluster " + std::to_string(stored.cluster) + ", not to node " +
                     std::to_string(options_.node) + " of cluster " +
                     std::to_string(options_.cluster) + "; use the right directory"};
}

Status Storage::check_snapshot() const {
    if (state_.snapshot().serial == 0) return {};
    const Result<SnapshotReader> reader = open_snapshot();
    if (reader) return {};
    if (reader.error().code != Errc::kNotFound) return reader.error();
    return Error{Errc::kCorruption, reader.error().message + ": its log needs it"};
}

Status Storage::remove_leftovers() {
    const std::string directory = snapshot_directory(options_);
    // It came into being with the store.
    const Result<std::vector<std::string>> names = options_.env->list(directory);
    if (!names) return names.error();
    const std::string wanted = snapshot_name(state_.snapshot().serial, kSnapshotSuffix);
    for (const std::string& name : *names) {
        if (name == wanted) continue;
        if (!name.ends_with(kSnapshotSuffix) && !name.ends_with(kUnfinishedSuffix)) continue;
        WALRUS_RETURN_IF_ERROR(options_.env->remove(env::join_path(directory, name)));
    }
    return {};
}

// Every opening writes everything anew: then however many openings there are, the log holds what
// one of them wrote and what came after it.
Status Storage::begin_boot() {
    WALRUS_RETURN_IF_ERROR(write_checkpoint(state_.identity(), state_.boot() + 1));
    return flush();
}

Status Storage::close() {
    WALRUS_RETURN_IF_ERROR(status());
    WALRUS_RETURN_IF_ERROR(note(write({})));
    WALRUS_RETURN_IF_ERROR(flush());
    failed_ = Error{Errc::kClosed, "raft store: closed"};
    return wal_->close();
}

// --- writing ---

Status Storage::status() const {
    if (failed_) return *failed_;
    if (acks_.failed()) return Error{Errc::kPoisoned, "raft store: a write failed; restart"};
    return {};
}

// What is no lack of space is for good.
Status Storage::note(Status status) {
    if (!status && status.error().code != Errc::kNoSpace && !failed_) {
        failed_ = Error{Errc::kPoisoned, "raft store: failed before: " + status.error().message};
    }
    return status;
}

Status Storage::submit(const raft::Ready& ready) {
    if (ready.batch == 0) return {};
    WALRUS_RETURN_IF_ERROR(status());
    WALRUS_ASSERT(ready.batch == accepted_batch_ + 1);
    if (!ready.must_sync) {
        if (ready.hard_state) deferred_ = ready.hard_state;
        accepted_batch_ = ready.batch;
        acks_.complete_with_last(ready.batch);
        return {};
    }
    for (const raft::Entry& entry : ready.entries) {
        if (entry.data.size() <= max_payload_bytes()) continue;
        return Error{Errc::kTooLarge, "raft store: entry " + std::to_string(entry.index) + " has " +
                                          std::to_string(entry.data.size()) + " bytes, at most " +
                                          std::to_string(max_payload_bytes()) +
                                          "; limit proposals to that"};
    }
    WALRUS_RETURN_IF_ERROR(note(do_chores()));
    WALRUS_RETURN_IF_ERROR(note(write(ready)));
    accepted_batch_ = ready.batch;
    return {};
}

Status Storage::write(const raft::Ready& ready) {
    if (checkpoint_due()) {
        WALRUS_RETURN_IF_ERROR(write_checkpoint(state_.identity(), state_.boot()));
    }
    if (ready.hard_state) deferred_ = ready.hard_state;
    if (deferred_) WALRUS_RETURN_IF_ERROR(emit(*std::exchange(deferred_, std::nullopt)));
    if (ready.install) WALRUS_RETURN_IF_ERROR(install(*ready.install));
    if (!ready.entries.empty() && ready.entries.front().index <= state_.last_index()) {
        WALRUS_RETURN_IF_ERROR(emit(Truncate{ready.entries.front().index}));
    }
    for (const raft::Entry& entry : ready.entries) WALRUS_RETURN_IF_ERROR(emit(entry));
    return send_frame(ready.batch);
}

Status Storage::install(const raft::SnapshotMeta& meta) {
    // Installed already: the batch came again after kNoSpace.
    if (state_.snapshot().meta == meta) return emit(SnapshotInstalled{state_.snapshot()});
    const auto file = std::find_if(adopted_.begin(), adopted_.end(),
                                   [&](const SnapshotFile& f) { return f.meta == meta; });
    if (file == adopted_.end()) {
        return Error{Errc::kInvalidArgument, "raft store: snapshot " + std::to_string(meta.index) +
                                                 " is to be installed, but was not adopted"};
    }
    const SnapshotFile installed = *file;
    const std::uint64_t replaced = state_.snapshot().serial;
    for (auto it = adopted_.begin(); it != file; ++it) remove_snapshot(it->serial);
    adopted_.erase(adopted_.begin(), file + 1);
    WALRUS_RETURN_IF_ERROR(emit(SnapshotInstalled{installed}));
    superseded_.push_back(replaced);
    return {};
}

Status Storage::emit(Record record) {
    std::string encoded = encode(record);
    const std::uint64_t bytes = encoded.size() + kRecordLengthBytes;
    if (frame_bytes_ + bytes > max_frame_bytes(options_)) WALRUS_RETURN_IF_ERROR(send_frame(0));
    // First: what does not fit the state must never reach the disk.
    if (Status applied = state_.apply(std::move(record)); !applied) {
        frame_.clear();
        frame_bytes_ = 0;
        return applied;
    }
    frame_bytes_ += bytes;
    frame_.push_back(std::move(encoded));
    return {};
}

Status Storage::send_frame(std::uint64_t batch) {
    const std::vector<std::string> frame = std::exchange(frame_, {});
    frame_bytes_ = 0;
    if (frame.empty()) {
        acks_.complete_with_last(batch);
        return {};
    }
    std::vector<Bytes> records;
    records.reserve(frame.size());
    for (const std::string& record : frame) records.push_back(as_bytes(record));
    const std::uint64_t number = acks_.expect(batch);
    const Result<wal::Ticket> ticket =
        wal_->append_async(kTopic, records, {&AckQueue::on_ack, &acks_});
    if (!ticket) {
        acks_.withdraw();
        checkpoint_needed_ = true;
        return ticket.error();
    }
    last_frame_ = number;
    frame_offset_ = ticket->first_offset;
    end_ = ticket->end;
    if (!checkpoint_needed_) retire_superseded();
    return {};
}

// The log is as new as the state once the last frame is durable.
void Storage::retire_superseded() {
    for (const std::uint64_t serial : superseded_) chores_.push_back({last_frame_, serial, {}});
    superseded_.clear();
}

bool Storage::checkpoint_due() const {
    if (checkpoint_needed_) return true;
    // A log that grows by less than what is rewritten would cost more than it saves.
    return end_ - checkpoint_end_ >=
           std::max(2 * options_.file_size_bytes, 4 * state_.live_bytes());
}

Status Storage::write_checkpoint(const Identity& identity, std::uint64_t boot) {
    checkpoint_needed_ = true;  // Until the whole of it went out.
    WALRUS_RETURN_IF_ERROR(send_frame(0));
    std::optional<Offset> begin;
    const auto write_record = [&](Record record) -> Status {
        const std::uint64_t frames = last_frame_;
        WALRUS_RETURN_IF_ERROR(emit(std::move(record)));
        if (!begin && last_frame_ != frames) begin = frame_offset_;
        return {};
    };
    WALRUS_RETURN_IF_ERROR(state_.checkpoint(identity, boot, write_record));
    WALRUS_RETURN_IF_ERROR(send_frame(0));
    checkpoint_needed_ = false;
    checkpoint_end_ = end_;
    retire_superseded();
    chores_.push_back({last_frame_, 0, begin.value_or(frame_offset_)});
    return {};
}

Status Storage::flush() {
    WALRUS_RETURN_IF_ERROR(status());
    WALRUS_RETURN_IF_ERROR(note(wal_->sync()));
    return note(do_chores());
}

Status Storage::do_chores() {
    if (chores_.empty()) return {};
    const std::uint64_t durable = acks_.durable_frame();
    while (!chores_.empty() && chores_.front().frame <= durable) {
        const Chore chore = chores_.front();
        if (chore.remove_serial != 0) remove_snapshot(chore.remove_serial);
        if (chore.new_head) {
            Status moved = move_head(*chore.new_head);
            // It only gives space back: tried again when there is more of it.
            if (!moved && moved.error().code == Errc::kNoSpace) return {};
            if (!moved) return moved;
        }
        chores_.pop_front();
    }
    return {};
}

Status Storage::move_head(Offset to) {
    WALRUS_RETURN_IF_ERROR(wal_->truncate_head(kTopic, to));
    if (options_.threading == wal::Threading::kBackground) return {};  // Its keeper does it.
    const Result<std::uint64_t> recycled = wal_->run_retention();
    return recycled ? Status{} : recycled.error();
}

// --- snapshots ---

SnapshotPlace Storage::new_place() {
    // Unique as long as a boot makes fewer than 2^32.
    const std::uint64_t serial = (state_.boot() << 32) | ++snapshots_made_;
    return {options_.env, snapshot_directory(options_), options_.cluster, serial};
}

Result<SnapshotWriter> Storage::create_snapshot(const raft::SnapshotMeta& meta) {
    WALRUS_RETURN_IF_ERROR(status());
    return SnapshotWriter::create(new_place(), meta);
}

Result<SnapshotReceiver> Storage::receive_snapshot(const raft::SnapshotMeta& meta) {
    WALRUS_RETURN_IF_ERROR(status());
    return SnapshotReceiver::create(new_place(), meta);
}

Status Storage::save(const SnapshotFile& file, raft::Index first_kept) {
    WALRUS_RETURN_IF_ERROR(status());
    const SnapshotFile replaced = state_.snapshot();
    if (file.meta.index <= replaced.meta.index) {
        if (file.serial != replaced.serial) remove_snapshot(file.serial);
        return {};
    }
    WALRUS_RETURN_IF_ERROR(note(do_chores()));
    if (checkpoint_due()) {
        WALRUS_RETURN_IF_ERROR(note(write_checkpoint(state_.identity(), state_.boot())));
    }
    WALRUS_RETURN_IF_ERROR(note(emit(SnapshotSaved{file, first_kept})));
    superseded_.push_back(replaced.serial);
    return note(send_frame(0));
}

void Storage::adopt(const SnapshotFile& file) {
    adopted_.push_back(file);
    if (adopted_.size() <= kMaxAdopted) return;
    remove_snapshot(adopted_.front().serial);
    adopted_.erase(adopted_.begin());
}

// Nothing names it any more; when this fails, the next opening does it.
void Storage::remove_snapshot(std::uint64_t serial) {
    if (serial == 0) return;
    const Status removed = options_.env->remove(snapshot_path(options_, serial));
    if (!removed && removed.error().code != Errc::kNotFound) {
        log(LogLevel::kWarn, "raft store: " + removed.error().to_string());
    }
}

Result<SnapshotReader> Storage::open_snapshot(const SnapshotFile& file) const {
    if (file.serial == 0) {
        return Error{Errc::kNotFound, "raft store: there is no snapshot yet"};
    }
    Result<SnapshotReader> reader =
        SnapshotReader::open(*options_.env, snapshot_path(options_, file.serial), options_.cluster);
    if (!reader) return reader;
    SnapshotFile found = reader->info();
    found.serial = file.serial;
    if (found != file) {
        return Error{Errc::kCorruption, snapshot_path(options_, file.serial) +
                                            ": not the snapshot that the log names"};
    }
    return reader;
}

Result<SnapshotBytes> Storage::read_snapshot(const raft::SnapshotRead& read) {
    const SnapshotFile& file = state_.snapshot();
    if (file.serial == 0 || file.meta.index != read.snapshot_index) {
        return Error{Errc::kNotFound,
                     "raft store: snapshot " + std::to_string(read.snapshot_index) + " is gone"};
    }
    if (!reader_ || reader_serial_ != file.serial) {
        Result<SnapshotReader> reader = open_snapshot();
        if (!reader) return std::move(reader).error();
        reader_ = *std::move(reader);
        reader_serial_ = file.serial;
    }
    Result<std::string> bytes = reader_->read_file(read.offset, read.max_bytes);
    if (!bytes) return std::move(bytes).error();
    const bool done = read.offset + bytes->size() >= file.size_bytes;
    return SnapshotBytes{raft::Payload(*std::move(bytes)), done};
}

}  // namespace walrus::raft_storage

#include "walrus/replica_store/store.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "walrus/base/assert.h"
#include "walrus/base/crc32c.h"

namespace walrus::replica_store {
namespace {

constexpr const char* kIdentityFile = "identity";
// Data between two places of a copy's index: what a read may have to pass over.
constexpr std::uint64_t kPlaceEveryBytes = 64 << 10;
constexpr std::uint64_t kReadUnit = 256 << 10;
constexpr std::size_t kMaxFrameRecords = 1000;

std::string topic_name(const cluster::SegmentKey& key) {
    return std::to_string(key.topic) + "." + std::to_string(key.segment);
}

std::optional<cluster::SegmentKey> parse_topic_name(std::string_view name) {
    cluster::SegmentKey key;
    const char* const end = name.data() + name.size();
    const auto topic = std::from_chars(name.data(), end, key.topic);
    if (topic.ec != std::errc{} || topic.ptr == end || *topic.ptr != '.') return {};
    const auto segment = std::from_chars(topic.ptr + 1, end, key.segment);
    if (segment.ec != std::errc{} || segment.ptr != end) return {};
    if (topic_name(key) != name) return {};
    return key;
}

std::uint64_t max_frame_bytes(const Options& options) {
    return options.ring_size_bytes / 4;
}

wal::Options log_options(const Options& options) {
    wal::Options log;
    log.data_dir = env::join_path(options.directory, "wal");
    log.durability = wal::DurabilityClass::kDisk;
    log.backend = options.backend;
    log.file_size = options.file_size_bytes;
    log.ring_size = options.ring_size_bytes;
    // Acknowledgements in order over all copies, one flush for all that wait.
    log.shards = 1;
    log.spare_files = 1;
    log.read_ahead_bytes = std::min<std::uint64_t>(log.read_ahead_bytes, options.file_size_bytes);
    log.limits.max_batch_bytes = log.limits.max_record_bytes = max_frame_bytes(options);
    log.limits.max_outstanding_bytes = options.ring_size_bytes / 2;
    log.threading = options.threading;
    log.env = options.env;
    log.clock = options.clock;
    log.random = options.random;
    return log;
}

bool comes_before(const ReadPlan& plan, const StoredBatch& stored) {
    const std::uint64_t begin = stored.before.length;
    if (plan.containing) return begin + stored.batch.records <= plan.first;
    return begin < plan.first;
}

Error corrupt(const Options& options, const std::string& what) {
    return {Errc::kCorruption, options.directory + ": " + what + "; replace this node"};
}

}  // namespace

ReplicaStore::~ReplicaStore() = default;

// --- opening ---

Result<std::unique_ptr<ReplicaStore>> ReplicaStore::open(Options given) {
    const char* wrong = nullptr;
    if (given.directory.empty()) wrong = "directory is empty";
    if (given.cluster == 0) wrong = "cluster is 0";
    if (given.node == cluster::kNobody) wrong = "node is 0";
    if (wrong != nullptr) {
        return Error{Errc::kInvalidArgument, std::string("replica store options: ") + wrong};
    }
    std::unique_ptr<ReplicaStore> store(new ReplicaStore(std::move(given)));
    WALRUS_RETURN_IF_ERROR(store->open_log());
    WALRUS_RETURN_IF_ERROR(store->read_identity());
    WALRUS_RETURN_IF_ERROR(store->restore());
    WALRUS_RETURN_IF_ERROR(store->maintain());
    return store;
}

Status ReplicaStore::open_log() {
    Result<std::unique_ptr<wal::Wal>> wal = wal::Wal::open(log_options(options_));
    if (!wal) return std::move(wal).error();
    wal_ = *std::move(wal);
    return {};
}

// A file of its own: in the log it would keep the oldest file for ever.  A log without copies and
// without it is what a crash of the first opening leaves.
Status ReplicaStore::read_identity() {
    const wal::Options seams = wal::with_real_seams(log_options(options_));
    const std::string path = env::join_path(options_.directory, kIdentityFile);
    env::OpenFlags flags;
    flags.read_only = true;
    const auto file = seams.env->open(path, flags);
    if (!file && file.error().code != Errc::kNotFound) return file.error();
    if (!file) {
        if (!wal_->topics().empty()) return corrupt(options_, "it has no identity");
        identity_ = {options_.cluster, options_.node, 0};
        while (identity_.disk == 0) identity_.disk = seams.random->next();
        return write_identity(*seams.env, path);
    }
    std::string bytes(encode(Identity{}).size() + sizeof(std::uint32_t), ' ');
    const auto size =
        (*file)->read_at({reinterpret_cast<std::byte*>(bytes.data()), bytes.size()}, 0);
    if (!size) return size.error();
    const Bytes body = as_bytes(bytes).first(bytes.size() - sizeof(std::uint32_t));
    const Result<Record> record = decode(body);
    const Identity* found = record ? std::get_if<Identity>(&*record) : nullptr;
    if (*size != bytes.size() || found == nullptr ||
        crc32c(body) != load_le<std::uint32_t>(body.data() + body.size())) {
        return corrupt(options_, std::string(kIdentityFile) + " is damaged");
    }
    identity_ = *found;
    if (identity_.cluster == options_.cluster && identity_.node == options_.node) return {};
    return Error{Errc::kInvalidArgument, options_.directory + ": belongs to node " +
                                             std::to_string(identity_.node) + " of cluster " +
                                             std::to_string(identity_.cluster) +
                                             "; use the right directory"};
}

Status ReplicaStore::write_identity(env::Env& env, const std::string& path) const {
    std::string bytes = encode(identity_);
    std::byte sum[sizeof(std::uint32_t)];
    store_le(sum, crc32c(as_bytes(bytes)));
    bytes.append(reinterpret_cast<const char*>(sum), sizeof sum);
    const std::string unfinished = path + ".new";
    env::OpenFlags flags;
    flags.create = true;
    const auto file = env.open(unfinished, flags);
    if (!file) return file.error();
    WALRUS_RETURN_IF_ERROR((*file)->write_at(as_bytes(bytes), 0, env::Durability::kNone));
    WALRUS_RETURN_IF_ERROR((*file)->sync_data());
    WALRUS_RETURN_IF_ERROR(env.rename(unfinished, path));
    return env.sync_dir(options_.directory);
}

Status ReplicaStore::restore() {
    for (const wal::TopicInfo& topic : wal_->topics()) {
        const std::optional<cluster::SegmentKey> key = parse_topic_name(topic.name);
        if (!key) return corrupt(options_, "a strange topic '" + topic.name + "'");
        WALRUS_RETURN_IF_ERROR(restore_copy(*key, topic));
        if (restored_.contains(*key)) continue;
        garbage_.push_back({0, *key});
    }
    return {};
}

Status ReplicaStore::restore_copy(const cluster::SegmentKey& key, const wal::TopicInfo& topic) {
    copies_[key].removed = true;  // Until its stream says otherwise.
    Offset at = topic.log_start_offset;
    while (at < topic.log_end_offset) {
        const Result<wal::RecordBatch> batch = wal_->read_at(topic.name, at, kReadUnit);
        if (!batch) return batch.error();
        for (const wal::Record& stored : *batch) {
            Result<Record> record = decode(stored.data);
            const Status replayed =
                record ? replay(key, stored.offset, *std::move(record)) : Status{record.error()};
            if (!replayed) {
                return corrupt(options_, "record " + std::to_string(stored.offset.value) + " of " +
                                             topic.name + ": " + replayed.error().message);
            }
        }
        at = batch->back().offset + 1;
    }
    return {};
}

Status ReplicaStore::replay(const cluster::SegmentKey& key, Offset at, Record record) {
    Copy& copy = copies_[key];
    if (std::holds_alternative<cluster::RemoveCopy>(record)) {
        copy = {.places = {}, .cuts = {}, .removed = true};
        restored_.erase(key);
        return {};
    }
    copy.removed = false;
    const auto [found, fresh] = restored_.try_emplace(key);
    cluster::RestoredReplica& to = found->second;
    if (fresh) to.trusted.chain = cluster::chain_start(key);
    const cluster::Mark end = to.tail.empty() ? to.trusted : to.tail.back().end;
    if (const auto* promise = std::get_if<cluster::PromiseEpoch>(&record)) {
        to.promised = std::max(to.promised, promise->epoch);
    } else if (const auto* cut = std::get_if<cluster::CutTo>(&record)) {
        std::erase_if(to.tail,
                      [&](const auto& header) { return header.end.length > cut->end.length; });
        if ((to.tail.empty() ? to.trusted : to.tail.back().end) != cut->end) {
            return Error{Errc::kCorruption, "a cut between boundaries"};
        }
        note_cut(copy, cut->end.length, at);
    } else if (auto* stored = std::get_if<StoredBatch>(&record)) {
        if (stored->before != end) return Error{Errc::kCorruption, "a batch off its chain"};
        const cluster::Batch& batch = stored->batch;
        if (end.length == 0 && batch.preamble.size() > 0) {
            auto producers = cluster::ProducerTable::decode(as_bytes(batch.preamble.text()));
            if (!producers) return producers.error();
            to.producers = *std::move(producers);
        }
        to.tail.push_back({batch.records, batch.producer, cluster::mark_after(end, batch)});
        note_batch(copy, end, at);
    } else {
        return Error{Errc::kCorruption, "an identity among batches"};
    }
    return {};
}

std::map<cluster::SegmentKey, cluster::RestoredReplica> ReplicaStore::take_restored() {
    return std::exchange(restored_, {});
}

void ReplicaStore::note_batch(Copy& copy, const cluster::Mark& before, Offset at) {
    const bool due = copy.places.empty() ||
                     before.bytes - copy.places.back().bytes >= kPlaceEveryBytes ||
                     before.length - copy.places.back().length >= kMaxFrameRecords;
    if (due) copy.places.push_back({before.length, before.bytes, at});
}

void ReplicaStore::note_cut(Copy& copy, std::uint64_t length, Offset at) {
    std::erase_if(copy.places, [&](const Place& place) { return place.length >= length; });
    copy.cuts.push_back({at, length});
}

// --- writing ---

void ReplicaStore::write(const cluster::DiskWrite& write) {
    const Done done{write.key, write.ticket};
    if (const auto* store = std::get_if<cluster::StoreBatches>(&write.operation)) {
        split(write, *store);
    } else if (const auto* promise = std::get_if<cluster::PromiseEpoch>(&write.operation)) {
        waiting_.push_back({.done = done, .records = {encode(*promise)}, .operation = *promise});
    } else if (const auto* cut = std::get_if<cluster::CutTo>(&write.operation)) {
        waiting_.push_back({.done = done, .records = {encode(*cut)}, .operation = *cut});
    } else {
        waiting_.push_back({.done = done,
                            .records = {encode(cluster::RemoveCopy{})},
                            .operation = cluster::RemoveCopy{}});
    }
    submit_waiting();
}

// A frame of the engine is whole or not there; a crash between two leaves a shorter copy.
void ReplicaStore::split(const cluster::DiskWrite& write, const cluster::StoreBatches& store) {
    const std::uint64_t most = max_frame_bytes(options_) * 3 / 4;
    Frame frame;
    frame.operation = cluster::StoreBatches{};
    frame.done.key = write.key;
    std::uint64_t bytes = 0;
    cluster::Mark mark = store.before;
    for (const cluster::Batch& batch : store.batches) {
        std::string record = encode_batch(mark, batch);
        const bool full = bytes + record.size() > most || frame.records.size() == kMaxFrameRecords;
        if (full && !frame.records.empty()) {
            waiting_.push_back(frame);
            frame.records.clear();
            frame.before.clear();
            bytes = 0;
        }
        bytes += record.size();
        frame.records.push_back(std::move(record));
        frame.before.push_back(mark);
        mark = cluster::mark_after(mark, batch);
    }
    frame.done.ticket = write.ticket;
    waiting_.push_back(std::move(frame));
}

void ReplicaStore::submit_waiting() {
    while (!waiting_.empty() && health_) {
        const Status submitted = submit(waiting_.front());
        if (!submitted && submitted.error().code == Errc::kNoSpace) return;
        if (!submitted) health_ = submitted;
        waiting_.pop_front();
    }
}

Status ReplicaStore::submit(const Frame& frame) {
    std::vector<Bytes> records;
    records.reserve(frame.records.size());
    for (const std::string& record : frame.records) records.push_back(as_bytes(record));
    const auto ticket = wal_->append_async(topic_name(frame.done.key), records, {&on_ack, this});
    if (!ticket) return ticket.error();
    ++frames_sent_;
    sent_.push_back(frame.done);
    Copy& copy = copies_[frame.done.key];
    copy.removed = false;
    const Offset at = ticket->first_offset;
    for (std::size_t i = 0; i < frame.before.size(); ++i) {
        note_batch(copy, frame.before[i], at + i);
    }
    if (const auto* cut = std::get_if<cluster::CutTo>(&frame.operation)) {
        note_cut(copy, cut->end.length, at);
    } else if (std::holds_alternative<cluster::RemoveCopy>(frame.operation)) {
        copy = {.places = {}, .cuts = {}, .removed = true};
        garbage_.push_back({frames_sent_, frame.done.key});
    }
    return {};
}

void ReplicaStore::on_ack(void* store, Offset, const Status& status) {
    auto& self = *static_cast<ReplicaStore*>(store);
    {
        const MutexLock lock(self.acks_.mutex);
        if (!status && self.acks_.status) self.acks_.status = status;
        if (self.acks_.status) ++self.acks_.frames;
    }
    if (self.options_.on_progress) self.options_.on_progress();
}

std::vector<Done> ReplicaStore::take_done() {
    std::uint64_t acknowledged = 0;
    {
        const MutexLock lock(acks_.mutex);
        acknowledged = acks_.frames;
        if (health_ && !acks_.status) health_ = acks_.status;
    }
    std::vector<Done> done;
    for (; frames_taken_ < acknowledged; ++frames_taken_) {
        if (sent_.front().ticket != 0) done.push_back(sent_.front());
        sent_.pop_front();
    }
    return done;
}

Status ReplicaStore::status() const {
    if (!health_) return health_;
    const MutexLock lock(acks_.mutex);
    return acks_.status;
}

Status ReplicaStore::flush() {
    WALRUS_RETURN_IF_ERROR(status());
    submit_waiting();
    WALRUS_RETURN_IF_ERROR(status());
    Status synced = wal_->sync();
    if (!synced && synced.error().code != Errc::kNoSpace) health_ = synced;
    return synced;
}

Status ReplicaStore::maintain() {
    std::uint64_t acknowledged = 0;
    {
        const MutexLock lock(acks_.mutex);
        acknowledged = acks_.frames;
    }
    bool deleted = false;
    while (!garbage_.empty() && garbage_.front().frame <= acknowledged) {
        const cluster::SegmentKey key = garbage_.front().key;
        const auto copy = copies_.find(key);
        // A copy that was made anew goes on in the same stream.
        if (copy != copies_.end() && copy->second.removed) {
            const Status gone = wal_->delete_topic(topic_name(key));
            // It only gives space back: tried again when there is some to write that down.
            if (!gone && gone.error().code == Errc::kNoSpace) return {};
            if (!gone && gone.error().code != Errc::kNotFound) return gone;
            copies_.erase(copy);
            deleted = true;
        }
        garbage_.pop_front();
    }
    if (!deleted || options_.threading == wal::Threading::kBackground) return {};
    const Result<std::uint64_t> recycled = wal_->run_retention();
    if (recycled || recycled.error().code == Errc::kNoSpace) return {};
    return recycled.error();
}

Status ReplicaStore::close() {
    WALRUS_RETURN_IF_ERROR(flush());
    return wal_->close();
}

// --- reading ---

Result<ReadPlan> ReplicaStore::plan(const cluster::SegmentKey& key, std::uint64_t first,
                                    std::uint64_t max_bytes) const {
    const auto found = copies_.find(key);
    if (found == copies_.end() || found->second.places.empty()) {
        return Error{Errc::kNotFound, "replica store: no batches of segment " + topic_name(key)};
    }
    const Copy& copy = found->second;
    const auto next = std::ranges::upper_bound(copy.places, first, {}, &Place::length);
    if (next == copy.places.begin()) {
        return Error{Errc::kOutOfRange, "replica store: before the first batch"};
    }
    return ReadPlan{.topic = topic_name(key),
                    .from = std::prev(next)->at,
                    .first = first,
                    .max_bytes = max_bytes,
                    .cuts = copy.cuts};
}

Result<Found> ReplicaStore::read(const ReadPlan& plan) const {
    Found found;
    std::uint64_t bytes = 0;
    std::uint64_t next = plan.first;
    Offset at = plan.from;
    for (;;) {
        const Result<wal::RecordBatch> page =
            wal_->read_at(plan.topic, at, std::min(kReadUnit, plan.max_bytes + kPlaceEveryBytes));
        if (!page) return page.error();
        if (page->empty()) break;
        for (const wal::Record& stored : *page) {
            Result<Record> record = decode(stored.data);
            if (!record) return record.error();
            auto* batch = std::get_if<StoredBatch>(&*record);
            if (batch == nullptr || comes_before(plan, *batch)) continue;
            const bool is_void = std::ranges::any_of(plan.cuts, [&](const Cut& cut) {
                return stored.offset < cut.at && batch->before.length >= cut.length;
            });
            if (is_void) continue;
            const bool begins = found.batches.empty();
            if (begins && plan.containing) next = std::min(next, batch->before.length);
            if (batch->before.length != next) {
                return Error{Errc::kOutOfRange,
                             "replica store: not a boundary: " + std::to_string(plan.first) +
                                 " of " + plan.topic};
            }
            const std::uint64_t size = batch->batch.data.size();
            if (!begins && bytes + size > plan.max_bytes) return found;
            if (begins) {
                found.first = next;
                found.prev_chain = batch->before.chain;
            }
            bytes += size;
            next += batch->batch.records;
            found.batches.push_back(std::move(batch->batch));
        }
        at = page->back().offset + 1;
    }
    if (!found.batches.empty()) return found;
    return Error{Errc::kOutOfRange, "replica store: nothing durable at " +
                                        std::to_string(plan.first) + " of " + plan.topic};
}

cluster::DiskReadDone ReplicaStore::read(const cluster::DiskRead& request) const {
    cluster::DiskReadDone done{.request = request};
    const Result<ReadPlan> where = plan(request.key, request.first, request.max_bytes);
    if (!where) return done;
    Result<Found> found = read(*where);
    if (!found) return done;
    done.ok = true;
    done.prev_chain = found->prev_chain;
    done.batches = std::move(found->batches);
    return done;
}

}  // namespace walrus::replica_store

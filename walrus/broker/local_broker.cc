// Opening, closing, and what acknowledgements bring.  Changes of topics: local_topics.cc.
#include <algorithm>
#include <charconv>
#include <set>

#include "walrus/base/log.h"
#include "walrus/broker/local_broker_impl.h"
#include "walrus/broker/producer_snapshot.h"
#include "walrus/env/posix_env.h"

namespace walrus::broker {
namespace {

constexpr std::uint64_t kMetaBatchBytes = 256 << 10;
constexpr std::uint64_t kMetaRing = 1 << 20;
constexpr std::uint64_t kMetaFile = 4 << 20;
constexpr std::uint64_t kRetryMs = 1;

std::uint64_t max_batch_bytes(const LocalBrokerOptions& options) {
    return std::min(options.ring_size, options.file_size) / 4;
}

LocalBrokerOptions with_real_seams(LocalBrokerOptions options) {
    wal::Options seams;
    seams.env = options.env;
    seams.clock = options.clock;
    seams.random = options.random;
    seams = wal::with_real_seams(std::move(seams));
    options.env = seams.env;
    options.clock = seams.clock;
    options.random = seams.random;
    options.workers = std::max(1U, options.workers);
    return options;
}

}  // namespace

Result<std::unique_ptr<LocalBroker>> LocalBroker::open(LocalBrokerOptions options,
                                                       net::Loop& loop) {
    return LocalBrokerImpl::open(std::move(options), loop);
}

Result<std::unique_ptr<LocalBroker>> LocalBrokerImpl::open(LocalBrokerOptions options,
                                                           net::Loop& loop) {
    if (options.data_dir.empty()) return Error{Errc::kInvalidArgument, "broker: data_dir is empty"};
    Result<ConfigDefaults> defaults = ConfigDefaults::make(
        {max_batch_bytes(options), options.sync_interval_ms, options.file_size},
        options.topic_defaults);
    if (!defaults) return std::move(defaults).error();
    std::unique_ptr<LocalBrokerImpl> broker(
        new LocalBrokerImpl(with_real_seams(std::move(options)), loop, std::move(*defaults)));
    WALRUS_RETURN_IF_ERROR(broker->recover());
    return std::unique_ptr<LocalBroker>(std::move(broker));
}

LocalBrokerImpl::LocalBrokerImpl(LocalBrokerOptions options, net::Loop& loop,
                                 ConfigDefaults defaults)
    : core_(std::move(options), loop), defaults_(std::move(defaults)) {
    core_.inbox = Inbox::make(loop, *this);
    core_.snapshot_dir = env::join_path(core_.options.data_dir, "producers");
    core_.retry_soon = [this](BrokerLog& log) {
        if (log.retry == 0)
            log.retry = core_.loop.after_ms(kRetryMs, [this, &log] {
                log.retry = 0;
                retry_waiting(log);
            });
    };
}

// As a kill: the threads end first, so that nobody calls back into what goes.
LocalBrokerImpl::~LocalBrokerImpl() {
    core_.closed = true;
    core_.pool.stop();
    for (const auto& log : logs_) {
        if (log == nullptr) continue;
        core_.loop.cancel(log->retry);
        stop_driving(*log);
        log->wal.reset();
    }
    meta_.reset();
    core_.inbox->abandon();
}

// --- opening ---

wal::Options LocalBrokerImpl::log_options(std::string_view name) const {
    const LocalBrokerOptions& broker = core_.options;
    wal::Options log;
    log.data_dir = env::join_path(broker.data_dir, name);
    log.backend = broker.backend;
    log.allow_uring = broker.allow_uring;
    log.env = broker.env;
    log.clock = broker.clock;
    log.random = broker.random;
    return log;
}

Result<std::unique_ptr<wal::Wal>> LocalBrokerImpl::open_log(wal::DurabilityClass durability) const {
    wal::Options log = log_options(wal::durability_class_name(durability));
    log.durability = durability;
    log.sync_interval_ms = core_.options.sync_interval_ms;
    log.file_size = core_.options.file_size;
    log.ring_size = core_.options.ring_size;
    log.limits.max_record_bytes = log.limits.max_batch_bytes = max_batch_bytes(core_.options);
    log.limits.max_outstanding_bytes = core_.options.ring_size;
    log.limits.max_topics = core_.options.max_partitions + core_.options.max_topics;
    log.retention = defaults_.effective({}).retention;
    return wal::Wal::open(std::move(log));
}

std::unique_ptr<BrokerLog>& LocalBrokerImpl::log_of(wal::DurabilityClass durability) {
    switch (durability) {
        case wal::DurabilityClass::kProcess: return logs_[1];
        case wal::DurabilityClass::kOsInterval: return logs_[2];
        case wal::DurabilityClass::kNone:
        case wal::DurabilityClass::kDisk: break;
    }
    return logs_[0];
}

Status LocalBrokerImpl::need_log(wal::DurabilityClass durability) {
    std::unique_ptr<BrokerLog>& log = log_of(durability);
    if (log != nullptr) return {};
    Result<std::unique_ptr<wal::Wal>> opened = open_log(durability);
    if (!opened) return std::move(opened).error();
    log = std::make_unique<BrokerLog>();
    log->durability = durability;
    log->wal = std::move(*opened);
    return {};
}

Status LocalBrokerImpl::recover() {
    env::Env& env = *core_.options.env;
    WALRUS_RETURN_IF_ERROR(env.create_dirs(core_.snapshot_dir));
    wal::Options meta = log_options("meta");
    meta.ring_size = kMetaRing;
    meta.file_size = kMetaFile;
    meta.limits.max_record_bytes = meta.limits.max_batch_bytes = kMetaBatchBytes;
    meta.limits.max_outstanding_bytes = kMetaRing;
    meta.read_ahead_bytes = 0;
    Result<std::unique_ptr<wal::Wal>> opened = wal::Wal::open(std::move(meta));
    if (!opened) return std::move(opened).error();
    meta_ = std::move(*opened);
    Result<Catalogue> catalogue =
        Catalogue::open(*meta_, core_.options.cluster_id, *core_.options.random);
    if (!catalogue) return std::move(catalogue).error();
    catalogue_ = std::move(*catalogue);
    cluster_id_ = catalogue_->cluster_id();
    next_producer_id_ = producer_ids_end_ = catalogue_->next_producer_id();

    WALRUS_RETURN_IF_ERROR(need_log(defaults_.effective({}).durability));
    for (const auto& [id, stored] : catalogue_->topics())
        WALRUS_RETURN_IF_ERROR(recover_topic(stored));
    drop_strays();
    reapply_retention();
    for (const auto& log : logs_)
        if (log != nullptr) start_driving(*log);
    return {};
}

Status LocalBrokerImpl::recover_topic(const StoredTopic& stored) {
    const TopicConfig config = defaults_.effective(configs_of(stored));
    WALRUS_RETURN_IF_ERROR(need_log(config.durability));
    BrokerLog& log = *log_of(config.durability);
    Topic topic = make_topic(stored, log);
    for (const auto& partition : topic.partitions) {
        // A weak class may have lost it with the power.
        if (!log.wal->topic(partition->place().log_topic))
            WALRUS_RETURN_IF_ERROR(log.wal->create_topic(partition->place().log_topic));
        WALRUS_RETURN_IF_ERROR(partition->recover());
    }
    partition_count_ += topic.partitions.size();
    topics_.emplace(stored.name, std::move(topic));
    return {};
}

// What a crash left of topics that were being created or deleted.
void LocalBrokerImpl::drop_strays() {
    const std::map<std::uint64_t, StoredTopic>& known = catalogue_->topics();
    for (const auto& log : logs_) {
        if (log == nullptr) continue;
        for (const wal::TopicInfo& info : log->wal->topics()) {
            std::uint64_t id = 0;
            std::from_chars(info.name.data(), info.name.data() + info.name.size(), id);
            if (known.contains(id)) continue;
            const Status dropped = log->wal->delete_topic(info.name);
            if (!dropped)
                walrus::log(LogLevel::kWarn, "broker: " + info.name + " of no topic stays: " +
                                                 dropped.error().to_string());
        }
    }
    remove_stray_snapshots(*core_.options.env, core_.snapshot_dir,
                           [&](std::uint64_t id) { return known.contains(id); });
}

// --- what acknowledgements bring ---

void LocalBrokerImpl::acknowledged(PendingAppend* first) {
    touched_.clear();
    while (first != nullptr) {
        PendingAppend& append = *first;
        first = append.next;
        LocalPartition* partition = append.partition;
        partition->acknowledged(append);
        core_.appends.give_back(append);
        if (touched_.empty() || touched_.back() != partition) touched_.push_back(partition);
    }
    for (LocalPartition* partition : touched_) partition->notify();
    for (const auto& log : logs_)
        if (log != nullptr && !log->waiting.empty()) retry_waiting(*log);
    if (core_.unsaved_bytes > core_.options.producer_snapshot_bytes) save_some_producers();
}

// The loop writes what it appends and hears of it, without a thread in between.
void LocalBrokerImpl::start_driving(BrokerLog& log) {
    Result<std::unique_ptr<wal::Driver>> driver =
        log.wal->make_driver([inbox = core_.inbox, &log] { inbox->drive_later(log); });
    if (!driver) return;
    if (core_.loop.watch((*driver)->event_fd(), [this, &log] { drive(log); }))
        log.driver = std::move(*driver);
}

void LocalBrokerImpl::stop_driving(BrokerLog& log) {
    if (log.driver == nullptr) return;
    core_.loop.unwatch(log.driver->event_fd());
    log.driver.reset();
}

void LocalBrokerImpl::drive(BrokerLog& log) {
    if (log.driver == nullptr) return;
    core_.inbox->hold();
    log.driver->drive();
    core_.inbox->drain();
}

void LocalBrokerImpl::retry_waiting(BrokerLog& log) {
    if (log.draining) return;
    log.draining = true;
    while (!log.waiting.empty()) {
        WaitingAppend append = std::move(log.waiting.front());
        log.waiting.pop_front();
        if (!append.partition->retry(append)) {
            log.waiting.push_front(std::move(append));
            break;
        }
        core_.waiting_bytes -= append.bytes.size();
    }
    log.draining = false;
    if (!log.waiting.empty()) core_.retry_soon(log);
}

// Goes round the topics until half of what a restart would have to read is covered.
void LocalBrokerImpl::save_some_producers() {
    const std::uint64_t enough = core_.options.producer_snapshot_bytes / 2;
    auto it = topics_.upper_bound(saved_upto_);
    for (std::size_t i = 0; i < topics_.size() && core_.unsaved_bytes > enough; ++i) {
        if (it == topics_.end()) it = topics_.begin();
        for (const auto& partition : it->second.partitions) partition->save_producers(false);
        saved_upto_ = it->first;
        ++it;
    }
}

// --- closing ---

// Everything that was asked for gets its answer, if only that we are closed.
void LocalBrokerImpl::answer_everything() {
    while (core_.inbox->drain()) {
    }
    for (const auto& log : logs_) {
        if (log == nullptr) continue;
        core_.loop.cancel(log->retry);
        log->retry = 0;
        retry_waiting(*log);
        stop_driving(*log);
        // What had been handed over is acknowledged or failed by this.
        static_cast<void>(log->wal->sync());
    }
    while (core_.inbox->drain()) {
    }
    for (const auto& [name, topic] : topics_)
        for (const auto& partition : topic.partitions) partition->notify();
}

Status LocalBrokerImpl::close_logs() {
    Status first;
    const auto note = [&](Status status) {
        if (!status && first) first = std::move(status);
    };
    for (const auto& log : logs_)
        if (log != nullptr) note(log->wal->close());
    note(meta_->close());
    return first;
}

Status LocalBrokerImpl::close() {
    if (core_.closed) return broker_closed();
    core_.closed = true;
    core_.pool.finish();
    answer_everything();
    for (const auto& [name, topic] : topics_)
        for (const auto& partition : topic.partitions) partition->save_producers(true);
    const Status closed = close_logs();
    core_.inbox->abandon();
    return closed;
}

// --- what there is ---

BrokerCounters LocalBrokerImpl::counters() const {
    BrokerCounters counters = core_.counters;
    counters.topics = topics_.size();
    counters.partitions = partition_count_;
    return counters;
}

std::vector<LogStats> LocalBrokerImpl::logs() const {
    std::vector<LogStats> all;
    if (core_.closed) return all;
    all.push_back({"meta", meta_->stats()});
    for (const auto& log : logs_)
        if (log != nullptr)
            all.push_back(
                {std::string(wal::durability_class_name(log->durability)), log->wal->stats()});
    return all;
}

ClusterDescription LocalBrokerImpl::cluster() const {
    const BrokerAddress& self = core_.options.address;
    return {cluster_id_, self.id, self.id, {self}};
}

std::vector<std::string> LocalBrokerImpl::topic_names() const {
    std::vector<std::string> names;
    names.reserve(topics_.size());
    for (const auto& [name, topic] : topics_) names.push_back(name);
    return names;
}

Result<TopicDescription> LocalBrokerImpl::describe(std::string_view name) const {
    const auto it = topics_.find(name);
    if (it == topics_.end()) return Error{Errc::kNotFound, "topic " + std::string(name)};
    TopicDescription description;
    description.spec.name = it->first;
    description.spec.partitions = it->second.stored.partitions;
    description.spec.replication_factor = 1;
    description.spec.configs = defaults_.describe(configs_of(it->second.stored));
    for (const auto& partition : it->second.partitions)
        description.partitions.push_back(partition->info());
    return description;
}

Partition* LocalBrokerImpl::find(std::string_view name, std::int32_t partition) const {
    const auto it = topics_.find(name);
    if (it == topics_.end() || partition < 0) return nullptr;
    const auto index = static_cast<std::size_t>(partition);
    return index < it->second.partitions.size() ? it->second.partitions[index].get() : nullptr;
}

}  // namespace walrus::broker

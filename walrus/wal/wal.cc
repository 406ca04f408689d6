#include "walrus/wal/wal.h"

#include <algorithm>
#include <atomic>

#include "walrus/wal/log_directory.h"
#include "walrus/wal/shard.h"

namespace walrus::wal {
namespace {

// FNV-1a; decides the shard of a topic for good, so it must never change.
std::uint32_t shard_of(std::string_view topic, std::size_t shards) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : topic) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return static_cast<std::uint32_t>(hash % shards);
}

// Checks what callers pass in, and picks the shard.
class WalImpl final : public Wal {
public:
    WalImpl(std::unique_ptr<Options> options, std::unique_ptr<LogDirectory> directory,
            Backend backend)
        : options_(std::move(options)), directory_(std::move(directory)), backend_(backend) {}

    const Options& options() const { return *options_; }
    LogDirectory& directory() { return *directory_; }
    void add_shard(std::unique_ptr<Shard> shard) { shards_.push_back(std::move(shard)); }

    Status close() override {
        if (closed_.exchange(true)) return Error{Errc::kClosed, "log: closed already"};
        Status first;
        for (const auto& shard : shards_)
            if (Status status = shard->close(); !status && first) first = std::move(status);
        shards_.clear();
        directory_.reset();
        return first;
    }

    Result<Offset> append(std::string_view topic, Bytes record) override {
        return append_batch(topic, {&record, 1});
    }

    Result<Offset> append_batch(std::string_view topic, std::span<const Bytes> records) override {
        WALRUS_RETURN_IF_ERROR(check_batch(topic, records));
        if (records.empty()) return shard(topic).end_offset(topic);
        return shard(topic).append(topic, BatchSource::of(records));
    }

    Result<Ticket> append_async(std::string_view topic, std::span<const Bytes> records,
                                AckCallback callback) override {
        WALRUS_RETURN_IF_ERROR(check_batch(topic, records));
        if (!records.empty())
            return shard(topic).append_async(topic, BatchSource::of(records), callback);
        const Result<Offset> end = shard(topic).end_offset(topic);
        if (!end) return end.error();
        if (callback.function != nullptr) callback.function(callback.context, *end, {});
        return Ticket{*end, shard_of(topic, shards_.size()), Lsn{}};
    }

    Result<Offset> append_opaque(std::string_view topic, OpaqueBatch batch) override {
        WALRUS_RETURN_IF_ERROR(check_opaque(topic, batch));
        return shard(topic).append(topic, BatchSource::of_opaque(batch.bytes, batch.record_count));
    }

    Result<Ticket> append_opaque_async(std::string_view topic, OpaqueBatch batch,
                                       AckCallback callback, WhenFull when_full) override {
        WALRUS_RETURN_IF_ERROR(check_opaque(topic, batch));
        return shard(topic).append_async(
            topic, BatchSource::of_opaque(batch.bytes, batch.record_count), callback,
            when_full == WhenFull::kWait ? Shard::Admission::kData : Shard::Admission::kDataNow);
    }

    Status wait(const Ticket& ticket) override {
        WALRUS_RETURN_IF_ERROR(check_open());
        if (ticket.shard >= shards_.size())
            return Error{Errc::kInvalidArgument, "ticket: not of this log"};
        return shards_[ticket.shard]->wait(ticket.end);
    }

    Status sync() override {
        WALRUS_RETURN_IF_ERROR(check_open());
        for (const auto& shard : shards_) WALRUS_RETURN_IF_ERROR(shard->sync());
        return {};
    }

    Result<RecordBatch> read_next(std::string_view topic, ReadOptions options) override {
        WALRUS_RETURN_IF_ERROR(check_read(topic, options.consumer));
        return shard(topic).read(topic, options, ~std::uint64_t{0}, 1);
    }

    Result<RecordBatch> read_batch(std::string_view topic, std::uint64_t max_bytes,
                                   ReadOptions options) override {
        WALRUS_RETURN_IF_ERROR(check_read(topic, options.consumer));
        return shard(topic).read(topic, options, max_bytes, ~std::uint64_t{0});
    }

    Result<RecordBatch> read_at(std::string_view topic, Offset offset,
                                std::uint64_t max_bytes) override {
        WALRUS_RETURN_IF_ERROR(check_topic(topic));
        return shard(topic).read_at(topic, offset, max_bytes);
    }

    Result<RecordBatch> read_recent(std::string_view topic, Offset offset,
                                    std::uint64_t max_bytes) override {
        WALRUS_RETURN_IF_ERROR(check_topic(topic));
        return shard(topic).read_at(topic, offset, max_bytes, true);
    }

    Result<bool> wait_for(std::string_view topic, Offset offset,
                          std::uint64_t timeout_ms) override {
        WALRUS_RETURN_IF_ERROR(check_topic(topic));
        return shard(topic).wait_for(topic, offset, timeout_ms);
    }

    Result<Offset> position(std::string_view topic, std::string_view consumer) override {
        WALRUS_RETURN_IF_ERROR(check_read(topic, consumer));
        return shard(topic).position(topic, consumer);
    }

    Status commit(std::string_view topic, std::string_view consumer, Offset offset) override {
        WALRUS_RETURN_IF_ERROR(check_read(topic, consumer));
        return shard(topic).commit(topic, consumer, offset);
    }

    Status seek(std::string_view topic, std::string_view consumer, Offset offset) override {
        WALRUS_RETURN_IF_ERROR(check_read(topic, consumer));
        return shard(topic).seek(topic, consumer, offset);
    }

    Status delete_cursor(std::string_view topic, std::string_view consumer) override {
        WALRUS_RETURN_IF_ERROR(check_read(topic, consumer));
        return shard(topic).delete_cursor(topic, consumer);
    }

    Result<std::map<std::string, Offset>> cursors(std::string_view topic) override {
        WALRUS_RETURN_IF_ERROR(check_topic(topic));
        return shard(topic).cursors(topic);
    }

    Status create_topic(std::string_view topic) override {
        WALRUS_RETURN_IF_ERROR(check_topic(topic));
        return shard(topic).create_topic(topic);
    }

    Status delete_topic(std::string_view topic) override {
        WALRUS_RETURN_IF_ERROR(check_topic(topic));
        return shard(topic).delete_topic(topic);
    }

    std::vector<TopicInfo> topics() override {
        std::vector<TopicInfo> all;
        for (const auto& shard : shards_) shard->add_topics(all);
        std::sort(all.begin(), all.end(),
                  [](const TopicInfo& a, const TopicInfo& b) { return a.name < b.name; });
        return all;
    }

    Result<TopicInfo> topic(std::string_view topic) override {
        WALRUS_RETURN_IF_ERROR(check_topic(topic));
        return shard(topic).topic(topic);
    }

    Status mark_clean(std::string_view topic) override { return mark(topic, true); }
    Status mark_dirty(std::string_view topic) override { return mark(topic, false); }

    Status truncate_head(std::string_view topic, Offset offset) override {
        WALRUS_RETURN_IF_ERROR(check_topic(topic));
        return shard(topic).truncate_head(topic, offset);
    }

    Status set_retention(std::string_view topic, const Retention& retention) override {
        WALRUS_RETURN_IF_ERROR(check_topic(topic));
        return shard(topic).set_retention(topic, retention);
    }

    Result<std::uint64_t> run_retention() override {
        WALRUS_RETURN_IF_ERROR(check_open());
        std::uint64_t recycled = 0;
        for (const auto& shard : shards_) {
            const Result<std::uint64_t> files = shard->run_retention();
            if (!files) return files.error();
            recycled += *files;
        }
        return recycled;
    }

    Result<std::unique_ptr<Driver>> make_driver(std::function<void()> wake) override {
        WALRUS_RETURN_IF_ERROR(check_open());
        if (shards_.size() != 1) return Error{Errc::kUnsupported, "driver: of one shard only"};
        return shards_.front()->make_driver(std::move(wake));
    }

    Stats stats() const override {
        Stats stats;
        for (const auto& shard : shards_) shard->add_stats(stats);
        stats.backend = backend_name(backend_);
        return stats;
    }

private:
    Shard& shard(std::string_view topic) { return *shards_[shard_of(topic, shards_.size())]; }

    Status mark(std::string_view topic, bool clean) {
        WALRUS_RETURN_IF_ERROR(check_topic(topic));
        return shard(topic).mark(topic, clean);
    }

    Status check_open() const {
        if (closed_.load(std::memory_order_relaxed)) return Error{Errc::kClosed, "log: closed"};
        return {};
    }

    Status check_topic(std::string_view topic) const {
        WALRUS_RETURN_IF_ERROR(check_open());
        if (topic.empty() || topic.size() > options_->limits.max_topic_name_bytes)
            return Error{Errc::kInvalidArgument,
                         "topic name: " + std::to_string(topic.size()) + " bytes, must be 1 to " +
                             std::to_string(options_->limits.max_topic_name_bytes)};
        for (const char c : topic)
            if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '/')
                return Error{Errc::kInvalidArgument,
                             "topic name: holds a control character or '/'"};
        return {};
    }

    Status check_read(std::string_view topic, std::string_view consumer) const {
        if (consumer.size() > 255)
            return Error{Errc::kInvalidArgument, "consumer name: longer than 255 bytes"};
        return check_topic(topic);
    }

    Status check_batch(std::string_view topic, std::span<const Bytes> records) const {
        WALRUS_RETURN_IF_ERROR(check_topic(topic));
        const Limits& limits = options_->limits;
        if (records.size() > limits.max_batch_records)
            return Error{Errc::kTooLarge, "batch: " + std::to_string(records.size()) +
                                              " records, at most " +
                                              std::to_string(limits.max_batch_records)};
        std::uint64_t bytes = 0;
        for (const Bytes record : records) {
            if (record.size() > limits.max_record_bytes)
                return Error{Errc::kTooLarge, "record: " + std::to_string(record.size()) +
                                                  " bytes, at most " +
                                                  std::to_string(limits.max_record_bytes)};
            bytes += record.size();
        }
        if (batch_body_length(records.size(), bytes) > limits.max_batch_bytes)
            return Error{Errc::kTooLarge, "batch: " + std::to_string(bytes) + " bytes, at most " +
                                              std::to_string(limits.max_batch_bytes)};
        return {};
    }

    Status check_opaque(std::string_view topic, const OpaqueBatch& batch) const {
        WALRUS_RETURN_IF_ERROR(check_topic(topic));
        const Limits& limits = options_->limits;
        if (batch.record_count == 0 || batch.record_count > limits.max_opaque_records)
            return Error{Errc::kInvalidArgument,
                         "opaque batch: stands for " + std::to_string(batch.record_count) +
                             " records, must be 1 to " + std::to_string(limits.max_opaque_records)};
        if (batch.bytes.size() > limits.max_batch_bytes)
            return Error{Errc::kTooLarge, "opaque batch: " + std::to_string(batch.bytes.size()) +
                                              " bytes, at most " +
                                              std::to_string(limits.max_batch_bytes)};
        return {};
    }

    std::unique_ptr<Options> options_;
    std::unique_ptr<LogDirectory> directory_;  // Its lock goes last.
    const Backend backend_;
    std::vector<std::unique_ptr<Shard>> shards_;
    std::atomic<bool> closed_{false};
};

}  // namespace

Result<std::unique_ptr<Wal>> Wal::open(Options given) {
    auto options = std::make_unique<Options>(with_real_seams(std::move(given)));
    WALRUS_RETURN_IF_ERROR(options->validate());

    Result<std::unique_ptr<LogDirectory>> directory = LogDirectory::open(*options, true);
    if (!directory) return std::move(directory).error();
    const Result<ChosenBackend> backend = choose_backend(*options, (*directory)->path());
    if (!backend) return backend.error();
    const LogFormat format = (*directory)->format();
    auto wal =
        std::make_unique<WalImpl>(std::move(options), std::move(*directory), backend->backend);
    for (std::uint32_t number = 0; number < format.shards; ++number) {
        ShardConfig config;
        config.options = &wal->options();
        config.number = number;
        config.directory = wal->directory().shard_path(number);
        config.file_size = format.file_size;
        config.direct = backend->direct;
        config.mapped = backend->mapped;
        config.uring = backend->uring;
        Result<std::unique_ptr<Shard>> shard = Shard::open(std::move(config));
        if (!shard) return std::move(shard).error();
        wal->add_shard(std::move(*shard));
    }
    return std::unique_ptr<Wal>(std::move(wal));
}

}  // namespace walrus::wal

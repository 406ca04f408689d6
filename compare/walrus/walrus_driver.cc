#include "compare/walrus/walrus_driver.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "harness/driver/settings.h"
#include "walrus/base/version.h"
#include "walrus/wal/wal.h"

namespace walrus::compare {
namespace {

using harness::Durability;
using harness::Settings;

constexpr std::uint64_t kReadAtOnce = 4 << 20;
constexpr std::uint32_t kCreators = 64;  // Threads that create topics.

Result<wal::DurabilityClass> engine_class(Durability durability) {
    switch (durability) {
        case Durability::kNone: return wal::DurabilityClass::kNone;
        case Durability::kProcess: return wal::DurabilityClass::kProcess;
        case Durability::kOsInterval: return wal::DurabilityClass::kOsInterval;
        case Durability::kDisk: return wal::DurabilityClass::kDisk;
        case Durability::kQuorumDisk: break;
    }
    return Error{Errc::kUnsupported, "one engine has no quorum"};
}

Result<wal::Options> make_options(const Settings& settings) {
    wal::Options options;
    harness::SettingsReader reader(settings);
    const std::string backend = reader.text("backend", "auto");
    options.file_size = reader.bytes("file_size", options.file_size);
    options.ring_size = reader.bytes("ring_size", options.ring_size);
    options.shards = static_cast<std::uint32_t>(reader.number("shards", options.shards));
    options.prepared_files =
        static_cast<std::uint32_t>(reader.number("prepared_files", options.prepared_files));
    options.spare_files =
        static_cast<std::uint32_t>(reader.number("spare_files", options.spare_files));
    options.sync_interval_ms = reader.number("sync_interval_ms", options.sync_interval_ms);
    options.read_ahead_bytes = reader.bytes("read_ahead", options.read_ahead_bytes);
    options.index_cache_bytes = reader.bytes("index_cache", options.index_cache_bytes);
    WALRUS_RETURN_IF_ERROR(reader.finish());
    const auto parsed = wal::parse_backend(backend);
    if (!parsed) return parsed.error();
    options.backend = *parsed;
    return options;
}

std::string topic_name(std::uint32_t topic) {
    return fmt::format("topic-{:06}", topic);
}

class WalrusProducer final : public harness::Producer {
public:
    WalrusProducer(wal::Wal& log, const std::vector<std::string>& topics)
        : log_(log), topics_(topics) {}

    Status append(std::uint32_t topic, std::span<const Bytes> records) override {
        const std::string& name = topics_[topic];
        auto appended = records.size() == 1 ? log_.append(name, records.front())
                                            : log_.append_batch(name, records);
        if (!appended) return std::move(appended).error();
        return {};
    }

    Status append_async(std::uint32_t topic, std::span<const Bytes> records,
                        harness::Completion& completion) override {
        auto ticket =
            log_.append_async(topics_[topic], records, {&WalrusProducer::acknowledge, &completion});
        if (!ticket) return std::move(ticket).error();
        if (ticket->shard >= last_.size()) last_.resize(ticket->shard + 1);
        last_[ticket->shard] = *ticket;
        return {};
    }

    Status drain() override {
        for (std::uint32_t shard = 0; shard < last_.size(); ++shard) {
            if (last_[shard].end == Lsn{}) continue;  // Nothing was appended to it.
            WALRUS_RETURN_IF_ERROR(log_.wait(last_[shard]));
        }
        return {};
    }

private:
    static void acknowledge(void* context, Offset, const Status& status) {
        static_cast<harness::Completion*>(context)->done(status);
    }

    wal::Wal& log_;
    const std::vector<std::string>& topics_;
    std::vector<wal::Ticket> last_;  // By shard.
};

class WalrusReader final : public harness::Reader {
public:
    WalrusReader(wal::Wal& log, std::string topic) : log_(log), topic_(std::move(topic)) {}

    Result<std::uint64_t> read(const std::function<void(Bytes)>& visit) override {
        const auto batch = log_.read_at(topic_, next_, kReadAtOnce);
        if (!batch && batch.error().code == Errc::kNotFound) return std::uint64_t{0};
        if (!batch) return batch.error();
        for (const wal::Record& record : *batch) visit(record.data);
        next_ = next_ + batch->size();
        return std::uint64_t{batch->size()};
    }

    bool wait(std::uint64_t timeout_ms) override {
        return log_.wait_for(topic_, next_, timeout_ms).has_value();
    }

private:
    wal::Wal& log_;
    const std::string topic_;
    Offset next_;
};

class WalrusSystem final : public harness::System {
public:
    WalrusSystem(std::unique_ptr<wal::Wal> log, wal::Options options)
        : log_(std::move(log)), options_(std::move(options)) {}

    Settings effective_config() override {
        return {
            {"backend", log_->stats().backend},
            {"durability", std::string(wal::durability_class_name(options_.durability))},
            {"file_size", harness::format_bytes(options_.file_size)},
            {"ring_size", harness::format_bytes(options_.ring_size)},
            {"shards", fmt::format("{}", std::max(1u, options_.shards))},
            {"prepared_files", fmt::format("{}", options_.prepared_files)},
            {"spare_files", fmt::format("{}", options_.spare_files)},
            {"sync_interval_ms", fmt::format("{}", options_.sync_interval_ms)},
            {"read_ahead", harness::format_bytes(options_.read_ahead_bytes)},
            {"preallocation", "the ring and the next files are written once before use"},
        };
    }

    Settings counters() override {
        const wal::Stats stats = log_->stats();
        Settings counters;
        const auto add = [&](const char* name, std::uint64_t value) {
            counters[name] = fmt::format("{}", value);
        };
        add("appends", stats.appends);
        add("records", stats.records);
        add("payload_bytes", stats.payload_bytes);
        add("frame_bytes", stats.frame_bytes);
        add("written_bytes", stats.written_bytes);
        add("writes", stats.writes);
        add("syncs", stats.syncs);
        add("groups", stats.groups);
        add("ring_waits", stats.ring_waits);
        add("files_prepared", stats.files_prepared);
        add("files_recycled", stats.files_recycled);
        add("recovery_us", stats.recovery_us);
        add("recovered_bytes", stats.recovered_bytes);
        return counters;
    }

    // Side by side, so that the log can make many durable at once.
    Status create_topics(std::uint32_t count) override {
        for (std::uint32_t i = static_cast<std::uint32_t>(topics_.size()); i < count; ++i) {
            topics_.push_back(topic_name(i));
        }
        std::vector<Status> outcomes(std::min(count, kCreators));
        std::vector<std::thread> threads;
        for (std::uint32_t first = 0; first < outcomes.size(); ++first) {
            threads.emplace_back([this, first, &outcomes] {
                Status& outcome = outcomes[first];
                for (std::size_t i = first; outcome && i < topics_.size(); i += outcomes.size()) {
                    outcome = log_->create_topic(topics_[i]);
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
        for (const Status& outcome : outcomes) WALRUS_RETURN_IF_ERROR(outcome);
        return {};
    }

    Result<std::unique_ptr<harness::Producer>> producer(std::uint32_t) override {
        return std::unique_ptr<harness::Producer>(std::make_unique<WalrusProducer>(*log_, topics_));
    }

    Result<std::unique_ptr<harness::Reader>> reader(std::uint32_t topic) override {
        return std::unique_ptr<harness::Reader>(
            std::make_unique<WalrusReader>(*log_, topic_name(topic)));
    }

    Status stop() override { return log_->close(); }

private:
    std::unique_ptr<wal::Wal> log_;
    const wal::Options options_;
    std::vector<std::string> topics_;
};

class WalrusDriver final : public harness::Driver {
public:
    harness::Description describe() const override {
        return {.name = "walrus",
                .version = fmt::format("{} ({})", kVersion, build_commit()),
                .summary = "Walrus's storage engine, in process",
                .level = harness::Level::kEngine};
    }

    Result<harness::Capabilities> capabilities(const Settings& settings) const override {
        const auto options = make_options(settings);
        if (!options) return options.error();
        return harness::Capabilities{.async_append = true,
                                     .read_back = true,
                                     .live_read = true,
                                     .max_topics = options->limits.max_topics,
                                     .durabilities = {Durability::kNone, Durability::kProcess,
                                                      Durability::kOsInterval, Durability::kDisk}};
    }

    Result<std::unique_ptr<harness::System>> open(
        const harness::OpenRequest& request) const override {
        auto options = make_options(request.settings);
        if (!options) return std::move(options).error();
        const auto durability = engine_class(request.durability);
        if (!durability) return durability.error();
        options->durability = *durability;
        options->data_dir = request.directory;
        auto log = wal::Wal::open(*options);
        if (!log) return std::move(log).error();
        return std::unique_ptr<harness::System>(
            std::make_unique<WalrusSystem>(std::move(*log), std::move(*options)));
    }
};

}  // namespace

std::unique_ptr<harness::Driver> make_walrus_driver() {
    return std::make_unique<WalrusDriver>();
}

}  // namespace walrus::compare

#include "compare/upstream/upstream_driver.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "compare/upstream/upstream_log.h"
#include "harness/driver/settings.h"

namespace walrus::compare {
namespace {

namespace fs = std::filesystem;
using harness::Durability;
using harness::Settings;

// The crate's recovery steps through a file by this much, so it loses its way inside a record
// that is larger.
constexpr std::uint64_t kBlockBytes = 10 << 20;
constexpr std::uint64_t kHeaderBytes = 64;
// The crate has no limit, but each topic takes a block and each 100 blocks an open file.
constexpr std::uint32_t kMaxTopics = 10'000;

struct UpstreamSettings {
    bool mmap = false;
    std::uint64_t fsync_interval_ms = 200;
};

Result<UpstreamSettings> parse_settings(const Settings& settings) {
    harness::SettingsReader reader(settings);
    const std::string backend = reader.text("backend", "fd");
    UpstreamSettings parsed;
    parsed.fsync_interval_ms = reader.number("fsync_interval_ms", parsed.fsync_interval_ms);
    WALRUS_RETURN_IF_ERROR(reader.finish());
    if (backend != "fd" && backend != "mmap") {
        return Error{Errc::kInvalidArgument,
                     fmt::format("setting backend: \"{}\" is neither fd nor mmap", backend)};
    }
    if (parsed.fsync_interval_ms == 0) {
        return Error{Errc::kInvalidArgument, "setting fsync_interval_ms: must be at least 1"};
    }
    parsed.mmap = backend == "mmap";
    return parsed;
}

// What the crate does before it returns decides the class, not what its documentation calls it.
Result<WalrusUpstreamSchedule> schedule_of(Durability durability) {
    switch (durability) {
        case Durability::kProcess: return kUpstreamNoFsync;
        case Durability::kOsInterval: return kUpstreamMilliseconds;
        case Durability::kDisk: return kUpstreamSyncEach;
        case Durability::kNone:
        case Durability::kQuorumDisk: break;
    }
    return Error{Errc::kUnsupported, fmt::format("durability class {} is not offered",
                                                 harness::durability_name(durability))};
}

std::string schedule_name(const UpstreamConfig& config) {
    switch (config.schedule) {
        case kUpstreamNoFsync: return "NoFsync";
        case kUpstreamMilliseconds: return fmt::format("Milliseconds({})", config.interval_ms);
        case kUpstreamSyncEach: return "SyncEach";
    }
    return "unknown";
}

// Short: the whole header of a record, with the topic's name in it, has 62 bytes.
std::string topic_name(std::uint32_t topic) {
    return fmt::format("t{:06}", topic);
}

// The first data file in the directory; "" when there is none.
std::string data_file(const std::string& directory) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(directory, ignored)) {
        const std::string name = entry.path().filename();
        if (std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) {
            return fs::canonical(entry.path(), ignored);
        }
    }
    return "";
}

// The open flags of this process's descriptor of `path`; none when there is no such descriptor.
std::optional<int> flags_of_open_file(const std::string& path) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd", ignored)) {
        if (fs::read_symlink(entry.path(), ignored) != path) continue;
        return ::fcntl(std::atoi(entry.path().filename().c_str()), F_GETFL);
    }
    return std::nullopt;
}

bool is_mapped(const std::string& path) {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        if (line.ends_with(path)) return true;
    }
    return false;
}

struct Topic {
    std::string name;
    std::mutex batching;  // Held while a batch is appended.
};

class UpstreamProducer final : public harness::Producer {
public:
    UpstreamProducer(UpstreamLog& log, std::deque<Topic>& topics) : log_(log), topics_(topics) {}

    Status append(std::uint32_t topic, std::span<const Bytes> records) override {
        for (const Bytes record : records) {
            if (record.size() + kHeaderBytes > kBlockBytes) {
                return Error{Errc::kTooLarge,
                             fmt::format("upstream: a record of {} bytes: larger than a block of "
                                         "10 MiB, what follows it would not be recovered",
                                         record.size())};
            }
        }
        Topic& to = topics_[topic];
        if (records.size() == 1) return log_.append(to.name, records);
        // The crate refuses a second batch of a topic instead of waiting for the first.
        const std::lock_guard lock(to.batching);
        return log_.append(to.name, records);
    }

    Status append_async(std::uint32_t, std::span<const Bytes>, harness::Completion&) override {
        return Error{Errc::kUnsupported, "the original has no asynchronous append"};
    }
    Status drain() override { return {}; }

private:
    UpstreamLog& log_;
    std::deque<Topic>& topics_;
};

class UpstreamReader final : public harness::Reader {
public:
    UpstreamReader(UpstreamLog& log, std::uint32_t topic) : log_(log), topic_(topic_name(topic)) {}

    Result<std::uint64_t> read(const std::function<void(Bytes)>& visit) override {
        return log_.read(topic_, visit);
    }

private:
    UpstreamLog& log_;
    const std::string topic_;
};

class UpstreamSystem final : public harness::System {
public:
    UpstreamSystem(std::unique_ptr<UpstreamLog> log, UpstreamConfig config)
        : log_(std::move(log)), config_(std::move(config)), readable_{{.log = log_.get()}} {}

    // Backend, flags and sizes are looked up; the rest is what the crate's source says.
    Settings effective_config() override {
        const std::string path = data_file(config_.directory);
        const std::optional<int> flags = flags_of_open_file(path);
        const bool mapped = is_mapped(path);
        std::error_code ignored;
        return {
            {"backend", flags    ? "fd"
                        : mapped ? "mmap"
                                 : "unknown"},
            {"open_flags", flags && (*flags & O_SYNC) == O_SYNC ? "O_SYNC" : "none"},
            {"file_size", harness::format_bytes(fs::file_size(path, ignored))},
            {"fsync_schedule", schedule_name(config_)},
            {"batches",
             "synced before they are acknowledged, in every schedule; one at a time "
             "in a topic"},
            {"blocks", "10 MiB, synced when full, in every schedule"},
            {"preallocation", "none: sparse files"},
        };
    }

    // The crate makes a topic when it is first appended to.
    Status create_topics(std::uint32_t count) override {
        while (topics_.size() < count) {
            const auto topic = static_cast<std::uint32_t>(topics_.size());
            topics_.emplace_back().name = topic_name(topic);
        }
        return {};
    }

    Result<std::unique_ptr<harness::Producer>> producer(std::uint32_t) override {
        const std::lock_guard lock(mutex_);
        readable_.front().log = nullptr;
        return std::unique_ptr<harness::Producer>(
            std::make_unique<UpstreamProducer>(*log_, topics_));
    }

    // The crate has one cursor per topic and no way back, so a second reader of a topic gets an
    // instance of its own.  So does one in a process that writes: there the crate's batch reads
    // pass over records (README.md).
    Result<std::unique_ptr<harness::Reader>> reader(std::uint32_t topic) override {
        const std::lock_guard lock(mutex_);
        for (Readable& readable : readable_) {
            if (readable.log == nullptr || readable.has_read(topic)) continue;
            return reader_of(readable, topic);
        }
        auto log = UpstreamLog::open(config_);
        if (!log) return std::move(log).error();
        more_logs_.push_back(std::move(*log));
        readable_.push_back({.log = more_logs_.back().get()});
        return reader_of(readable_.back(), topic);
    }

    // There is no orderly end: the crate syncs nothing when it is dropped.
    Status stop() override { return {}; }

private:
    // An instance and whose cursors have moved.
    struct Readable {
        UpstreamLog* log = nullptr;   // Null: it has written.
        std::vector<bool> read = {};  // By topic.

        bool has_read(std::uint32_t topic) const { return topic < read.size() && read[topic]; }
    };

    static std::unique_ptr<harness::Reader> reader_of(Readable& readable, std::uint32_t topic) {
        if (topic >= readable.read.size()) readable.read.resize(topic + 1);
        readable.read[topic] = true;
        return std::make_unique<UpstreamReader>(*readable.log, topic);
    }

    const std::unique_ptr<UpstreamLog> log_;
    const UpstreamConfig config_;
    std::deque<Topic> topics_;

    std::mutex mutex_;  // Guards what follows.
    std::vector<Readable> readable_;
    std::vector<std::unique_ptr<UpstreamLog>> more_logs_;
};

class UpstreamDriver final : public harness::Driver {
public:
    harness::Description describe() const override {
        return {.name = "upstream",
                .version = WALRUS_UPSTREAM_VERSION,
                .summary = "the original Walrus (crate walrus-rust), backend = fd | mmap",
                .level = harness::Level::kEngine};
    }

    Result<harness::Capabilities> capabilities(const Settings& settings) const override {
        const auto parsed = parse_settings(settings);
        if (!parsed) return parsed.error();
        return harness::Capabilities{
            .async_append = false,
            .read_back = true,
            .max_topics = kMaxTopics,
            .durabilities = {Durability::kProcess, Durability::kOsInterval, Durability::kDisk}};
    }

    Result<std::unique_ptr<harness::System>> open(
        const harness::OpenRequest& request) const override {
        const auto settings = parse_settings(request.settings);
        if (!settings) return settings.error();
        const auto schedule = schedule_of(request.durability);
        if (!schedule) return schedule.error();
        UpstreamConfig config{.directory = request.directory,
                              .schedule = *schedule,
                              .interval_ms = settings->fsync_interval_ms,
                              .mmap = settings->mmap};
        auto log = UpstreamLog::open(config);
        if (!log) return std::move(log).error();
        return std::unique_ptr<harness::System>(
            std::make_unique<UpstreamSystem>(std::move(*log), std::move(config)));
    }
};

}  // namespace

std::unique_ptr<harness::Driver> make_upstream_driver() {
    return std::make_unique<UpstreamDriver>();
}

}  // namespace walrus::compare

#include "compare/kafka/kafka_driver.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "compare/kafka/kafka_admin.h"
#include "compare/kafka/kafka_producer.h"
#include "compare/kafka/kafka_reader.h"
#include "compare/kafka/kafka_server.h"
#include "compare/kafka/warm_up.h"
#include "harness/driver/nodes.h"
#include "walrus/base/version.h"

namespace walrus::compare {
namespace {

using harness::Durability;
using harness::Settings;

constexpr std::uint32_t kMaxTopics = 1'000;
constexpr std::uint64_t kPingMs = 30'000;
constexpr std::uint64_t kStopMs = 60'000;
constexpr std::string_view kTopicPrefix = "bench-";

// Topics carry the name of the directory, which is fresh in every repetition: so that a server
// that is kept through many of them never serves records of another one.
std::string topic_stem(const std::string& directory) {
    std::string name = std::filesystem::path(directory).filename();
    for (char& c : name) {
        const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
        if (!fits) c = '_';
    }
    constexpr std::size_t kMost = 200;  // Of 249.
    if (name.size() > kMost) name = name.substr(name.size() - kMost);
    return fmt::format("{}{}-", kTopicPrefix, name);
}

struct Parts {
    Brand brand;
    Durability durability;
    KafkaOptions options;
    std::string topic_stem;
};

class KafkaSystem final : public harness::System, private harness::Nodes {
public:
    KafkaSystem(Parts parts, const KafkaParts& machine)
        : parts_(std::move(parts)), machine_(machine) {}

    Status open(const std::string& directory) {
        KafkaOptions& options = parts_.options;
        if (options.address.empty()) {
            auto server = start_server(parts_.brand, machine_, options, directory);
            if (!server) return std::move(server).error();
            options.address = server->address;
            directory_ = directory;
            ports_ = server->ports;
            server_ = std::move(server->process);
        }
        auto admin = KafkaAdmin::make(options.address);
        if (!admin) return std::move(admin).error();
        admin_ = std::move(*admin);
        return explain(admin_->ping(kPingMs));
    }

    Settings effective_config() override {
        Settings config;
        add("producer.", producer_live_, config);
        add("consumer.", consumer_properties(parts_.options), config);
        add("topic.", described(admin_->topic_config(topic_name(0))), config);
        add("broker.", described(admin_->broker_config()), config);
        config["librdkafka"] = rd_kafka_version_str();
        config["started_by"] = server_ == nullptr ? "somebody else" : "the driver";
        if (parts_.brand == Brand::kKafka && server_ != nullptr) {
            config["heap"] = parts_.options.heap_initial + " to " + parts_.options.heap;
        }
        return config;
    }

    Settings counters() override {
        Settings counters = {
            {"installed_bytes", fmt::format("{}", installed_bytes(parts_.brand, parts_.options))}};
        if (!warm_up_.empty()) counters["warm_up"] = warm_up_;
        return counters;
    }

    // Who creates topics is about to write: a server of our own is warmed up first.
    Status create_topics(std::uint32_t count) override {
        WALRUS_RETURN_IF_ERROR(explain(warm_up_once()));
        WALRUS_RETURN_IF_ERROR(explain(delete_leftovers()));
        std::vector<std::string> names;
        for (std::uint32_t i = topics_; i < count; ++i) names.push_back(topic_name(i));
        if (names.empty()) return {};
        const Settings config =
            walrus::compare::topic_config(parts_.brand, parts_.durability, parts_.options);
        WALRUS_RETURN_IF_ERROR(explain(admin_->create_topics(names, config)));
        topics_ = count;
        const auto live = admin_->topic_config(names.front());
        if (!live) return explain(live.error());
        return check_topic_config(parts_.brand, parts_.durability, *live);
    }

    Result<std::unique_ptr<harness::Producer>> producer(std::uint32_t) override {
        const Settings properties = producer_properties(parts_.options);
        if (producer_live_.empty()) {
            auto probe = make_rd_handle(RD_KAFKA_PRODUCER, properties);
            if (!probe) return std::move(probe).error();
            producer_live_ = live_properties(**probe, properties);
        }
        std::vector<std::string> names;
        for (std::uint32_t i = 0; i < topics_; ++i) names.push_back(topic_name(i));
        return make_kafka_producer(properties, names);
    }

    Result<std::unique_ptr<harness::Reader>> reader(std::uint32_t topic) override {
        auto reader = make_kafka_reader(consumer_properties(parts_.options), topic_name(topic));
        if (!reader) return explain(std::move(reader).error()).error();
        return reader;
    }

    std::vector<pid_t> processes() override {
        if (server_ != nullptr) return {server_->pid()};
        if (parts_.options.pid != 0) return {static_cast<pid_t>(parts_.options.pid)};
        return {};
    }

    Settings attachment() override {
        Settings settings = {{"address", parts_.options.address}};
        if (server_ != nullptr) settings["pid"] = fmt::format("{}", server_->pid());
        return settings;
    }

    harness::Nodes* nodes() override { return server_ == nullptr ? nullptr : this; }

    Status stop() override {
        admin_.reset();
        return server_ == nullptr ? Status() : server_->stop(kStopMs);
    }

private:
    // One server of ours is one node.
    std::uint32_t count() const override { return 1; }
    harness::NodeFacts facts(std::uint32_t) const override {
        return {.name = "n1",
                .pid = server_->pid(),
                .data = server_data_directory(parts_.brand, directory_),
                .log = directory_ + "/server.log",
                .address = parts_.options.address};
    }
    Status start(std::uint32_t) override {
        // The old one first: it may still have the port.
        server_->kill();
        auto server = restart_server(parts_.brand, machine_, parts_.options, directory_, ports_);
        if (!server) return std::move(server).error();
        server_ = std::move(*server);
        return {};
    }
    Status wait_ready(std::uint32_t, std::uint64_t timeout_ms) override {
        return wait_for_server(parts_.brand, *server_, ports_, timeout_ms);
    }
    Result<std::vector<std::uint32_t>> find(harness::Role role) override {
        if (role == harness::Role::kFollower) return std::vector<std::uint32_t>{};
        return std::vector<std::uint32_t>{0};
    }

    static void add(const char* prefix, const Settings& from, Settings& to) {
        for (const auto& [name, value] : from) to[prefix + name] = value;
    }
    static Settings described(const Result<Settings>& config) {
        return config ? *config : Settings{{"not told", config.error().message}};
    }

    std::string topic_name(std::uint32_t topic) const {
        return fmt::format("{}{:06}", parts_.topic_stem, topic);
    }

    Status warm_up_once() {
        if (server_ == nullptr || parts_.options.warm_up_ns == 0 || !warm_up_.empty()) return {};
        const auto report = warm_up(parts_.brand, parts_.options);
        if (!report) return report.error();
        warm_up_ = report->text();
        return {};
    }

    // Of earlier repetitions on the same server.
    Status delete_leftovers() {
        auto names = admin_->topics();
        if (!names) return std::move(names).error();
        std::erase_if(*names, [&](const std::string& name) {
            return !name.starts_with(kTopicPrefix) || name.starts_with(parts_.topic_stem);
        });
        return admin_->delete_topics(*names);
    }

    // A failure is explained by the server's end, where that is the reason.
    Status explain(Status status) const {
        if (status || server_ == nullptr) return status;
        const Status alive = server_->check_alive();
        if (alive) return status;
        return Error{status.error().code,
                     fmt::format("{}; {}", status.error().message, alive.error().message)};
    }

    Parts parts_;
    const KafkaParts& machine_;  // The driver's.
    std::string directory_;      // Of a server of our own.
    ServerPorts ports_;
    std::unique_ptr<ServerProcess> server_;  // Null: it is somebody else's.
    std::unique_ptr<KafkaAdmin> admin_;
    Settings producer_live_;
    std::string warm_up_;
    std::uint32_t topics_ = 0;
};

class KafkaDriver final : public harness::Driver {
public:
    KafkaDriver(Brand brand, KafkaParts parts) : brand_(brand), parts_(std::move(parts)) {}

    harness::Description describe() const override {
        if (brand_ == Brand::kWalrusd) {
            return {.name = "walrusd",
                    .version = fmt::format("{} ({})", kVersion, build_commit()),
                    .summary = "Walrus's server over Kafka's protocol",
                    .level = harness::Level::kServer};
        }
        const std::string version = kafka_version(parts_.libs);
        return {.name = "kafka",
                .version = version.empty() ? "unknown" : version,
                .summary = "a real Kafka broker, or any at `address`",
                .level = harness::Level::kServer};
    }

    Result<harness::Capabilities> capabilities(const Settings& settings) const override {
        const auto options = parse_kafka_options(brand_, parts_, settings);
        if (!options) return options.error();
        WALRUS_RETURN_IF_ERROR(check_parts(brand_, parts_, *options));
        return harness::Capabilities{
            .async_append = true,
            .read_back = true,
            .live_read = true,
            .max_topics = kMaxTopics,
            .durabilities = {Durability::kProcess, Durability::kOsInterval, Durability::kDisk}};
    }

    Result<std::unique_ptr<harness::System>> open(
        const harness::OpenRequest& request) const override {
        auto options = parse_kafka_options(brand_, parts_, request.settings);
        if (!options) return std::move(options).error();
        auto system =
            std::make_unique<KafkaSystem>(Parts{.brand = brand_,
                                                .durability = request.durability,
                                                .options = std::move(*options),
                                                .topic_stem = topic_stem(request.directory)},
                                          parts_);
        WALRUS_RETURN_IF_ERROR(system->open(request.directory));
        return std::unique_ptr<harness::System>(std::move(system));
    }

private:
    const Brand brand_;
    const KafkaParts parts_;
};

}  // namespace

KafkaParts find_kafka_parts(const std::string& path) {
    return {.java = find_program("java", path),
            .libs = WALRUS_KAFKA_LIBS,
            .walrusd = WALRUS_WALRUSD_PATH};
}

std::unique_ptr<harness::Driver> make_kafka_driver(const KafkaParts& parts) {
    return std::make_unique<KafkaDriver>(Brand::kKafka, parts);
}

std::unique_ptr<harness::Driver> make_walrusd_driver(const KafkaParts& parts) {
    return std::make_unique<KafkaDriver>(Brand::kWalrusd, parts);
}

}  // namespace walrus::compare

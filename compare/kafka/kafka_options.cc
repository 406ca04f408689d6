#include "compare/kafka/kafka_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

#include "harness/driver/settings.h"

namespace walrus::compare {
namespace {

using harness::Durability;
using harness::Settings;

constexpr std::uint64_t kWarmUpNs = 20'000'000'000;
constexpr std::array<std::string_view, 5> kCompressions = {"none", "gzip", "snappy", "lz4", "zstd"};
// Kafka's way to say never.
constexpr std::string_view kNever = "9223372036854775807";

std::string value_of(const Settings& settings, const std::string& name) {
    const auto found = settings.find(name);
    return found == settings.end() ? "" : found->second;
}

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    std::istringstream stream(text);
    for (std::string word; stream >> word;) words.push_back(word);
    return words;
}

Error not_of_class(Durability durability, const std::string& name, const std::string& value) {
    return Error{Errc::kUnsupported,
                 fmt::format("the topic has {} = \"{}\", which is not class {}: it was created by "
                             "somebody else, or the server does not know the setting",
                             name, value, harness::durability_name(durability))};
}

}  // namespace

Result<KafkaOptions> parse_kafka_options(Brand brand, const KafkaParts& parts,
                                         const Settings& settings) {
    harness::SettingsReader reader(settings);
    KafkaOptions options;
    options.address = reader.text("address", "");
    options.pid = reader.number("pid", 0);
    if (brand == Brand::kKafka) {
        options.libs = reader.text("libs", parts.libs);
        options.heap_initial = reader.text("heap_initial", "512m");
        options.heap = reader.text("heap", "1g");
    } else {
        options.binary = reader.text("binary", parts.walrusd);
        options.arguments = words_of(reader.text("arguments", ""));
    }
    options.warm_up_ns = reader.duration_ns("warm_up", kWarmUpNs);
    options.linger_ms = reader.number("linger_ms", 0);
    options.batch_bytes = reader.bytes("batch_bytes", 1'000'000);
    options.batch_records = reader.number("batch_records", 10'000);
    options.compression = reader.text("compression", "none");
    options.sync_interval_ms = reader.number("sync_interval_ms", 200);
    WALRUS_RETURN_IF_ERROR(reader.finish());
    if (std::ranges::find(kCompressions, options.compression) == kCompressions.end()) {
        return Error{Errc::kInvalidArgument,
                     fmt::format("setting compression: unknown value \"{}\"{}", options.compression,
                                 harness::did_you_mean(options.compression, kCompressions))};
    }
    if (options.address.empty() && options.pid != 0) {
        return Error{Errc::kInvalidArgument,
                     "setting pid: is of the server at `address`: set both"};
    }
    return options;
}

Settings producer_properties(const KafkaOptions& options) {
    return {{"bootstrap.servers", options.address},
            {"acks", "all"},
            {"enable.idempotence", "true"},
            {"linger.ms", fmt::format("{}", options.linger_ms)},
            {"batch.size", fmt::format("{}", options.batch_bytes)},
            {"batch.num.messages", fmt::format("{}", options.batch_records)},
            {"compression.type", options.compression},
            // Room for the largest window; its default of 100,000 would be a limit of its own.
            {"queue.buffering.max.messages", "2000000"},
            // A dead server must end a repetition, not hang it.
            {"message.timeout.ms", "30000"},
            // A server that comes back is found again soon; the default waits for up to 10 s.
            {"reconnect.backoff.ms", "50"},
            {"reconnect.backoff.max.ms", "500"},
            {"socket.nagle.disable", "true"},
            {"log_level", "3"}};
}

Settings consumer_properties(const KafkaOptions& options) {
    return {{"bootstrap.servers", options.address},
            {"enable.auto.commit", "false"},
            {"enable.auto.offset.store", "false"},
            // librdkafka 2.0 pauses a whole second when its queue is full, which no queue of a
            // fast reader should ever be.
            {"queued.min.messages", "10000000"},
            {"queued.max.messages.kbytes", "1048576"},
            {"fetch.message.max.bytes", "4194304"},
            {"fetch.wait.max.ms", "100"},
            {"reconnect.backoff.ms", "50"},
            {"reconnect.backoff.max.ms", "500"},
            {"socket.nagle.disable", "true"},
            {"log_level", "3"}};
}

Settings topic_config(Brand brand, Durability durability, const KafkaOptions& options) {
    switch (durability) {
        case Durability::kDisk: return {{"flush.messages", "1"}};
        case Durability::kOsInterval:
            return {{"flush.ms", fmt::format("{}", options.sync_interval_ms)}};
        case Durability::kNone:
        case Durability::kProcess:
        case Durability::kQuorumDisk: break;
    }
    // Kafka never syncs unless it is told to; Walrus does.
    if (brand == Brand::kKafka) return {};
    return {{"walrus.durability", std::string(harness::durability_name(durability))}};
}

Status check_topic_config(Brand brand, Durability durability, const Settings& live) {
    const std::string messages = value_of(live, "flush.messages");
    const std::string ms = value_of(live, "flush.ms");
    if (durability == Durability::kDisk) {
        if (messages != "1") return not_of_class(durability, "flush.messages", messages);
        return {};
    }
    if (durability == Durability::kOsInterval) {
        if (ms.empty() || ms == kNever) return not_of_class(durability, "flush.ms", ms);
        return {};
    }
    if (brand == Brand::kWalrusd) {
        const std::string own = value_of(live, "walrus.durability");
        if (own == harness::durability_name(durability)) return {};
        return not_of_class(durability, "walrus.durability", own);
    }
    if (messages != kNever) return not_of_class(durability, "flush.messages", messages);
    if (ms != kNever) return not_of_class(durability, "flush.ms", ms);
    return {};
}

}  // namespace walrus::compare

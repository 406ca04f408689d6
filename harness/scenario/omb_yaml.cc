#include "harness/scenario/omb_yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "harness/driver/settings.h"
#include "harness/scenario/toml_reader.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kMany = 1'000'000;
constexpr std::uint64_t kLeastMessageBytes = 40;  // workload/payload.h: the header in each record.
constexpr std::uint64_t kMostMessageBytes = 64 << 20;
constexpr std::uint64_t kMostRate = 1'000'000'000;
constexpr std::uint64_t kMostMinutes = 100'000;
// As many as that benchmark's own producers allow by default, or thereabouts.
constexpr std::uint64_t kOutstanding = 1'000;
constexpr const char* kSearchBound = "100ms";

// All keys of its Workload class.
constexpr std::array<std::string_view, 17> kKeys = {"name",
                                                    "topics",
                                                    "partitionsPerTopic",
                                                    "keyDistributor",
                                                    "messageSize",
                                                    "useRandomizedPayloads",
                                                    "randomBytesRatio",
                                                    "randomizedPayloadPoolSize",
                                                    "payloadFile",
                                                    "subscriptionsPerTopic",
                                                    "producersPerTopic",
                                                    "consumerPerSubscription",
                                                    "producerRate",
                                                    "consumerBacklogSizeGB",
                                                    "backlogDrainRatio",
                                                    "testDurationMinutes",
                                                    "warmupDurationMinutes"};

struct OmbWorkload {
    std::string name;
    std::uint64_t topics = 0;  // With all their partitions: one of ours each.
    std::uint64_t message_bytes = 0;
    std::uint64_t producers = 0;
    std::uint64_t subscriptions = 0;
    std::uint64_t rate_per_s = 0;
    std::uint64_t backlog_gib = 0;
    std::uint64_t minutes = 0;
    std::uint64_t warmup_minutes = 0;
};

class OmbReader {
public:
    OmbReader(const YAML::Node& root, Problems& problems) : root_(root), problems_(problems) {}

    OmbWorkload read() {
        check_keys();
        OmbWorkload workload;
        workload.name = text("name");
        const std::uint64_t topics = number("topics", {}, 1, kMany);
        workload.topics = topics * number("partitionsPerTopic", 1, 1, kMany);
        workload.message_bytes = number("messageSize", {}, kLeastMessageBytes, kMostMessageBytes);
        workload.producers = topics * number("producersPerTopic", {}, 1, kMany);
        workload.subscriptions = number("subscriptionsPerTopic", 0, 0, kMany);
        workload.rate_per_s = number("producerRate", {}, 0, kMostRate);
        workload.backlog_gib = number("consumerBacklogSizeGB", 0, 0, kMany);
        workload.minutes = number("testDurationMinutes", {}, 1, kMostMinutes);
        workload.warmup_minutes = number("warmupDurationMinutes", 1, 0, kMostMinutes);
        if (workload.backlog_gib > 0 && workload.subscriptions == 0) {
            problem("consumerBacklogSizeGB", "needs subscriptionsPerTopic: who drains it");
        }
        if (workload.backlog_gib > 0 && workload.rate_per_s == 0) {
            problem("consumerBacklogSizeGB", "needs producerRate: how fast writing goes on");
        }
        return workload;
    }

    std::string text(const char* key) const {
        const YAML::Node node = root_[key];
        return node && node.IsScalar() ? node.Scalar() : "";
    }

private:
    void check_keys() {
        for (const auto& entry : root_) {
            const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
            if (std::ranges::find(kKeys, key) != kKeys.end()) continue;
            problems_.add(line_of(entry.first),
                          fmt::format("unknown key \"{}\"{}", key, did_you_mean(key, kKeys)));
        }
    }

    // Without a fallback the key is needed.
    std::uint64_t number(const char* key, std::optional<std::uint64_t> fallback,
                         std::uint64_t least, std::uint64_t most) {
        const YAML::Node node = root_[key];
        if (!node) {
            if (!fallback) problems_.add(line_of(root_), fmt::format("{}: is needed", key));
            return fallback.value_or(least);
        }
        std::int64_t value = 0;
        if (!YAML::convert<std::int64_t>::decode(node, value)) {
            problem(key, "must be a whole number");
        } else if (value < 0 || static_cast<std::uint64_t>(value) < least ||
                   static_cast<std::uint64_t>(value) > most) {
            problem(key, fmt::format("{} is not between {} and {}", value, least, most));
        } else {
            return static_cast<std::uint64_t>(value);
        }
        return least;
    }

    void problem(const char* key, const std::string& what) {
        problems_.add(line_of(root_[key]), fmt::format("{}: {}", key, what));
    }

    static std::uint64_t line_of(const YAML::Node& node) {
        return static_cast<std::uint64_t>(std::max(0, node.Mark().line)) + 1;
    }

    const YAML::Node& root_;
    Problems& problems_;
};

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
    return out + '"';
}

std::string row_of(const OmbWorkload& workload) {
    if (workload.rate_per_s == 0) {
        return fmt::format("measure = \"max-rate\"\np99 = \"{}\"\n", kSearchBound);
    }
    if (workload.backlog_gib > 0) return "measure = \"drain\"\n";
    return workload.subscriptions > 0 ? "measure = \"tail\"\n" : "measure = \"append\"\n";
}

std::string to_toml(const OmbWorkload& workload, const std::string& path) {
    const std::string stem = std::filesystem::path(path).stem();
    std::string toml = fmt::format("name = {}\ntitle = {}\nrepetitions = 1\n", quoted(stem),
                                   quoted(workload.name.empty() ? stem : workload.name));
    toml += fmt::format(
        "[workload]\nload = \"open\"\nwriters = {}\noutstanding = {}\ntopics = {}\n"
        "payload_bytes = {}\nwarmup = \"{}m\"\nduration = \"{}m\"\n",
        workload.producers, kOutstanding, workload.topics, workload.message_bytes,
        workload.warmup_minutes, workload.minutes);
    if (workload.rate_per_s > 0) {
        toml += fmt::format("rate_per_s = {}\n", workload.rate_per_s);
        if (workload.subscriptions > 0) {
            toml += fmt::format("readers = {}\n", workload.subscriptions);
        }
    }
    if (workload.backlog_gib > 0) {
        // That benchmark counts the backlog of all subscriptions together.
        constexpr std::uint64_t kGib = 1 << 30;
        toml += fmt::format("max_bytes = \"{}\"\nunder_load = true\n",
                            workload.backlog_gib * kGib / workload.subscriptions);
    }
    toml += "[[system]]\nname = \"walrus\"\ndriver = \"walrus\"\n";
    toml += fmt::format("[[row]]\nname = {}\ndurability = \"disk\"\nsystems = [\"walrus\"]\n{}",
                        quoted(workload.name.empty() ? stem : workload.name), row_of(workload));
    return toml;
}

std::vector<std::string> notes_of(const OmbWorkload& workload, const OmbReader& reader) {
    std::vector<std::string> notes = {
        "from an OpenMessaging Benchmark workload: a partition is a topic here, a subscription is "
        "one reader",
        fmt::format("at most {} appends in flight per producer", kOutstanding)};
    if (workload.rate_per_s == 0) {
        notes.push_back(
            fmt::format("producerRate 0: the highest rate with a p99 of {} is searched; "
                        "consumers do not run meanwhile",
                        kSearchBound));
    }
    const std::string keys = reader.text("keyDistributor");
    if (!keys.empty() && keys != "NO_KEY") {
        notes.push_back(fmt::format("keyDistributor {}: records have no key here", keys));
    }
    if (!reader.text("payloadFile").empty() || reader.text("useRandomizedPayloads") == "true") {
        notes.emplace_back("payloads are always random bytes from the seed, with a header");
    }
    return notes;
}

}  // namespace

Result<OmbScenario> read_omb_workload(std::string_view text, const std::string& path) {
    Problems problems(path);
    try {
        const YAML::Node root = YAML::Load(std::string(text));
        if (!root.IsMap()) {
            problems.add(1, "must be a table of key: value lines");
            return problems.error();
        }
        OmbReader reader(root, problems);
        const OmbWorkload workload = reader.read();
        if (!problems.empty()) return problems.error();
        return OmbScenario{.toml = to_toml(workload, path), .notes = notes_of(workload, reader)};
    } catch (const YAML::Exception& error) {
        problems.add(static_cast<std::uint64_t>(std::max(0, error.mark.line)) + 1, error.msg);
        return problems.error();
    }
}

}  // namespace walrus::harness

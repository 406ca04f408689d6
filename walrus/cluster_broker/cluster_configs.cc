#include "walrus/cluster_broker/cluster_configs.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace walrus::cluster_broker {

using broker::ConfigEntry;

struct ClusterConfigs::Draft {
    cluster::TopicConfig config;
    std::optional<std::uint32_t> ack_quorum = {};
    std::optional<std::uint32_t> min_in_sync = {};
};

namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::string_view kNever = "9223372036854775807";
constexpr std::string_view kReplicationFactor = "walrus.replication.factor";
constexpr std::uint32_t kUsualReplicas = 3;
constexpr std::uint64_t kWeekMs = 604'800'000;
constexpr auto kReplicas = static_cast<std::int64_t>(cluster::kMaxReplicas);

constexpr std::string_view kMinInSync = "min.insync.replicas";
constexpr std::string_view kAckQuorum = "walrus.ack.quorum";
constexpr std::string_view kDurability = "walrus.durability";
constexpr std::string_view kMessageBytes = "max.message.bytes";

// What a value must be: one of the words, or a number in a range; and why.
struct Rule {
    std::string_view name;
    std::vector<std::string_view> words = {};
    std::int64_t least = 0;
    std::int64_t most = kMax;
    std::string_view hint = {};
};

// Every known name, sorted.
const std::vector<Rule>& rules() {
    static const std::vector<Rule> table = {
        {"cleanup.policy", {"delete"}, 0, 0, "compaction is not supported"},
        {"compression.type", {"producer"}, 0, 0, "batches are stored as they came"},
        {"flush.messages", {}, 1},
        {"flush.ms", {}, 0},
        {kMessageBytes, {}, 0},
        {"message.timestamp.type", {"CreateTime"}, 0, 0, "a cluster does not change batches"},
        {kMinInSync, {}, 1, kReplicas},
        {"retention.bytes", {}, -1},
        {"retention.ms", {}, -1},
        {"segment.bytes", {}, 1},
        {"segment.ms", {}, -1},
        {kAckQuorum, {}, 1, kReplicas},
        {kDurability, {"disk", "os-interval", "process"}, 0, 0},
        {"walrus.reclaim.read", {"false", "true"}, 0, 0},
        {"walrus.retention.records", {}, -1},
        {"walrus.segment.records", {}, 1, std::int64_t{1} << 40},
    };
    return table;
}

std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (trouble != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string words_of(const Rule& rule) {
    std::string words;
    for (const std::string_view word : rule.words)
        words += (words.empty() ? "" : ", ") + std::string(word);
    return words;
}

Status check(const ConfigEntry& entry) {
    const auto bad = [&](const std::string& what) {
        return Error{Errc::kInvalidArgument, "config " + entry.name + ": " + what};
    };
    const auto rule = std::ranges::find(rules(), entry.name, &Rule::name);
    if (rule == rules().end()) {
        std::string known;
        for (const Rule& each : rules())
            known += (known.empty() ? "" : ", ") + std::string(each.name);
        return bad("not known; the known ones are " + known);
    }
    if (entry.is_default) return {};
    const std::string hint = rule->hint.empty() ? "" : " (" + std::string(rule->hint) + ")";
    if (!rule->words.empty()) {
        if (std::ranges::find(rule->words, entry.value) != rule->words.end()) return {};
        return bad("'" + entry.value + "' must be one of " + words_of(*rule) + hint);
    }
    const std::optional<std::int64_t> value = number(entry.value);
    if (value && *value >= rule->least && *value <= rule->most) return {};
    return bad("'" + entry.value + "' must be a number from " + std::to_string(rule->least) +
               (rule->most == kMax ? "" : " to " + std::to_string(rule->most)) + hint);
}

// Kafka's -1 is our 0, no limit; 0 is the least there is.
std::uint64_t limit(std::int64_t value) {
    if (value < 0) return 0;
    return value == 0 ? 1 : static_cast<std::uint64_t>(value);
}
std::string limit_text(std::uint64_t limit) {
    return limit == 0 ? "-1" : std::to_string(limit);
}

cluster::Durability parse_durability(std::string_view word) {
    if (word == "process") return cluster::Durability::kProcess;
    return word == "os-interval" ? cluster::Durability::kOsInterval : cluster::Durability::kDisk;
}
std::string durability_text(cluster::Durability durability) {
    switch (durability) {
        case cluster::Durability::kProcess: return "process";
        case cluster::Durability::kOsInterval: return "os-interval";
        case cluster::Durability::kDisk: return "disk";
    }
    return "disk";
}

// Where a number that is not otherwise looked at belongs, or null.
std::uint64_t* limit_field(cluster::TopicConfig& config, std::string_view name) {
    if (name == "retention.bytes") return &config.retention.max_bytes;
    if (name == "retention.ms") return &config.retention.max_age_ms;
    if (name == "walrus.retention.records") return &config.retention.max_records;
    if (name == "segment.bytes") return &config.limits.max_bytes;
    if (name == "segment.ms") return &config.limits.max_age_ms;
    if (name == "walrus.segment.records") return &config.limits.max_records;
    return nullptr;
}

}  // namespace

Result<ClusterConfigs> ClusterConfigs::make(std::uint64_t max_batch_bytes,
                                            const std::vector<ConfigEntry>& changed) {
    ClusterConfigs configs(max_batch_bytes);
    for (const ConfigEntry& entry : changed) {
        if (entry.name != kReplicationFactor) {
            configs.changed_.push_back(entry);
            continue;
        }
        const std::int64_t value = number(entry.value).value_or(0);
        if (value < 1 || value > kReplicas)
            return Error{Errc::kInvalidArgument, "config " + entry.name + ": '" + entry.value +
                                                     "' must be a number from 1 to " +
                                                     std::to_string(kReplicas)};
        configs.replication_factor_ = static_cast<std::uint32_t>(value);
    }
    const auto tried = configs.defaults(static_cast<std::uint32_t>(kReplicas));
    if (!tried) return tried.error();
    return configs;
}

Status ClusterConfigs::set(Draft& draft, const ConfigEntry& entry) const {
    WALRUS_RETURN_IF_ERROR(check(entry));
    if (entry.is_default) return {};
    const std::int64_t value = number(entry.value).value_or(0);
    cluster::TopicConfig& config = draft.config;
    if (std::uint64_t* field = limit_field(config, entry.name)) *field = limit(value);
    if (entry.name == kMinInSync) draft.min_in_sync = static_cast<std::uint32_t>(value);
    if (entry.name == kAckQuorum) draft.ack_quorum = static_cast<std::uint32_t>(value);
    if (entry.name == kDurability) config.durability = parse_durability(entry.value);
    if (entry.name == "walrus.reclaim.read") config.retention.reclaim_read = entry.value == "true";
    if (entry.name.starts_with("flush.") && entry.value != kNever)
        config.durability = cluster::Durability::kDisk;
    if (entry.name == kMessageBytes && entry.value != std::to_string(max_batch_bytes_))
        return Error{Errc::kInvalidArgument,
                     "config max.message.bytes: it is of the nodes and not of a topic, and is " +
                         std::to_string(max_batch_bytes_)};
    return {};
}

Result<cluster::TopicConfig> ClusterConfigs::finish(const Draft& draft) const {
    cluster::TopicConfig config = draft.config;
    const std::uint32_t majority = config.replication_factor / 2 + 1;
    config.ack_quorum =
        draft.ack_quorum.value_or(std::max(majority, draft.min_in_sync.value_or(0)));
    config.min_ack = draft.min_in_sync.value_or(std::min(majority, config.ack_quorum));
    if (const char* fault = cluster::fault_of(config))
        return Error{Errc::kInvalidArgument,
                     std::string("topic: ") + fault + "; it has replication factor " +
                         std::to_string(config.replication_factor) + ", " +
                         std::string(kAckQuorum) + " " + std::to_string(config.ack_quorum) + ", " +
                         std::string(kMinInSync) + " " + std::to_string(config.min_ack)};
    return config;
}

// Defaults that ask for more copies than a topic has are cut to those.
Result<cluster::TopicConfig> ClusterConfigs::defaults(std::uint32_t replication_factor) const {
    Draft draft;
    draft.config.replication_factor = replication_factor;
    draft.config.retention.max_age_ms = kWeekMs;
    for (const ConfigEntry& entry : changed_) WALRUS_RETURN_IF_ERROR(set(draft, entry));
    if (draft.ack_quorum) draft.ack_quorum = std::min(*draft.ack_quorum, replication_factor);
    if (draft.min_in_sync) draft.min_in_sync = std::min(*draft.min_in_sync, replication_factor);
    return finish(draft);
}

Result<cluster::TopicConfig> ClusterConfigs::of_new_topic(
    std::uint32_t replication_factor, std::uint32_t nodes,
    const std::vector<ConfigEntry>& configs) const {
    if (replication_factor == 0 && replication_factor_ != 0)
        replication_factor = std::min(replication_factor_, std::max(nodes, 1U));
    if (replication_factor == 0) replication_factor = std::min(kUsualReplicas, std::max(nodes, 1U));
    if (replication_factor > nodes)
        return Error{Errc::kInvalidArgument,
                     "topic: replication factor " + std::to_string(replication_factor) +
                         ", but the cluster has " + std::to_string(nodes) + " nodes"};
    Result<cluster::TopicConfig> config = defaults(replication_factor);
    if (!config) return config;
    Draft draft{.config = *config};
    const auto names = [&](std::string_view name) {
        return std::ranges::find(changed_, name, &ConfigEntry::name) != changed_.end();
    };
    if (names(kAckQuorum)) draft.ack_quorum = config->ack_quorum;
    if (names(kMinInSync)) draft.min_in_sync = config->min_ack;
    for (const ConfigEntry& entry : configs) WALRUS_RETURN_IF_ERROR(set(draft, entry));
    return finish(draft);
}

Result<cluster::TopicConfig> ClusterConfigs::changed(
    const cluster::TopicConfig& config, const std::vector<ConfigEntry>& changes) const {
    const auto standard = defaults(config.replication_factor);
    if (!standard) return standard.error();
    Draft draft{.config = config, .ack_quorum = config.ack_quorum, .min_in_sync = config.min_ack};
    for (const ConfigEntry& change : changes) {
        ConfigEntry entry = change;
        if (entry.is_default) {
            WALRUS_RETURN_IF_ERROR(check(entry));
            entry.value = value_of(*standard, entry.name);
            entry.is_default = false;
        }
        WALRUS_RETURN_IF_ERROR(set(draft, entry));
    }
    const auto names = [&](std::string_view name) {
        return std::ranges::find(changes, name, &ConfigEntry::name) != changes.end();
    };
    // Who asks for more copies that count means that so many make a batch durable, too.
    if (names(kMinInSync) && !names(kAckQuorum))
        draft.ack_quorum = std::max(config.ack_quorum, *draft.min_in_sync);
    return finish(draft);
}

std::string ClusterConfigs::value_of(const cluster::TopicConfig& config,
                                     std::string_view name) const {
    if (name == "segment.bytes" || name == "walrus.segment.records" || name == "segment.ms" ||
        name.starts_with("retention.") || name == "walrus.retention.records") {
        cluster::TopicConfig copy = config;
        return limit_text(*limit_field(copy, name));
    }
    if (name == "flush.messages" || name == "flush.ms") return std::string(kNever);
    if (name == kMessageBytes) return std::to_string(max_batch_bytes_);
    if (name == kMinInSync) return std::to_string(config.min_ack);
    if (name == kAckQuorum) return std::to_string(config.ack_quorum);
    if (name == kDurability) return durability_text(config.durability);
    if (name == "walrus.reclaim.read") return config.retention.reclaim_read ? "true" : "false";
    const auto rule = std::ranges::find(rules(), name, &Rule::name);
    return rule == rules().end() || rule->words.empty() ? "" : std::string(rule->words.front());
}

std::vector<ConfigEntry> ClusterConfigs::describe(const cluster::TopicConfig& config) const {
    const auto standard = defaults(config.replication_factor);
    std::vector<ConfigEntry> all;
    for (const Rule& rule : rules()) {
        ConfigEntry& entry = all.emplace_back();
        entry.name = rule.name;
        entry.value = value_of(config, rule.name);
        entry.is_default = standard && value_of(*standard, rule.name) == entry.value;
    }
    return all;
}

}  // namespace walrus::cluster_broker

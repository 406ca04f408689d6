#include "walrus/broker/topic_config.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>

namespace walrus::broker {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::string_view kNever = "9223372036854775807";
constexpr std::size_t kMaxName = 249;

constexpr std::string_view kMessageBytes = "max.message.bytes";
constexpr std::string_view kFlushMessages = "flush.messages";
constexpr std::string_view kFlushMs = "flush.ms";
constexpr std::string_view kDurability = "walrus.durability";
constexpr std::string_view kTimestampType = "message.timestamp.type";
constexpr std::string_view kRetentionMs = "retention.ms";
constexpr std::string_view kRetentionBytes = "retention.bytes";

std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (trouble != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

const ConfigEntry* find(const std::vector<ConfigEntry>& configs, std::string_view name) {
    const auto it = std::ranges::find(configs, name, &ConfigEntry::name);
    return it == configs.end() ? nullptr : &*it;
}

// What a value must be: one of the words, or a number in a range.
struct Rule {
    std::string_view name;
    std::vector<std::string_view> words;
    std::int64_t least = 0;
    std::int64_t most = kMax;
    std::string_view hint;
};

Rule rule_of(std::string_view name, std::uint64_t max_batch_bytes) {
    if (name == "cleanup.policy") return {name, {"delete"}, 0, 0, "compaction is not supported"};
    if (name == "compression.type")
        return {name, {"producer"}, 0, 0, "batches are stored as they came"};
    if (name == kFlushMessages) return {name, {}, 1, kMax, ""};
    if (name == kMessageBytes)
        return {name, {}, 0, static_cast<std::int64_t>(max_batch_bytes), "raise the ring's size"};
    if (name == kTimestampType) return {name, {"CreateTime", "LogAppendTime"}, 0, 0, ""};
    if (name == "min.insync.replicas") return {name, {}, 1, 1, "there is one replica"};
    if (name == kRetentionMs || name == kRetentionBytes) return {name, {}, -1, kMax, ""};
    if (name == "segment.bytes") return {name, {}, 14, kMax, ""};
    if (name == kDurability) return {name, {"disk", "os-interval", "process"}, 0, 0, ""};
    return {name, {}, 0, kMax, ""};
}

std::uint64_t limit_of(const ConfigEntry& entry) {
    const std::int64_t value = number(entry.value).value_or(-1);
    if (value < 0) return 0;                                    // No limit, which is 0 in the log,
    return value == 0 ? 1 : static_cast<std::uint64_t>(value);  // where 1 is the smallest.
}

}  // namespace

Result<ConfigDefaults> ConfigDefaults::make(const Limits& limits,
                                            const std::vector<ConfigEntry>& changed) {
    ConfigDefaults defaults(limits);
    const std::uint64_t message_bytes =
        std::min<std::uint64_t>(1'048'588, limits.max_batch_bytes);  // As Kafka has it.
    defaults.builtin_ = {
        {"cleanup.policy", "delete", true},
        {"compression.type", "producer", true},
        {std::string(kFlushMessages), std::string(kNever), true},
        {std::string(kFlushMs), std::string(kNever), true},
        {std::string(kMessageBytes), std::to_string(message_bytes), true},
        {std::string(kTimestampType), "CreateTime", true},
        {"min.insync.replicas", "1", true},
        {std::string(kRetentionBytes), "-1", true},
        {std::string(kRetentionMs), "604800000", true},
        {"segment.bytes", std::to_string(limits.file_size), true},
        {std::string(kDurability), "disk", true},
    };
    WALRUS_RETURN_IF_ERROR(defaults.check(changed));
    defaults.changed_ = changed;
    return defaults;
}

Status ConfigDefaults::check_one(const ConfigEntry& entry) const {
    const auto bad = [&](const std::string& what) {
        return Error{Errc::kInvalidArgument, "config " + entry.name + ": " + what};
    };
    if (find(builtin_, entry.name) == nullptr) {
        std::string known;
        for (const ConfigEntry& each : builtin_) known += (known.empty() ? "" : ", ") + each.name;
        return bad("not known; the known ones are " + known);
    }
    if (entry.is_default) return {};
    const Rule rule = rule_of(entry.name, limits_.max_batch_bytes);
    const std::string hint = rule.hint.empty() ? "" : " (" + std::string(rule.hint) + ")";
    if (!rule.words.empty()) {
        if (std::ranges::find(rule.words, entry.value) != rule.words.end()) return {};
        std::string words;
        for (const std::string_view word : rule.words)
            words += (words.empty() ? "" : ", ") + std::string(word);
        return bad("'" + entry.value + "' must be one of " + words + hint);
    }
    const std::optional<std::int64_t> value = number(entry.value);
    if (value && *value >= rule.least && *value <= rule.most) return {};
    return bad("'" + entry.value + "' must be a number from " + std::to_string(rule.least) +
               (rule.most == kMax ? "" : " to " + std::to_string(rule.most)) + hint);
}

Status ConfigDefaults::check(const std::vector<ConfigEntry>& configs) const {
    for (const ConfigEntry& entry : configs) WALRUS_RETURN_IF_ERROR(check_one(entry));
    return {};
}

wal::DurabilityClass ConfigDefaults::durability(const std::vector<ConfigEntry>& configs) const {
    for (const auto* level : {&configs, &changed_}) {
        if (const ConfigEntry* entry = find(*level, kDurability))
            return wal::parse_durability_class(entry->value).value();
        const ConfigEntry* messages = find(*level, kFlushMessages);
        if (messages != nullptr && messages->value != kNever) return wal::DurabilityClass::kDisk;
        const ConfigEntry* ms = find(*level, kFlushMs);
        if (ms != nullptr && ms->value != kNever) {
            const auto interval = static_cast<std::int64_t>(limits_.sync_interval_ms);
            return *number(ms->value) >= interval ? wal::DurabilityClass::kOsInterval
                                                  : wal::DurabilityClass::kDisk;
        }
    }
    return wal::DurabilityClass::kDisk;
}

TopicConfig ConfigDefaults::effective(const std::vector<ConfigEntry>& configs) const {
    const std::vector<ConfigEntry> all = describe(configs);
    TopicConfig config;
    config.durability = durability(configs);
    config.max_message_bytes = static_cast<std::uint64_t>(*number(find(all, kMessageBytes)->value));
    config.append_time = find(all, kTimestampType)->value == "LogAppendTime";
    config.retention.max_age_ms = limit_of(*find(all, kRetentionMs));
    config.retention.max_bytes = limit_of(*find(all, kRetentionBytes));
    return config;
}

std::vector<ConfigEntry> ConfigDefaults::describe(const std::vector<ConfigEntry>& configs) const {
    std::vector<ConfigEntry> all = builtin_;
    for (ConfigEntry& entry : all) {
        if (const ConfigEntry* changed = find(changed_, entry.name)) entry.value = changed->value;
        if (const ConfigEntry* set = find(configs, entry.name)) {
            entry.value = set->value;
            entry.is_default = false;
        } else if (entry.name == kDurability) {
            entry.value = wal::durability_class_name(durability(configs));
        }
    }
    return all;
}

std::vector<ConfigEntry> merge_configs(std::vector<ConfigEntry> configs,
                                       const std::vector<ConfigEntry>& changes) {
    for (const ConfigEntry& change : changes) {
        std::erase_if(configs, [&](const ConfigEntry& entry) { return entry.name == change.name; });
        if (!change.is_default) configs.push_back(change);
    }
    std::ranges::sort(configs, {}, &ConfigEntry::name);
    return configs;
}

Status check_topic_name(std::string_view name) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    };
    if (!name.empty() && name.size() <= kMaxName && name != "." && name != ".." &&
        std::ranges::all_of(name, allowed))
        return {};
    return Error{Errc::kInvalidArgument,
                 "topic name: must be 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-', and not '.' or "
                 "'..'"};
}

}  // namespace walrus::broker

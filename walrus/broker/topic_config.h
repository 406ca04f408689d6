// Topic configs: Kafka's names and values, what they mean here, and one name of our own.
//
//   cleanup.policy          delete
//   compression.type        producer: batches are stored as they came
//   flush.messages          any number: class disk, which is at least as safe
//   flush.ms                class os-interval, or disk if the broker syncs less often than that
//   max.message.bytes       of one batch, as stored
//   message.timestamp.type  CreateTime, LogAppendTime
//   min.insync.replicas     1, as there is one
//   retention.bytes, retention.ms   -1: no limit.  Whole files go, so more is kept
//   segment.bytes           accepted; files are of one size for all topics of a class
//   walrus.durability       disk, os-interval, process; wins over flush.*
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/base/result.h"
#include "walrus/broker/types.h"
#include "walrus/wal/options.h"

namespace walrus::broker {

// What a topic's configs come to.
struct TopicConfig {
    wal::DurabilityClass durability = wal::DurabilityClass::kDisk;
    std::uint64_t max_message_bytes = 0;
    bool append_time = false;
    wal::Retention retention;
};

// The known names with the values of topics that do not set them.
class ConfigDefaults {
public:
    struct Limits {
        std::uint64_t max_batch_bytes = 0;  // That the log takes.
        std::uint64_t sync_interval_ms = 0;
        std::uint64_t file_size = 0;
    };
    // `changed` are the broker's own defaults.  kInvalidArgument.
    static Result<ConfigDefaults> make(const Limits& limits,
                                       const std::vector<ConfigEntry>& changed);

    // kInvalidArgument: an unknown name or an impossible value.
    Status check(const std::vector<ConfigEntry>& configs) const;
    // `configs` must have passed check().
    TopicConfig effective(const std::vector<ConfigEntry>& configs) const;
    // Every known name, sorted, with the topic's value or the default.
    std::vector<ConfigEntry> describe(const std::vector<ConfigEntry>& configs) const;

private:
    explicit ConfigDefaults(const Limits& limits) : limits_(limits) {}

    Status check_one(const ConfigEntry& entry) const;
    wal::DurabilityClass durability(const std::vector<ConfigEntry>& configs) const;

    Limits limits_;
    std::vector<ConfigEntry> builtin_;  // Every known name, sorted.
    std::vector<ConfigEntry> changed_;  // By the broker's options.
};

// `configs` with `changes`; one that is_default goes back to the default.
std::vector<ConfigEntry> merge_configs(std::vector<ConfigEntry> configs,
                                       const std::vector<ConfigEntry>& changes);

// Kafka's rule: 1 to 249 of [a-zA-Z0-9._-], not "." or "..".
Status check_topic_name(std::string_view name);

}  // namespace walrus::broker

// Config: what a walrusd is told, by whom, and how it is checked.
//
// Defaults, then the file, then the environment, then flags; a later one wins.  A setting has one
// name everywhere: node_id in the file, WALRUS_NODE_ID in the environment, --node-id as a flag.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/base/log.h"
#include "walrus/base/result.h"
#include "walrus/broker/types.h"
#include "walrus/wal/options.h"

namespace walrus::node {

enum class LogFormat : std::uint8_t { kLogfmt, kJson };

// A port, 0 for any free one, or nothing: this door stays shut.
using Port = std::optional<std::uint16_t>;

struct Config {
    std::uint32_t node_id = 1;
    std::string data_dir = "./data";

    std::string client_host = "127.0.0.1";
    Port client_port = 8080;
    std::string kafka_host = "127.0.0.1";
    Port kafka_port = 9092;
    std::string kafka_advertise_host;        // "": kafka_host.
    std::uint16_t kafka_advertise_port = 0;  // 0: the one that is listened on.
    std::string admin_host = "127.0.0.1";
    Port admin_port = 9090;

    bool auto_create_topics = true;  // When a Kafka client asks for one.
    std::uint32_t default_partitions = 1;
    std::uint32_t max_connections = 10'000;       // Of each protocol.
    std::uint64_t max_request_bytes = 100 << 20;  // Of a Kafka request.
    std::uint64_t idle_timeout_ms = 600'000;
    std::uint64_t shutdown_timeout_ms = 10'000;

    wal::DurabilityClass durability = wal::DurabilityClass::kDisk;
    std::uint64_t sync_interval_ms = 200;
    wal::Backend io_backend = wal::Backend::kAuto;
    bool disable_io_uring = false;
    std::uint64_t ring_size_bytes = 32 << 20;
    std::uint64_t log_file_bytes = 64 << 20;
    std::uint32_t workers = 2;
    std::uint32_t max_topics = 10'000;
    std::vector<broker::ConfigEntry> topic_defaults;

    std::string log_file;  // "": stderr.
    LogLevel log_level = LogLevel::kInfo;
    LogFormat log_format = LogFormat::kLogfmt;

    // Of a cluster.
    bool bootstrap = false;  // Begins one as its first member.
    std::string join;        // Address of a member: becomes one, too.
    std::vector<std::string> initial_peer;
    std::uint16_t raft_port = 6000;  // 0: any free one.
    std::string raft_host = "127.0.0.1";
    std::string raft_advertise_host;        // "": raft_host.
    std::uint16_t raft_advertise_port = 0;  // 0: the one that is listened on.
    std::uint64_t monitor_check_ms = 10'000;
    std::uint64_t max_segment_entries = 1'000'000;

    // <data_dir>/node_<id>
    std::string node_dir() const;
    std::string local_dir() const;    // Of a node that runs alone.
    std::string cluster_dir() const;  // Of a member of a cluster.
    std::string advertised_kafka_host() const;
    std::string advertised_raft_host() const;
};

// One setting as somebody gave it; a list may have several values.
struct Given {
    std::string name;  // As in the file.
    std::vector<std::string> values;
    std::string origin;  // "walrus.toml:3", "WALRUS_NODE_ID", "--node-id"
};

struct Setting {
    std::string_view name;
    std::string_view help;
    bool is_list = false;
    bool is_switch = false;  // A flag may stand without a value: true.
    // The message of an error says what was expected.
    Status (*set)(Config& config, std::span<const std::string> values) = nullptr;
    std::string (*show)(const Config& config) = nullptr;  // As TOML.
};

// All of them, in the order in which they are printed.
std::span<const Setting> settings();
const Setting* find_setting(std::string_view name);
// ", did you mean 'x'?" or nothing.
std::string suggestion(std::string_view name, std::span<const std::string> known);

std::string flag_of(std::string_view name);      // --node-id
std::string variable_of(std::string_view name);  // WALRUS_NODE_ID

struct ResolvedConfig {
    Config config;
    std::map<std::string, std::string, std::less<>> origins;  // By name; absent: default.
};

// What a file says.  kNotFound, kIo: it cannot be read; kInvalidArgument: it is no TOML, or a key
// is unknown; the message has a line for each problem.
Result<std::vector<Given>> read_config_file(const std::string& path);

// What the environment says, from its "NAME=value" lines.  A variable that is nobody's is left
// alone; one that looks like a slip of the pen is told in `warnings`.
std::vector<Given> read_environment(std::span<const std::string> variables,
                                    std::vector<std::string>& warnings);

// Applies `given` in order.  kInvalidArgument, kUnsupported: a line for each problem.
Result<ResolvedConfig> resolve_config(std::span<const Given> given);

// The whole configuration as a TOML file, with the origin of each value.
std::string print_config(const ResolvedConfig& resolved);

}  // namespace walrus::node

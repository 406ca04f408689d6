#include "walrus/node/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <numeric>
#include <utility>

namespace walrus::node {
namespace {

Error expected(std::string_view what, std::string_view got) {
    return {Errc::kInvalidArgument, fmt::format("'{}': must be {}", got, what)};
}

std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        const auto code = static_cast<unsigned char>(c);
        if (code < 0x20 || code == 0x7F) {
            out += fmt::format("\\u{:04x}", code);
        } else {
            out += c;
        }
    }
    return out + '"';
}

// --- kinds of settings ---

template <auto Member>
Setting text(std::string_view name, std::string_view help) {
    return {.name = name,
            .help = help,
            .set = [](Config& config, std::span<const std::string> values) -> Status {
                config.*Member = values.back();
                return {};
            },
            .show = [](const Config& config) { return in_quotes(config.*Member); }};
}

template <class Number>
Result<Number> parse_number(std::string_view digits, std::uint64_t least, std::uint64_t most) {
    std::uint64_t value = 0;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (fault != std::errc{} || end != digits.data() + digits.size() || value < least ||
        value > most)
        return expected(fmt::format("a number from {} to {}", least, most), digits);
    return static_cast<Number>(value);
}

template <auto Member, std::uint64_t Least, std::uint64_t Most>
Setting number(std::string_view name, std::string_view help) {
    return {.name = name,
            .help = help,
            .set = [](Config& config, std::span<const std::string> values) -> Status {
                using Number = std::remove_reference_t<decltype(config.*Member)>;
                static_assert(Most <= std::numeric_limits<Number>::max());
                const auto value = parse_number<Number>(values.back(), Least, Most);
                if (!value) return value.error();
                config.*Member = *value;
                return {};
            },
            .show = [](const Config& config) { return fmt::format("{}", config.*Member); }};
}

template <auto Member>
Setting port(std::string_view name, std::string_view help) {
    return {.name = name,
            .help = help,
            .set = [](Config& config, std::span<const std::string> values) -> Status {
                if (values.back() == "off") {
                    config.*Member = std::nullopt;
                    return {};
                }
                const auto value = parse_number<std::uint16_t>(values.back(), 0, 65'535);
                if (!value) return expected("a port from 0 (any) to 65535, or off", values.back());
                config.*Member = *value;
                return {};
            },
            .show =
                [](const Config& config) {
                    const Port& value = config.*Member;
                    return value ? fmt::format("{}", *value) : in_quotes("off");
                }};
}

template <auto Member>
Setting on_off(std::string_view name, std::string_view help) {
    return {
        .name = name,
        .help = help,
        .is_switch = true,
        .set = [](Config& config, std::span<const std::string> values) -> Status {
            constexpr std::array<std::string_view, 5> kTrue = {"", "true", "1", "yes", "on"};
            constexpr std::array<std::string_view, 4> kFalse = {"false", "0", "no", "off"};
            const std::string_view value = values.back();
            config.*Member = std::ranges::find(kTrue, value) != kTrue.end();
            if (config.*Member || std::ranges::find(kFalse, value) != kFalse.end()) return {};
            return expected("true or false", value);
        },
        .show =
            [](const Config& config) { return std::string(config.*Member ? "true" : "false"); }};
}

// One of several words; `Parse` lists them when it refuses one.
template <auto Member, auto Parse, auto Name>
Setting choice(std::string_view name, std::string_view help) {
    return {.name = name,
            .help = help,
            .set = [](Config& config, std::span<const std::string> values) -> Status {
                const auto value = Parse(values.back());
                if (!value) return value.error();
                config.*Member = *value;
                return {};
            },
            .show = [](const Config& config) { return in_quotes(Name(config.*Member)); }};
}

std::string_view log_format_name(LogFormat format) {
    return format == LogFormat::kJson ? "json" : "logfmt";
}

Result<LogFormat> parse_log_format(std::string_view name) {
    if (name == "logfmt") return LogFormat::kLogfmt;
    if (name == "json") return LogFormat::kJson;
    return expected("logfmt or json", name);
}

Result<LogLevel> parse_log_level(std::string_view name) {
    for (const LogLevel level :
         {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError})
        if (name == log_level_name(level)) return level;
    return expected("debug, info, warn or error", name);
}

Status set_peers(Config& config, std::span<const std::string> values) {
    config.initial_peer.assign(values.begin(), values.end());
    if (config.join.empty() && !values.empty()) config.join = values.front();
    return {};
}

std::string show_peers(const Config& config) {
    std::string out;
    for (const std::string& peer : config.initial_peer)
        out += (out.empty() ? "" : ", ") + in_quotes(peer);
    return "[" + out + "]";
}

Status set_topic_defaults(Config& config, std::span<const std::string> values) {
    for (const std::string& value : values) {
        const std::size_t equals = value.find('=');
        if (equals == 0 || equals == std::string::npos)
            return expected("NAME=VALUE, such as retention.ms=604800000", value);
        std::string name = value.substr(0, equals);
        std::erase_if(config.topic_defaults, [&](const auto& entry) { return entry.name == name; });
        config.topic_defaults.push_back(
            {.name = std::move(name), .value = value.substr(equals + 1)});
    }
    std::ranges::sort(config.topic_defaults, {}, &broker::ConfigEntry::name);
    return {};
}

std::string show_topic_defaults(const Config& config) {
    std::string out;
    for (const broker::ConfigEntry& entry : config.topic_defaults)
        out += fmt::format("{} {} = {}", out.empty() ? "" : ",", in_quotes(entry.name),
                           in_quotes(entry.value));
    return "{" + out + " }";
}

// --- all settings ---

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kDayMs = 86'400'000;

std::vector<Setting> make_settings() {
    using C = Config;
    return {
        number<&C::node_id, 1, 0x7FFF'FFFF>("node_id", "This node's number"),
        text<&C::data_dir>("data_dir", "Where data is kept, in node_<id> of it"),
        text<&C::client_host>("client_host", "Address of the text protocol"),
        port<&C::client_port>("client_port", "Port of the text protocol, 0 for any, or off"),
        text<&C::kafka_host>("kafka_host", "Address of the Kafka protocol"),
        port<&C::kafka_port>("kafka_port", "Port of the Kafka protocol, 0 for any, or off"),
        text<&C::kafka_advertise_host>("kafka_advertise_host",
                                       "Host that Kafka clients are told to use"),
        number<&C::kafka_advertise_port, 0, 65'535>(
            "kafka_advertise_port", "Port that Kafka clients are told to use, 0 for kafka_port"),
        text<&C::admin_host>("admin_host", "Address of the admin HTTP server"),
        port<&C::admin_port>("admin_port", "Port of the admin HTTP server, 0 for any, or off"),
        on_off<&C::auto_create_topics>("auto_create_topics",
                                       "Make topics that Kafka clients ask for"),
        number<&C::default_partitions, 1, 10'000>("default_partitions",
                                                  "Partitions of topics that say nothing else"),
        number<&C::max_connections, 1, 1'000'000>("max_connections",
                                                  "Connections of each protocol"),
        number<&C::max_request_bytes, 65'536, 0x7FFF'FFFF>("max_request_bytes",
                                                           "Largest Kafka request"),
        number<&C::idle_timeout_ms, 0, kDayMs>(
            "idle_timeout_ms", "Silence after which a client is closed, 0 for never"),
        number<&C::shutdown_timeout_ms, 0, kDayMs>("shutdown_timeout_ms",
                                                   "How long requests in hand may take at the end"),
        choice<&C::durability, &wal::parse_durability_class, &wal::durability_class_name>(
            "durability",
            "When a topic's records are acknowledged, unless the topic says otherwise:"
            " process, os-interval or disk"),
        number<&C::sync_interval_ms, 1, kDayMs>("sync_interval_ms",
                                                "How often class os-interval syncs"),
        choice<&C::io_backend, &wal::parse_backend, &wal::backend_name>(
            "io_backend", "How log files are written: auto, uring, direct, buffered or mmap"),
        on_off<&C::disable_io_uring>("disable_io_uring", "Do not use io_uring"),
        number<&C::ring_size_bytes, kMiB, 16'384 * kMiB>("ring_size_bytes",
                                                         "Staging ring of each durability class"),
        number<&C::log_file_bytes, kMiB, 16'384 * kMiB>("log_file_bytes", "Size of one log file"),
        number<&C::workers, 1, 64>("workers", "Threads for cold reads"),
        number<&C::max_topics, 1, 1'000'000>("max_topics", "Most topics"),
        {.name = "topic_defaults",
         .help = "NAME=VALUE: what topics have that say nothing else; may be repeated",
         .is_list = true,
         .set = set_topic_defaults,
         .show = show_topic_defaults},
        text<&C::log_file>("log_file", "Log to this file instead of stderr"),
        choice<&C::log_level, &parse_log_level, &log_level_name>("log_level",
                                                                 "debug, info, warn or error"),
        choice<&C::log_format, &parse_log_format, &log_format_name>("log_format", "logfmt or json"),
        on_off<&C::bootstrap>("bootstrap",
                              "Begin a new cluster with this node as its first member"),
        text<&C::join>("join", "Join the cluster of the node with this peer address, HOST:PORT"),
        {.name = "initial_peer",
         .help = "Other name of join",
         .is_list = true,
         .set = set_peers,
         .show = show_peers},
        text<&C::raft_host>("raft_host", "Address on which other nodes of the cluster are served"),
        number<&C::raft_port, 0, 65'535>("raft_port", "Port for other nodes, 0 for any"),
        text<&C::raft_advertise_host>("raft_advertise_host",
                                      "Host that other nodes are told to use"),
        number<&C::raft_advertise_port, 0, 65'535>(
            "raft_advertise_port", "Port that other nodes are told to use, 0 for raft_port"),
        number<&C::monitor_check_ms, 10, kDayMs>(
            "monitor_check_ms", "How often a cluster looks at limits, repair and retention"),
        number<&C::max_segment_entries, 1, std::uint64_t{1} << 40>(
            "max_segment_entries", "Records after which a cluster's segment has a successor"),
    };
}

// --- checks of the whole ---

void check_cluster(const Config& config, std::vector<std::string>& problems) {
    if (config.bootstrap && !config.join.empty())
        problems.emplace_back(
            "bootstrap, join: a node begins a cluster or joins one; leave one of them out");
    const bool has_port =
        config.join.find_last_of(':') != std::string::npos && !config.join.ends_with(':');
    if (!config.join.empty() && !has_port)
        problems.push_back("join: '" + config.join +
                           "': must be HOST:PORT of a member's peer port");
    const std::string advertised = config.advertised_raft_host();
    const bool is_in_cluster = config.bootstrap || !config.join.empty();
    if (is_in_cluster && (advertised == "0.0.0.0" || advertised == "::"))
        problems.push_back(
            "raft_advertise_host: is needed, because other nodes cannot connect to " + advertised);
}

void check_whole(const Config& config, std::vector<std::string>& problems) {
    if (config.data_dir.empty()) problems.emplace_back("data_dir: must not be empty");
    check_cluster(config, problems);
    if (config.ring_size_bytes % 4096 != 0 || config.log_file_bytes % 4096 != 0)
        problems.emplace_back("ring_size_bytes, log_file_bytes: must be multiples of 4096");
    if (!config.client_port && !config.kafka_port)
        problems.emplace_back("client_port, kafka_port: one of them must not be off");
    const std::string advertised = config.advertised_kafka_host();
    if (config.kafka_port && (advertised == "0.0.0.0" || advertised == "::"))
        problems.push_back("kafka_advertise_host: is needed, because clients cannot connect to " +
                           advertised);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

}  // namespace

std::string Config::node_dir() const {
    return fmt::format("{}/node_{}", data_dir, node_id);
}

std::string Config::local_dir() const {
    return node_dir() + "/user_data";
}

std::string Config::cluster_dir() const {
    return node_dir() + "/cluster";
}

std::string Config::advertised_raft_host() const {
    return raft_advertise_host.empty() ? raft_host : raft_advertise_host;
}

std::string Config::advertised_kafka_host() const {
    return kafka_advertise_host.empty() ? kafka_host : kafka_advertise_host;
}

std::span<const Setting> settings() {
    static const std::vector<Setting> all = make_settings();
    return all;
}

const Setting* find_setting(std::string_view name) {
    const auto found = std::ranges::find(settings(), name, &Setting::name);
    return found == settings().end() ? nullptr : &*found;
}

std::string suggestion(std::string_view name, std::span<const std::string> known) {
    constexpr std::size_t kFar = 4;
    const std::string* nearest = nullptr;
    std::size_t distance = std::min(kFar, name.size() / 2 + 1);
    for (const std::string& candidate : known) {
        const std::size_t here = edit_distance(name, candidate);
        if (here < distance) nearest = &candidate;
        distance = std::min(distance, here);
    }
    return nearest == nullptr ? "" : ", did you mean '" + *nearest + "'?";
}

std::string flag_of(std::string_view name) {
    std::string flag = "--" + std::string(name);
    std::ranges::replace(flag, '_', '-');
    return flag;
}

std::string variable_of(std::string_view name) {
    std::string variable = "WALRUS_";
    for (const char c : name)
        variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return variable;
}

std::vector<Given> read_environment(std::span<const std::string> variables,
                                    std::vector<std::string>& warnings) {
    std::vector<std::string> known;
    for (const Setting& setting : settings()) known.push_back(variable_of(setting.name));
    std::vector<Given> given;
    for (const std::string& line : variables) {
        const std::string name = line.substr(0, line.find('='));
        if (!name.starts_with("WALRUS_")) continue;
        const std::string value = line.substr(std::min(line.size(), name.size() + 1));
        const auto found = std::ranges::find(known, name);
        if (found != known.end()) {
            const auto index = static_cast<std::size_t>(found - known.begin());
            given.push_back({std::string(settings()[index].name), {value}, name});
        } else if (const std::string hint = suggestion(name, known); !hint.empty()) {
            warnings.push_back("environment: " + name + " is not known" + hint);
        }
    }
    return given;
}

Result<ResolvedConfig> resolve_config(std::span<const Given> given) {
    ResolvedConfig resolved;
    std::vector<std::string> problems;
    for (const Given& one : given) {
        const Setting* setting = find_setting(one.name);
        if (setting == nullptr) {
            problems.push_back(one.origin + ": " + one.name + " is not known");
            continue;
        }
        if (const Status status = setting->set(resolved.config, one.values); !status)
            problems.push_back(
                fmt::format("{}: {}: {}", one.origin, one.name, status.error().message));
        resolved.origins[one.name] = one.origin;
    }
    if (problems.empty()) check_whole(resolved.config, problems);
    if (problems.empty()) return resolved;
    return Error{Errc::kInvalidArgument, fmt::format("{}", fmt::join(problems, "\n"))};
}

std::string print_config(const ResolvedConfig& resolved) {
    std::string out;
    for (const Setting& setting : settings()) {
        const auto origin = resolved.origins.find(setting.name);
        const std::string line =
            fmt::format("{} = {}", setting.name, setting.show(resolved.config));
        out += fmt::format("{:<40} # {}\n", line,
                           origin == resolved.origins.end() ? "default" : origin->second);
    }
    return out;
}

}  // namespace walrus::node

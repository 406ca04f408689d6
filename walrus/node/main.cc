// walrusd: one node of Walrus.
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/base/clock.h"
#include "walrus/base/log.h"
#include "walrus/base/version.h"
#include "walrus/net/asio_loop.h"
#include "walrus/node/config.h"
#include "walrus/node/log_output.h"
#include "walrus/node/server.h"
#include "walrus/node/service_manager.h"

extern char** environ;

namespace walrus::node {
namespace {

enum ExitCode : int {
    kClean = 0,
    kRuntime = 1,
    kUsage = 2,
    kIo = EX_IOERR,           // 74
    kTryAgain = EX_TEMPFAIL,  // 75: locked directory, port in use, nobody to join.
    kBadConfig = EX_CONFIG,   // 78
};

constexpr const char* kSystemConfig = "/etc/walrus/walrus.toml";

constexpr const char* kFooter = R"(
Examples:
  walrusd                                     text on 8080, Kafka on 9092, admin on 9090
  walrusd --data-dir /var/lib/walrus --kafka-host 0.0.0.0 --kafka-advertise-host broker1
  walrusd --durability process --topic-default retention.ms=86400000
  walrusd --config walrus.toml --check-config
  WALRUS_CLIENT_PORT=0 walrusd --print-config
  walrusd --bootstrap --raft-host 10.0.0.1    begins a cluster; then, on other machines:
  walrusd --node-id 2 --join 10.0.0.1:6000 --raft-host 10.0.0.2

A setting has one name: node_id in the file, WALRUS_NODE_ID in the environment, --node-id here.
Flags win over the environment, that over the file (--config, WALRUS_CONFIG, or
/etc/walrus/walrus.toml if there is one), that over the defaults.
SIGTERM and SIGINT end it gently, a second one at once.
Exit codes: 0 clean, 1 runtime failure, 2 usage, 74 disk, 75 data directory locked, port in use or
nobody to join, 78 bad configuration, or a node id or data directory that is in use.)";

struct Arguments {
    std::string config_file;
    bool check_config = false;
    bool print_config = false;
    std::vector<Given> flags;
};

int complain(int code, std::string_view message) {
    fmt::print(stderr, "walrusd: {}\n", message);
    return code;
}

// --- the command line ---

// The flag's names; a repeatable one is singular.
std::string flag_names(const Setting& setting) {
    if (setting.name == "client_port") return "--client-port,--port";
    if (setting.name == "topic_defaults") return "--topic-default";
    return flag_of(setting.name);
}

// The exit code when there is nothing more to do.
std::optional<int> parse_arguments(int argc, char** argv, Arguments& arguments) {
    CLI::App app{"walrusd: a crash-safe distributed log that speaks Kafka's protocol", "walrusd"};
    app.footer(kFooter);
    app.allow_extras();
    app.set_version_flag("--version", fmt::format("walrusd {} ({})", kVersion, build_commit()));
    app.add_option("--config", arguments.config_file, "Configuration file (TOML)")
        ->type_name("FILE");
    app.add_flag("--check-config", arguments.check_config,
                 "Check the configuration and exit: 0 or 78");
    app.add_flag("--print-config", arguments.print_config,
                 "Print the configuration with the origin of each value and exit");

    std::map<std::string_view, std::vector<std::string>> values;
    const Config defaults;
    for (const Setting& setting : settings()) {
        const std::string help = fmt::format("{} [{}]", setting.help, setting.show(defaults));
        const std::string names = flag_names(setting);
        CLI::Option* option = app.add_option(names, values[setting.name], help);
        option->type_name("")->allow_extra_args(false);
        if (setting.is_switch) option->expected(0, 1);
        if (!setting.is_list) option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? kClean : kUsage;
    }
    if (const std::vector<std::string> extras = app.remaining(); !extras.empty()) {
        std::vector<std::string> known = {"--config", "--check-config", "--print-config"};
        for (const Setting& setting : settings()) known.push_back(flag_of(setting.name));
        const std::string flag = extras.front().substr(0, extras.front().find('='));
        return complain(kUsage, fmt::format("{} is not known{} (see walrusd --help)", flag,
                                            suggestion(flag, known)));
    }
    for (auto& [name, given] : values)
        if (!given.empty())
            arguments.flags.push_back({std::string(name), std::move(given), flag_of(name)});
    return std::nullopt;
}

// --- the configuration ---

std::vector<std::string> environment() {
    std::vector<std::string> variables;
    for (char** variable = environ; *variable != nullptr; ++variable)
        variables.emplace_back(*variable);
    return variables;
}

std::string config_file_of(const Arguments& arguments) {
    if (!arguments.config_file.empty()) return arguments.config_file;
    if (const char* file = std::getenv("WALRUS_CONFIG"); file != nullptr) return file;
    return ::access(kSystemConfig, F_OK) == 0 ? kSystemConfig : "";
}

Result<ResolvedConfig> load_config(const Arguments& arguments) {
    std::vector<Given> given;
    if (const std::string file = config_file_of(arguments); !file.empty()) {
        auto from_file = read_config_file(file);
        if (!from_file) return from_file.error();
        given = *std::move(from_file);
    }
    std::vector<std::string> warnings;
    for (Given& one : read_environment(environment(), warnings)) given.push_back(std::move(one));
    for (const std::string& warning : warnings) complain(0, "warning: " + warning);
    given.insert(given.end(), arguments.flags.begin(), arguments.flags.end());
    return resolve_config(given);
}

// --- running ---

int exit_code_of(Errc code) {
    switch (code) {
        case Errc::kBusy:
        case Errc::kTimeout: return kTryAgain;
        case Errc::kInvalidArgument:
        case Errc::kAlreadyExists:
        case Errc::kTooLarge: return kBadConfig;
        case Errc::kIo:
        case Errc::kNoSpace:
        case Errc::kCorruption:
        case Errc::kPoisoned:
        case Errc::kNotFound: return kIo;
        case Errc::kUnsupported:
        case Errc::kOutOfRange:
        case Errc::kResourceExhausted:
        case Errc::kClosed:
        case Errc::kFenced:
        case Errc::kNotLeader: break;
    }
    return kRuntime;
}

std::string_view advice(Errc code) {
    switch (code) {
        case Errc::kBusy: return "stop the other process, or choose another data_dir or port";
        case Errc::kCorruption: return "look at it with `walrus-wal verify`, then `repair`";
        case Errc::kNoSpace: return "free some disk space, then start again";
        case Errc::kUnsupported: return "use the build of walrus that wrote the data";
        case Errc::kTimeout: return "look whether that node is up and reachable, then start again";
        case Errc::kAlreadyExists: return "choose another node_id, and an empty data_dir for it";
        case Errc::kInvalidArgument: return "change the configuration; see walrusd --help";
        case Errc::kIo:
        case Errc::kNotFound: return "look at the path's permissions and the system log";
        default: return "see walrusd --help";
    }
}

// Connections are file descriptors, and so are log files.  Returns the limit.
rlim_t raise_open_files() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

void log_start(const Config& config, rlim_t open_files) {
    log(LogLevel::kInfo, fmt::format("walrusd {} ({}) pid {} starts on {}", kVersion,
                                     build_commit(), ::getpid(), config.node_dir()));
    log(LogLevel::kInfo, fmt::format("acknowledged when: {}; io backend: {}{}; ring {} MiB",
                                     wal::durability_class_name(config.durability),
                                     wal::backend_name(config.io_backend),
                                     config.disable_io_uring ? " without io_uring" : "",
                                     config.ring_size_bytes >> 20));
    log(LogLevel::kInfo, fmt::format("limits: {} connections of each protocol, "
                                     "{} open files, {} bytes a request",
                                     config.max_connections, open_files, config.max_request_bytes));
    if (open_files < 2 * rlim_t{config.max_connections})
        log(LogLevel::kWarn, fmt::format("max_connections {} needs more open files than {}: raise "
                                         "LimitNOFILE or ulimit -n",
                                         config.max_connections, open_files));
}

int fail(const Error& error) {
    log(LogLevel::kError, error.to_string());
    complain(0, fmt::format("{}\n  {}", error.to_string(), advice(error.code)));
    return exit_code_of(error.code);
}

void tell_ready(const OpenPorts& ports, const std::string& manager) {
    const std::string ready = fmt::format("ready client={} kafka={} admin={}", ports.client.text(),
                                          ports.kafka.text(), ports.admin.text());
    log(LogLevel::kInfo, ready);
    fmt::print("walrusd {}\n", ready);
    std::fflush(stdout);
    notify_service_manager(manager, "READY=1");
}

int run(const ResolvedConfig& resolved) {
    const Config& config = resolved.config;
    const char* const notify = std::getenv("NOTIFY_SOCKET");
    const std::string manager = notify == nullptr ? "" : notify;
    log_start(config, raise_open_files());

    net::AsioLoop loop;
    int exit_code = kClean;
    bool is_ending = false;
    Server* running = nullptr;
    const ServerEvents events = {.ready = [&] { tell_ready(running->ports(), manager); },
                                 .failed =
                                     [&](const Error& error) {
                                         exit_code = fail(error);
                                         loop.stop();
                                     }};
    auto server = Server::start(resolved, loop, events);
    if (!server) return fail(server.error());
    running = server->get();

    loop.watch_signals({SIGTERM, SIGINT}, [&](int signal) {
        if (std::exchange(is_ending, true)) {
            log(LogLevel::kWarn, "a second signal: stops at once");
            ::_exit(128 + signal);
        }
        log(LogLevel::kInfo, fmt::format("{}: finishes what is in hand, for {} ms at most",
                                         ::strsignal(signal), config.shutdown_timeout_ms));
        notify_service_manager(manager, "STOPPING=1");
        (*server)->shut_down([&](const Status& status) {
            if (!status) exit_code = fail(status.error());
            loop.stop();
        });
    });
    loop.run();
    server->reset();
    log(LogLevel::kInfo, fmt::format("stopped with exit code {}", exit_code));
    return exit_code;
}

int main_of(int argc, char** argv) {
    Arguments arguments;
    if (const auto code = parse_arguments(argc, argv, arguments)) return *code;
    const auto resolved = load_config(arguments);
    if (!resolved) return complain(kBadConfig, resolved.error().message);
    if (arguments.print_config) fmt::print("{}", print_config(*resolved));
    if (arguments.check_config && !arguments.print_config) fmt::print("ok\n");
    if (arguments.check_config || arguments.print_config) return kClean;

    auto sink = make_log_sink(resolved->config, system_clock());
    if (!sink) return complain(kIo, sink.error().to_string());
    set_log_sink(*std::move(sink));
    ::signal(SIGPIPE, SIG_IGN);
    return run(*resolved);
}

}  // namespace
}  // namespace walrus::node

int main(int argc, char** argv) {
    return walrus::node::main_of(argc, argv);
}

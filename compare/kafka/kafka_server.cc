#include "compare/kafka/kafka_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "harness/driver/file_descriptor.h"
#include "harness/metrics/paced_clock.h"
#include "walrus/base/random.h"

namespace walrus::compare {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kStartMs = 60'000;
constexpr std::uint64_t kPollNs = 500'000;
constexpr std::uint32_t kStartAttempts = 3;  // Somebody else may take a free port first.
constexpr std::string_view kMainJar = "kafka_2.13-";

sockaddr_in local_address(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

// A port that nobody listens at, at this moment.
Result<std::uint16_t> free_port() {
    const harness::FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = local_address(0);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (!socket.valid() || ::bind(socket.get(), generic, size) != 0 ||
        ::getsockname(socket.get(), generic, &size) != 0) {
        return harness::os_error("find", "a free port", errno);
    }
    return ntohs(address.sin_port);
}

bool accepts_connections(std::uint16_t port) {
    const harness::FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = local_address(port);
    return socket.valid() && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address),
                                       sizeof address) == 0;
}

// Returns when `came_up` says so; an error when the server ends first, or never does.
template <class CameUp>
Status wait_until_up(ServerProcess& server, std::uint64_t timeout_ms, CameUp came_up) {
    harness::PacedClock& clock = harness::machine_clock();
    const std::uint64_t deadline_ns = clock.monotonic_ns() + timeout_ms * 1'000'000;
    while (!came_up()) {
        WALRUS_RETURN_IF_ERROR(server.check_alive());
        if (clock.monotonic_ns() >= deadline_ns) {
            return Error{Errc::kTimeout,
                         fmt::format("the server did not come up within {} s", timeout_ms / 1000)};
        }
        clock.wait_until(clock.monotonic_ns() + kPollNs);
    }
    return {};
}

// 16 random bytes as Kafka writes them: base64 for URLs, without padding.
std::string random_cluster_id() {
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    SystemRandom random;
    std::string id;
    // The last digit stands for two bits only; and a leading '-' would look like an option.
    while (id.size() < 21) id += kDigits[random.below(id.empty() ? 62 : 64)];
    return id + kDigits[random.below(4) * 16];
}

std::vector<std::string> java_command(const KafkaParts& parts, const KafkaOptions& options,
                                      std::vector<std::string> more) {
    std::vector<std::string> command = {parts.java, "-cp", options.libs + "/*"};
    command.insert(command.end(), more.begin(), more.end());
    return command;
}

Status format_kafka(const KafkaParts& parts, const KafkaOptions& options,
                    const std::string& directory) {
    auto format = ServerProcess::start(
        {.arguments = java_command(
             parts, options,
             {"-Xshare:auto", "-XX:TieredStopAtLevel=1",
              "-Dlog4j2.configurationFile=log4j2.properties", "kafka.tools.StorageTool", "format",
              "-t", random_cluster_id(), "-c", "server.properties"}),
         .directory = directory,
         .log = directory + "/server.log"});
    if (!format) return std::move(format).error();
    const Status formatted = (*format)->wait(kStartMs);
    if (formatted) return {};
    return Error{formatted.error().code, "formatting: " + formatted.error().message};
}

// On the configuration that is in `directory`.
Result<std::unique_ptr<ServerProcess>> launch_kafka(const KafkaParts& parts,
                                                    const KafkaOptions& options,
                                                    const std::string& directory) {
    // The options of Kafka's own start script, but for the heap.
    return ServerProcess::start(
        {.arguments = java_command(
             parts, options,
             {"-server", "-Xms" + options.heap_initial, "-Xmx" + options.heap, "-XX:+UseG1GC",
              "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35",
              "-XX:+ExplicitGCInvokesConcurrent", "-XX:MaxInlineLevel=15",
              "-Djava.awt.headless=true", "-Xlog:gc:file=gc.log",
              "-Dlog4j2.configurationFile=log4j2.properties", "kafka.Kafka", "server.properties"}),
         .directory = directory,
         .log = directory + "/server.log"});
}

Result<RunningServer> start_kafka_once(const KafkaParts& parts, const KafkaOptions& options,
                                       const std::string& directory) {
    const auto clients = free_port();
    if (!clients) return clients.error();
    auto controller = free_port();
    while (controller && *controller == *clients) controller = free_port();
    if (!controller) return controller.error();
    WALRUS_RETURN_IF_ERROR(harness::write_whole_file(
        directory + "/server.properties",
        kafka_server_properties(directory, {.clients = *clients, .controller = *controller})));
    WALRUS_RETURN_IF_ERROR(
        harness::write_whole_file(directory + "/log4j2.properties", kafka_log4j_properties()));
    std::error_code error;
    if (!fs::exists(directory + "/kafka-logs/meta.properties", error)) {
        WALRUS_RETURN_IF_ERROR(format_kafka(parts, options, directory));
    }
    RunningServer running;
    running.ports = {.clients = *clients, .controller = *controller};
    running.address = fmt::format("127.0.0.1:{}", *clients);
    auto process = launch_kafka(parts, options, directory);
    if (!process) return std::move(process).error();
    running.process = std::move(*process);
    WALRUS_RETURN_IF_ERROR(
        wait_for_server(Brand::kKafka, *running.process, running.ports, kStartMs));
    return running;
}

Result<RunningServer> start_kafka(const KafkaParts& parts, const KafkaOptions& options,
                                  const std::string& directory) {
    for (std::uint32_t attempt = 1;; ++attempt) {
        auto running = start_kafka_once(parts, options, directory);
        if (running || attempt == kStartAttempts || running.error().code != Errc::kClosed) {
            return running;
        }
    }
}

Result<std::unique_ptr<ServerProcess>> launch_walrusd(const KafkaOptions& options,
                                                      const std::string& directory,
                                                      std::uint16_t port) {
    std::error_code error;
    const std::string data = server_data_directory(Brand::kWalrusd, directory);
    fs::create_directories(data, error);
    std::vector<std::string> command = {options.binary,
                                        "--data-dir",
                                        data,
                                        "--node-id",
                                        "1",
                                        "--kafka-port",
                                        fmt::format("{}", port),
                                        "--client-port",
                                        "0",
                                        "--raft-port",
                                        "0",
                                        "--admin-port",
                                        "0"};
    // As Kafka has it here: a topic that is gone must not come back as an empty one.
    command.emplace_back("--auto-create-topics=false");
    command.insert(command.end(), options.arguments.begin(), options.arguments.end());
    return ServerProcess::start({.arguments = std::move(command),
                                 .directory = directory,
                                 .log = directory + "/server.log"});
}

Result<RunningServer> start_walrusd(const KafkaOptions& options, const std::string& directory) {
    auto process = launch_walrusd(options, directory, 0);
    if (!process) return std::move(process).error();
    RunningServer running;
    running.process = std::move(*process);
    WALRUS_RETURN_IF_ERROR(
        wait_for_server(Brand::kWalrusd, *running.process, running.ports, kStartMs));
    running.ports.clients = walrusd_kafka_port(running.process->output());
    running.address = fmt::format("127.0.0.1:{}", running.ports.clients);
    return running;
}

}  // namespace

Status check_parts(Brand brand, const KafkaParts& parts, const KafkaOptions& options) {
    if (!options.address.empty()) return {};
    if (brand == Brand::kWalrusd) {
        std::error_code error;
        if (!options.binary.empty() && fs::exists(options.binary, error)) return {};
        return Error{Errc::kUnsupported,
                     options.binary.empty()
                         ? "walrusd is not part of this build"
                         : fmt::format("{} is not there: build target walrusd", options.binary)};
    }
    if (parts.java.empty()) {
        return Error{Errc::kUnsupported,
                     "java was not found (scripts/setup.sh --with-kafka installs it)"};
    }
    if (!kafka_version(options.libs).empty()) return {};
    return Error{Errc::kUnsupported,
                 fmt::format("the broker's jars are not in {} (scripts/setup.sh --with-kafka "
                             "fetches them)",
                             options.libs)};
}

Result<RunningServer> start_server(Brand brand, const KafkaParts& parts,
                                   const KafkaOptions& options, const std::string& directory) {
    WALRUS_RETURN_IF_ERROR(check_parts(brand, parts, options));
    std::error_code error;
    const std::string absolute = fs::absolute(directory, error);
    if (brand == Brand::kWalrusd) return start_walrusd(options, absolute);
    return start_kafka(parts, options, absolute);
}

Result<std::unique_ptr<ServerProcess>> restart_server(Brand brand, const KafkaParts& parts,
                                                      const KafkaOptions& options,
                                                      const std::string& directory,
                                                      const ServerPorts& ports) {
    std::error_code error;
    const std::string absolute = fs::absolute(directory, error);
    if (brand == Brand::kWalrusd) return launch_walrusd(options, absolute, ports.clients);
    if (!fs::exists(absolute + "/kafka-logs/meta.properties", error)) {
        WALRUS_RETURN_IF_ERROR(format_kafka(parts, options, absolute));
    }
    return launch_kafka(parts, options, absolute);
}

Status wait_for_server(Brand brand, ServerProcess& server, const ServerPorts& ports,
                       std::uint64_t timeout_ms) {
    return wait_until_up(server, timeout_ms, [&] {
        // Walrus opens its doors before it has recovered, and then says that it is ready.
        if (brand == Brand::kWalrusd) return walrusd_kafka_port(server.output()) != 0;
        return accepts_connections(ports.clients);
    });
}

std::string server_data_directory(Brand brand, const std::string& directory) {
    return directory + (brand == Brand::kWalrusd ? "/data" : "/kafka-logs");
}

std::string kafka_server_properties(const std::string& directory, const ServerPorts& ports) {
    return fmt::format(
        "process.roles=broker,controller\n"
        "node.id=1\n"
        "controller.quorum.voters=1@127.0.0.1:{1}\n"
        "listeners=PLAINTEXT://127.0.0.1:{0},CONTROLLER://127.0.0.1:{1}\n"
        "advertised.listeners=PLAINTEXT://127.0.0.1:{0}\n"
        "controller.listener.names=CONTROLLER\n"
        "log.dirs={2}/kafka-logs\n"
        "offsets.topic.replication.factor=1\n"
        "transaction.state.log.replication.factor=1\n"
        "transaction.state.log.min.isr=1\n"
        "share.coordinator.state.topic.replication.factor=1\n"
        "share.coordinator.state.topic.min.isr=1\n"
        "num.io.threads=2\n"
        "num.network.threads=2\n"
        "auto.create.topics.enable=false\n"
        // Topics of earlier repetitions must not be deleted while a later one is measured.
        "log.segment.delete.delay.ms=0\n",
        ports.clients, ports.controller, directory);
}

std::string kafka_log4j_properties() {
    return "status=warn\n"
           "appender.out.type=Console\n"
           "appender.out.name=out\n"
           "appender.out.layout.type=PatternLayout\n"
           "appender.out.layout.pattern=[%d] %p %m (%c)%n\n"
           "rootLogger.level=warn\n"
           "rootLogger.appenderRef.out.ref=out\n";
}

std::string kafka_version(const std::string& libs) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(libs, error)) {
        const std::string name = entry.path().filename();
        if (name.starts_with(kMainJar) && name.ends_with(".jar")) {
            return name.substr(kMainJar.size(), name.size() - kMainJar.size() - 4);
        }
    }
    return "";
}

std::uint64_t installed_bytes(Brand brand, const KafkaOptions& options) {
    std::error_code error;
    if (brand == Brand::kWalrusd) {
        const std::uintmax_t bytes = fs::file_size(options.binary, error);
        return error ? 0 : bytes;
    }
    std::uint64_t bytes = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(options.libs, error)) {
        if (entry.path().extension() == ".jar") bytes += entry.file_size(error);
    }
    return bytes;
}

std::uint16_t walrusd_kafka_port(const std::string& output) {
    constexpr std::string_view kName = "kafka=";
    const auto ready = output.find("ready");
    if (ready == std::string::npos) return 0;
    const auto name = output.find(kName, ready);
    const auto end = output.find('\n', ready);
    if (name == std::string::npos || end == std::string::npos || name > end) return 0;
    // "kafka=9092" or "kafka=127.0.0.1:9092".
    std::string value = output.substr(name + kName.size(), end - name - kName.size());
    value = value.substr(0, value.find_first_of(" ,"));
    if (const auto colon = value.rfind(':'); colon != std::string::npos) {
        value = value.substr(colon + 1);
    }
    std::uint16_t port = 0;
    std::from_chars(value.data(), value.data() + value.size(), port);
    return port;
}

std::string find_program(const std::string& name, const std::string& path) {
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find(':', begin), path.size());
        const std::string candidate = path.substr(begin, end - begin) + "/" + name;
        if (end > begin && ::access(candidate.c_str(), X_OK) == 0) return candidate;
        begin = end + 1;
    }
    return "";
}

}  // namespace walrus::compare

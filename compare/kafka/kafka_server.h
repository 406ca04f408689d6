// Servers that the drivers start and own: a real Kafka broker, or walrusd.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "compare/kafka/kafka_options.h"
#include "compare/kafka/server_process.h"

namespace walrus::compare {

// Of a server of ours; 0: any free one.
struct ServerPorts {
    std::uint16_t clients = 0;     // Its Kafka listener.
    std::uint16_t controller = 0;  // kKafka.
};

struct RunningServer {
    std::unique_ptr<ServerProcess> process;
    ServerPorts ports;
    std::string address;  // "127.0.0.1:port" of its Kafka listener.
};

// kUnsupported, with what to do about it: something is not on this machine.
Status check_parts(Brand brand, const KafkaParts& parts, const KafkaOptions& options);

// Starts a server on what is in `directory` (a new one is formatted) and returns when it accepts
// connections.  Its output goes to directory/server.log.  kTimeout, kClosed: it did not come up.
Result<RunningServer> start_server(Brand brand, const KafkaParts& parts,
                                   const KafkaOptions& options, const std::string& directory);

// Starts the server again that start_server() once started, on what is in `directory` now, with the
// ports it had, and returns at once.
Result<std::unique_ptr<ServerProcess>> restart_server(Brand brand, const KafkaParts& parts,
                                                      const KafkaOptions& options,
                                                      const std::string& directory,
                                                      const ServerPorts& ports);
// Returns when it has said or shown that it serves clients.  kTimeout, kClosed: it did not.
Status wait_for_server(Brand brand, ServerProcess& server, const ServerPorts& ports,
                       std::uint64_t timeout_ms);
// Where the server keeps its data: everything it needs to go on, and nothing else.
std::string server_data_directory(Brand brand, const std::string& directory);

// Text of the broker's configuration files.
std::string kafka_server_properties(const std::string& directory, const ServerPorts& ports);
std::string kafka_log4j_properties();

// The version in the name of the broker's main jar; "" when there is none.
std::string kafka_version(const std::string& libs);
// Bytes of the program: walrusd, or all jars (Java's own are not counted).
std::uint64_t installed_bytes(Brand brand, const KafkaOptions& options);

// The "kafka" port in the line with which walrusd says that it is ready; 0: none yet.
std::uint16_t walrusd_kafka_port(const std::string& output);

// The first `name` in the directories of `path`, separated by colons; "" when there is none.
std::string find_program(const std::string& name, const std::string& path);

}  // namespace walrus::compare

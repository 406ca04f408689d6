// How the Kafka half of the room reaches the server, and what it says when that fails.
//
// Everything here is a thin layer over librdkafka, the C library that most Kafka clients are made
// of: the protocol work is its own, ours is the house's types.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace walrus::client {

struct KafkaOptions {
    std::string bootstrap = "127.0.0.1:9092";  // "host:port", several with commas between them.
    std::uint32_t timeout_ms = 10'000;         // For each operation that waits for an answer.
    std::string client_id = "walrus-client";
    // Under librdkafka's names; they win over everything else.
    std::vector<std::pair<std::string, std::string>> properties = {};
    // librdkafka's own messages, from its threads; empty: nobody hears them.
    std::function<void(std::string_view)> log = {};
};

// "2.0.2"
std::string librdkafka_version();

}  // namespace walrus::client

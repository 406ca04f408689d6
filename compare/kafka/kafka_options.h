// Settings of the two drivers that speak Kafka's protocol, and what follows from them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/driver/driver.h"

namespace walrus::compare {

// Whose server it is.  The client is the same for both, with the same properties.
enum class Brand { kKafka, kWalrusd };

struct KafkaOptions {
    // Of a server that runs already; "": start one and own it.
    std::string address;
    std::uint64_t pid = 0;  // Of that server, when it runs on this machine; for resources.

    // A server of our own.
    std::string libs;          // kKafka: directory of the jars.
    std::string heap_initial;  // kKafka: -Xms and -Xmx.
    std::string heap;
    std::string binary;                  // kWalrusd.
    std::vector<std::string> arguments;  // kWalrusd: more of them, as typed.
    std::uint64_t warm_up_ns;            // The longest warm-up; 0: none.

    // The client.
    std::uint64_t linger_ms;
    std::uint64_t batch_bytes;  // Of a message set; the server's own limit is about 1 MB.
    std::uint64_t batch_records;
    std::string compression;
    // Class os-interval: how often.
    std::uint64_t sync_interval_ms;
};

// Where this build and this machine have what a server of our own needs.  Empty: not there.
struct KafkaParts {
    std::string java;     // Path of the program.
    std::string libs;     // Directory of the broker's jars.
    std::string walrusd;  // Path of the program.
};

// kInvalidArgument: unknown settings and bad values.
Result<KafkaOptions> parse_kafka_options(Brand brand, const KafkaParts& parts,
                                         const harness::Settings& settings);

// librdkafka's properties.
harness::Settings producer_properties(const KafkaOptions& options);
harness::Settings consumer_properties(const KafkaOptions& options);

// Configuration of a topic whose acknowledgements are of class `durability`.
harness::Settings topic_config(Brand brand, harness::Durability durability,
                               const KafkaOptions& options);

// kUnsupported: `live`, the configuration as the server tells it, is not of class `durability`.
Status check_topic_config(Brand brand, harness::Durability durability,
                          const harness::Settings& live);

}  // namespace walrus::compare

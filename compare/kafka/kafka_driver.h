// Drivers of servers that speak Kafka's protocol: "kafka", a real broker, and "walrusd".
//
// One librdkafka client with one set of properties for both; what they differ in is how the server
// is started.
#pragma once

#include <memory>
#include <string>

#include "compare/kafka/kafka_options.h"
#include "harness/driver/driver.h"

namespace walrus::compare {

// What this build has, with Java as found in `path` (directories separated by colons).
KafkaParts find_kafka_parts(const std::string& path);

std::unique_ptr<harness::Driver> make_kafka_driver(const KafkaParts& parts);
std::unique_ptr<harness::Driver> make_walrusd_driver(const KafkaParts& parts);

}  // namespace walrus::compare

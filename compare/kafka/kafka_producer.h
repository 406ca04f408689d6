// A producer of the harness on a librdkafka producer of its own: own connection, own threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/driver/driver.h"

namespace walrus::compare {

// An append is acknowledged when the delivery reports of all its records have come; its records
// are handed over back to back, and how they are batched is for linger.ms and batch.size to say.
// Without appends in flight the appending thread takes the reports itself; otherwise a thread does.
Result<std::unique_ptr<harness::Producer>> make_kafka_producer(
    const harness::Settings& properties, const std::vector<std::string>& topics);

}  // namespace walrus::compare

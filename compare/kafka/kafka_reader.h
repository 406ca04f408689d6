// A reader of the harness on a librdkafka consumer of its own.
#pragma once

#include <memory>
#include <string>

#include "harness/driver/driver.h"

namespace walrus::compare {

// Reads partition 0 of `topic` from its first offset, without a group: who reads everything has
// nothing to commit.  Its end is the high watermark, as asked for when it was made and as told by
// every fetch since.  Waits for a topic that has no leader yet.
Result<std::unique_ptr<harness::Reader>> make_kafka_reader(const harness::Settings& properties,
                                                           const std::string& topic);

}  // namespace walrus::compare

// A record's way to the server and back, on a topic of its own.
#pragma once

#include <string>

#include "walrus/base/result.h"
#include "walrus/client/kafka_admin.h"

namespace walrus::client {

struct RoundTrip {
    std::string topic;  // That was made for it, and deleted.
    double produce_ms = 0;
    double consume_ms = 0;
};

// kCorruption: what came back is not what was sent.
Result<RoundTrip> round_trip(KafkaAdmin& admin, const KafkaOptions& options);

}  // namespace walrus::client

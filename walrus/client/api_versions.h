// Which requests of Kafka's protocol a server offers.  Private to the room.
//
// librdkafka 2.0.2 ends the process (an assertion of its own) when it is asked for a request of a
// group that the server does not offer; so that is asked before.
#pragma once

#include <cstdint>

#include "walrus/base/result.h"
#include "walrus/client/kafka_options.h"

namespace walrus::client {

// Asks the first of the bootstrap addresses that answers.
// kClosed, kTimeout: none does.  kInvalidArgument: the answer is none.
Result<bool> server_offers(const KafkaOptions& options, std::int16_t api_key);

}  // namespace walrus::client

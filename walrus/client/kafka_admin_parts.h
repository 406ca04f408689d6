// What KafkaAdmin and KafkaGroups have in common.  Private to the room.
#pragma once

#include "walrus/client/kafka_admin.h"
#include "walrus/client/rdkafka.h"

namespace walrus::client {

struct KafkaAdmin::Parts {
    KafkaOptions options;
    RdHandle handle = {};
    RdQueue queue = {};

    int timeout_ms() const { return static_cast<int>(options.timeout_ms); }

    using RdAdminOptions =
        std::unique_ptr<rd_kafka_AdminOptions_t, RdFree<rd_kafka_AdminOptions_destroy>>;
    RdAdminOptions request(rd_kafka_admin_op_t operation) const;
    // The answer to the request that was just put on its way; `what` begins the error's message.
    Result<RdEvent> answer(std::string_view what) const;
};

}  // namespace walrus::client

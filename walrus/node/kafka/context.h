// What the apis of this folder have in common: where they find things, and where they answer.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "walrus/node/kafka/errors.h"
#include "walrus/node/kafka/service.h"
#include "walrus/protocol/kafka/frame.h"

namespace walrus::node::kafka {

struct Context {
    broker::Broker& broker;
    broker::GroupCoordinator& groups;
    broker::OffsetStore& offsets;
    net::Loop& loop;
    const KafkaOptions& options;
};

// A request that waits for its answer.  To be sent once.
struct Call {
    net::ReplySlot slot = {};
    std::int16_t version = 0;
    std::int32_t correlation_id = 0;

    template <class Response>
    void answer(const Response& response) {
        slot.send(protocol::kafka::encode_response(version, correlation_id, response));
    }
};

// For callbacks, which must be copyable.
using SharedCall = std::shared_ptr<Call>;
inline SharedCall share(Call call) {
    return std::make_shared<Call>(std::move(call));
}

// Who asks, as a coordinator wants to know it.
struct Client {
    std::string id = {};
    std::string host = {};
};

}  // namespace walrus::node::kafka

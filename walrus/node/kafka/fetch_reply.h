// The bytes of a Fetch response around records that lie elsewhere.
#pragma once

#include <memory>
#include <vector>

#include "walrus/broker/types.h"
#include "walrus/net/connection_handler.h"
#include "walrus/protocol/kafka/fetch_messages.h"

namespace walrus::node::kafka {

// One partition's part of an answer: what is said about it, and its records.
struct FetchPart {
    protocol::kafka::FetchPartitionResponse head = {};  // Without records.
    std::vector<Bytes> pieces = {};
    std::shared_ptr<const void> owner = {};
    std::uint64_t size_bytes = 0;
};

// The same bytes as encode_response() of one FetchResponse with all records in it, which are not
// copied.  The parts are those of the topics' partitions, in order; what they hold is taken.
net::Reply encode_fetch_reply(std::int16_t version, std::int32_t correlation_id,
                              const protocol::kafka::FetchResponse& response,
                              std::vector<FetchPart>& parts);

}  // namespace walrus::node::kafka

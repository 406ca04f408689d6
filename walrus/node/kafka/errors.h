// What our errors are called in Kafka's protocol: the tables.
//
// What a client does next depends on the code: it tries again, looks for another leader, or gives
// up.  So a code is chosen by what our error allows, and only then by its name.
#pragma once

#include "walrus/base/result.h"
#include "walrus/broker/types.h"
#include "walrus/protocol/kafka/error_code.h"

namespace walrus::node::kafka {

using protocol::kafka::ErrorCode;

// Of Produce.  Nothing was written: kNoSpace, kResourceExhausted; both are tried again.
ErrorCode append_error(const broker::AppendResult& result);
// Of Fetch, ListOffsets and DeleteRecords.
ErrorCode read_error(const Status& status);
// Of a client that says which leader epoch it knows; -1 says nothing.
ErrorCode epoch_error(std::int32_t theirs, std::int32_t ours);
// Of CreateTopics, DeleteTopics and InitProducerId.
ErrorCode admin_error(const Status& status);

}  // namespace walrus::node::kafka

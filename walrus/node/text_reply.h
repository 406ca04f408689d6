// What a server tells a client of the text protocol: errors in upstream's words, and the documents
// of STATE and METRICS with upstream's fields.
#pragma once

#include <string>
#include <string_view>

#include "walrus/base/result.h"
#include "walrus/broker/types.h"

namespace walrus::node {

// Whole frames.  Where upstream's words name no cause, it follows them behind ": ".
std::string unknown_topic_reply(std::string_view topic);
std::string append_error_reply(std::string_view topic, std::uint64_t segment, const Error& error);
std::string read_error_reply(std::string_view topic, const Error& error);

// The segment in which a topic's records are appended now; segments are counted from 1.
std::uint64_t current_segment(const broker::PartitionInfo& partition);

// JSON: of a topic, in one line; of this node, indented.
std::string state_document(const broker::TopicDescription& topic);
std::string metrics_document(const broker::ClusterDescription& cluster, std::string_view address);

}  // namespace walrus::node

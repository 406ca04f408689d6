// What stands behind "ERR " in a reply of the text protocol: upstream's words, which its scripts
// and clients compare.  A name that ends in "For" is followed by the thing that it is about.
#pragma once

#include <string_view>

namespace walrus::protocol::text_error {

// The request.
inline constexpr std::string_view kInvalidFrameLength = "invalid frame length";
inline constexpr std::string_view kInvalidUtf8 = "invalid utf-8";
inline constexpr std::string_view kUnknownCommand = "unknown command";
inline constexpr std::string_view kRegisterRequiresTopic = "REGISTER requires a topic";
inline constexpr std::string_view kPutRequiresTopic = "PUT requires a topic";
inline constexpr std::string_view kPutRequiresPayload = "PUT requires a payload";
inline constexpr std::string_view kGetRequiresTopic = "GET requires a topic";
inline constexpr std::string_view kStateRequiresTopic = "STATE requires a topic";

// The topic, and who leads it.
inline constexpr std::string_view kUnknownTopicFor = "unknown topic ";
inline constexpr std::string_view kNotLeaderFor = "NotLeaderForPartition: ";
inline constexpr std::string_view kAppendFailedFor = "append failed for ";

// Between the nodes.
inline constexpr std::string_view kForwardAppendFailedFor = "forward append failed: ";
inline constexpr std::string_view kForwardMetadataFailedFor = "forwarded metadata failed: ";
inline constexpr std::string_view kUnknownAddressOfNodeFor = "unknown addr for node ";
inline constexpr std::string_view kUnknownAddressOfLeaderFor = "unknown addr for raft leader ";
inline constexpr std::string_view kUnresolvedAddressFor = "could not resolve addr ";
inline constexpr std::string_view kProposeTimedOut = "raft propose timed out";
inline constexpr std::string_view kNoLeader =
    "no raft leader known for metadata proposal after retries";

}  // namespace walrus::protocol::text_error

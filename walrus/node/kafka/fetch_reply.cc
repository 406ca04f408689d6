#include "walrus/node/kafka/fetch_reply.h"

#include <algorithm>
#include <string>
#include <utility>

#include "walrus/base/assert.h"
#include "walrus/protocol/kafka/frame.h"

namespace walrus::node::kafka {

using namespace protocol::kafka;

namespace {

// Everything but records, and where each part's records belong.
struct Envelope {
    std::string bytes;
    std::vector<std::size_t> ends;  // By part: one past what stands before its records.
};

Envelope encode_envelope(std::int16_t version, std::int32_t correlation_id,
                         const FetchResponse& response, const std::vector<FetchPart>& parts) {
    Envelope envelope;
    envelope.bytes = begin_response(ApiKey::kFetch, version, correlation_id);
    WALRUS_ASSERT(!api_of(ApiKey::kFetch).is_flexible(version));
    Writer writer(envelope.bytes, version, false);
    FetchResponse::fields_before_topics(writer, response);
    writer(static_cast<std::int32_t>(response.topics.size()));
    std::size_t next = 0;
    for (const FetchTopicResponse& topic : response.topics) {
        writer(topic.name, static_cast<std::int32_t>(topic.partitions.size()));
        for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
            const FetchPart& part = parts[next++];
            FetchPartitionResponse::fields_before_records(writer, part.head);
            writer(static_cast<std::int32_t>(part.size_bytes));
            envelope.ends.push_back(envelope.bytes.size());
        }
    }
    WALRUS_ASSERT(next == parts.size());
    return envelope;
}

// The frame's length, which stands first, does not count itself.
void set_size(std::string& frame, std::uint64_t size) {
    std::string length;
    Writer(length, 0, false)(static_cast<std::int32_t>(size));
    frame.replace(0, length.size(), length);
}

}  // namespace

net::Reply encode_fetch_reply(std::int16_t version, std::int32_t correlation_id,
                              const FetchResponse& response, std::vector<FetchPart>& parts) {
    auto envelope =
        std::make_shared<Envelope>(encode_envelope(version, correlation_id, response, parts));
    std::uint64_t record_bytes = 0;
    for (const FetchPart& part : parts) record_bytes += part.size_bytes;
    std::string& bytes = envelope->bytes;
    set_size(bytes, bytes.size() - sizeof(std::int32_t) + record_bytes);

    net::Reply reply;
    if (record_bytes == 0) {
        reply.head = std::move(bytes);
        return reply;
    }
    std::size_t sent = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        FetchPart& part = parts[i];
        if (part.size_bytes == 0) continue;
        reply.pieces.push_back(as_bytes(bytes).subspan(sent, envelope->ends[i] - sent));
        sent = envelope->ends[i];
        reply.pieces.insert(reply.pieces.end(), part.pieces.begin(), part.pieces.end());
        reply.owners.push_back(std::move(part.owner));
    }
    if (sent < bytes.size()) reply.pieces.push_back(as_bytes(bytes).subspan(sent));
    reply.owners.push_back(std::move(envelope));
    return reply;
}

}  // namespace walrus::node::kafka

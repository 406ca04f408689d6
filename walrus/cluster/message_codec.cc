#include "walrus/cluster/message_codec.h"

#include "walrus/cluster/message_fields.h"

namespace walrus::cluster {

namespace {

// Batches of at least one record each, from a possible position on.
bool sound(std::uint64_t first, const std::vector<Batch>& batches) {
    std::uint64_t length = first;
    for (const Batch& batch : batches) {
        if (batch.records == 0 || length >= kMaxPosition) return false;
        if (length != 0 && batch.preamble.size() > 0) return false;
        length += batch.records;
    }
    return length < kMaxPosition;
}

bool sound(const MessageBody& body) {
    if (const auto* append = std::get_if<AppendRequest>(&body)) {
        return sound(append->first, append->batches);
    }
    if (const auto* read = std::get_if<ReadReply>(&body)) return sound(read->first, read->batches);
    return true;
}

}  // namespace

std::string encode(const Message& message) {
    return wire::encode(kMessageVersion, message);
}

Result<Message> decode_message(Bytes bytes) {
    auto message = wire::decode<Message>(kMessageVersion, bytes, "message");
    if (message && !sound(message->body)) {
        return Error{Errc::kCorruption, "cluster codec: message with impossible batches"};
    }
    return message;
}

}  // namespace walrus::cluster

// What nodes ask each other on behalf of clients, and the answers: their bytes.
//
//   u8 version (1), u8 kind, fields.  Little-endian; texts and lists have u32 counts.
//
// What decodes encodes to the same bytes.  Another version is refused: kUnsupported.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "walrus/base/result.h"
#include "walrus/broker/types.h"
#include "walrus/cluster/batch.h"
#include "walrus/member/member.h"

namespace walrus::cluster_broker {

// Append the batch, if you lead the topic.  Its preamble is not sent.
struct AppendCall {
    cluster::TopicId topic = 0;
    cluster::Batch batch = {};

    bool operator==(const AppendCall&) const = default;
};
// The next record of the shared cursor, if you lead the topic.
struct GetCall {
    cluster::TopicId topic = 0;

    bool operator==(const GetCall&) const = default;
};
// Batches of your own copies.
struct ReadCall {
    cluster::TopicId topic = 0;
    Offset from = {};
    std::uint64_t max_bytes = 0;

    bool operator==(const ReadCall&) const = default;
};
using Call = std::variant<AppendCall, GetCall, ReadCall>;

struct AppendAnswer {
    broker::AppendOutcome outcome = broker::AppendOutcome::kFailed;
    std::optional<Error> error = {};  // Of kFailed.
    Offset base_offset = {};
};
struct GetAnswer {
    std::optional<Error> error = {};
    std::optional<std::string> value = {};
};
struct ReadAnswer {
    std::optional<Error> error = {};
    std::vector<member::ReadBatch> batches = {};
};

std::string encode_call(const Call& call);
Result<Call> decode_call(std::string_view bytes);

std::string encode_answer(const AppendAnswer& answer);
std::string encode_answer(const GetAnswer& answer);
std::string encode_answer(const ReadAnswer& answer);
// kCorruption, kUnsupported: what came is no such answer.
Result<AppendAnswer> decode_append_answer(std::string_view bytes);
Result<GetAnswer> decode_get_answer(std::string_view bytes);
Result<ReadAnswer> decode_read_answer(std::string_view bytes);

}  // namespace walrus::cluster_broker

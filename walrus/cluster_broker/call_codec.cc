#include "walrus/cluster_broker/call_codec.h"

#include "walrus/cluster/wire.h"

// wire.h finds these by the namespaces of what they describe.
namespace walrus {

constexpr Errc last_of(Errc) {
    return Errc::kNotLeader;
}
template <class Io>
void fields(Io& io, cluster::wire::Like<Io, Error>& error) {
    io(error.code, error.message);
}

namespace broker {
constexpr AppendOutcome last_of(AppendOutcome) {
    return AppendOutcome::kFailed;
}
}  // namespace broker

namespace member {
template <class Io>
void fields(Io& io, cluster::wire::Like<Io, ReadBatch>& batch) {
    io(batch.offset, batch.records, batch.segment, batch.data);
}
}  // namespace member

namespace cluster_broker {

using cluster::wire::Like;
using cluster::wire::Reader;
using cluster::wire::Writer;

template <class Io>
void fields(Io& io, Like<Io, AppendCall>& call) {
    io(call.topic, call.batch.records, call.batch.producer.id, call.batch.producer.epoch,
       call.batch.producer.first_sequence, call.batch.data);
}
template <class Io>
void fields(Io& io, Like<Io, GetCall>& call) {
    io(call.topic);
}
template <class Io>
void fields(Io& io, Like<Io, ReadCall>& call) {
    io(call.topic, call.from, call.max_bytes);
}
template <class Io>
void fields(Io& io, Like<Io, AppendAnswer>& answer) {
    io(answer.outcome, answer.error, answer.base_offset);
}
template <class Io>
void fields(Io& io, Like<Io, GetAnswer>& answer) {
    io(answer.error, answer.value);
}
template <class Io>
void fields(Io& io, Like<Io, ReadAnswer>& answer) {
    io(answer.error, answer.batches);
}

namespace {

constexpr std::uint8_t kVersion = 1;

enum class AnswerKind : std::uint8_t { kAppend, kGet, kRead };
constexpr AnswerKind last_of(AnswerKind) {
    return AnswerKind::kRead;
}

template <class Answer>
std::string encode(AnswerKind kind, const Answer& answer) {
    std::string bytes;
    Writer writer(bytes);
    writer(kVersion, kind, answer);
    return bytes;
}

// Reads the version; what follows is up to the caller.
Status begin(Reader& reader) {
    std::uint8_t version = 0;
    reader(version);
    if (!reader.ok()) return Error{Errc::kCorruption, "call: empty"};
    if (version != kVersion)
        return Error{Errc::kUnsupported, "call: version " + std::to_string(version) + ", this is " +
                                             std::to_string(kVersion)};
    return {};
}

template <class Answer>
Result<Answer> decode(AnswerKind kind, std::string_view bytes) {
    Reader reader(as_bytes(bytes));
    WALRUS_RETURN_IF_ERROR(begin(reader));
    AnswerKind found{};
    Answer answer;
    reader(found);
    if (found == kind) reader(answer);
    if (found != kind || !reader.done())
        return Error{Errc::kCorruption, "call: its answer is malformed"};
    return answer;
}

}  // namespace

std::string encode_call(const Call& call) {
    std::string bytes;
    Writer writer(bytes);
    writer(kVersion, call);
    return bytes;
}

Result<Call> decode_call(std::string_view bytes) {
    Reader reader(as_bytes(bytes));
    WALRUS_RETURN_IF_ERROR(begin(reader));
    Call call;
    reader(call);
    if (!reader.done()) return Error{Errc::kCorruption, "call: malformed"};
    const auto* append = std::get_if<AppendCall>(&call);
    if (append != nullptr && append->batch.records == 0)
        return Error{Errc::kCorruption, "call: a batch without records"};
    return call;
}

std::string encode_answer(const AppendAnswer& answer) {
    return encode(AnswerKind::kAppend, answer);
}
std::string encode_answer(const GetAnswer& answer) {
    return encode(AnswerKind::kGet, answer);
}
std::string encode_answer(const ReadAnswer& answer) {
    return encode(AnswerKind::kRead, answer);
}

Result<AppendAnswer> decode_append_answer(std::string_view bytes) {
    return decode<AppendAnswer>(AnswerKind::kAppend, bytes);
}
Result<GetAnswer> decode_get_answer(std::string_view bytes) {
    return decode<GetAnswer>(AnswerKind::kGet, bytes);
}
Result<ReadAnswer> decode_read_answer(std::string_view bytes) {
    return decode<ReadAnswer>(AnswerKind::kRead, bytes);
}

}  // namespace cluster_broker
}  // namespace walrus

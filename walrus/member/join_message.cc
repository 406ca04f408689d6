#include "walrus/member/join_message.h"

#include "walrus/member/field_codec.h"

namespace walrus::member {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr Errc kLastCode = Errc::kNotLeader;

Status check_version(Fields& fields) {
    const auto version = fields.take<std::uint8_t>();
    if (fields.ok() && version == kVersion) return {};
    return Error{Errc::kUnsupported, "join: version " + std::to_string(version) +
                                         " is spoken there, " + std::to_string(kVersion) +
                                         " here; run the same program on all nodes"};
}

Error malformed(const char* what) {
    return {Errc::kCorruption, std::string("join: a malformed ") + what};
}

}  // namespace

std::string encode(const JoinQuestion& question) {
    std::string out;
    put(out, kVersion);
    put(out, question.cluster);
    put(out, question.node);
    put(out, question.boot);
    put(out, question.disk);
    put(out, question.peer_address);
    put(out, question.text_address);
    put(out, question.kafka_address);
    return out;
}

Result<JoinQuestion> decode_join_question(std::string_view bytes) {
    Fields fields(bytes);
    WALRUS_RETURN_IF_ERROR(check_version(fields));
    JoinQuestion question;
    question.cluster = fields.take<std::uint64_t>();
    question.node = fields.take<std::uint64_t>();
    question.boot = fields.take<std::uint64_t>();
    question.disk = fields.take<std::uint64_t>();
    question.peer_address = fields.take_string();
    question.text_address = fields.take_string();
    question.kafka_address = fields.take_string();
    if (!fields.done()) return malformed("question");
    return question;
}

std::string encode(const JoinAnswer& answer) {
    std::string out;
    put(out, kVersion);
    put(out, static_cast<std::uint8_t>(answer.kind));
    put(out, static_cast<std::uint8_t>(answer.code));
    put(out, answer.cluster);
    put(out, answer.text);
    put(out, static_cast<std::uint32_t>(answer.peers.size()));
    for (const auto& [node, address] : answer.peers) {
        put(out, node);
        put(out, address);
    }
    return out;
}

Result<JoinAnswer> decode_join_answer(std::string_view bytes) {
    Fields fields(bytes);
    WALRUS_RETURN_IF_ERROR(check_version(fields));
    const auto kind = fields.take<std::uint8_t>();
    const auto code = fields.take<std::uint8_t>();
    const bool known = kind <= static_cast<std::uint8_t>(JoinAnswer::Kind::kAccepted) &&
                       code <= static_cast<std::uint8_t>(kLastCode);
    if (!known) return malformed("answer");
    JoinAnswer answer;
    answer.kind = static_cast<JoinAnswer::Kind>(kind);
    answer.code = static_cast<Errc>(code);
    answer.cluster = fields.take<std::uint64_t>();
    answer.text = fields.take_string();
    const auto peers = fields.take<std::uint32_t>();
    for (std::uint32_t i = 0; i < peers && fields.ok(); ++i) {
        const auto node = fields.take<std::uint64_t>();
        answer.peers[node] = fields.take_string();
    }
    if (!fields.done()) return malformed("answer");
    return answer;
}

}  // namespace walrus::member

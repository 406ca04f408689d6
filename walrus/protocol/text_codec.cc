#include "walrus/protocol/text_codec.h"

#include <array>
#include <limits>

#include "walrus/base/assert.h"
#include "walrus/protocol/text_error.h"
#include "walrus/protocol/utf8.h"

namespace walrus::protocol {
namespace {

constexpr std::string_view kOk = "OK";
constexpr std::string_view kOkWithPayload = "OK ";
constexpr std::string_view kEmpty = "EMPTY";
constexpr std::string_view kErr = "ERR ";

struct Verb {
    TextCommand command = TextCommand::kMetrics;
    std::string_view word;
    std::string_view topic_missing;  // Empty: it takes no topic.
};

// At the place of its command.
constexpr std::array kVerbs = {
    Verb{TextCommand::kRegister, "REGISTER", text_error::kRegisterRequiresTopic},
    Verb{TextCommand::kPut, "PUT", text_error::kPutRequiresTopic},
    Verb{TextCommand::kGet, "GET", text_error::kGetRequiresTopic},
    Verb{TextCommand::kState, "STATE", text_error::kStateRequiresTopic},
    Verb{TextCommand::kMetrics, "METRICS", ""},
};

const Verb* find_verb(std::string_view word) {
    for (const Verb& verb : kVerbs)
        if (verb.word == word) return &verb;
    return nullptr;
}

const Verb& verb_of(TextCommand command) {
    return kVerbs[static_cast<std::size_t>(command)];
}

Error refuse(std::string_view message) {
    return {Errc::kInvalidArgument, std::string(message)};
}

std::string_view trim_end(std::string_view text) {
    const std::size_t last = text.find_last_not_of(" \t\n\v\f\r");
    return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

// Takes the word before the first space; `rest` is what follows that space.  False: no space.
bool take_word(std::string_view& rest, std::string_view& word) {
    const std::size_t space = rest.find(' ');
    word = rest.substr(0, space);
    if (space == std::string_view::npos) {
        rest = {};
        return false;
    }
    rest.remove_prefix(space + 1);
    return true;
}

}  // namespace

Result<TextRequest> parse_text_request(Bytes frame) {
    if (frame.empty() || frame.size() > kMaxTextCommandBytes)
        return refuse(text_error::kInvalidFrameLength);
    const std::string_view text = as_text(frame);
    if (!is_utf8(text)) return refuse(text_error::kInvalidUtf8);

    std::string_view word;
    std::string_view rest = trim_end(text);
    take_word(rest, word);
    const Verb* verb = find_verb(word);
    if (verb == nullptr) return refuse(text_error::kUnknownCommand);
    TextRequest request{.command = verb->command};
    if (verb->topic_missing.empty()) return request;

    const bool is_put = verb->command == TextCommand::kPut;
    if (is_put) {  // From the untrimmed text: its end belongs to the payload.
        rest = text;
        take_word(rest, word);
    }
    const bool has_payload = take_word(rest, request.topic);
    if (request.topic.empty()) return refuse(verb->topic_missing);
    if (!is_put) return request;
    if (!has_payload) return refuse(text_error::kPutRequiresPayload);
    request.payload = rest;
    return request;
}

std::string encode_text_frame(std::string_view text) {
    WALRUS_ASSERT(text.size() <= std::numeric_limits<std::uint32_t>::max());
    std::byte length[4];
    store_le(length, static_cast<std::uint32_t>(text.size()));
    std::string frame;
    frame.reserve(sizeof length + text.size());
    frame.append(as_text(length));
    return frame.append(text);
}

std::string encode_text_request(const TextRequest& request) {
    const Verb& verb = verb_of(request.command);
    std::string text(verb.word);
    if (!verb.topic_missing.empty()) text.append(" ").append(request.topic);
    if (request.command == TextCommand::kPut) text.append(" ").append(request.payload);
    return encode_text_frame(text);
}

std::string encode_text_ok() {
    return encode_text_frame(kOk);
}

std::string encode_text_ok(std::string_view payload) {
    return encode_text_frame(std::string(kOkWithPayload).append(payload));
}

std::string encode_text_empty() {
    return encode_text_frame(kEmpty);
}

std::string encode_text_error(std::string_view message) {
    return encode_text_frame(std::string(kErr).append(message));
}

TextReply parse_text_reply(Bytes frame) {
    const std::string_view text = as_text(frame);
    if (text == kOk) return {TextReplyKind::kOk, {}};
    if (text == kEmpty) return {TextReplyKind::kEmpty, {}};
    if (text.starts_with(kOkWithPayload))
        return {TextReplyKind::kOk, text.substr(kOkWithPayload.size())};
    if (text.starts_with(kErr)) return {TextReplyKind::kError, text.substr(kErr.size())};
    return {TextReplyKind::kDocument, text};
}

}  // namespace walrus::protocol

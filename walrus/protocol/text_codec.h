// The text protocol: one command a frame, one reply a frame, in order.  walrus/spec/protocol.md.
//
//   frame    length u32 LE | that many bytes of UTF-8
//   command  REGISTER <topic> | PUT <topic> <payload> | GET <topic> | STATE <topic> | METRICS
//   reply    OK | OK <payload> | EMPTY | ERR <message> | <JSON>  (STATE and METRICS)
#pragma once

#include <string>
#include <string_view>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"

namespace walrus::protocol {

// The longest command, as upstream.  A reply may be longer: a record that came in through another
// door is not bound by it.
inline constexpr std::size_t kMaxTextCommandBytes = 64 << 10;

enum class TextCommand { kRegister, kPut, kGet, kState, kMetrics };

// Views into the frame that was parsed.
struct TextRequest {
    TextCommand command = TextCommand::kMetrics;
    std::string_view topic = {};    // Not empty, except of kMetrics.
    std::string_view payload = {};  // Of kPut; may be empty.
};

// What a frame of a client asks for.  White space at its end counts only in the payload of a PUT,
// which is everything behind the one space that follows the topic, byte for byte.  Words that a
// command does not take are ignored.
//
// kInvalidArgument: the message is the text of the ERR reply (text_error.h).  The connection goes
// on.
Result<TextRequest> parse_text_request(Bytes frame);

// The frame of a request or of a reply, with its length.  A text has less than 4 GiB.
std::string encode_text_frame(std::string_view text);
std::string encode_text_request(const TextRequest& request);
std::string encode_text_ok();
std::string encode_text_ok(std::string_view payload);
std::string encode_text_empty();
std::string encode_text_error(std::string_view message);

enum class TextReplyKind {
    kOk,        // "OK" or "OK <payload>"
    kEmpty,     // "EMPTY": nothing to read
    kError,     // "ERR <message>"
    kDocument,  // Anything else: the JSON of STATE and METRICS.
};

// A view into the frame that was parsed.
struct TextReply {
    TextReplyKind kind = TextReplyKind::kOk;
    std::string_view text;  // Payload, message or document.
};

// What a frame of the server says.  Payloads are not checked to be UTF-8: records are bytes.
TextReply parse_text_reply(Bytes frame);

}  // namespace walrus::protocol

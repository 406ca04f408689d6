// TextClient: one connection that speaks the text protocol.  walrus/spec/protocol.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/base/result.h"
#include "walrus/client/address.h"
#include "walrus/client/tcp_stream.h"
#include "walrus/protocol/frame_decoder.h"
#include "walrus/protocol/text_codec.h"

namespace walrus::client {

struct TextOptions {
    std::uint32_t timeout_ms = 10'000;  // For connecting, and for each reply.
    // A record that came in through Kafka's protocol may be far longer than a command.
    std::size_t max_reply_bytes = 256 << 20;
};

// One thread at a time.  After kClosed, kTimeout, kIo or kTooLarge the connection has lost its
// place in the stream: every later call fails with kClosed; connect again.
class TextClient {
public:
    static Result<TextClient> connect(const Address& address, const TextOptions& options);

    // Sends `command` as it is and returns the reply as it is.
    // kTooLarge: a command has at most protocol::kMaxTextCommandBytes; nothing was sent.
    Result<std::string> send_raw(std::string_view command);

    struct Reply {
        protocol::TextReplyKind kind = protocol::TextReplyKind::kOk;
        std::string text;  // Payload, message or document.
    };
    // kInvalidArgument: the topic is empty or has white space in it; nothing was sent.
    // A reply ERR is no error here: see Reply::kind.
    Result<Reply> send(const protocol::TextRequest& request);

private:
    TextClient(TcpStream stream, const TextOptions& options);

    Status fail(Error error);
    Status send_frames(std::string_view frames);
    Result<std::string> next_reply();

    TcpStream stream_;
    TextOptions options_;
    protocol::FrameDecoder decoder_;
    std::vector<std::byte> room_;
    bool lost_ = false;
};

// What an ERR reply means: kNotFound when the topic is unknown, kNotLeader when another node must
// be asked, kTimeout when the cluster did not decide in time, kIo for the rest.
Error text_reply_error(std::string_view message);

}  // namespace walrus::client

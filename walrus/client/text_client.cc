#include "walrus/client/text_client.h"

#include <utility>

#include "walrus/protocol/text_error.h"

namespace walrus::client {
namespace {

constexpr std::size_t kReceiveBytes = 64 << 10;

Status check_command(std::string_view command) {
    if (command.size() <= protocol::kMaxTextCommandBytes) return {};
    return Error{Errc::kTooLarge, "the command has " + std::to_string(command.size()) +
                                      " bytes, the text protocol " + "takes " +
                                      std::to_string(protocol::kMaxTextCommandBytes) +
                                      "; longer records go through Kafka's protocol"};
}

}  // namespace

TextClient::TextClient(TcpStream stream, const TextOptions& options)
    : stream_(std::move(stream)),
      options_(options),
      decoder_(protocol::LengthOrder::kLittleEndian, options.max_reply_bytes),
      room_(kReceiveBytes) {}

Result<TextClient> TextClient::connect(const Address& address, const TextOptions& options) {
    auto stream = TcpStream::connect(address, options.timeout_ms);
    if (!stream) return std::move(stream).error();
    return TextClient(std::move(*stream), options);
}

Status TextClient::fail(Error error) {
    lost_ = true;
    return error;
}

Status TextClient::send_frames(std::string_view frames) {
    if (lost_) return Error{Errc::kClosed, "the connection is closed; connect again"};
    Status sent = stream_.send_all(as_bytes(frames), TcpStream::deadline_ns(options_.timeout_ms));
    return sent ? sent : fail(std::move(sent).error());
}

Result<std::string> TextClient::next_reply() {
    const std::uint64_t deadline = TcpStream::deadline_ns(options_.timeout_ms);
    while (true) {
        auto frame = decoder_.next();
        if (!frame) return fail(std::move(frame).error()).error();
        if (frame->has_value()) return std::string(as_text(**frame));
        const auto got = stream_.receive(room_, deadline);
        if (!got) return fail(got.error()).error();
        if (*got == 0) return fail({Errc::kClosed, "the server closed the connection"}).error();
        decoder_.feed(Bytes(room_).first(*got));
    }
}

Result<std::string> TextClient::send_raw(std::string_view command) {
    WALRUS_RETURN_IF_ERROR(check_command(command));
    WALRUS_RETURN_IF_ERROR(send_frames(protocol::encode_text_frame(command)));
    return next_reply();
}

Result<TextClient::Reply> TextClient::send(const protocol::TextRequest& request) {
    const bool takes_topic = request.command != protocol::TextCommand::kMetrics;
    if (takes_topic && request.topic.empty())
        return Error{Errc::kInvalidArgument, "the topic's name is empty"};
    if (request.topic.find_first_of(" \t\n\v\f\r") != std::string_view::npos)
        return Error{Errc::kInvalidArgument,
                     "topic \"" + std::string(request.topic) + "\": a name has no white space"};
    const std::string frame = protocol::encode_text_request(request);
    const auto reply = send_raw(std::string_view(frame).substr(sizeof(std::uint32_t)));
    if (!reply) return reply.error();
    const protocol::TextReply parsed = protocol::parse_text_reply(as_bytes(*reply));
    return Reply{.kind = parsed.kind, .text = std::string(parsed.text)};
}

Error text_reply_error(std::string_view message) {
    const auto has = [&](std::string_view part) {
        return message.find(part) != std::string_view::npos;
    };
    namespace text = protocol::text_error;
    Errc code = Errc::kIo;
    if (message.starts_with(text::kUnknownTopicFor)) code = Errc::kNotFound;
    if (has(text::kNotLeaderFor)) code = Errc::kNotLeader;
    if (has(text::kProposeTimedOut) || has(text::kNoLeader)) code = Errc::kTimeout;
    return {code, std::string(message)};
}

}  // namespace walrus::client

#include "walrus/client/api_versions.h"

#include <algorithm>
#include <array>

#include "walrus/client/address.h"
#include "walrus/client/tcp_stream.h"
#include "walrus/protocol/frame_decoder.h"
#include "walrus/protocol/kafka/cluster_messages.h"
#include "walrus/protocol/kafka/frame.h"

namespace walrus::client {
namespace {

namespace kafka = protocol::kafka;

constexpr std::size_t kMaxAnswerBytes = 64 << 10;

Result<kafka::ApiVersionsResponse> ask(const Address& address, const KafkaOptions& options) {
    auto stream = TcpStream::connect(address, options.timeout_ms);
    if (!stream) return std::move(stream).error();
    const std::uint64_t deadline = TcpStream::deadline_ns(options.timeout_ms);
    const kafka::RequestId id{.version = 0, .correlation_id = 1, .client_id = options.client_id};
    const std::string request = kafka::encode_request(id, kafka::ApiVersionsRequest{});
    WALRUS_RETURN_IF_ERROR(stream->send_all(as_bytes(request), deadline));
    protocol::FrameDecoder decoder(protocol::LengthOrder::kBigEndian, kMaxAnswerBytes);
    std::array<std::byte, 4096> room;
    while (true) {
        const auto frame = decoder.next();
        if (!frame) return frame.error();
        if (frame->has_value())
            return kafka::decode_response<kafka::ApiVersionsResponse>(**frame, id);
        const auto got = stream->receive(room, deadline);
        if (!got) return got.error();
        if (*got == 0) return Error{Errc::kClosed, address.to_string() + " closed the connection"};
        decoder.feed(Bytes(room).first(*got));
    }
}

}  // namespace

Result<bool> server_offers(const KafkaOptions& options, std::int16_t api_key) {
    const auto addresses = parse_addresses(options.bootstrap, kDefaultKafkaPort);
    if (!addresses) return addresses.error();
    Error last{Errc::kClosed, options.bootstrap + ": nobody answers"};
    for (const Address& address : *addresses) {
        const auto answer = ask(address, options);
        if (answer)
            return std::ranges::find(answer->api_keys, api_key, &kafka::ApiVersionRange::key) !=
                   answer->api_keys.end();
        last = answer.error();
    }
    return last;
}

}  // namespace walrus::client

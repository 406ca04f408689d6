// Any stream of bytes is cut, parsed and answered without harm; what was understood is said again
// in other words and means the same.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "walrus/protocol/frame_decoder.h"
#include "walrus/protocol/text_codec.h"

namespace walrus::protocol {
namespace {

// A copy in an allocation of its own, so that ASan sees the first byte read too much.
std::vector<std::byte> exact(Bytes bytes) {
    return {bytes.begin(), bytes.end()};
}

void parse(Bytes frame) {
    const std::vector<std::byte> bytes = exact(frame);
    static_cast<void>(parse_text_reply(bytes));
    const Result<TextRequest> request = parse_text_request(bytes);
    if (!request) return;
    // "GET t\n x" is about a topic whose name ends in a newline, which "GET t\n" cannot say.
    if (request->topic.find_last_of("\t\n\v\f\r") != std::string_view::npos) return;
    const std::string again = encode_text_request(*request);
    const auto same = parse_text_request(as_bytes(again).subspan(4));
    if (!same || same->command != request->command || same->topic != request->topic ||
        same->payload != request->payload)
        std::abort();
}

void decode(Bytes stream, LengthOrder order, std::size_t piece) {
    FrameDecoder decoder(order, kMaxTextCommandBytes);
    while (!stream.empty()) {
        const std::size_t size = std::min(piece, stream.size());
        decoder.feed(exact(stream.first(size)));
        stream = stream.subspan(size);
        while (true) {
            const auto frame = decoder.next();
            if (!frame) return;
            if (!*frame) break;
            parse(**frame);
        }
    }
}

}  // namespace
}  // namespace walrus::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace walrus;
    using namespace walrus::protocol;
    if (size == 0) return 0;
    const Bytes input{reinterpret_cast<const std::byte*>(data), size};
    const auto first = static_cast<std::size_t>(input[0]);
    parse(input.subspan(1));
    decode(input.subspan(1), LengthOrder::kLittleEndian, 1 + first);
    decode(input.subspan(1), LengthOrder::kBigEndian, 1 + first);
    return 0;
}

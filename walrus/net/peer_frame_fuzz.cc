// Any bytes may come to the peer port: decoding must refuse them, or return what encodes back to
// the same bytes.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "walrus/net/peer_frame.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace walrus;
    using namespace walrus::net;
    const Bytes input{reinterpret_cast<const std::byte*>(data), size};
    if (const auto frame = decode_peer_frame(input)) {
        std::string again;
        append_peer_header(again, *frame);
        again += frame->payload;
        if (again.substr(kPeerLengthBytes) != as_text(input)) std::abort();
    }
    const auto hello = decode_hello(as_text(input));
    if (hello && encode_hello(*hello) != as_text(input)) std::abort();
    const auto question = decode_question(as_text(input));
    if (question && encode_question(*question) != as_text(input)) std::abort();
    const auto refusal = decode_refusal(as_text(input));
    if (refusal && !as_text(input).starts_with(encode_refusal(*refusal))) std::abort();
    if (refusal) static_cast<void>(explain_refusal(*refusal, 1, 2, "host:1"));
    return 0;
}

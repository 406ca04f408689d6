// Any frame may come from a client or a server: it is refused, or what was read is written and read
// again as the same.
#include <cstdint>
#include <cstdlib>

#include "walrus/protocol/kafka/test_messages.h"

namespace walrus::protocol::kafka {
namespace {

template <class Message>
void check(Bytes body, std::int16_t version, bool is_flexible) {
    Reader reader(body, version, is_flexible);
    Message message;
    reader(message);
    if (!reader.finish("fuzz")) return;
    std::string once;
    Writer(once, version, is_flexible)(message);

    // Unknown tagged fields and odd booleans are not written, so the bytes may differ once.
    Reader again(as_bytes(once), version, is_flexible);
    Message same;
    again(same);
    if (!again.finish("fuzz")) std::abort();
    std::string twice;
    Writer(twice, version, is_flexible)(same);
    if (once != twice || once.size() > body.size()) std::abort();
}

}  // namespace
}  // namespace walrus::protocol::kafka

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace walrus;
    using namespace walrus::protocol::kafka;
    const std::vector<std::uint8_t> copy(data, data + size);  // ASan sees its end.
    const Bytes input = std::as_bytes(std::span(copy));
    const auto frame = parse_request_frame(input);
    if (!frame || frame->support != Support::kSupported) return 0;
    const bool is_flexible = api_of(frame->key()).is_flexible(frame->version);
    with_types(frame->key(), [&]<class Request, class Response>() {
        check<Request>(frame->body, frame->version, is_flexible);
        check<Response>(frame->body, frame->version, is_flexible);
        static_cast<void>(decode_request<Request>(*frame).has_value());
        const RequestId id{frame->version, frame->correlation_id, {}};
        static_cast<void>(decode_response<Response>(frame->body, id).has_value());
    });
    return 0;
}

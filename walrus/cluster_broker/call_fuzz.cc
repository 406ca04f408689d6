// Any bytes may come from another node: what decodes encodes back to the same bytes.
#include <cstdint>
#include <cstdlib>

#include "walrus/cluster_broker/call_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace walrus::cluster_broker;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    if (const auto call = decode_call(input); call && encode_call(*call) != input) std::abort();
    if (const auto answer = decode_append_answer(input); answer && encode_answer(*answer) != input)
        std::abort();
    if (const auto answer = decode_get_answer(input); answer && encode_answer(*answer) != input)
        std::abort();
    if (const auto answer = decode_read_answer(input); answer && encode_answer(*answer) != input)
        std::abort();
    return 0;
}

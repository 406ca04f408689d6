// Any bytes may stand in a damaged log: they are refused, or encode back to what they were.
#include <cstdint>
#include <cstdlib>

#include "walrus/replica_store/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace walrus;
    const Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
    const auto record = replica_store::decode(bytes);
    if (record && replica_store::encode(*record) != as_text(bytes)) std::abort();
    return 0;
}

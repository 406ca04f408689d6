// Any bytes may come from the log, a snapshot or a peer: decoding refuses them or returns what
// encodes back to the same bytes, and the state survives every command that decodes.
#include <cstdint>
#include <cstdlib>

#include "walrus/cluster/cluster_state.h"
#include "walrus/cluster/command_codec.h"
#include "walrus/cluster/snapshot_codec.h"

namespace walrus::cluster {
namespace {

template <class T>
void check_round_trip(Bytes input, const Result<T>& decoded) {
    if (decoded && encode(*decoded) != as_text(input)) std::abort();
}

}  // namespace
}  // namespace walrus::cluster

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace walrus;
    using namespace walrus::cluster;
    const Bytes input{reinterpret_cast<const std::byte*>(data), size};
    check_round_trip(input, decode_command(input));
    check_round_trip(input, decode_command_result(input));
    check_round_trip(input, decode_snapshot(input));
    return 0;
}

// A log of any bytes: the state stays possible after every entry.
//
// The input is a list of commands, each with a 2-byte length, over a state with nodes and a topic.
#include <cstdint>
#include <cstdlib>

#include "walrus/cluster/cluster_state.h"
#include "walrus/cluster/test_cluster_state.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace walrus;
    using namespace walrus::cluster;
    Bytes input{reinterpret_cast<const std::byte*>(data), size};
    TestState t;
    t.create();
    while (input.size() >= 2) {
        const std::size_t length =
            std::min<std::size_t>(load_le<std::uint16_t>(input.data()), input.size() - 2);
        t.state.apply(t.state.applied_index() + 1, input.subspan(2, length));
        input = input.subspan(2 + length);
        if (fault_of(t.state.data())) std::abort();
    }
    const auto restored = ClusterState::restore(as_bytes(t.state.snapshot()));
    if (!restored || restored->state_hash() != t.state.state_hash()) std::abort();
    return 0;
}

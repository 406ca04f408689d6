// Any bytes may come from a peer: decoding refuses them or returns what encodes back to the same
// bytes, and a node survives every message that decodes without breaking a promise.
//
// The input is a list of messages, each with a 2-byte length, to a node with an open segment.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "walrus/cluster/message_codec.h"
#include "walrus/cluster/segment_node.h"
#include "walrus/cluster/test_cluster_state.h"

namespace walrus::cluster {
namespace {

// Answers everything the node asks its disk for.
void serve_disk(SegmentNode& node) {
    for (int i = 0; i < 4 && node.has_output(); ++i) {
        Output out = node.take_output();
        for (const DiskWrite& write : out.writes) node.persisted(write.key, write.ticket);
        for (const DiskRead& read : out.reads) node.read_done({.request = read});
    }
}

}  // namespace
}  // namespace walrus::cluster

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace walrus;
    using namespace walrus::cluster;
    Bytes input{reinterpret_cast<const std::byte*>(data), size};
    TestState t;
    const SegmentKey key{t.create(), 1};
    SegmentNode node({.id = 1, .boot = 101, .disk = 1001}, t.state, {});
    node.metadata_replaced();
    node.set_controller(true);
    while (input.size() >= 2) {
        const std::size_t length =
            std::min<std::size_t>(load_le<std::uint16_t>(input.data()), input.size() - 2);
        const Bytes bytes = input.subspan(2, length);
        input = input.subspan(2 + length);
        auto message = decode_message(bytes);
        if (!message) continue;
        if (encode(*message) != as_text(bytes)) std::abort();
        message->to = 1;
        const Epoch promised = node.replica(key)->promised();
        const std::uint64_t readable = node.readable_length(key);
        node.step(*message);
        node.append(1, key.topic, Batch{.records = 1});
        node.tick(5);
        serve_disk(node);
        if (node.replica(key)->promised() < promised) std::abort();
        if (node.readable_length(key) < readable) std::abort();
    }
    return 0;
}

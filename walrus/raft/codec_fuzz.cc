// Any bytes may arrive from a peer or a disk: decoding must refuse or return what encodes back to
// the same bytes, and a node must survive every message that decodes.
#include <cstdint>
#include <cstdlib>

#include "walrus/base/random.h"
#include "walrus/raft/codec.h"
#include "walrus/raft/raft.h"

namespace walrus::raft {
namespace {

template <class T>
void check_round_trip(Bytes input, const Result<T>& decoded) {
    if (decoded && encode(*decoded) != as_text(input)) std::abort();
}

// Steps a fresh follower and, after an election, a leader through the message.
void step_nodes(const Message& message) {
    SeededRandom random(1);
    Restored restored;
    restored.snapshot.conf.voters = {message.to};
    for (const bool leads : {false, true}) {
        auto raft = Raft::open({.id = message.to, .max_inflight_messages = 2}, restored, random);
        if (leads) raft->campaign();
        for (int i = 0; i < 4; ++i) {
            while (raft->has_ready()) {
                const Ready ready = raft->ready();
                raft->advance();
                for (const SnapshotPiece& piece : ready.snapshot_pieces) {
                    if (piece.done) raft->snapshot_received(piece.meta, true);
                }
            }
            if (i < 2) static_cast<void>(raft->step(message));
            raft->tick();
        }
    }
}

}  // namespace
}  // namespace walrus::raft

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace walrus;
    using namespace walrus::raft;
    const Bytes input{reinterpret_cast<const std::byte*>(data), size};
    const Result<Message> message = decode_message(input);
    check_round_trip(input, message);
    check_round_trip(input, decode_entry(input));
    check_round_trip(input, decode_hard_state(input));
    check_round_trip(input, decode_snapshot_meta(input));
    check_round_trip(input, decode_conf_state(input));
    if (message) step_nodes(*message);
    return 0;
}

// Any bytes may be found on a disk or arrive as a snapshot: decoding must refuse, or return what
// encodes back to the same bytes; and no sequence of records may break the state they add up to.
#include <cstdint>
#include <cstdlib>

#include "walrus/base/crc32c.h"
#include "walrus/raft_storage/record.h"
#include "walrus/raft_storage/snapshot_file.h"
#include "walrus/raft_storage/stored_state.h"
#include "walrus/testing/sim_env.h"

namespace walrus::raft_storage {
namespace {

void check_state(const StoredState& state) {
    if (!state.complete()) return;
    StoredState copy;
    const Status copied = state.checkpoint(state.identity(), state.boot(), [&](Record record) {
        return copy.apply(std::move(record));
    });
    if (!copied || copy.entries() != state.entries()) std::abort();
    raft::Index expected = state.entries().empty() ? 0 : state.entries().front().index;
    for (const raft::Entry& entry : state.entries()) {
        if (entry.index != expected++) std::abort();
    }
}

// The input as a log: one length byte before each record.
void replay(Bytes input) {
    StoredState state;
    while (!input.empty()) {
        const std::size_t size =
            std::min<std::size_t>(load_le<std::uint8_t>(input.data()), input.size() - 1);
        const Bytes bytes = input.subspan(1, size);
        input = input.subspan(1 + size);
        Result<Record> record = decode(bytes);
        if (!record) continue;
        if (encode(*record) != as_text(bytes)) std::abort();
        if (state.apply(*std::move(record))) check_state(state);
    }
}

// The input as a snapshot file, with the checksums of its header and body made right.
void read_snapshot(Bytes input) {
    if (input.size() < 48) return;
    std::vector<std::byte> file(input.begin(), input.end());
    const std::uint64_t meta = load_le<std::uint8_t>(file.data() + 12) % (file.size() - 47);
    store_le(file.data() + 12, static_cast<std::uint32_t>(meta));
    store_le(file.data() + 24, file.size() - 48 - meta);
    store_le(file.data() + 32, crc32c(Bytes(file).subspan(48 + meta)));
    store_le(file.data() + 44,
             crc32c(Bytes(file).subspan(48, meta), crc32c(Bytes(file).first(44))));
    testing::SimEnv env;
    env.write_file("s/x.snap", file);
    const std::uint64_t cluster = load_le<std::uint64_t>(file.data() + 16);
    const Result<SnapshotReader> reader = SnapshotReader::open(env, "s/x.snap", cluster);
    if (reader && reader->read_body(0, file.size())->size() != reader->body_size()) std::abort();
}

}  // namespace
}  // namespace walrus::raft_storage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace walrus;
    const Bytes input{reinterpret_cast<const std::byte*>(data), size};
    raft_storage::replay(input);
    raft_storage::read_snapshot(input);
    return 0;
}

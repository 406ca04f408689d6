#include "walrus/cluster/snapshot_codec.h"

#include "walrus/cluster/metadata_fields.h"

namespace walrus::cluster {

template <class Io>
void fields(Io& io, Like<Io, DedupTable::Entry>& v) {
    io(v.id, v.result);
}

// The table is its entries in order; the index by id follows from them.
template <class Io>
void fields(Io& io, Like<Io, DedupTable>& v) {
    if constexpr (Io::kReading) {
        std::vector<DedupTable::Entry> entries;
        io(entries);
        if (entries.size() > DedupTable::kCapacity) io.fail();
        for (const DedupTable::Entry& entry : entries) {
            if (io.ok() && !v.remember(entry.id, entry.result)) io.fail();
        }
    } else {
        std::vector<DedupTable::Entry> entries;
        entries.reserve(v.entries().size());
        for (const auto& [index, entry] : v.entries()) entries.push_back(entry);
        io(entries);
    }
}

template <class Io>
void fields(Io& io, Like<Io, ClusterData>& v) {
    io(v.applied_index, v.history_hash, v.next_topic, v.next_producer);
    io(v.nodes, v.topics, v.producers, v.dedup);
}

std::string encode(const ClusterData& data) {
    return wire::encode(kSnapshotVersion, data);
}

Result<ClusterData> decode_snapshot(Bytes bytes) {
    auto data = wire::decode<ClusterData>(kSnapshotVersion, bytes, "snapshot");
    if (!data) return data;
    for (const auto& [id, topic] : data->topics) data->topic_ids.emplace(topic.name, id);
    if (const auto fault = fault_of(*data)) {
        return Error{Errc::kCorruption, "cluster snapshot: " + *fault};
    }
    return data;
}

}  // namespace walrus::cluster

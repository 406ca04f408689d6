// Producer snapshots: what a partition remembers of its producers, in files beside the log, so that
// a restart reads only the end of the log.
//
// A partition has two files, written by turns and without a sync, for they are only a short cut:
// one that is absent, torn or ahead of the log is passed over, at worst the whole log is read.
//
//   <directory>/<topic id>.<partition>.{a,b}:
//   0 magic "WALRPRD1"  8 CRC-32C of the rest u32  12 length of the table u32
//   16 sequence of the snapshot u64  24 offset up to which the log was read u64  32 table
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "walrus/cluster/producer_table.h"
#include "walrus/env/env.h"

namespace walrus::broker {

struct ProducerSnapshot {
    std::uint64_t sequence = 0;  // Counts up; 0 is before the first.
    Offset upto;
    cluster::ProducerTable table;
};

// Where the snapshots of one partition are.
struct SnapshotPlace {
    env::Env* env = nullptr;
    std::string directory;
    std::uint64_t topic_id = 0;
    std::uint32_t partition = 0;
};

// The newest that is whole and not ahead of `log_end`; an empty one otherwise.  One that is ahead
// is removed: the log lost its end and will grow again.  kIo: that could not be done.
Result<ProducerSnapshot> load_snapshot(const SnapshotPlace& place, Offset log_end);

// `encoded` is the table's.  Replaces the older of the two.
Status store_snapshot(const SnapshotPlace& place, std::uint64_t sequence, Offset upto,
                      std::string_view encoded);

// Removes what is in `directory` of topics for which `known` is false.  Best effort.
void remove_stray_snapshots(env::Env& env, const std::string& directory,
                            const std::function<bool(std::uint64_t topic_id)>& known);

}  // namespace walrus::broker

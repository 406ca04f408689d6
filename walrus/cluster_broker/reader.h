// Batches of a topic, from this node's copies or from another's.
#pragma once

#include <cstdint>
#include <vector>

#include "walrus/cluster_broker/core.h"

namespace walrus::cluster_broker {

using Batches = std::vector<member::ReadBatch>;

// Whole batches from the one that holds `from`, or, where offsets were given up, from the next one.
// One segment at most.  kNotFound; kOutOfRange: not kept, or not readable yet; kTimeout: no node
// that has the segment can be reached; kCorruption, kIo: every copy that was tried fails.
void read_batches(Core& core, cluster::TopicId topic, Offset from, std::uint64_t max_bytes,
                  member::ReadCallback done);

}  // namespace walrus::cluster_broker

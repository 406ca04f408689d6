// A snapshot of the cluster's state as bytes.  Layout: spec/metadata.md.
#pragma once

#include <cstdint>
#include <string>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/cluster/cluster_state.h"

namespace walrus::cluster {

inline constexpr std::uint8_t kSnapshotVersion = 1;

std::string encode(const ClusterData& data);
// kCorruption: not a snapshot of this version, or a state that no commands lead to.
Result<ClusterData> decode_snapshot(Bytes bytes);

}  // namespace walrus::cluster

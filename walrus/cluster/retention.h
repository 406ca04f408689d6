// Retention: which sealed segments of a topic may go.
#pragma once

#include <cstdint>

#include "walrus/cluster/metadata.h"

namespace walrus::cluster {

// The first segment to keep: everything below exceeds a limit of the topic's retention.  Unsealed
// segments and the last one always stay.  `now_ms` is the wall clock.
SegmentNumber first_kept_segment(const Topic& topic, std::uint64_t now_ms);

}  // namespace walrus::cluster

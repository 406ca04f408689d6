// The 64-bit hash of the cluster: XXH3, chained by its seed.
//
// It finds accidents and bugs (another byte, another order, a missing piece), not attackers.
#pragma once

#include <cstdint>

#include "walrus/base/bytes.h"

namespace walrus::cluster {

// The same on every machine and for ever: it is stored and compared between nodes.  Any thread.
std::uint64_t hash64(Bytes data, std::uint64_t seed);

}  // namespace walrus::cluster

#include "walrus/cluster/chain_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace walrus::cluster {

std::uint64_t hash64(Bytes data, std::uint64_t seed) {
    return XXH3_64bits_withSeed(data.data(), data.size(), seed);
}

}  // namespace walrus::cluster

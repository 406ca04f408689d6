// MappedRing over a file: shared memory, twice in a row.
#pragma once

#include <memory>
#include <string>

#include "walrus/env/env.h"

namespace walrus::env {

// The work of Env::map_ring for the real disk.  A new or longer file is written with zeros up to
// `size_bytes`, so that every block is allocated before the first store; a file of that size keeps
// its contents.
Result<std::unique_ptr<MappedRing>> map_posix_ring(const std::string& path,
                                                   std::uint64_t size_bytes);

}  // namespace walrus::env

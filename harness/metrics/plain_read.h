// Plain reads: how fast the files of a directory can be read with nothing on top.
#pragma once

#include <cstdint>
#include <string>

#include "harness/metrics/paced_clock.h"
#include "walrus/base/result.h"

namespace walrus::harness {

struct PlainRead {
    std::uint64_t bytes = 0;
    std::uint64_t elapsed_ns = 0;
};

// Reads all files below `directory`, one after the other in name order, with O_DIRECT reads of
// 1 MiB, four in flight; holes and space that was only allocated are passed over.
Result<PlainRead> read_files_plainly(const std::string& directory, PacedClock& clock);

// Puts the files of `directory` out of the page cache; returns how, for the result: all caches
// dropped (needs the right to), or these files only.
std::string drop_cached_files(const std::string& directory);

}  // namespace walrus::harness

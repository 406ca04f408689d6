// WALRUS_ASSERT: always on, and only for our own bugs.
//
// Bytes from disk, peers or clients are validated and answered with an Error, never asserted.
#pragma once

namespace walrus {

// Prints the failed condition with its place to stderr and aborts.
[[noreturn]] void assert_failed(const char* condition, const char* file, int line);

}  // namespace walrus

#define WALRUS_ASSERT(condition) \
    ((condition) ? static_cast<void>(0) : ::walrus::assert_failed(#condition, __FILE__, __LINE__))

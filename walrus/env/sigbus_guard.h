// SigbusGuard: turns a SIGBUS inside one of our mappings into a flag.
//
// A store into a mapped file raises SIGBUS when the file was truncated or the disk cannot provide
// the page.  The handler puts anonymous memory in place of the page, so that the store goes on
// harmlessly, and marks the guard as failed.
#pragma once

#include <cstddef>
#include <memory>

#include "walrus/base/result.h"

namespace walrus::env {

// Covers one range of addresses while it lives.  The first guard installs the handler, which hands
// a SIGBUS anywhere else to the handler that was there before.
class SigbusGuard {
public:
    // kResourceExhausted: too many ranges are covered already (1,024).
    static Result<std::unique_ptr<SigbusGuard>> cover(void* begin, std::size_t size_bytes);
    ~SigbusGuard();
    SigbusGuard(const SigbusGuard&) = delete;
    SigbusGuard& operator=(const SigbusGuard&) = delete;

    // True from the first SIGBUS inside the range.
    bool failed() const;

private:
    explicit SigbusGuard(std::size_t slot) : slot_(slot) {}

    const std::size_t slot_;
};

}  // namespace walrus::env

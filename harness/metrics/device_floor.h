// The device's own floor: what one durable 4 KiB write costs with nothing on top.
//
// Printed with every synced row, because a figure of "x us per durable append" means nothing
// without it; on a virtual disk the flush may be nearly free.
#pragma once

#include <cstdint>
#include <string>

#include "harness/metrics/histogram.h"
#include "harness/metrics/paced_clock.h"
#include "walrus/base/result.h"

namespace walrus::harness {

struct DeviceFloor {
    // pwrite of 4 KiB with O_DIRECT and RWF_DSYNC into a file that was written once before: the
    // cheapest durable write there is.  Empty where the file system has no O_DIRECT.
    Histogram overwrite_ns;
    // pwrite of 4 KiB at the end of a growing file, then fdatasync: what a plain log does.
    Histogram append_ns;
};

// Measures both for about `duration_ns` each, in files of its own in `directory`, which it removes;
// needs 32 MiB there.
Result<DeviceFloor> measure_device_floor(const std::string& directory, std::uint64_t duration_ns,
                                         PacedClock& clock);

}  // namespace walrus::harness

// A survey of the machine before anything is measured: what it can do, and what it is doing.
#pragma once

#include <cstdint>
#include <string>

#include "harness/metrics/device_floor.h"
#include "harness/metrics/machine.h"

namespace walrus::harness {

struct MachineSurvey {
    Settings host;  // machine_facts().
    std::string data_directory;
    std::string directory_error;  // Why nothing can be written there; "" when it can.
    std::uint64_t free_bytes = 0;
    std::uint64_t total_bytes = 0;
    bool flushes_counted = false;  // The device is visible.
    std::string io_uring_error;    // Why there is none; "" when there is.
    std::string direct_error;      // Why O_DIRECT does not work there; "" when it does.
    bool can_drop_caches = false;
    std::string neighbours;  // What others were doing while we waited; "" when it was quiet.
    DeviceFloor floor;
    std::string floor_error;
};

// Takes about two seconds; writes scratch files into `data_directory`, which must exist, and
// removes them.
MachineSurvey survey_machine(const std::string& data_directory, PacedClock& clock);

}  // namespace walrus::harness

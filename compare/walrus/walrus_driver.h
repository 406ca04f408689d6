// Walrus as an engine: the log in the measuring process, through its public facade only.
#pragma once

#include <memory>

#include "harness/driver/driver.h"

namespace walrus::compare {

std::unique_ptr<harness::Driver> make_walrus_driver();

}  // namespace walrus::compare

// The null driver: acknowledges at once and stores nothing.  Its rate is the harness's own ceiling.
#pragma once

#include <memory>

#include "harness/driver/driver.h"

namespace walrus::harness {

std::unique_ptr<Driver> make_null_driver();

}  // namespace walrus::harness

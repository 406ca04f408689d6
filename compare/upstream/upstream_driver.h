// The original Rust crate as an engine, through the C interface of shim/.  README.md says what is
// comparable.
#pragma once

#include <memory>

#include "harness/driver/driver.h"

namespace walrus::compare {

std::unique_ptr<harness::Driver> make_upstream_driver();

}  // namespace walrus::compare

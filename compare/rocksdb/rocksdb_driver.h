// RocksDB as a log: three ways to use it, chosen by the setting `profile`.  README.md says why.
#pragma once

#include <memory>

#include "harness/driver/driver.h"

namespace walrus::compare {

std::unique_ptr<harness::Driver> make_rocksdb_driver();

}  // namespace walrus::compare

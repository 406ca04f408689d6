// Drivers that misbehave on purpose, for tests of the harness only; no production program has them.
//
// The driver "bad" is the file driver with one trouble, chosen by its setting `trouble`:
//   crash          SIGSEGV in the middle of the load
//   exit           the process ends by itself, exit code 3
//   hang           an append never returns
//   leave-process  starts a process that would outlive it, then hangs
//   hang-on-stop   the orderly stop never returns
//   refuse-open    cannot be opened
//   bad-answer     writes rubbish into the harness's answer pipe
//   phantom        readers return a record that was never sent         -> phantom
//   fail-visible   reports an append as failed, having stored it       -> G1a
//   lose-and-fail  loses an acknowledged record, then fails an append  -> lost-write
#pragma once

#include <memory>

#include "harness/driver/driver.h"

namespace walrus::harness {

std::unique_ptr<Driver> make_bad_driver();

}  // namespace walrus::harness

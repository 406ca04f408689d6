// The file driver: the simplest honest log, one plain file per topic, a write per append and an
// fdatasync in class disk.  A yardstick, and the proof that the harness catches liars: its setting
// `misbehave` makes it lie in one chosen way.
//
//   none        honest
//   ack-early   acknowledges from process memory and writes at the orderly end  -> lost-write
//   drop        leaves out one record in 97                                     -> lost-write
//   duplicate   writes one record in 97 twice                                   -> duplicate
//   reorder     holds one record in 97 back behind its successor                ->
//   nonmonotonic-poll corrupt     flips a bit in one record in 97 -> corrupt no-sync     says disk
//   and never syncs                                       -> class mismatch
#pragma once

#include <memory>

#include "harness/driver/driver.h"

namespace walrus::harness {

std::unique_ptr<Driver> make_file_driver();

}  // namespace walrus::harness

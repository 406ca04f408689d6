// The real disk: pread, pwritev2, fdatasync, mmap, io_uring.
#pragma once

#include "walrus/env/env.h"

namespace walrus::env {

// Lives as long as the program.  Mapping a ring installs a SIGBUS handler once, which acts only on
// addresses of our rings and hands every other SIGBUS to the handler that was there before.
Env& posix_env();

}  // namespace walrus::env

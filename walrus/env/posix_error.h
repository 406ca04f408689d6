// errno as an Error.
#pragma once

#include <cstdint>
#include <string_view>

#include "walrus/base/result.h"

namespace walrus::env {

// ENOENT: kNotFound, EEXIST: kAlreadyExists, ENOSPC and EDQUOT: kNoSpace, all others: kIo.
Errc errc_from_errno(int error);

// "what: path: No such file or directory".
Error posix_error(std::string_view what, std::string_view path, int error);

// "what: path at position: Input/output error".
Error posix_error_at(std::string_view what, std::string_view path, std::uint64_t position,
                     int error);

// "what: path at position: cause", for a failure that errno does not name.
Error transfer_error(Errc code, std::string_view what, std::string_view path,
                     std::uint64_t position, std::string_view cause);

}  // namespace walrus::env

#include "walrus/env/posix_error.h"

#include <cerrno>
#include <cstring>
#include <string>

namespace walrus::env {
namespace {

// strerror() is not thread-safe; this table of glibc is.
std::string_view describe(int error) {
    const char* text = ::strerrordesc_np(error);
    return text == nullptr ? "unknown error" : text;
}

}  // namespace

Errc errc_from_errno(int error) {
    switch (error) {
        case ENOENT: return Errc::kNotFound;
        case EEXIST: return Errc::kAlreadyExists;
        case ENOSPC: return Errc::kNoSpace;
        case EDQUOT: return Errc::kNoSpace;
        default: return Errc::kIo;
    }
}

Error posix_error(std::string_view what, std::string_view path, int error) {
    std::string message(what);
    message.append(": ").append(path).append(": ").append(describe(error));
    return {errc_from_errno(error), std::move(message)};
}

Error posix_error_at(std::string_view what, std::string_view path, std::uint64_t position,
                     int error) {
    return transfer_error(errc_from_errno(error), what, path, position, describe(error));
}

Error transfer_error(Errc code, std::string_view what, std::string_view path,
                     std::uint64_t position, std::string_view cause) {
    std::string message(what);
    message.append(": ").append(path).append(" at ").append(std::to_string(position));
    message.append(": ").append(cause);
    return {code, std::move(message)};
}

}  // namespace walrus::env

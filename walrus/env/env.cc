#include "walrus/env/env.h"

namespace walrus::env {

std::string join_path(std::string_view directory, std::string_view name) {
    std::string path(directory);
    if (!path.empty() && path.back() != '/') path += '/';
    return path.append(name);
}

Status check_flags(const std::string& path, OpenFlags flags) {
    const char* cause = nullptr;
    if (flags.direct && flags.mapped) cause = "a mapped file cannot be direct";
    if (flags.create && flags.read_only) cause = "a read-only file cannot be created";
    if (flags.exclusive && !flags.create) cause = "exclusive without create";
    if (cause == nullptr) return {};
    return Error{Errc::kInvalidArgument, "open: " + path + ": " + cause};
}

}  // namespace walrus::env

#include "walrus/base/result.h"

#include <cstdio>
#include <cstdlib>

namespace walrus {

std::string_view errc_name(Errc code) {
    switch (code) {
        case Errc::kInvalidArgument: return "invalid_argument";
        case Errc::kNotFound: return "not_found";
        case Errc::kAlreadyExists: return "already_exists";
        case Errc::kOutOfRange: return "out_of_range";
        case Errc::kTooLarge: return "too_large";
        case Errc::kNoSpace: return "no_space";
        case Errc::kResourceExhausted: return "resource_exhausted";
        case Errc::kBusy: return "busy";
        case Errc::kIo: return "io";
        case Errc::kCorruption: return "corruption";
        case Errc::kUnsupported: return "unsupported";
        case Errc::kPoisoned: return "poisoned";
        case Errc::kClosed: return "closed";
        case Errc::kTimeout: return "timeout";
        case Errc::kFenced: return "fenced";
        case Errc::kNotLeader: return "not_leader";
    }
    return "unknown";
}

std::string Error::to_string() const {
    std::string text(errc_name(code));
    return text.append(": ").append(message);
}

void assert_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "walrus: assertion failed: %s (%s:%d)\n", condition, file, line);
    std::abort();
}

}  // namespace walrus

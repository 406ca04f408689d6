#include "harness/metrics/build_facts.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WALRUS_HARNESS_ASAN
#elif __has_feature(thread_sanitizer)
#define WALRUS_HARNESS_TSAN
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WALRUS_HARNESS_ASAN
#elif defined(__SANITIZE_THREAD__)
#define WALRUS_HARNESS_TSAN
#endif

namespace walrus::harness {

std::string_view build_sanitizer() {
#if defined(WALRUS_HARNESS_ASAN)
    return "AddressSanitizer";
#elif defined(WALRUS_HARNESS_TSAN)
    return "ThreadSanitizer";
#else
    return "";
#endif
}

bool build_is_optimised() {
#if defined(__OPTIMIZE__)
    return true;
#else
    return false;
#endif
}

}  // namespace walrus::harness

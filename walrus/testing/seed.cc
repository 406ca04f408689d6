#include "walrus/testing/seed.h"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>

#include "walrus/base/random.h"

namespace walrus::testing {
namespace {

std::uint64_t choose() {
    const char* given = std::getenv("WALRUS_SEED");
    const std::uint64_t seed =
        given != nullptr ? std::strtoull(given, nullptr, 0) : SystemRandom().next();
    std::fprintf(stderr, "WALRUS_SEED=%" PRIu64 "\n", seed);
    return seed;
}

}  // namespace

std::uint64_t test_seed() {
    static const std::uint64_t seed = choose();
    return seed;
}

bool test_switch(const char* variable) {
    return std::getenv(variable) != nullptr;
}

}  // namespace walrus::testing

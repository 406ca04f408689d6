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

std::uint64_t test_number(const char* variable, std::uint64_t otherwise) {
    const char* given = std::getenv(variable);
    return given != nullptr ? std::strtoull(given, nullptr, 0) : otherwise;
}

std::optional<std::vector<std::uint32_t>> test_numbers(const char* variable) {
    const char* given = std::getenv(variable);
    if (given == nullptr) return {};
    std::vector<std::uint32_t> numbers;
    while (*given != '\0') {
        char* end = nullptr;
        const unsigned long number = std::strtoul(given, &end, 10);
        if (end == given) break;
        numbers.push_back(static_cast<std::uint32_t>(number));
        given = *end == ',' ? end + 1 : end;
    }
    return numbers;
}

}  // namespace walrus::testing

#include "walrus/base/random.h"

#include <sys/random.h>

#include <bit>
#include <cerrno>

#include "walrus/base/assert.h"

namespace walrus {
namespace {

// splitmix64 (Steele, Lea and Flood, 2014): spreads one seed over the whole state.
std::uint64_t splitmix(std::uint64_t& state) {
    state += 0x9e3779b97f4a7c15;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

}  // namespace

std::uint64_t Random::below(std::uint64_t bound) {
    WALRUS_ASSERT(bound > 0);
    // Values below 2^64 mod bound are drawn again, so that every remainder is equally likely.
    const std::uint64_t surplus = (0 - bound) % bound;
    std::uint64_t value = next();
    while (value < surplus) value = next();
    return value % bound;
}

bool Random::chance(std::uint64_t numerator, std::uint64_t denominator) {
    return below(denominator) < numerator;
}

SeededRandom::SeededRandom(std::uint64_t seed) {
    for (std::uint64_t& word : state_) word = splitmix(seed);
}

std::uint64_t SeededRandom::next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

std::uint64_t SystemRandom::next() {
    std::uint64_t value = 0;
    // Requests of up to 256 bytes are never cut short; only a signal before the pool is ready can
    // interrupt them.
    ssize_t got = -1;
    do {
        got = ::getrandom(&value, sizeof value, 0);
    } while (got < 0 && errno == EINTR);
    WALRUS_ASSERT(got == sizeof value);
    return value;
}

}  // namespace walrus

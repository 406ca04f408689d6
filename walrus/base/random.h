// Random: the seam for entropy.  Seeded and passed in; nothing else draws random numbers.
#pragma once

#include <cstdint>

namespace walrus {

// One thread at a time unless an implementation says otherwise.
class Random {
public:
    virtual ~Random() = default;

    // Uniform over all 64-bit values.
    virtual std::uint64_t next() = 0;

    // Uniform in [0, bound); bound > 0.
    std::uint64_t below(std::uint64_t bound);
    // True with probability numerator / denominator.
    bool chance(std::uint64_t numerator, std::uint64_t denominator);
};

// xoshiro256** (Blackman and Vigna, 2018), seeded through splitmix64.  Same seed, same sequence,
// on every machine.
class SeededRandom final : public Random {
public:
    explicit SeededRandom(std::uint64_t seed);
    std::uint64_t next() override;

private:
    std::uint64_t state_[4];
};

// The system's entropy (getrandom).  Thread-safe.
class SystemRandom final : public Random {
public:
    std::uint64_t next() override;
};

}  // namespace walrus

#include "harness/runner/run_identity.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "harness/metrics/paced_clock.h"

namespace walrus::harness {

std::string utc_now() {
    const auto seconds = static_cast<std::time_t>(machine_clock().wall_ms() / 1000);
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds));
}

std::string make_uuid(Random& random) {
    const std::uint64_t high = (random.next() & ~0xf000ull) | 0x4000ull;
    const std::uint64_t low = (random.next() & ~(0xc0ull << 56)) | (0x80ull << 56);
    return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff,
                       high & 0xffff, low >> 48, low & 0xffffffffffff);
}

std::string as_file_name(std::string_view text) {
    std::string name;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (plain) {
            name += c;
        } else if (!name.empty() && name.back() != '-') {
            name += '-';
        }
    }
    return name;
}

}  // namespace walrus::harness

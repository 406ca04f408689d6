// Warms a server up until it is as fast as it will be: a JVM compiles what it runs often.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compare/kafka/kafka_options.h"

namespace walrus::compare {

// What the server did in one slice of the warm-up.
struct WarmUpSlice {
    double records_per_s = 0;  // Of a writer with many appends in flight.
    std::uint64_t p99_ns = 0;  // Of single appends.
};

// The last slices differ by no more than the noise of a slice.
bool is_flat(const std::vector<WarmUpSlice>& slices);

struct WarmUpReport {
    std::uint64_t slices = 0;
    bool flat = false;  // False: the limit came first.

    std::string text() const;  // "flat after 9 slices of 0.5 s".
};

// Produces to and reads from topics of its own, which it removes again, for at most
// options.warm_up_ns.  `options.address` is that of the server.
Result<WarmUpReport> warm_up(Brand brand, const KafkaOptions& options);

}  // namespace walrus::compare

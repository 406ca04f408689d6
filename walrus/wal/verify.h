// Offline checks of a log that nobody has open: verify, dump, repair.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "walrus/base/result.h"
#include "walrus/base/strong.h"
#include "walrus/wal/options.h"

namespace walrus::wal {

// One finding.  `acknowledged` is true when a later frame proves that what is damaged had been
// durable; false for a torn tail, which recovery cuts by itself.
struct Damage {
    std::uint32_t shard = 0;
    std::string file;
    std::uint64_t position = 0;  // In the file.
    Lsn lsn;
    bool acknowledged = false;
    std::string what;
};

struct VerifyReport {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    std::uint64_t frames = 0;
    std::uint64_t records = 0;
    std::uint64_t topics = 0;
    std::vector<Damage> damage;

    bool ok() const;  // No acknowledged damage.
};

// One frame as found by dump().
struct DumpedFrame {
    std::uint32_t shard = 0;
    std::string file;
    std::uint64_t position = 0;
    Lsn lsn;
    std::string type;
    std::string topic;  // Name, or "#id" when it is not known.
    Offset first_offset;
    std::uint32_t record_count = 0;
    std::uint64_t body_bytes = 0;
    Lsn durable_upto;
};

// All three take the log's directory lock (kBusy) and use data_dir, key and env of `options`.

// Reads every byte of every log file and ring, changes nothing.
Result<VerifyReport> verify(const Options& options);
// Calls `visit` for every valid frame in log order; stops when it returns false.
Status dump(const Options& options, const std::function<bool(const DumpedFrame&)>& visit);
// Cuts each damaged shard at its first acknowledged damage, so that open() succeeds.  Records at
// and past it are given up for good: the report returned says what was cut.  Damage that is not
// there is not repaired: a healthy log stays as it is.
Result<VerifyReport> repair(const Options& options);

}  // namespace walrus::wal

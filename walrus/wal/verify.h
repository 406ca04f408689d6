// Offline checks of a log that nobody has open: verify, dump, repair.
//
// All of them take the log's directory lock (kBusy: somebody has it open; kNotFound: no log there)
// and use data_dir, key and env of `options`; what else is in there does not matter.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/base/strong.h"
#include "walrus/wal/options.h"

namespace walrus::wal {

// One finding.  Not acknowledged: open() deals with it without losing anything that was promised
// (a torn tail is cut, an index is rebuilt).
struct Damage {
    std::uint32_t shard = 0;
    std::string file;            // Path.
    std::uint64_t position = 0;  // In the file.
    Lsn lsn;
    bool acknowledged = false;  // What is damaged had been durable.
    std::string what;
};

// What a topic loses by a cut: records in [end, lost_end), the latter as far as it can be known.
struct CutTopic {
    std::string topic;
    Offset end;
    Offset lost_end;
};

// What repair() does to a shard.
struct Cut {
    std::uint32_t shard = 0;
    std::string file;            // Path of the file that the log ends in afterwards,
    std::uint64_t position = 0;  // and where; 0: it is removed as well.
    Lsn lsn;
    std::uint64_t files_removed = 0;
    std::vector<CutTopic> topics;  // Those that lose records.
};

struct VerifyReport {
    std::string directory;
    std::uint32_t shards = 0;
    std::uint64_t files = 0;   // Log files.
    std::uint64_t bytes = 0;   // Of valid frames.
    std::uint64_t frames = 0;  // Valid ones.
    std::uint64_t records = 0;
    std::uint64_t topics = 0;
    std::vector<Damage> damage;
    std::vector<Cut> cuts;  // What repair() has done, or would do.

    bool ok() const { return cuts.empty(); }  // No acknowledged damage.
};

// Reads all of the log and of its indexes and checks them against each other; changes nothing.
// Behind damage it goes on with the next file, so that everything damaged is listed.
// kIo: something could not be read, so nothing can be said.
Result<VerifyReport> verify(const Options& options);

// Cuts each shard that has acknowledged damage at the first one, so that open() succeeds.  Records
// at and past it are given up for good, those in later files as well.  A healthy shard stays as it
// is, byte for byte.  A repair that was interrupted can be repeated.
Result<VerifyReport> repair(const Options& options);

// One frame as found by dump().
struct DumpedFrame {
    std::uint32_t shard = 0;
    std::string file;
    std::uint64_t position = 0;
    Lsn lsn;
    std::uint64_t size_bytes = 0;  // That it takes in the log.
    std::string type;              // "batch", "pad", "seal" or the kind of control frame.
    bool short_form = false;
    bool opaque = false;     // A batch whose one record stands for record_count.
    bool from_ring = false;  // The log file does not have it.
    std::string topic;       // Name, or "#id" when it is not known; "" when it concerns none.
    std::uint32_t epoch = 0;
    Offset first_offset;  // Operand of a control frame.
    std::uint32_t record_count = 0;
    std::uint64_t body_bytes = 0;
    Lsn durable_upto;            // 0 in a short frame.
    Bytes body;                  // Of a control frame.  Both are valid during the call only.
    std::vector<Bytes> records;  // Of a batch.
};

struct DumpRange {
    std::optional<std::uint32_t> shard = std::nullopt;  // Of one shard only.
    Lsn from = {};                                      // In each shard.
};

// Calls `visit` for every valid frame in log order, shard by shard; stops when it returns false.
// kCorruption, after all was visited: there is acknowledged damage, behind which the rest of the
// file was passed over.
Status dump(const Options& options, const DumpRange& range,
            const std::function<bool(const DumpedFrame&)>& visit);

}  // namespace walrus::wal

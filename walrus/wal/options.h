// Options: everything that can be chosen when a log is opened.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "walrus/base/clock.h"
#include "walrus/base/random.h"
#include "walrus/base/result.h"
#include "walrus/env/env.h"

namespace walrus::wal {

// When an append is acknowledged, and so what an acknowledgement survives.
enum class DurabilityClass {
    kNone,     // Acknowledged from the ring; promised nothing, synced only by sync() and close().
    kProcess,  // Survives the death of the process (kill -9), not a power cut.
    kOsInterval,  // As kProcess, and synced every `sync_interval_ms`.
    kDisk,        // Synced before the acknowledgement: survives a power cut.
};

// "none", "process", "os-interval", "disk".
std::string_view durability_class_name(DurabilityClass durability);
Result<DurabilityClass> parse_durability_class(std::string_view name);

// How log files are written and read.
enum class Backend {
    kAuto,      // kUring, else kDirect, else kBuffered; what was chosen and why is logged.
    kUring,     // O_DIRECT through io_uring, several transfers in flight.
    kDirect,    // O_DIRECT through pwritev2.
    kBuffered,  // Through the page cache; for file systems without O_DIRECT.
    kMmap,      // Stores into mapped files, msync to sync.
};

std::string_view backend_name(Backend backend);
// kInvalidArgument for an unknown name; the message lists the known ones.
Result<Backend> parse_backend(std::string_view name);

// What a checkpointing read promises about a crash between the read and its processing.
struct ReadConsistency {
    // 1: the cursor is persisted before the record is returned, so no record is read twice
    // (strictly at once).  n > 1: persisted every n records, so up to n records may come again.
    std::uint32_t persist_every = 1;

    static ReadConsistency strictly_at_once() { return {1}; }
    static ReadConsistency at_least_once(std::uint32_t persist_every) {  // 0 counts as 1.
        return {persist_every == 0 ? 1 : persist_every};
    }
};

// Which records may be given up.  Whole log files are recycled, so more than asked for is kept.
// Zero means no limit.
struct Retention {
    std::uint64_t max_age_ms = 0;   // Of a topic's records, counted from when their file was left.
    std::uint64_t max_bytes = 0;    // Per topic, frames included.
    std::uint64_t max_records = 0;  // Per topic.
    bool reclaim_read = false;      // Give up what every cursor of the topic has passed.
};

struct Limits {
    std::uint64_t max_record_bytes = 8 << 20;
    std::uint64_t max_batch_bytes = 8 << 20;  // Payload and record lengths of one batch.
    std::uint32_t max_batch_records = 2000;
    std::uint32_t max_opaque_records = 0x7FFF'FFFF;  // That one opaque batch may stand for.
    std::uint32_t max_topic_name_bytes = 255;
    std::uint32_t max_topics = 100'000;
    std::uint32_t max_consumers_per_topic = 256;
    std::uint64_t max_outstanding_bytes = 32 << 20;  // Unacknowledged asynchronous appends.
};

enum class Threading {
    kBackground,  // A committer thread per shard and one thread for files and retention.
    kInline,      // No threads: the calls themselves do the work.  Deterministic; for simulation.
};

struct Options {
    std::string data_dir = "wal_files";
    // Name of a log inside data_dir ("" = data_dir itself).  Characters outside [A-Za-z0-9-_.]
    // become '_', so it cannot leave data_dir.
    std::string key;
    DurabilityClass durability = DurabilityClass::kDisk;
    std::uint64_t sync_interval_ms = 200;  // Of kOsInterval; at least 1.
    ReadConsistency consistency = ReadConsistency::strictly_at_once();
    Backend backend = Backend::kAuto;
    bool allow_uring = true;  // False: kAuto passes over kUring, and kUring is kUnsupported.
    std::uint64_t file_size = 256 << 20;  // Bytes of one log file; a multiple of 4,096.
    std::uint64_t ring_size = 64 << 20;   // Bytes of one staging ring; a multiple of 4,096.
    // Shards, each with ring, files and committer of its own.  0: as stored, 1 for a new log.
    std::uint32_t shards = 0;
    // Files made ready ahead of the writer in each shard (at least 1).
    std::uint32_t prepared_files = 1;
    // Recycled files kept for reuse in each shard before surplus ones are deleted.
    std::uint32_t spare_files = 4;
    std::uint64_t read_ahead_bytes = 4 << 20;    // In flight for one sequential reader.
    std::uint64_t index_cache_bytes = 32 << 20;  // Indexes of sealed files kept in memory.
    Limits limits;
    Retention retention;
    std::uint64_t retention_interval_ms = 1000;
    Threading threading = Threading::kBackground;

    // The seams; null means the real one.  They must outlive the log.
    env::Env* env = nullptr;
    Clock* clock = nullptr;
    Random* random = nullptr;  // Thread-safe when threading is kBackground.

    // Defaults changed by WALRUS_DATA_DIR, WALRUS_INSTANCE_KEY and WALRUS_DISABLE_IO_URING.
    // The only place where the library looks at the environment, and only when called.
    static Options from_environment();

    // kInvalidArgument with the name of the first option that cannot be.
    Status validate() const;
};

// `options` with the real seams where they are null.
Options with_real_seams(Options options);

// WALRUS_QUIET is set: executables then install no log sink below warnings.
bool quiet_in_environment();

// The key as a directory name: characters outside [A-Za-z0-9-_.] become '_'; a key that keeps no
// letter, digit or '-' becomes "ns_<hash>".
std::string sanitise_key(std::string_view key);

}  // namespace walrus::wal

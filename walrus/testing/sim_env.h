// SimEnv: a disk in memory that can lose power, tear writes, fill up, fail and rot, on purpose.
//
// It implements env::Env, so the code under test does not know.  The contract test of env/ runs
// against it, and sim_env_test.cc tests the damage itself.
//
// Model
//   file       durable bytes | unsynced writes and changes of length, in order | what reads see
//   directory  durable names | unsynced creations, renames, removals, in order | what open() sees
//   ring       shared memory; a change to it is an unsynced write of its page since map_ring
//   in flight  what was submitted to an IoQueue and has not completed
// sync_data and durable writes move bytes to the left, sync_dir moves names.  create_dirs is
// durable at once.  A file whose creation was not followed by sync_dir can vanish with all its
// synced bytes.
//
// Operations
//   Everything that can change the disk is one numbered operation: creation, write (also by a
//   queue, when it completes), sync_data, preallocate, truncate, rename, remove, create_dirs,
//   sync_dir, map_ring.  A test runs a workload once to count them, and then once more for each
//   boundary:
//
//     for (n = 0; n <= total; ++n) {
//         SimEnv env(seed);
//         env.cut_after(n);
//         run(env);                                        // Fails somewhere.
//         auto survivor = env.after_crash({CrashKind::kPower, Unsynced::kTorn512, seed});
//         check(*survivor);
//     }
//
// Determinism: with one thread, the same calls and seeds give the same bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/env/env.h"

namespace walrus::testing {

struct SimDisk;

enum class CrashKind {
    kKill,   // The process dies: everything completed survives, unsynced or not, and so do rings.
             // What was in flight is treated as CrashOptions::unsynced says.
    kPower,  // The machine dies: only what is durable survives for certain.
};

// What becomes of bytes and names that nothing has made durable.
enum class Unsynced {
    kKeep,      // All survive.
    kDrop,      // None survive; rings are as they were when mapped or last written back.
    kTorn512,   // Of each write all, nothing, a prefix or any subset of its 512-byte sectors; of
                // each directory and each file's length a prefix of the changes; ring pages as
                // writes.  Later writes may survive without earlier ones.
    kTorn4096,  // The same in units of 4,096 bytes.
};

struct CrashOptions {
    CrashKind kind = CrashKind::kPower;
    Unsynced unsynced = Unsynced::kTorn512;
    std::uint64_t seed = 0;
};

// What a fault predicate sees.
struct SimOperation {
    enum class Kind {
        kOpen,  // Of a file that exists.  Not numbered, as kRead, kList and kOpenQueue.
        kCreate,
        kRead,
        kWrite,
        kDurableWrite,
        kSync,
        kPreallocate,
        kTruncate,
        kRename,
        kRemove,
        kList,
        kCreateDirs,
        kSyncDir,
        kMapRing,
        kOpenQueue,  // `path` is "uring" or "inline".
    };
    Kind kind;
    std::string_view path;  // Normal form; the old name of a rename.
    std::uint64_t position = 0;
    std::uint64_t size_bytes = 0;
    bool direct = false;  // Of kOpen, kCreate and transfers.
};

// Must not call the SimEnv: it runs while the disk is locked.
using FaultPredicate = std::function<bool(const SimOperation&)>;

// True for operations of this kind on paths that contain `path_part`.
FaultPredicate fault_on(SimOperation::Kind kind, std::string path_part = "");

enum class Repeat { kOnce, kFromThenOn };

// Thread-safe.  Files, rings and queues may outlive it.  Ring memory is read by after_crash,
// read_file and write_back_ring, and by reads and syncs of the ring's file: threads that store into
// the ring must be at rest then.
class SimEnv final : public env::Env {
public:
    // `seed` decides the order in which queues complete.
    explicit SimEnv(std::uint64_t seed = 0);
    ~SimEnv() override;

    Result<std::unique_ptr<env::File>> open(const std::string& path, env::OpenFlags flags) override;
    Status rename(const std::string& from, const std::string& to) override;
    Status remove(const std::string& path) override;
    Result<std::vector<std::string>> list(const std::string& directory) override;
    Status create_dirs(const std::string& directory) override;
    Status sync_dir(const std::string& directory) override;
    Result<std::unique_ptr<env::MappedRing>> map_ring(const std::string& path,
                                                      std::uint64_t size) override;
    // kUring completes in a seeded, permuted order, and sometimes has nothing to give yet.
    Result<std::unique_ptr<env::IoQueue>> open_queue(env::QueueKind kind,
                                                     std::size_t depth) override;

    // Numbered operations so far, failed ones included.
    std::uint64_t operation_count() const;
    // Lets operations up to number n happen.  The next one kills the machine: it and everything
    // later fails with kIo, and nothing changes any more, except rings, which are memory.  A write
    // that kills the machine was in flight then.
    void cut_after(std::uint64_t n);
    bool dead() const;
    // The disk as the next start finds it: without locks, faults and open files.  Call it before
    // what ran on this machine is destroyed, or rings also hold what its destructors stored.
    std::unique_ptr<SimEnv> after_crash(CrashOptions options) const;

    // Operation number n (the first is 1) fails with `error`; a write changes nothing.  After a
    // failed sync_data what was unsynced is never made durable by a later one, as on Linux.
    void fail_operation(std::uint64_t n, Errc error, Repeat repeat = Repeat::kOnce);
    // Operation number n, when a write, leaves its first half (unsynced) and fails with kIo.
    void short_write(std::uint64_t n);
    // Every operation for which the predicate is true fails with `error`.
    void fail_when(FaultPredicate predicate, Errc error);
    // Forgets fail_operation, short_write and fail_when.
    void clear_faults();
    // A disk of that many bytes: growth beyond it is kNoSpace.  Only file contents count.
    void set_capacity(std::uint64_t bytes);
    std::uint64_t used_bytes() const;
    // MappedRing::failed() of the mapped ring at `path` becomes true.
    void fail_ring(const std::string& path);
    // The kernel's writeback: the present ring contents become durable.
    void write_back_ring(const std::string& path);

    // Direct access for tests: not numbered, never failing by a fault.
    // Damages the medium: flips bit `bit % 8` of byte `bit / 8`, which must exist.
    void flip_bit(const std::string& path, std::uint64_t bit);
    bool exists(const std::string& path) const;
    Result<std::vector<std::byte>> read_file(const std::string& path) const;
    // Creates or replaces a file, with its directory, durably (so is the rest of its directory).
    void write_file(const std::string& path, Bytes contents);
    // Removes a file, which may be absent, durably (so is the rest of its directory).
    void remove_file(const std::string& path);

private:
    const std::shared_ptr<SimDisk> disk_;
};

}  // namespace walrus::testing

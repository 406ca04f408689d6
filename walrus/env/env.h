// Env: the seam to the disk.  Nothing outside this room and testing/ makes a system call on files.
//
// Implementations: posix_env.h (the real one) and testing/sim_env.h (faults, crashes, torn writes).
// One contract test runs against both: env_contract_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"

namespace walrus::env {

// O_DIRECT needs positions, lengths and memory aligned to this; all our direct I/O keeps it.
inline constexpr std::uint64_t kBlockSize = 4096;

enum class Durability {
    kNone,  // Done when the write returned; a power cut may take it back.
    kData,  // Done when the bytes and what is needed to read them are on stable storage
            // (RWF_DSYNC).
};

// An open file.  Thread-safe: positions are explicit.  Closed by the destructor, which never syncs.
//
// kInvalidArgument, with nothing done: a direct file is given a position, length or memory that is
// not a multiple of kBlockSize, or a read-only file is to change.
class File {
public:
    virtual ~File() = default;

    // Fills `into` from `position`; returns the bytes read, fewer only at the end of the file.
    virtual Result<std::size_t> read_at(MutableBytes into, std::uint64_t position) = 0;
    // Writes all of `data`, extending the file as needed, or fails; a failure may leave any part of
    // it written (kIo, kNoSpace).
    virtual Status write_at(Bytes data, std::uint64_t position, Durability durability) = 0;
    // Makes every earlier completed write of this file durable (fdatasync).  Never retried by us:
    // after a failure dirty pages may be gone, and a later success would prove nothing.
    virtual Status sync_data() = 0;
    // Reserves [0, size) and makes the file at least that long; old bytes stay, new ones read as
    // zero.  kNoSpace reserves nothing that a later remove() does not give back.
    virtual Status preallocate(std::uint64_t size) = 0;
    // Cuts or extends the file (new bytes read as zero).  Not durable by itself.
    virtual Status truncate(std::uint64_t size) = 0;
    virtual Result<std::uint64_t> size() = 0;
};

// Shared memory over a whole file, mapped twice in a row: bytes [0, size) stand again at
// [size, 2 * size), so that a range that wraps is contiguous.  Stores survive the death of the
// process (page cache), not a power cut.
class MappedRing {
public:
    virtual ~MappedRing() = default;

    virtual std::byte* data() = 0;
    virtual std::uint64_t size() const = 0;
    // True once a store could not reach the file (SIGBUS: truncated file, failing disk).  What was
    // stored since may not survive the process; the owner must poison itself.
    virtual bool failed() const = 0;
};

// One transfer for an IoQueue.  `file`, the bytes and the request must stay until it completes.
struct IoRequest {
    enum class Kind { kRead, kWrite };
    Kind kind = Kind::kWrite;
    File* file = nullptr;
    MutableBytes bytes;  // Source of a write (not modified), target of a read.
    std::uint64_t position = 0;
    Durability durability = Durability::kNone;  // Of a write.
    // Set on completion.  A write is all or nothing to the caller; a read may be short at the end
    // of the file.
    std::size_t transferred = 0;
    Status status;
};

// Several transfers in flight on files of one Env.  One thread at a time, but for wake().
// Completions come in any order.  The destructor waits for what is in flight.
class IoQueue {
public:
    virtual ~IoQueue() = default;

    // Most requests in flight; submitting more is the caller's bug.
    virtual std::size_t depth() const = 0;
    // Starts a transfer; its failure is reported by the completion.
    virtual void submit(IoRequest& request) = 0;
    // Returns one completed request; waits for one when `block`.  Null: none in flight, none
    // completed and not `block`, or woken.
    virtual IoRequest* complete(bool block) = 0;
    // Makes a complete(true) that is waiting, or else the next one that would wait, return null.
    // Any thread.
    virtual void wake() = 0;
    // A descriptor that is readable when complete(false) may have something of the kernel's; -1:
    // there is none.  What completed inside submit() does not make it readable.
    virtual int event_fd() const { return -1; }
};

enum class QueueKind {
    kUring,   // io_uring; kUnsupported where the kernel forbids it.
    kInline,  // Each transfer runs inside submit(); depth 1 in effect, any depth accepted.
};

struct OpenFlags {
    bool create = false;  // Create when absent; with `exclusive`, fail with kAlreadyExists.
    bool exclusive = false;
    bool direct = false;  // O_DIRECT; kUnsupported when the file system refuses it.
    bool mapped = false;  // Writes are stores into a mapping, kData an msync of the range.
    bool read_only = false;
    bool lock = false;  // Hold an exclusive advisory lock while open; kBusy when held.
};

// kInvalidArgument: direct and mapped, read_only and create, or exclusive without create.
Status check_flags(const std::string& path, OpenFlags flags);

// The file system.  Thread-safe.  Paths are as the operating system takes them.
class Env {
public:
    virtual ~Env() = default;

    // kNotFound: absent and not `create`.
    virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenFlags flags) = 0;
    // Atomically replaces `to`.  Durable after sync_dir of the directory.
    virtual Status rename(const std::string& from, const std::string& to) = 0;
    virtual Status remove(const std::string& path) = 0;
    // Names (not paths) in a directory, sorted, without "." and "..".
    virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
    // Creates the directory and its parents; fine when present.  The new entries are durable.
    // kAlreadyExists: a file has that name.
    virtual Status create_dirs(const std::string& directory) = 0;
    // Makes creations, renames and removals in `directory` durable.
    virtual Status sync_dir(const std::string& directory) = 0;
    // Maps `path`, creating it with `size` bytes (a multiple of kBlockSize) of allocated space, or
    // fitting an existing file to that size; kNoSpace when it does not fit.
    virtual Result<std::unique_ptr<MappedRing>> map_ring(const std::string& path,
                                                         std::uint64_t size) = 0;
    // A queue for files of this Env.
    virtual Result<std::unique_ptr<IoQueue>> open_queue(QueueKind kind, std::size_t depth) = 0;
};

// "directory/name".
std::string join_path(std::string_view directory, std::string_view name);

}  // namespace walrus::env

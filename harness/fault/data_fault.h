// Damage to what a node keeps, done to its files from outside.  Each call returns what was seen.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "walrus/base/result.h"

namespace walrus::harness {

// Removes everything below `directory`, not the directory itself.  kNotFound: nothing was there.
Result<std::string> wipe_directory(const std::string& directory);

// Which record's bytes to look for.
struct RecordBytes {
    std::uint64_t run_id = 0;
    std::uint32_t writer = 0;
    std::uint64_t sequence = 0;
};

// Flips one bit in the body of the record, in every copy of it in the files below `directory`: the
// harness does not know which of them the system believes.  kNotFound: no file holds the record as
// it was sent (it may be compressed).
Result<std::string> flip_bit_of_record(const std::string& directory, const RecordBytes& record);

// Takes all space of the file system under `directory`, with one file in it.
class Ballast {
public:
    // kUnsupported: it is the machine's own file system (more than 8 GiB), which is left alone.
    static Result<Ballast> fill(const std::string& directory);
    Ballast(Ballast&& other) noexcept
        : path_(std::exchange(other.path_, "")), what_(std::move(other.what_)) {}
    Ballast& operator=(Ballast&&) = delete;
    ~Ballast() { static_cast<void>(release().has_value()); }

    // Where and how much.
    const std::string& what() const { return what_; }
    // Gives the space back.
    Result<std::string> release();

private:
    explicit Ballast(std::string path) : path_(std::move(path)) {}

    std::string path_;  // "": released.
    std::string what_;
};

// A file system in memory of `size_bytes` at `directory`, seen by this process and its later
// children only, and gone with them: the calling thread moves into a mount namespace of its own.
// kUnsupported: not allowed here.
Status mount_private_disk(const std::string& directory, std::uint64_t size_bytes);

}  // namespace walrus::harness

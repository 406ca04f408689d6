// PosixFile: a File on a descriptor, buffered or O_DIRECT.
#pragma once

#include <string>

#include "walrus/env/env.h"
#include "walrus/env/unique_fd.h"

namespace walrus::env {

// Thread-safe.  The members beyond File are for the room's own queues, which transfer by
// descriptor.
class PosixFile final : public File {
public:
    PosixFile(UniqueFd fd, std::string path, OpenFlags flags);

    Result<std::size_t> read_at(MutableBytes into, std::uint64_t position) override;
    Status write_at(Bytes data, std::uint64_t position, Durability durability) override;
    Status sync_data() override;
    Status preallocate(std::uint64_t size) override;
    Status truncate(std::uint64_t size) override;
    Result<std::uint64_t> size() override;

    int fd() const { return fd_.get(); }
    const std::string& path() const { return path_; }

    // kInvalidArgument: a direct file, and position, length or memory is not aligned to kBlockSize.
    Status check_read(Bytes bytes, std::uint64_t position) const;
    // The same, and kInvalidArgument for a read-only file.
    Status check_write(Bytes bytes, std::uint64_t position) const;

    // How many of `done` transferred bytes count when a short transfer is continued: a direct one
    // goes on at a block, so the last part of a block is transferred again.
    std::size_t countable(std::size_t done) const;
    // A read that ended after `done` bytes has met the end of the file.
    bool ends_at(std::size_t done) const { return done == 0 || countable(done) != done; }

private:
    Status check_writable(std::string_view what) const;

    const UniqueFd fd_;
    const std::string path_;
    const OpenFlags flags_;
};

}  // namespace walrus::env

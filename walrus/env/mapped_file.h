// MappedFile: a File whose writes are stores into a shared mapping.
#pragma once

#include <memory>
#include <shared_mutex>
#include <string>

#include "walrus/env/env.h"
#include "walrus/env/posix_file.h"
#include "walrus/env/sigbus_guard.h"

namespace walrus::env {

// Thread-safe.  Reads go through the descriptor: on Linux they see every store of the mapping, and
// a failing disk answers them with an error instead of a signal.  A store that the disk refuses
// (SIGBUS) makes this write and every later one fail with kIo.
class MappedFile final : public File {
public:
    MappedFile(UniqueFd fd, std::string path, OpenFlags flags);
    ~MappedFile() override;

    Result<std::size_t> read_at(MutableBytes into, std::uint64_t position) override;
    Status write_at(Bytes data, std::uint64_t position, Durability durability) override;
    Status sync_data() override;
    Status preallocate(std::uint64_t size) override;
    Status truncate(std::uint64_t size) override;
    Result<std::uint64_t> size() override;

private:
    Status grow(std::uint64_t size);
    Status remap(std::uint64_t size);
    Status store(Bytes data, std::uint64_t position, Durability durability);
    void unmap();

    PosixFile file_;
    std::shared_mutex mutex_;         // Shared to store, exclusive to change mapping or length.
    std::byte* begin_ = nullptr;      // The mapping; null while there is none.
    std::uint64_t mapped_bytes_ = 0;  // Its length; may reach past the end of the file.
    std::uint64_t size_ = 0;          // Length of the file.  Invariant: size_ <= mapped_bytes_
                                      // whenever something is stored.
    std::unique_ptr<SigbusGuard> guard_;
    bool failed_ = false;  // An earlier mapping had failed.
};

}  // namespace walrus::env

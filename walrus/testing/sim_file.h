// SimFile: an open file of a simulated disk.
#pragma once

#include <memory>
#include <string>

#include "walrus/env/env.h"
#include "walrus/testing/sim_disk.h"

namespace walrus::testing {

class SimFile final : public env::File {
public:
    // The caller holds the disk's mutex and has counted the open and taken the lock, if any.
    SimFile(std::shared_ptr<SimDisk> disk, std::shared_ptr<SimNode> node, std::string path,
            env::OpenFlags flags);
    ~SimFile() override;

    Result<std::size_t> read_at(MutableBytes into, std::uint64_t position) override;
    Status write_at(Bytes data, std::uint64_t position, env::Durability durability) override;
    Status sync_data() override;
    Status preallocate(std::uint64_t size) override;
    Status truncate(std::uint64_t size) override;
    Result<std::uint64_t> size() override;

    const std::shared_ptr<SimNode>& node() const { return node_; }

private:
    SimOperation operation(SimOperation::Kind kind, std::uint64_t position = 0,
                           std::uint64_t size_bytes = 0) const;
    Status check_writable() const;
    // A direct file refuses what O_DIRECT would.
    Status check_alignment(Bytes bytes, std::uint64_t position) const;

    const std::shared_ptr<SimDisk> disk_;
    const std::shared_ptr<SimNode> node_;
    const std::string path_;
    const env::OpenFlags flags_;
};

}  // namespace walrus::testing

// The memory of a simulated ring, and the handle through which the code under test stores into it.
#pragma once

#include <atomic>
#include <memory>

#include "walrus/env/env.h"
#include "walrus/env/mirror_mapping.h"
#include "walrus/testing/sim_image.h"

namespace walrus::testing {

struct SimDisk;
class SimNode;

// Anonymous memory, mapped twice in a row like the real ring.
class SimRingMemory {
public:
    SimRingMemory(const SimImage& contents, std::uint64_t size);

    std::byte* data() { return mapping_.begin(); }
    std::uint64_t size() const { return mapping_.size(); }
    // Replaces everything by the image.
    void load(const SimImage& contents);

    void fail() { failed_.store(true); }
    bool failed() const { return failed_.load(); }

private:
    env::MirrorMapping mapping_;
    std::atomic<bool> failed_{false};
};

// Unmapping leaves the contents in the file, unsynced.
class SimRing final : public env::MappedRing {
public:
    SimRing(std::shared_ptr<SimDisk> disk, std::shared_ptr<SimNode> node,
            std::shared_ptr<SimRingMemory> memory);
    ~SimRing() override;

    std::byte* data() override { return memory_->data(); }
    std::uint64_t size() const override { return memory_->size(); }
    bool failed() const override { return memory_->failed(); }

private:
    const std::shared_ptr<SimDisk> disk_;
    const std::shared_ptr<SimNode> node_;
    const std::shared_ptr<SimRingMemory> memory_;
};

}  // namespace walrus::testing

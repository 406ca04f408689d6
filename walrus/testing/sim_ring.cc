#include "walrus/testing/sim_ring.h"

#include <sys/mman.h>
#include <unistd.h>

#include <mutex>
#include <utility>

#include "walrus/testing/sim_disk.h"
#include "walrus/testing/sim_node.h"

namespace walrus::testing {
namespace {

env::MirrorMapping map_anonymous(std::uint64_t size) {
    const int fd = ::memfd_create("walrus-sim-ring", MFD_CLOEXEC);
    WALRUS_ASSERT(fd >= 0);
    WALRUS_ASSERT(::ftruncate(fd, static_cast<off_t>(size)) == 0);
    Result<env::MirrorMapping> mapping = env::MirrorMapping::map(fd, size);
    ::close(fd);
    return *std::move(mapping);
}

}  // namespace

SimRingMemory::SimRingMemory(const SimImage& contents, std::uint64_t size)
    : mapping_(map_anonymous(size)) {
    load(contents);
}

void SimRingMemory::load(const SimImage& contents) {
    contents.read({mapping_.begin(), mapping_.size()}, 0);
}

SimRing::SimRing(std::shared_ptr<SimDisk> disk, std::shared_ptr<SimNode> node,
                 std::shared_ptr<SimRingMemory> memory)
    : disk_(std::move(disk)), node_(std::move(node)), memory_(std::move(memory)) {}

SimRing::~SimRing() {
    const std::scoped_lock lock(disk_->mutex);
    static_cast<void>(node_->present());  // Takes the last stores over.
}

}  // namespace walrus::testing

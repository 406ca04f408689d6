#include "walrus/testing/sim_file.h"

#include <mutex>
#include <utility>

namespace walrus::testing {
namespace {

using Fate = SimFaults::Fate;
using Kind = SimOperation::Kind;

}  // namespace

SimFile::SimFile(std::shared_ptr<SimDisk> disk, std::shared_ptr<SimNode> node, std::string path,
                 env::OpenFlags flags)
    : disk_(std::move(disk)), node_(std::move(node)), path_(std::move(path)), flags_(flags) {}

SimFile::~SimFile() {
    const std::scoped_lock lock(disk_->mutex);
    --node_->opens;
    if (flags_.lock) node_->locked = false;
}

Result<std::size_t> SimFile::read_at(MutableBytes into, std::uint64_t position) {
    const std::scoped_lock lock(disk_->mutex);
    WALRUS_RETURN_IF_ERROR(check_alignment(into, position));
    WALRUS_RETURN_IF_ERROR(disk_->admit(operation(Kind::kRead, position, into.size())).status);
    return node_->present().read(into, position);
}

Status SimFile::write_at(Bytes data, std::uint64_t position, env::Durability durability) {
    const std::scoped_lock lock(disk_->mutex);
    WALRUS_RETURN_IF_ERROR(check_writable());
    WALRUS_RETURN_IF_ERROR(check_alignment(data, position));
    if (data.empty()) return {};
    const bool durable = durability == env::Durability::kData;
    const SimOperation write =
        operation(durable ? Kind::kDurableWrite : Kind::kWrite, position, data.size());
    SimFaults::Verdict verdict = disk_->admit(write);
    switch (verdict.fate) {
        case Fate::kHappens: break;
        case Fate::kFails: return verdict.status;
        case Fate::kHalf:
            node_->write(data.first((data.size() + 1) / 2), position);
            return verdict.status;
        case Fate::kWasTheLast:
            disk_->in_flight_at_death.push_back({node_, position, {data.begin(), data.end()}});
            return verdict.status;
    }
    WALRUS_RETURN_IF_ERROR(disk_->check_space(*node_, write));
    if (durable) {
        node_->write_durable(data, position);
    } else {
        node_->write(data, position);
    }
    return {};
}

Status SimFile::sync_data() {
    const std::scoped_lock lock(disk_->mutex);
    const SimFaults::Verdict verdict = disk_->admit(operation(Kind::kSync));
    if (verdict.fate == Fate::kHappens) {
        node_->sync();
    } else if (!disk_->faults.dead()) {
        node_->lose_unsynced();
    }
    return verdict.status;
}

Status SimFile::preallocate(std::uint64_t size) {
    const std::scoped_lock lock(disk_->mutex);
    WALRUS_RETURN_IF_ERROR(check_writable());
    const SimOperation reserve = operation(Kind::kPreallocate, 0, size);
    WALRUS_RETURN_IF_ERROR(disk_->admit(reserve).status);
    WALRUS_RETURN_IF_ERROR(disk_->check_space(*node_, reserve));
    if (size > node_->present().size()) node_->resize(size);
    node_->allocate(0, size);
    return {};
}

Status SimFile::truncate(std::uint64_t size) {
    const std::scoped_lock lock(disk_->mutex);
    WALRUS_RETURN_IF_ERROR(check_writable());
    WALRUS_RETURN_IF_ERROR(disk_->admit(operation(Kind::kTruncate, 0, size)).status);
    if (size != node_->present().size()) node_->resize(size);
    return {};
}

Result<std::uint64_t> SimFile::size() {
    const std::scoped_lock lock(disk_->mutex);
    if (disk_->faults.dead()) return Error{Errc::kIo, "size: " + path_ + ": the machine is dead"};
    return node_->present().size();
}

SimOperation SimFile::operation(Kind kind, std::uint64_t position, std::uint64_t size_bytes) const {
    return {kind, path_, position, size_bytes, flags_.direct};
}

Status SimFile::check_writable() const {
    if (!flags_.read_only) return {};
    return Error{Errc::kInvalidArgument, "write: " + path_ + ": opened read-only"};
}

Status SimFile::check_alignment(Bytes bytes, std::uint64_t position) const {
    const auto memory = reinterpret_cast<std::uintptr_t>(bytes.data());
    if (!flags_.direct || (memory % env::kBlockSize == 0 && position % env::kBlockSize == 0 &&
                           bytes.size() % env::kBlockSize == 0)) {
        return {};
    }
    return Error{Errc::kInvalidArgument,
                 "direct transfer: " + path_ + " at " + std::to_string(position) +
                     ": position, length or memory is not aligned to a block"};
}

}  // namespace walrus::testing

#include "walrus/testing/sim_env.h"

#include <map>
#include <mutex>
#include <utility>

#include "walrus/env/inline_queue.h"
#include "walrus/testing/sim_disk.h"
#include "walrus/testing/sim_file.h"
#include "walrus/testing/sim_queue.h"
#include "walrus/testing/sim_ring.h"

namespace walrus::testing {
namespace {

using Kind = SimOperation::Kind;

Error error_of(Kind kind, const std::string& path, Errc code, std::string_view cause) {
    std::string message(sim_operation_name(kind));
    return {code, message.append(": ").append(path).append(": ").append(cause)};
}

Error not_found(Kind kind, const std::string& path) {
    return error_of(kind, path, Errc::kNotFound, "no such file or directory");
}

// Finds the node to open, creating it when asked.
Result<std::shared_ptr<SimNode>> open_node(SimDisk& disk, const std::string& path,
                                           env::OpenFlags flags) {
    std::shared_ptr<SimNode> node = disk.names.find(path);
    if (disk.names.has_dir(path)) return error_of(Kind::kOpen, path, Errc::kIo, "is a directory");
    if (node == nullptr && !flags.create) {
        // A dead machine knows nothing, not even that a file is absent.
        WALRUS_RETURN_IF_ERROR(disk.admit({Kind::kOpen, path, 0, 0, flags.direct}).status);
        return not_found(Kind::kOpen, path);
    }
    if (node == nullptr) {
        WALRUS_RETURN_IF_ERROR(disk.admit({Kind::kCreate, path, 0, 0, flags.direct}).status);
        if (!disk.names.has_dir(split_path(path).first)) return not_found(Kind::kCreate, path);
        node = disk.new_node();
        disk.names.link(path, node);
        return node;
    }
    WALRUS_RETURN_IF_ERROR(disk.admit({Kind::kOpen, path, 0, 0, flags.direct}).status);
    if (flags.exclusive) return error_of(Kind::kCreate, path, Errc::kAlreadyExists, "exists");
    return node;
}

}  // namespace

SimEnv::SimEnv(std::uint64_t seed) : disk_(std::make_shared<SimDisk>(seed)) {}

SimEnv::~SimEnv() = default;

Result<std::unique_ptr<env::File>> SimEnv::open(const std::string& path, env::OpenFlags flags) {
    WALRUS_RETURN_IF_ERROR(env::check_flags(path, flags));
    const std::string name = normal_path(path);
    const std::scoped_lock lock(disk_->mutex);
    Result<std::shared_ptr<SimNode>> node = open_node(*disk_, name, flags);
    if (!node) return std::move(node).error();
    if (flags.lock) {
        if ((*node)->locked) return error_of(Kind::kOpen, name, Errc::kBusy, "locked");
        (*node)->locked = true;
    }
    ++(*node)->opens;
    return std::unique_ptr<env::File>(std::make_unique<SimFile>(disk_, *node, name, flags));
}

Status SimEnv::rename(const std::string& from, const std::string& to) {
    const std::string old_name = normal_path(from);
    const std::string new_name = normal_path(to);
    const std::scoped_lock lock(disk_->mutex);
    WALRUS_RETURN_IF_ERROR(disk_->admit({Kind::kRename, old_name}).status);
    if (disk_->names.find(old_name) == nullptr) return not_found(Kind::kRename, old_name);
    if (!disk_->names.has_dir(split_path(new_name).first)) {
        return not_found(Kind::kRename, new_name);
    }
    if (disk_->names.has_dir(new_name)) {
        return error_of(Kind::kRename, new_name, Errc::kIo, "is a directory");
    }
    disk_->names.rename(old_name, new_name);
    return {};
}

Status SimEnv::remove(const std::string& path) {
    const std::string name = normal_path(path);
    const std::scoped_lock lock(disk_->mutex);
    WALRUS_RETURN_IF_ERROR(disk_->admit({Kind::kRemove, name}).status);
    if (disk_->names.find(name) == nullptr) return not_found(Kind::kRemove, name);
    disk_->names.unlink(name);
    return {};
}

Result<std::vector<std::string>> SimEnv::list(const std::string& directory) {
    const std::string name = normal_path(directory);
    const std::scoped_lock lock(disk_->mutex);
    WALRUS_RETURN_IF_ERROR(disk_->admit({Kind::kList, name}).status);
    if (!disk_->names.has_dir(name)) return not_found(Kind::kList, name);
    return disk_->names.list(name);
}

Status SimEnv::create_dirs(const std::string& directory) {
    const std::string name = normal_path(directory);
    const std::scoped_lock lock(disk_->mutex);
    if (disk_->names.has_dir(name) && !disk_->faults.dead()) return {};
    WALRUS_RETURN_IF_ERROR(disk_->admit({Kind::kCreateDirs, name}).status);
    if (disk_->names.find(name) != nullptr) {
        return error_of(Kind::kCreateDirs, name, Errc::kAlreadyExists, "not a directory");
    }
    disk_->names.create_dirs(name);
    return {};
}

Status SimEnv::sync_dir(const std::string& directory) {
    const std::string name = normal_path(directory);
    const std::scoped_lock lock(disk_->mutex);
    WALRUS_RETURN_IF_ERROR(disk_->admit({Kind::kSyncDir, name}).status);
    if (!disk_->names.has_dir(name)) return not_found(Kind::kSyncDir, name);
    disk_->names.sync_dir(name);
    return {};
}

Result<std::unique_ptr<env::MappedRing>> SimEnv::map_ring(const std::string& path,
                                                          std::uint64_t size) {
    const std::string name = normal_path(path);
    const SimOperation map{Kind::kMapRing, name, 0, size};
    if (size == 0 || size % env::kBlockSize != 0) {
        return error_of(map.kind, name, Errc::kInvalidArgument, "size is not a multiple of blocks");
    }
    const std::scoped_lock lock(disk_->mutex);
    WALRUS_RETURN_IF_ERROR(disk_->admit(map).status);
    std::shared_ptr<SimNode> node = disk_->names.find(name);
    if (node == nullptr) {
        if (!disk_->names.has_dir(split_path(name).first)) return not_found(map.kind, name);
        node = disk_->new_node();
        disk_->names.link(name, node);
    }
    WALRUS_RETURN_IF_ERROR(disk_->check_space(*node, map));
    std::shared_ptr<SimRingMemory> memory = node->ring.lock();
    if (memory == nullptr || memory->size() != size) {
        if (node->present().size() != size) node->resize(size);
        node->allocate(0, size);
        node->sync();
        memory = std::make_shared<SimRingMemory>(node->present(), size);
        node->ring = memory;
    }
    return std::unique_ptr<env::MappedRing>(std::make_unique<SimRing>(disk_, node, memory));
}

Result<std::unique_ptr<env::IoQueue>> SimEnv::open_queue(env::QueueKind kind, std::size_t depth) {
    const bool uring = kind == env::QueueKind::kUring;
    const std::string name = uring ? "uring" : "inline";
    const std::scoped_lock lock(disk_->mutex);
    WALRUS_RETURN_IF_ERROR(disk_->admit({Kind::kOpenQueue, name}).status);
    if (depth == 0) return error_of(Kind::kOpenQueue, name, Errc::kInvalidArgument, "depth 0");
    if (!uring) return std::unique_ptr<env::IoQueue>(std::make_unique<env::InlineQueue>(depth));
    const std::uint64_t seed = disk_->seed * 0x9e3779b97f4a7c15 + ++disk_->queues_opened;
    return std::unique_ptr<env::IoQueue>(std::make_unique<SimQueue>(disk_, depth, seed));
}

std::uint64_t SimEnv::operation_count() const {
    const std::scoped_lock lock(disk_->mutex);
    return disk_->faults.count();
}

void SimEnv::cut_after(std::uint64_t n) {
    const std::scoped_lock lock(disk_->mutex);
    disk_->faults.cut_after(n);
}

bool SimEnv::dead() const {
    const std::scoped_lock lock(disk_->mutex);
    return disk_->faults.dead();
}

std::unique_ptr<SimEnv> SimEnv::after_crash(CrashOptions options) const {
    const std::scoped_lock lock(disk_->mutex);
    SeededRandom random(options.seed);
    auto next = std::make_unique<SimEnv>(disk_->seed ^ random.next());
    SimDisk& disk = *next->disk_;
    std::map<const SimNode*, std::shared_ptr<SimNode>> clones;
    disk.names = disk_->names.clone([&](SimNode& node) {
        auto clone = node.clone_for_crash();
        disk.nodes.push_back(clone);
        clones[&node] = clone;
        return clone;
    });
    for (const SimInFlight& write : disk_->in_flight()) {
        const auto clone = clones.find(write.node.get());
        if (clone == clones.end()) continue;  // Of a removed file.
        if (options.kind == CrashKind::kPower) {
            clone->second->write(write.data, write.position);  // Settled below with all others.
            continue;
        }
        surviving_pieces(
            write.data, write.position, options.unsynced, random,
            [&](Bytes piece, std::uint64_t position) { clone->second->write(piece, position); });
    }
    if (options.kind == CrashKind::kPower) {
        disk.names.settle(options.unsynced, random);
        for (const auto& [path, node] : disk.names.files()) node->settle(options.unsynced, random);
    }
    disk.capacity = disk_->capacity;
    return next;
}

void SimEnv::fail_operation(std::uint64_t n, Errc error, Repeat repeat) {
    const std::scoped_lock lock(disk_->mutex);
    disk_->faults.fail_operation(n, error, repeat);
}

void SimEnv::short_write(std::uint64_t n) {
    const std::scoped_lock lock(disk_->mutex);
    disk_->faults.short_write(n);
}

void SimEnv::fail_when(FaultPredicate predicate, Errc error) {
    const std::scoped_lock lock(disk_->mutex);
    disk_->faults.fail_when(std::move(predicate), error);
}

void SimEnv::clear_faults() {
    const std::scoped_lock lock(disk_->mutex);
    disk_->faults.clear();
}

void SimEnv::set_capacity(std::uint64_t bytes) {
    const std::scoped_lock lock(disk_->mutex);
    disk_->capacity = bytes;
}

std::uint64_t SimEnv::used_bytes() const {
    const std::scoped_lock lock(disk_->mutex);
    return disk_->used_bytes();
}

void SimEnv::fail_ring(const std::string& path) {
    const std::scoped_lock lock(disk_->mutex);
    const auto node = disk_->names.find(normal_path(path));
    const auto memory = node == nullptr ? nullptr : node->ring.lock();
    WALRUS_ASSERT(memory != nullptr);
    memory->fail();
}

void SimEnv::write_back_ring(const std::string& path) {
    const std::scoped_lock lock(disk_->mutex);
    const auto node = disk_->names.find(normal_path(path));
    WALRUS_ASSERT(node != nullptr && !node->ring.expired());
    node->sync();
}

void SimEnv::flip_bit(const std::string& path, std::uint64_t bit) {
    const std::scoped_lock lock(disk_->mutex);
    const auto node = disk_->names.find(normal_path(path));
    WALRUS_ASSERT(node != nullptr);
    node->flip_bit(bit);
}

bool SimEnv::exists(const std::string& path) const {
    const std::scoped_lock lock(disk_->mutex);
    return disk_->names.find(normal_path(path)) != nullptr;
}

Result<std::vector<std::byte>> SimEnv::read_file(const std::string& path) const {
    const std::scoped_lock lock(disk_->mutex);
    const auto node = disk_->names.find(normal_path(path));
    if (node == nullptr) return not_found(Kind::kRead, path);
    const SimImage& image = node->present();
    std::vector<std::byte> contents(image.size());
    image.read(contents, 0);
    return contents;
}

void SimEnv::write_file(const std::string& path, Bytes contents) {
    const std::string name = normal_path(path);
    const std::string directory = split_path(name).first;
    const std::scoped_lock lock(disk_->mutex);
    disk_->names.create_dirs(directory);
    auto node = disk_->names.find(name);
    if (node == nullptr) {
        node = disk_->new_node();
        disk_->names.link(name, node);
    }
    node->resize(0);
    if (!contents.empty()) node->write(contents, 0);
    node->sync();
    disk_->names.sync_dir(directory);
}

void SimEnv::remove_file(const std::string& path) {
    const std::string name = normal_path(path);
    const std::scoped_lock lock(disk_->mutex);
    if (disk_->names.find(name) == nullptr) return;
    disk_->names.unlink(name);
    disk_->names.sync_dir(split_path(name).first);
}

}  // namespace walrus::testing

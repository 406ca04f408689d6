#include "walrus/testing/sim_disk.h"

#include <algorithm>

#include "walrus/testing/sim_queue.h"

namespace walrus::testing {
namespace {

using Kind = SimOperation::Kind;

bool is_numbered(Kind kind) {
    return kind != Kind::kOpen && kind != Kind::kRead && kind != Kind::kList &&
           kind != Kind::kOpenQueue;
}

bool is_write(Kind kind) {
    return kind == Kind::kWrite || kind == Kind::kDurableWrite;
}

Error fault(const SimOperation& operation, Errc code, std::string_view cause) {
    std::string message(sim_operation_name(operation.kind));
    message.append(": ").append(operation.path).append(" at ");
    message.append(std::to_string(operation.position)).append(": ").append(cause);
    return {code, std::move(message)};
}

}  // namespace

std::string_view sim_operation_name(Kind kind) {
    switch (kind) {
        case Kind::kOpen: return "open";
        case Kind::kCreate: return "create";
        case Kind::kRead: return "read";
        case Kind::kWrite: return "write";
        case Kind::kDurableWrite: return "durable write";
        case Kind::kSync: return "sync";
        case Kind::kPreallocate: return "preallocate";
        case Kind::kTruncate: return "truncate";
        case Kind::kRename: return "rename";
        case Kind::kRemove: return "remove";
        case Kind::kList: return "list";
        case Kind::kCreateDirs: return "create directory";
        case Kind::kSyncDir: return "sync directory";
        case Kind::kMapRing: return "map";
        case Kind::kOpenQueue: return "open queue";
    }
    return "unknown";
}

FaultPredicate fault_on(Kind kind, std::string path_part) {
    return [kind, part = std::move(path_part)](const SimOperation& operation) {
        return operation.kind == kind && operation.path.find(part) != std::string_view::npos;
    };
}

SimFaults::Verdict SimFaults::admit(const SimOperation& operation) {
    if (dead_) return {Fate::kFails, fault(operation, Errc::kIo, "the machine is dead")};
    if (is_numbered(operation.kind)) {
        if (count_ >= cut_) {
            dead_ = true;
            return {Fate::kWasTheLast, fault(operation, Errc::kIo, "the machine dies")};
        }
        ++count_;
        Verdict verdict = numbered_verdict(operation);
        if (verdict.fate != Fate::kHappens) return verdict;
    }
    for (const auto& [predicate, error] : predicates_) {
        if (predicate(operation)) return {Fate::kFails, fault(operation, error, "injected")};
    }
    return {};
}

SimFaults::Verdict SimFaults::numbered_verdict(const SimOperation& operation) const {
    for (const NumberedFault& f : numbered_) {
        const bool hit = f.repeat == Repeat::kOnce ? count_ == f.number : count_ >= f.number;
        if (hit) return {Fate::kFails, fault(operation, f.error, "injected")};
    }
    if (std::find(short_writes_.begin(), short_writes_.end(), count_) != short_writes_.end()) {
        return {is_write(operation.kind) ? Fate::kHalf : Fate::kFails,
                fault(operation, Errc::kIo, "injected, half done")};
    }
    return {};
}

void SimFaults::fail_operation(std::uint64_t n, Errc error, Repeat repeat) {
    numbered_.push_back({n, error, repeat});
}

void SimFaults::fail_when(FaultPredicate predicate, Errc error) {
    predicates_.emplace_back(std::move(predicate), error);
}

void SimFaults::clear() {
    numbered_.clear();
    short_writes_.clear();
    predicates_.clear();
}

SimFaults::Verdict SimDisk::admit(const SimOperation& operation) {
    SimFaults::Verdict verdict = faults.admit(operation);
    if (verdict.fate == SimFaults::Fate::kWasTheLast) in_flight_at_death = submitted_writes();
    return verdict;
}

std::vector<SimInFlight> SimDisk::in_flight() const {
    return faults.dead() ? in_flight_at_death : submitted_writes();
}

std::vector<SimInFlight> SimDisk::submitted_writes() const {
    std::vector<SimInFlight> writes;
    for (const SimQueue* queue : queues) queue->append_in_flight(writes);
    return writes;
}

std::shared_ptr<SimNode> SimDisk::new_node() {
    std::erase_if(nodes, [](const std::weak_ptr<SimNode>& node) { return node.expired(); });
    auto node = std::make_shared<SimNode>();
    nodes.push_back(node);
    return node;
}

std::uint64_t SimDisk::used_bytes() const {
    std::uint64_t blocks = 0;
    for (const std::weak_ptr<SimNode>& weak : nodes) {
        const std::shared_ptr<SimNode> node = weak.lock();
        if (node != nullptr && node->links + node->opens > 0) blocks += node->allocated_blocks();
    }
    return blocks * env::kBlockSize;
}

Status SimDisk::check_space(const SimNode& node, const SimOperation& operation) const {
    if (capacity == std::numeric_limits<std::uint64_t>::max()) return {};
    const std::uint64_t missing = node.missing_blocks(operation.position, operation.size_bytes);
    if (missing == 0 || used_bytes() + missing * env::kBlockSize <= capacity) return {};
    return fault(operation, Errc::kNoSpace, "the disk is full");
}

}  // namespace walrus::testing

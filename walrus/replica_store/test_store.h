// What the tests of this room share: options for a simulated disk, batches, one-line writes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "walrus/replica_store/store.h"

namespace walrus::replica_store {

inline constexpr cluster::SegmentKey kKey{7, 1};
inline constexpr cluster::SegmentKey kOther{7, 2};

// Small files and no threads: every call does its own work.
inline Options inline_options(env::Env& env, Clock& clock, Random& random) {
    Options options;
    options.directory = "node/replicas";
    options.cluster = 0xC1;
    options.node = 3;
    options.file_size_bytes = options.ring_size_bytes = 64 << 10;
    options.backend = wal::Backend::kDirect;
    options.threading = wal::Threading::kInline;
    options.env = &env;
    options.clock = &clock;
    options.random = &random;
    return options;
}

inline cluster::Batch batch(std::string data, std::uint32_t records = 1) {
    return {.records = records, .data = cluster::Payload(std::move(data))};
}

// Makes writes as a Replica would: tickets and marks go on by themselves.
class WriteMaker {
public:
    explicit WriteMaker(const cluster::SegmentKey& key) : key_(key) {
        mark_.chain = cluster::chain_start(key);
    }

    cluster::DiskWrite promise(std::uint64_t epoch) {
        return make(cluster::PromiseEpoch{cluster::Epoch{epoch}});
    }
    cluster::DiskWrite store(std::vector<cluster::Batch> batches) {
        const cluster::Mark before = mark_;
        for (const cluster::Batch& each : batches) mark_ = cluster::mark_after(mark_, each);
        return make(cluster::StoreBatches{before, std::move(batches)});
    }
    cluster::DiskWrite cut(const cluster::Mark& end) { return make(cluster::CutTo{mark_ = end}); }
    cluster::DiskWrite remove() {
        mark_ = {.chain = cluster::chain_start(key_)};
        return make(cluster::RemoveCopy{});
    }
    const cluster::Mark& mark() const { return mark_; }

private:
    cluster::DiskWrite make(decltype(cluster::DiskWrite::operation) operation) {
        return {.key = key_, .ticket = ++ticket_, .operation = std::move(operation)};
    }

    cluster::SegmentKey key_;
    cluster::Mark mark_;
    std::uint64_t ticket_ = 0;
};

// What a copy says about itself after a restart.
struct Shape {
    std::uint64_t promised = 0;
    cluster::Mark end = {};
    std::size_t batches = 0;

    bool operator==(const Shape&) const = default;
};

inline std::map<cluster::SegmentKey, Shape> shapes(ReplicaStore& store) {
    std::map<cluster::SegmentKey, Shape> result;
    for (const auto& [key, copy] : store.take_restored()) {
        const cluster::Mark end = copy.tail.empty() ? copy.trusted : copy.tail.back().end;
        result[key] = {copy.promised.value, end, copy.tail.size()};
    }
    return result;
}

}  // namespace walrus::replica_store

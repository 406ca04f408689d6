#include "walrus/cluster_broker/reader.h"

#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "walrus/cluster_broker/call_codec.h"

namespace walrus::cluster_broker {
namespace {

// The segment that holds the offset, or the first behind it.
const cluster::Segment* segment_at(const cluster::Topic& topic, Offset offset) {
    for (auto it = topic.segments.rbegin(); it != topic.segments.rend(); ++it)
        if (it->second.base <= offset) {
            const bool is_sealed = it->second.state == cluster::SegmentState::kSealed;
            const bool is_past = is_sealed && offset >= it->second.base + it->second.length;
            if (!is_past) return &it->second;
            return it == topic.segments.rbegin() ? nullptr : &std::prev(it)->second;
        }
    return nullptr;
}

// One read that goes from copy to copy.
struct Reading {
    Core& core;
    cluster::TopicId topic = 0;
    Offset from = {};
    std::uint64_t max_bytes = 0;
    std::vector<cluster::NodeId> holders = {};  // Not tried yet; the next one is the last.
    Error error = {Errc::kTimeout, "no node that has the records can be reached"};
    member::ReadCallback done = {};
};

void try_next(const std::shared_ptr<Reading>& reading);

void on_read(const std::shared_ptr<Reading>& reading, Result<Batches> batches) {
    if (batches && !batches->empty()) return reading->done(std::move(batches));
    if (!batches) reading->error = std::move(batches).error();
    try_next(reading);
}

Result<Batches> read_answer(const Result<std::string>& bytes) {
    if (!bytes) return bytes.error();
    auto answer = decode_read_answer(*bytes);
    if (!answer) return std::move(answer).error();
    if (answer->error) return *std::move(answer->error);
    return std::move(answer->batches);
}

void try_next(const std::shared_ptr<Reading>& reading) {
    Core& core = reading->core;
    if (core.member == nullptr) return reading->done(broker_closed());
    if (reading->holders.empty()) return reading->done(reading->error);
    const cluster::NodeId holder = reading->holders.back();
    reading->holders.pop_back();
    if (holder == core.self())
        return core.member->read(
            reading->topic, reading->from, reading->max_bytes,
            [reading](Result<Batches> batches) { on_read(reading, std::move(batches)); });
    core.member->call(
        holder, encode_call(ReadCall{reading->topic, reading->from, reading->max_bytes}),
        core.options.call_timeout_ms,
        [reading](const Result<std::string>& bytes) { on_read(reading, read_answer(bytes)); });
}

}  // namespace

void read_batches(Core& core, cluster::TopicId id, Offset from, std::uint64_t max_bytes,
                  member::ReadCallback done) {
    const cluster::Topic* topic = core.topic(id);
    if (topic == nullptr) return done(Error{Errc::kNotFound, "read: the topic was deleted"});
    const cluster::Segment* segment = segment_at(*topic, from);
    if (segment == nullptr)
        return done(Error{Errc::kOutOfRange,
                          "read: no segment holds offset " + std::to_string(from.value)});
    auto reading =
        std::make_shared<Reading>(Reading{core, id, std::max(from, segment->base), max_bytes});
    reading->done = std::move(done);
    bool is_here = false;
    for (const cluster::ReplicaId& replica : segment->replicas) {
        const cluster::Node* node = core.state().node(replica.node);
        if (replica.node == core.self())
            is_here = true;
        else if (node != nullptr && node->serves())
            reading->holders.push_back(replica.node);
    }
    if (is_here) reading->holders.push_back(core.self());
    try_next(reading);
}

}  // namespace walrus::cluster_broker

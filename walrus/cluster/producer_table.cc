#include "walrus/cluster/producer_table.h"

#include <algorithm>
#include <utility>

#include "walrus/cluster/wire.h"

namespace walrus::cluster {
namespace {

constexpr std::uint8_t kTableVersion = 1;
constexpr std::uint32_t kSequences = std::uint32_t{1} << 31;

std::uint32_t sequence_after(std::uint32_t first, std::uint32_t records) {
    return (first + records) % kSequences;
}

// `sequence` lies in the half circle before `next`.
bool is_before(std::uint32_t sequence, std::uint32_t next) {
    const std::uint32_t distance = (next - sequence) % kSequences;
    return distance != 0 && distance < kSequences / 2;
}

}  // namespace

// Found by the codec through the types' namespace.
template <class Io>
void fields(Io& io, wire::Like<Io, ProducerTable::Remembered>& v) {
    io(v.first_sequence, v.records, v.offset);
}
template <class Io>
void fields(Io& io, wire::Like<Io, ProducerTable::Producer>& v) {
    io(v.epoch, v.next_sequence, v.window);
}

ProducerTable::Check ProducerTable::check(const ProducerStamp& stamp, std::uint32_t records) const {
    if (stamp.id == 0) return {Verdict::kNew, {}};
    if (stamp.first_sequence >= kSequences) return {Verdict::kOutOfOrder, {}};
    const auto found = producers_.find(stamp.id);
    if (found == producers_.end() || stamp.epoch > found->second.epoch) {
        return {stamp.first_sequence == 0 ? Verdict::kNew : Verdict::kOutOfOrder, {}};
    }
    const Producer& producer = found->second;
    if (stamp.epoch < producer.epoch) return {Verdict::kFenced, {}};
    if (stamp.first_sequence == producer.next_sequence) return {Verdict::kNew, {}};
    for (const Remembered& batch : producer.window) {
        if (batch.first_sequence == stamp.first_sequence && batch.records == records) {
            return {Verdict::kDuplicate, batch.offset};
        }
    }
    const bool older = is_before(stamp.first_sequence, producer.window.front().first_sequence);
    return {older ? Verdict::kForgottenDuplicate : Verdict::kOutOfOrder, {}};
}

void ProducerTable::record(const ProducerStamp& stamp, std::uint32_t records, Offset offset) {
    if (stamp.id == 0) return;
    Producer& producer = producers_[stamp.id];
    if (producer.epoch != stamp.epoch) producer.window.clear();
    producer.epoch = stamp.epoch;
    producer.next_sequence = sequence_after(stamp.first_sequence, records);
    producer.window.push_back({stamp.first_sequence, records, offset});
    if (producer.window.size() > kWindow) producer.window.erase(producer.window.begin());
    if (producers_.size() <= kMaxProducers) return;
    producers_.erase(std::ranges::min_element(producers_, {}, [](const auto& entry) {
        return std::pair(entry.second.window.back().offset, entry.first);
    }));
}

std::string ProducerTable::encode() const {
    return wire::encode(kTableVersion, producers_);
}

Result<ProducerTable> ProducerTable::decode(Bytes bytes) {
    auto producers =
        wire::decode<std::map<ProducerId, Producer>>(kTableVersion, bytes, "producer table");
    if (!producers) return std::move(producers).error();
    for (const auto& [id, producer] : *producers) {
        const bool sound = id != 0 && !producer.window.empty() &&
                           producer.window.size() <= kWindow && producer.next_sequence < kSequences;
        if (!sound) return Error{Errc::kCorruption, "producer table: impossible entry"};
    }
    ProducerTable table;
    table.producers_ = *std::move(producers);
    return table;
}

}  // namespace walrus::cluster

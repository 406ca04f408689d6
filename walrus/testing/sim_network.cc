#include "walrus/testing/sim_network.h"

#include <algorithm>

#include "walrus/base/assert.h"

namespace walrus::testing {

void SimNetwork::send(SimAddress from, SimAddress to, std::string frame) {
    ++stats_.sent;
    if (random_.chance(weather_.lost_per_1000, 1000) || is_cut(from, to)) {
        ++stats_.lost;
        return;
    }
    if (random_.chance(weather_.doubled_per_1000, 1000)) {
        ++stats_.doubled;
        dispatch({from, to, frame});
    }
    dispatch({from, to, std::move(frame)});
}

void SimNetwork::dispatch(Packet packet) {
    std::uint64_t delay_ns = 0;
    if (packet.from != packet.to) {
        const std::uint64_t spread_ns = weather_.max_delay_ns - weather_.min_delay_ns;
        delay_ns = weather_.min_delay_ns + random_.below(spread_ns + 1);
        if (random_.chance(weather_.late_per_1000, 1000)) {
            ++stats_.late;
            delay_ns += random_.below(weather_.late_delay_ns + 1);
        }
    }
    if (free_slots_.empty()) {
        free_slots_.push_back(under_way_.size());
        under_way_.emplace_back();
    }
    const std::size_t slot = free_slots_.back();
    free_slots_.pop_back();
    under_way_[slot] = std::move(packet);
    schedule_.after(delay_ns, [this, slot] { arrive(slot); });
}

void SimNetwork::arrive(std::size_t slot) {
    const Packet packet = std::move(under_way_[slot]);
    free_slots_.push_back(slot);
    if (is_cut(packet.from, packet.to)) {
        ++stats_.lost;
        return;
    }
    const auto held = held_.find(packet.to);
    if (held != held_.end()) {
        ++stats_.held;
        held->second.push_back(packet);
        return;
    }
    deliver(packet);
}

void SimNetwork::deliver(const Packet& packet) {
    const auto node = nodes_.find(packet.to);
    if (node == nodes_.end()) {
        ++stats_.lost;
        return;
    }
    ++stats_.delivered;
    // A copy: the receiver may detach itself.
    const Receiver receiver = node->second;
    receiver(packet.from, packet.frame);
}

void SimNetwork::release(SimAddress address) {
    const auto held = held_.find(address);
    if (held == held_.end()) return;
    const std::vector<Packet> packets = std::move(held->second);
    held_.erase(held);
    for (const Packet& packet : packets) deliver(packet);
}

void SimNetwork::partition(const std::vector<SimAddress>& all, const std::set<SimAddress>& side) {
    partition_one_way(all, side);
    std::set<SimAddress> others;
    for (const SimAddress address : all) {
        if (!side.contains(address)) others.insert(address);
    }
    partition_one_way(all, others);
}

void SimNetwork::partition_one_way(const std::vector<SimAddress>& all,
                                   const std::set<SimAddress>& side) {
    for (const SimAddress from : all) {
        for (const SimAddress to : all) {
            if (side.contains(from) && !side.contains(to)) cut(from, to);
        }
    }
}

void SimNetwork::partition_majorities_ring(const std::vector<SimAddress>& all) {
    const std::size_t count = all.size();
    if (count < 3) return;
    // Half of those that a majority has besides oneself stand on either side.
    const std::size_t reach = count == 3 ? 1 : (count / 2 + 1) / 2;
    for (std::size_t a = 0; a < count; ++a) {
        for (std::size_t b = 0; b < count; ++b) {
            const std::size_t apart = a > b ? a - b : b - a;
            const std::size_t distance = std::min(apart, count - apart);
            const bool cut_pair = count == 3 ? apart == 2 : distance > reach;
            if (cut_pair) cut(all[a], all[b]);
        }
    }
}

}  // namespace walrus::testing

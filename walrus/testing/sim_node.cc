#include "walrus/testing/sim_node.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "walrus/env/env.h"

namespace walrus::testing {
namespace {

using env::kBlockSize;

std::uint64_t sector_size(Unsynced unsynced) {
    return unsynced == Unsynced::kTorn512 ? 512 : 4096;
}

}  // namespace

void surviving_pieces(Bytes data, std::uint64_t position, Unsynced unsynced, Random& random,
                      const std::function<void(Bytes, std::uint64_t)>& keep) {
    if (unsynced == Unsynced::kDrop) return;
    if (unsynced == Unsynced::kKeep) return keep(data, position);
    const std::uint64_t sector = sector_size(unsynced);
    const std::uint64_t first = position / sector;
    const std::uint64_t last = align_up(position + data.size(), sector) / sector;
    // Fair coins alone would almost never leave a large write whole, absent or cut once.
    enum class Style : std::uint64_t { kAll, kNothing, kPrefix, kAnySubset };
    const auto style = static_cast<Style>(random.below(4));
    const std::uint64_t prefix_end = first + random.below(last - first + 1);
    for (std::uint64_t i = first; i < last; ++i) {
        bool survives = style == Style::kAll;
        if (style == Style::kPrefix) survives = i < prefix_end;
        if (style == Style::kAnySubset) survives = random.chance(1, 2);
        if (!survives) continue;
        const std::uint64_t from = std::max(i * sector, position);
        const std::uint64_t to = std::min((i + 1) * sector, position + data.size());
        keep(data.subspan(from - position, to - from), from);
    }
}

const SimImage& SimNode::present() {
    capture_ring();
    return present_;
}

void SimNode::write(Bytes data, std::uint64_t position) {
    capture_ring();
    present_.write(data, position);
    unsynced_.push_back({false, position, {data.begin(), data.end()}, false});
    allocate(position, data.size());
    if (const auto memory = ring.lock()) memory->load(present_);
}

void SimNode::write_durable(Bytes data, std::uint64_t position) {
    capture_ring();
    present_.write(data, position);
    commit_lengths();
    forget_range(position, position + data.size());
    durable_.write(data, position);
    allocate(position, data.size());
    if (const auto memory = ring.lock()) memory->load(present_);
}

void SimNode::resize(std::uint64_t size) {
    capture_ring();
    if (const auto memory = ring.lock(); memory && size < memory->size()) memory->fail();
    present_.resize(size);
    unsynced_.push_back({true, size, {}, false});
    const std::uint64_t blocks = align_up(size, kBlockSize) / kBlockSize;
    if (blocks < allocated_.size()) allocated_.resize(blocks);
}

void SimNode::sync() {
    capture_ring();
    const bool any_lost = std::any_of(unsynced_.begin(), unsynced_.end(),
                                      [](const Change& change) { return change.lost; });
    if (!any_lost) {
        durable_ = present_;
        unsynced_.clear();
        return;
    }
    commit_lengths();
    // What was lost is older than all that was not.
    std::vector<Change> changes = std::exchange(unsynced_, {});
    for (Change& change : changes) {
        if (change.lost) {
            unsynced_.push_back(std::move(change));
        } else {
            forget_range(change.position, change.end());
            durable_.write(change.data, change.position);
        }
    }
}

void SimNode::lose_unsynced() {
    capture_ring();
    for (Change& change : unsynced_) change.lost = !change.is_resize;
}

std::uint64_t SimNode::allocated_blocks() const {
    return static_cast<std::uint64_t>(std::count(allocated_.begin(), allocated_.end(), true));
}

std::uint64_t SimNode::missing_blocks(std::uint64_t position, std::uint64_t length) const {
    std::uint64_t missing = 0;
    for (std::uint64_t i = position / kBlockSize; i * kBlockSize < position + length; ++i) {
        if (i >= allocated_.size() || !allocated_[i]) ++missing;
    }
    return missing;
}

void SimNode::allocate(std::uint64_t position, std::uint64_t length) {
    const std::uint64_t end = align_up(position + length, kBlockSize) / kBlockSize;
    if (end > allocated_.size()) allocated_.resize(end);
    for (std::uint64_t i = position / kBlockSize; i < end; ++i) allocated_[i] = true;
}

// Changes of the length are a journal: a prefix of them survives, and bytes past the end that
// results do not.
void SimNode::settle(Unsynced unsynced, Random& random) {
    const std::uint64_t changes = count_length_changes();
    std::uint64_t kept_changes = unsynced == Unsynced::kKeep ? changes : 0;
    if (unsynced == Unsynced::kTorn512 || unsynced == Unsynced::kTorn4096) {
        kept_changes = random.below(changes + 1);
    }
    std::uint64_t seen = 0;
    std::uint64_t full_size = durable_.size();  // If every change had survived.
    for (const Change& change : unsynced_) {
        const bool moves_end = change.is_resize || change.end() > full_size;
        const bool end_survives = moves_end && seen < kept_changes;
        if (moves_end) {
            ++seen;
            full_size = change.end();
        }
        if (end_survives && (change.is_resize || change.end() > durable_.size())) {
            durable_.resize(change.end());
        }
        if (change.is_resize || (change.lost && unsynced == Unsynced::kKeep)) continue;
        surviving_pieces(change.data, change.position, unsynced, random,
                         [this](Bytes piece, std::uint64_t position) {
                             if (position >= durable_.size()) return;
                             const std::uint64_t room = durable_.size() - position;
                             durable_.write(piece.first(std::min(piece.size(), room)), position);
                         });
    }
    unsynced_.clear();
    present_ = durable_;
    allocated_.resize(align_up(present_.size(), kBlockSize) / kBlockSize, true);
}

void SimNode::flip_bit(std::uint64_t bit) {
    capture_ring();
    const std::uint64_t position = bit / 8;
    WALRUS_ASSERT(position < present_.size());
    for (SimImage* image : {&present_, &durable_}) {
        std::byte value{};
        if (image->read({&value, 1}, position) == 0) continue;
        value ^= static_cast<std::byte>(1u << (bit % 8));
        image->write({&value, 1}, position);
    }
    if (const auto memory = ring.lock()) memory->load(present_);
}

std::shared_ptr<SimNode> SimNode::clone_for_crash() {
    capture_ring();
    auto clone = std::make_shared<SimNode>();
    clone->present_ = present_;
    clone->durable_ = durable_;
    clone->unsynced_ = unsynced_;
    clone->allocated_ = allocated_;
    return clone;
}

void SimNode::capture_ring() {
    const auto memory = ring.lock();
    if (memory == nullptr) return;
    std::vector<std::byte> known(kBlockSize);
    const std::uint64_t size = std::min<std::uint64_t>(memory->size(), present_.size());
    for (std::uint64_t at = 0; at + kBlockSize <= size; at += kBlockSize) {
        present_.read(known, at);
        const Bytes page{memory->data() + at, kBlockSize};
        if (std::memcmp(page.data(), known.data(), kBlockSize) == 0) continue;
        present_.write(page, at);
        unsynced_.push_back({false, at, {page.begin(), page.end()}, false});
    }
}

void SimNode::commit_lengths() {
    std::vector<Change> writes;
    for (Change& change : unsynced_) {
        if (!change.is_resize) {
            if (change.end() > durable_.size()) durable_.resize(change.end());
            writes.push_back(std::move(change));
            continue;
        }
        durable_.resize(change.position);
        std::erase_if(writes, [&](const Change& w) { return w.position >= change.position; });
        for (Change& w : writes) {
            w.data.resize(std::min<std::uint64_t>(w.data.size(), change.position - w.position));
        }
    }
    unsynced_ = std::move(writes);
}

void SimNode::forget_range(std::uint64_t from, std::uint64_t to) {
    std::vector<Change> kept;
    for (Change& change : unsynced_) {
        if (change.is_resize || change.position >= to || change.end() <= from) {
            kept.push_back(std::move(change));
            continue;
        }
        const Bytes data = change.data;
        if (from > change.position) {
            const Bytes head = data.first(from - change.position);
            kept.push_back({false, change.position, {head.begin(), head.end()}, change.lost});
        }
        if (change.end() > to) {
            const Bytes tail = data.subspan(to - change.position);
            kept.push_back({false, to, {tail.begin(), tail.end()}, change.lost});
        }
    }
    unsynced_ = std::move(kept);
}

std::uint64_t SimNode::count_length_changes() const {
    std::uint64_t count = 0;
    std::uint64_t size = durable_.size();
    for (const Change& change : unsynced_) {
        if (!change.is_resize && change.end() <= size) continue;
        size = change.end();
        ++count;
    }
    return count;
}

}  // namespace walrus::testing

// SimNode: one simulated file, as the process sees it and as the disk holds it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "walrus/base/bytes.h"
#include "walrus/base/random.h"
#include "walrus/testing/sim_env.h"
#include "walrus/testing/sim_image.h"
#include "walrus/testing/sim_ring.h"

namespace walrus::testing {

// Calls `keep` for every part of a write that survives a crash: all of it (kKeep), nothing
// (kDrop), or for the torn kinds all, nothing, a prefix or any subset of its sectors.
void surviving_pieces(Bytes data, std::uint64_t position, Unsynced unsynced, Random& random,
                      const std::function<void(Bytes, std::uint64_t)>& keep);

// Guarded by the mutex of its disk.
//
// `present` is what reads return.  `durable` is what a power cut leaves for certain.  Between them
// stand the unsynced changes in the order they were made: writes, and changes of the length.
class SimNode {
public:
    // Reads see the stores into a mapped ring.
    const SimImage& present();
    void write(Bytes data, std::uint64_t position);
    // Like O_DSYNC: this range, and every change of the length so far, become durable; earlier
    // unsynced writes elsewhere do not.
    void write_durable(Bytes data, std::uint64_t position);
    void resize(std::uint64_t size);
    void sync();
    // A failed sync: what was unsynced stays readable, but no later sync makes it durable.
    void lose_unsynced();

    // Blocks that hold or reserve space, and how many a range would add.
    std::uint64_t allocated_blocks() const;
    std::uint64_t missing_blocks(std::uint64_t position, std::uint64_t length) const;
    void allocate(std::uint64_t position, std::uint64_t length);

    // Power cut: present and durable become what survived.
    void settle(Unsynced unsynced, Random& random);
    // Damages the medium: what is read and what is durable.
    void flip_bit(std::uint64_t bit);
    // A copy without the opens, the lock and the ring of this machine; what the ring holds is
    // taken over as unsynced writes.
    std::shared_ptr<SimNode> clone_for_crash();

    std::weak_ptr<SimRingMemory> ring;  // While the file is mapped.
    bool locked = false;
    std::uint32_t links = 0;  // Names; a file without names and opens gives its space back.
    std::uint32_t opens = 0;

private:
    struct Change {
        bool is_resize = false;
        std::uint64_t position = 0;   // Of a write; the new length for a resize.
        std::vector<std::byte> data;  // Of a write.
        bool lost = false;            // Its sync failed.

        std::uint64_t end() const { return position + data.size(); }
    };

    // Turns the pages of the mapped ring that differ from `present_` into unsynced writes.
    void capture_ring();
    // Makes every change of the length durable; the writes stay unsynced.
    void commit_lengths();
    // Takes [from, to) away from the unsynced writes: later bytes replaced them.
    void forget_range(std::uint64_t from, std::uint64_t to);
    std::uint64_t count_length_changes() const;

    SimImage present_;
    SimImage durable_;
    std::vector<Change> unsynced_;
    std::vector<bool> allocated_;  // By block.
};

}  // namespace walrus::testing

// DedupTable: remembers the results of recent commands by client command id.
//
// Bounded: the oldest is forgotten first, in the order of the log, so all nodes forget alike.  A
// copy that comes later than that is stopped by what its command expects.
#pragma once

#include <cstddef>
#include <map>

#include "walrus/cluster/command.h"

namespace walrus::cluster {

class DedupTable {
public:
    static constexpr std::size_t kCapacity = 8192;

    // Null: not remembered.
    const CommandResult* find(const CommandId& id) const;
    // `result.index` must be above all remembered ones; false and no change otherwise.
    bool remember(const CommandId& id, const CommandResult& result);

    struct Entry {
        CommandId id = {};
        CommandResult result = {};

        bool operator==(const Entry&) const = default;
    };
    // By index, which is the order of forgetting.
    const std::map<Index, Entry>& entries() const { return entries_; }

    bool operator==(const DedupTable&) const = default;

private:
    std::map<Index, Entry> entries_;
    std::map<CommandId, Index> by_id_;
};

}  // namespace walrus::cluster

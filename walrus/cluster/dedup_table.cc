#include "walrus/cluster/dedup_table.h"

namespace walrus::cluster {

const CommandResult* DedupTable::find(const CommandId& id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &entries_.at(found->second).result;
}

bool DedupTable::remember(const CommandId& id, const CommandResult& result) {
    const bool in_order = entries_.empty() || result.index > entries_.rbegin()->first;
    if (!in_order || by_id_.contains(id)) return false;
    entries_.emplace(result.index, Entry{id, result});
    by_id_.emplace(id, result.index);
    if (entries_.size() > kCapacity) {
        by_id_.erase(entries_.begin()->second.id);
        entries_.erase(entries_.begin());
    }
    return true;
}

}  // namespace walrus::cluster

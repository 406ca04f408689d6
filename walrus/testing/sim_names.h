// SimNames: the directories of a simulated disk, as the process sees them and as the disk has them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "walrus/base/random.h"
#include "walrus/testing/sim_env.h"
#include "walrus/testing/sim_node.h"

namespace walrus::testing {

// "a//b/../c/" -> "a/c"; "" -> ".".
std::string normal_path(const std::string& path);
// The directory ("." when there is none) and the name in it.
std::pair<std::string, std::string> split_path(const std::string& path);

// Guarded by the mutex of its disk.  All paths are normal.
//
// Changes of a directory's entries are a journal: sync_dir makes all of them durable, a power cut
// leaves a prefix.  A rename within one directory is one change; across two it is one in each.
class SimNames {
public:
    using NodePtr = std::shared_ptr<SimNode>;

    SimNames();

    bool has_dir(const std::string& directory) const;
    // Creates the directory and its parents, durably; true when any was new.
    bool create_dirs(const std::string& directory);
    NodePtr find(const std::string& path) const;  // Null when absent.
    void link(const std::string& path, NodePtr node);
    void unlink(const std::string& path);
    void rename(const std::string& from, const std::string& to);
    void sync_dir(const std::string& directory);
    // Names of files and directories in `directory`, sorted.
    std::vector<std::string> list(const std::string& directory) const;

    // Power cut: the entries become what survived.
    void settle(Unsynced unsynced, Random& random);
    // A copy in which every file is replaced by replacement(file), asked once for each.
    template <class Replace>
    SimNames clone(Replace replacement) const;
    // Every file that the process or the disk has a name for, with one such path, in a fixed order.
    std::vector<std::pair<std::string, NodePtr>> files() const;

private:
    using Entries = std::map<std::string, NodePtr>;
    using Change = std::vector<std::pair<std::string, NodePtr>>;  // Null: the name goes away.

    struct Directory {
        Entries present;
        Entries durable;
        std::vector<Change> unsynced;  // In order; durable + all of them = present.
    };

    static void apply(Entries& entries, const Change& change);
    void change(const std::string& directory, Change entries);

    std::map<std::string, Directory> directories_;
};

template <class Replace>
SimNames SimNames::clone(Replace replacement) const {
    SimNames copy = *this;
    std::map<const SimNode*, NodePtr> replaced;
    const auto replace = [&](NodePtr& node) {
        if (node == nullptr) return;
        NodePtr& clone = replaced[node.get()];
        if (clone == nullptr) clone = replacement(*node);
        node = clone;
    };
    for (auto& [path, directory] : copy.directories_) {
        for (auto& [name, node] : directory.present) replace(node);
        for (auto& [name, node] : directory.durable) replace(node);
        for (Change& entries : directory.unsynced) {
            for (auto& [name, node] : entries) replace(node);
        }
        for (auto& [name, node] : directory.present) ++node->links;
    }
    return copy;
}

}  // namespace walrus::testing

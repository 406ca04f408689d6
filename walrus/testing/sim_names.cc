#include "walrus/testing/sim_names.h"

#include <algorithm>
#include <filesystem>
#include <set>

namespace walrus::testing {

std::string normal_path(const std::string& path) {
    std::string normal = std::filesystem::path(path).lexically_normal().string();
    if (normal.size() > 1 && normal.back() == '/') normal.pop_back();
    return normal.empty() ? "." : normal;
}

std::pair<std::string, std::string> split_path(const std::string& path) {
    const std::size_t slash = path.find_last_of('/');
    if (slash == std::string::npos) return {".", path};
    return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

SimNames::SimNames() {
    directories_["."];
    directories_["/"];
}

bool SimNames::has_dir(const std::string& directory) const {
    return directories_.contains(directory);
}

bool SimNames::create_dirs(const std::string& directory) {
    if (has_dir(directory)) return false;
    create_dirs(split_path(directory).first);
    directories_[directory];
    return true;
}

SimNames::NodePtr SimNames::find(const std::string& path) const {
    const auto [parent, name] = split_path(path);
    const auto directory = directories_.find(parent);
    if (directory == directories_.end()) return nullptr;
    const auto entry = directory->second.present.find(name);
    return entry == directory->second.present.end() ? nullptr : entry->second;
}

void SimNames::link(const std::string& path, NodePtr node) {
    const auto [directory, name] = split_path(path);
    change(directory, {{name, std::move(node)}});
}

void SimNames::unlink(const std::string& path) {
    const auto [directory, name] = split_path(path);
    change(directory, {{name, nullptr}});
}

void SimNames::rename(const std::string& from, const std::string& to) {
    if (from == to) return;
    const auto [from_directory, from_name] = split_path(from);
    const auto [to_directory, to_name] = split_path(to);
    const NodePtr node = find(from);
    if (from_directory == to_directory) {
        change(from_directory, {{to_name, node}, {from_name, nullptr}});
    } else {
        change(to_directory, {{to_name, node}});
        change(from_directory, {{from_name, nullptr}});
    }
}

void SimNames::sync_dir(const std::string& directory) {
    Directory& dir = directories_.at(directory);
    dir.durable = dir.present;
    dir.unsynced.clear();
}

std::vector<std::string> SimNames::list(const std::string& directory) const {
    std::set<std::string> names;
    for (const auto& [name, node] : directories_.at(directory).present) names.insert(name);
    for (const auto& [path, entries] : directories_) {
        if (path == "." || path == "/") continue;
        const auto [parent, name] = split_path(path);
        if (parent == directory) names.insert(name);
    }
    return {names.begin(), names.end()};
}

void SimNames::settle(Unsynced unsynced, Random& random) {
    for (auto& [path, directory] : directories_) {
        std::size_t kept = unsynced == Unsynced::kKeep ? directory.unsynced.size() : 0;
        if (unsynced == Unsynced::kTorn512 || unsynced == Unsynced::kTorn4096) {
            kept = random.below(directory.unsynced.size() + 1);
        }
        for (std::size_t i = 0; i < kept; ++i) apply(directory.durable, directory.unsynced[i]);
        directory.unsynced.clear();
        for (const auto& [name, node] : directory.present) --node->links;
        directory.present = directory.durable;
        for (const auto& [name, node] : directory.present) ++node->links;
    }
}

std::vector<std::pair<std::string, SimNames::NodePtr>> SimNames::files() const {
    std::vector<std::pair<std::string, NodePtr>> result;
    std::set<const SimNode*> seen;
    for (const auto& [path, directory] : directories_) {
        for (const Entries* entries : {&directory.present, &directory.durable}) {
            for (const auto& [name, node] : *entries) {
                if (seen.insert(node.get()).second) {
                    result.emplace_back(env::join_path(path, name), node);
                }
            }
        }
        for (const Change& entries : directory.unsynced) {
            for (const auto& [name, node] : entries) {
                if (node != nullptr && seen.insert(node.get()).second) {
                    result.emplace_back(env::join_path(path, name), node);
                }
            }
        }
    }
    return result;
}

void SimNames::apply(Entries& entries, const Change& change) {
    for (const auto& [name, node] : change) {
        if (node == nullptr) {
            entries.erase(name);
        } else {
            entries[name] = node;
        }
    }
}

void SimNames::change(const std::string& directory, Change entries) {
    Directory& dir = directories_.at(directory);
    for (const auto& [name, node] : entries) {
        if (const auto old = dir.present.find(name); old != dir.present.end()) {
            --old->second->links;
        }
        if (node != nullptr) ++node->links;
    }
    apply(dir.present, entries);
    dir.unsynced.push_back(std::move(entries));
}

}  // namespace walrus::testing

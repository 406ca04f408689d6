#include "harness/driver/driver.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "harness/driver/nodes.h"
#include "harness/driver/settings.h"

namespace walrus::harness {
namespace {

constexpr std::array kDurabilities = {Durability::kNone, Durability::kProcess,
                                      Durability::kOsInterval, Durability::kDisk,
                                      Durability::kQuorumDisk};

}  // namespace

std::string_view durability_name(Durability durability) {
    switch (durability) {
        case Durability::kNone: return "none";
        case Durability::kProcess: return "process";
        case Durability::kOsInterval: return "os-interval";
        case Durability::kDisk: return "disk";
        case Durability::kQuorumDisk: return "quorum-disk";
    }
    return "unknown";
}

std::string_view durability_meaning(Durability durability) {
    switch (durability) {
        case Durability::kNone: return "acknowledged from process memory; survives nothing";
        case Durability::kProcess:
            return "an acknowledged record survives kill -9, not a power cut";
        case Durability::kOsInterval: return "survives kill -9; synced every so often";
        case Durability::kDisk: return "synced to the device before the acknowledgement";
        case Durability::kQuorumDisk: return "synced on a quorum of replicas before it is acked";
    }
    return "unknown";
}

std::string_view role_name(Role role) {
    switch (role) {
        case Role::kLeader: return "leader";
        case Role::kFollower: return "follower";
        case Role::kController: return "controller";
        case Role::kAll: return "all";
    }
    return "unknown";
}

std::string_view level_name(Level level) {
    return level == Level::kEngine ? "engine" : "server";
}

Result<Durability> parse_durability(std::string_view name) {
    std::vector<std::string_view> names;
    for (const Durability durability : kDurabilities) {
        if (durability_name(durability) == name) return durability;
        names.push_back(durability_name(durability));
    }
    return Error{Errc::kInvalidArgument,
                 fmt::format("unknown durability class \"{}\"{}", name, did_you_mean(name, names))};
}

void Registry::add(std::unique_ptr<Driver> driver) {
    std::string name = driver->describe().name;
    drivers_.insert_or_assign(std::move(name), std::move(driver));
}

void Registry::add_absent(std::string name, std::string reason) {
    absent_.insert_or_assign(std::move(name), std::move(reason));
}

Result<const Driver*> Registry::find(std::string_view name) const {
    if (const auto found = drivers_.find(name); found != drivers_.end()) {
        return static_cast<const Driver*>(found->second.get());
    }
    if (const auto found = absent_.find(name); found != absent_.end()) {
        return Error{Errc::kUnsupported,
                     fmt::format("driver \"{}\" is not in this build: {}", name, found->second)};
    }
    std::vector<std::string_view> names;
    for (const auto& [known, driver] : drivers_) names.push_back(known);
    for (const auto& [known, reason] : absent_) names.push_back(known);
    return Error{Errc::kNotFound,
                 fmt::format("unknown driver \"{}\"{}", name, did_you_mean(name, names))};
}

Status check_supported(const Capabilities& capabilities, Durability durability,
                       std::uint32_t topics, bool async, bool live_read) {
    if (std::ranges::find(capabilities.durabilities, durability) ==
        capabilities.durabilities.end()) {
        return Error{Errc::kUnsupported, fmt::format("durability class {} is not offered",
                                                     durability_name(durability))};
    }
    if (topics > capabilities.max_topics) {
        return Error{Errc::kUnsupported, fmt::format("{} topics asked for, at most {} offered",
                                                     topics, capabilities.max_topics)};
    }
    if (async && !capabilities.async_append) {
        return Error{Errc::kUnsupported, "asynchronous appends are not offered"};
    }
    if (live_read && !capabilities.live_read) {
        return Error{Errc::kUnsupported, "reading while writing goes on is not offered"};
    }
    return {};
}

}  // namespace walrus::harness

#include "walrus/testing/sim_cluster.h"

#include <algorithm>
#include <utility>

namespace walrus::testing {
namespace {

// Limits vary with the seed, so that both one entry per message and many are seen.
raft::Options raft_options(std::uint64_t seed) {
    raft::Options options;
    options.election_ticks = 10;
    options.heartbeat_ticks = 2;
    options.max_message_bytes = seed % 2 == 0 ? 1 : 2'000;
    options.max_inflight_messages = 8;
    options.snapshot_chunk_bytes = seed % 3 == 0 ? 1'000 : 200;
    options.trailing_entries = seed % 5 == 0 ? 0 : 50;
    return options;
}

}  // namespace

SimCluster::SimCluster(const SimClusterOptions& options)
    : options_(options),
      random_(options.seed),
      fault_times_(options.seed + 1),
      fault_random_(options.seed),
      network_(schedule_, random_) {
    raft_options_.raft = raft_options(options.seed);
    raft_options_.cluster = 1 + (options.seed >> 1);
    raft_options_.snapshot_every = 50 + 50 * (options.seed % 4);
    if (options.load != nullptr) {
        raft_options_.make_state = [load = options.load](SimHost&) { return load->make_state(); };
    }
    raft_options_.on_send = [this](const raft::Message& message) { checker_.sent(message); };
    raft::ConfState conf;
    for (raft::NodeId id = 1; id <= options.voters; ++id) conf.voters.push_back(id);
    for (const raft::NodeId id : conf.voters) add_member(id, conf);
}

SimCluster::~SimCluster() = default;

SimClusterResult SimCluster::run() {
    for (const raft::NodeId id : ids()) start(id);
    schedule_request();
    operate();
    if (options_.fault_every_ms > 0) schedule_fault();
    run_until(options_.seconds * kSecondNs, [] { return false; });
    if (!failed()) expect_recovery();
    for (std::uint64_t i = 0; i < options_.full_restarts && !failed(); ++i) restart_all();
    if (!failed() && options_.load != nullptr) options_.load->finish();
    result_.violation = checker_.violation() ? checker_.violation() : failure_;
    if (!result_.violation && options_.load != nullptr) {
        result_.violation = options_.load->violation();
    }
    result_.committed = checker_.committed();
    result_.elections = checker_.elections();
    result_.reads = checker_.reads();
    result_.steps = schedule_.steps();
    result_.simulated_ns = schedule_.now_ns();
    result_.network = network_.stats();
    return std::move(result_);
}

bool SimCluster::failed() const {
    return checker_.violation() || failure_ ||
           (options_.load != nullptr && options_.load->violation());
}

void SimCluster::run_until(std::uint64_t ns, const std::function<bool()>& done) {
    while (!failed() && !done() && schedule_.run_next(ns)) {
    }
}

// --- members ---

// `conf` is empty for one that will join.
void SimCluster::add_member(raft::NodeId id, const raft::ConfState& conf) {
    next_id_ = std::max(next_id_, id + 1);
    SimHostOptions host_options;
    host_options.address = id;
    Member& member = members_[id];
    member.host = std::make_unique<SimHost>(host_options, schedule_, network_, random_);
    member.host->add_machine([this](SimHost& host, std::uint8_t channel) {
        return SimRaft::start(host, channel, raft_options_);
    });
    if (options_.load != nullptr) options_.load->add_host(*member.host);
    member.host->set_observer([this, id] { observe(id); });
    const Status formatted = SimRaft::format(*member.host, raft_options_, conf);
    if (!formatted) fail("format: " + formatted.error().to_string());
}

SimRaft& SimCluster::raft_of(Member& member) {
    return static_cast<SimRaft&>(member.host->machine(0));
}

void SimCluster::observe(raft::NodeId id) {
    Member& member = members_.at(id);
    if (!member.host->up()) return;
    SimRaft& raft = raft_of(member);
    checker_.observe(raft);
    result_.fingerprint = (result_.fingerprint ^ schedule_.now_ns() ^ raft.applied().hash ^
                           (raft.raft().term() << 32) ^ raft.raft().log().last_index()) *
                          0x100000001b3;
}

void SimCluster::start(raft::NodeId id) {
    Member& member = members_.at(id);
    member.restarting = false;
    if (member.host->up() || member.retired) return;
    // The observer must not see it before the checker knows that it began anew.
    member.host->set_observer({});
    const Status started = member.host->start();
    member.host->set_observer([this, id] { observe(id); });
    if (member.host->up()) {
        ++result_.restarts;
        checker_.started(raft_of(member));
        return;
    }
    // A disk that fails while it starts is a crash like any other.
    const Errc code = started ? Errc::kIo : started.error().code;
    if (code == Errc::kIo || code == Errc::kPoisoned || code == Errc::kNoSpace) {
        start_later(id);
    } else {
        fail("node " + std::to_string(id) + " does not start: " + started.error().to_string());
    }
}

void SimCluster::start_later(raft::NodeId id) {
    Member& member = members_.at(id);
    if (member.restarting || member.retired) return;
    member.restarting = true;
    schedule_.after(random_.below(3 * kSecondNs), [this, id] { start(id); });
}

std::vector<raft::NodeId> SimCluster::ids() const {
    std::vector<raft::NodeId> result;
    for (const auto& [id, member] : members_) {
        if (!member.retired) result.push_back(id);
    }
    return result;
}

SimCluster::Member& SimCluster::any_member() {
    const std::vector<raft::NodeId> all = ids();
    return members_.at(all[random_.below(all.size())]);
}

SimCluster::Member& SimCluster::any_victim() {
    const std::vector<raft::NodeId> all = ids();
    return members_.at(all[fault_random_.below(all.size())]);
}

SimCluster::Member* SimCluster::leader() {
    Member* found = nullptr;
    for (auto& [id, member] : members_) {
        if (!member.host->running()) continue;
        const raft::Raft& raft = raft_of(member).raft();
        if (raft.role() != raft::Role::kLeader) continue;
        if (found == nullptr || raft.term() > raft_of(*found).raft().term()) found = &member;
    }
    return found;
}

// --- the end ---

void SimCluster::heal() {
    calm_ = true;
    network_.heal();
    network_.set_weather({});
    for (const raft::NodeId id : ids()) {
        SimHost& host = *members_.at(id).host;
        host.disk().clear_faults();
        host.disk().set_capacity(~std::uint64_t{0});
        host.set_disk_slowness(1);
        host.resume();
    }
}

// Whether every member of the leader's configuration has applied all there is.
bool SimCluster::agreed() {
    Member* const leads = leader();
    if (leads == nullptr || wiped_ != raft::kNobody) return false;
    const raft::Raft& raft = raft_of(*leads).raft();
    const raft::Index last = raft.log().last_index();
    if (raft.log().commit_index() != last || raft.conf().joint()) return false;
    const std::vector<raft::NodeId> members = raft.conf().members();
    return std::all_of(members.begin(), members.end(), [&](raft::NodeId id) {
        Member& member = members_.at(id);
        return member.host->running() && raft_of(member).applied().index == last;
    });
}

bool SimCluster::works() {
    return agreed() && (options_.load == nullptr || options_.load->recovered());
}

void SimCluster::expect_recovery() {
    heal();
    const std::uint64_t healed_ns = schedule_.now_ns();
    const raft::Index before = checker_.committed();
    bool progressed = false;
    run_until(healed_ns + options_.recovery_s * kSecondNs, [&] {
        // Requests go on: between two of them there is time to agree.
        progressed = progressed || checker_.committed() > before;
        return progressed && works();
    });
    if (failed()) return;
    result_.recovery_ns = schedule_.now_ns() - healed_ns;
    if (!progressed) return fail("no progress after healing" + describe());
    if (!works()) return fail("not everything works after healing" + describe());
    if (options_.load == nullptr) return;
    // What was acknowledged last becomes readable.
    quiet_ = true;
    run_until(schedule_.now_ns() + kSecondNs, [] { return false; });
    run_until(schedule_.now_ns() + options_.recovery_s * kSecondNs, [&] { return works(); });
    if (!failed() && !works()) fail("not everything works at rest" + describe());
}

// What was not synced is lost on every node at once; the checkers compare each state that a node
// comes through again with what it was.
void SimCluster::restart_all() {
    for (const raft::NodeId id : ids()) {
        SimHost& host = *members_.at(id).host;
        if (host.up()) host.crash({CrashKind::kPower, Unsynced::kDrop, random_.next()});
    }
    for (const raft::NodeId id : ids()) start(id);
    run_until(schedule_.now_ns() + options_.recovery_s * kSecondNs, [&] { return works(); });
    if (!failed() && !works()) fail("not everything works after all restarted" + describe());
}

void SimCluster::fail(const std::string& what) {
    if (!failure_) failure_ = what;
}

std::string SimCluster::describe() const {
    std::string text;
    for (const auto& [id, member] : members_) {
        text += "\nnode " + std::to_string(id) + ": ";
        if (member.retired) {
            text += "retired";
            continue;
        }
        if (!member.host->up()) {
            text += "down";
            if (member.host->failure()) text += ", " + member.host->failure()->to_string();
            continue;
        }
        const auto& machine = static_cast<const SimRaft&>(member.host->machine(0));
        const raft::Raft& raft = machine.raft();
        const raft::RaftLog& log = raft.log();
        constexpr const char* kRoles[] = {"follower", "pre-candidate", "candidate", "leader"};
        text += kRoles[static_cast<std::size_t>(raft.role())];
        text += " term " + std::to_string(raft.term()) + " leader " +
                std::to_string(raft.leader()) + " log " + std::to_string(log.base_index() + 1) +
                ".." + std::to_string(log.last_index()) + " commit " +
                std::to_string(log.commit_index()) + " applied " +
                std::to_string(machine.applied().index) + " voters";
        for (const raft::NodeId voter : raft.conf().voters) text += " " + std::to_string(voter);
        if (raft.transferring()) text += ", hands over";
        constexpr const char* kStates[] = {"probe", "replicate", "snapshot"};
        for (const auto& [peer, progress] : raft.progress()) {
            text += "\n    to " + std::to_string(peer) + ": " +
                    kStates[static_cast<std::size_t>(progress.state())] + " match " +
                    std::to_string(progress.match()) + (progress.caught_up() ? " caught up" : "") +
                    (progress.recent_active ? "" : " silent");
        }
    }
    return text;
}

}  // namespace walrus::testing

#include "walrus/member/member_impl.h"

#include <utility>

#include "walrus/base/log.h"
#include "walrus/member/channels.h"
#include "walrus/member/settings.h"

namespace walrus::member {
namespace {

constexpr std::uint64_t kRegisterTicks = 10;
constexpr std::uint64_t kDepartTicks = 40;

}  // namespace

ClusterMember::Impl::Impl(MemberOptions options, net::Loop& loop, net::Transport& transport,
                          MemberWatcher& watcher)
    : options_(std::move(options)),
      loop_(loop),
      transport_(transport),
      watcher_(watcher),
      wake_(Wake::make(loop, [this] { turn(); })),
      jobs_(loop, options_.run_elsewhere) {}

ClusterMember::Impl::~Impl() {
    closed_ = true;
    wake_->abandon();
    loop_.cancel(timer_);
    stop_listening();
    jobs_.stop();  // They use the stores.
}

// What is connected may go on sending.
void ClusterMember::Impl::stop_listening() {
    net::TransportHandlers deaf;
    deaf.receive = [](net::PeerId, std::uint8_t, std::string_view) {};
    transport_.set_handlers(std::move(deaf));
}

Status ClusterMember::Impl::open(MemberFile file) {
    file_ = std::move(file);
    while (boot_ == 0) boot_ = options_.random->next();
    WALRUS_RETURN_IF_ERROR(open_hosts());
    make_parts();
    for (const auto& [node, address] : file_.peers) transport_.set_peer(node, address);
    transport_.set_handlers({
        .receive = [this](net::PeerId from, std::uint8_t channel,
                          std::string_view frame) { receive(from, channel, frame); },
        .asked =
            [this](std::string question, std::function<void(std::string)> answer) {
                admission_->asked(std::move(question), loop_.now_ms(), std::move(answer));
                (*wake_)();
            },
    });
    start_timer();
    (*wake_)();
    return {};
}

Status ClusterMember::Impl::open_hosts() {
    const auto wake = [wake = wake_] { (*wake)(); };
    RaftHostOptions raft{.store = raft_store_options(options_, file_.cluster),
                         .raft = raft_options(options_),
                         .snapshot_entries = options_.snapshot_entries,
                         .read_timeout_ticks = options_.propose_timeout_ms / options_.tick_ms + 1,
                         .wake = wake};
    raft.store.on_progress = wake;
    auto raft_host = RaftHost::open(std::move(raft), *this, transport_, jobs_, *options_.random);
    if (!raft_host) return std::move(raft_host).error();
    raft_ = *std::move(raft_host);

    SegmentHostOptions segments{.store = replica_store_options(options_, file_.cluster),
                                .node = segment_options(options_),
                                .wake = wake};
    segments.store.on_progress = wake;
    segments.node.boot = boot_;
    auto segment_host = SegmentHost::open(std::move(segments), state_, transport_, jobs_);
    if (!segment_host) return std::move(segment_host).error();
    segments_ = *std::move(segment_host);
    return {};
}

void ClusterMember::Impl::make_parts() {
    const auto propose = [this](cluster::CommandBody body, ProposeCallback done) {
        proposals_->add(std::move(body), loop_.now_ms() + options_.propose_timeout_ms,
                        std::move(done));
        (*wake_)();
    };
    calls_.emplace(options_.id, options_.random->next(), transport_);
    proposals_.emplace(boot_);
    admission_.emplace(Admission::Parts{
        .self = {file_.cluster, options_.id},
        .timeout_ms = options_.propose_timeout_ms,
        .state = state_,
        .raft = raft_->raft(),
        .propose = propose,
    });
    departure_.emplace(Departure::Parts{.state = state_,
                                        .raft = *raft_,
                                        .self = {options_.id, boot_},
                                        .propose = propose,
                                        .note_drained =
                                            [this](bool drained) {
                                                file_.drained = drained;
                                                file_stale_ = nodes_changed_ = true;
                                            }},
                       file_.drained);
}

Status ClusterMember::Impl::close() {
    if (closed_) return {};
    if (!failed_) {
        raft_->hand_over();
        turn();  // What can be said is said.
    }
    closed_ = true;
    wake_->abandon();
    loop_.cancel(timer_);
    stop_listening();
    jobs_.stop();
    const Status raft = raft_->close();
    const Status segments = segments_->close();
    return raft ? segments : raft;
}

// --- time ---

void ClusterMember::Impl::start_timer() {
    timer_ = loop_.after_ms(options_.tick_ms, [this] {
        tick();
        if (running()) start_timer();
    });
}

void ClusterMember::Impl::tick() {
    if (!running()) return;
    ++ticks_;
    const std::uint64_t now = loop_.now_ms();
    raft_->tick();
    segments_->tick(loop_.wall_ms());
    proposals_->tick(now, raft_->raft());
    calls_->tick(now);
    admission_->tick(now);
    departure_->tick(now, registered_);
    drop_departed();
    if (ticks_ % kRegisterTicks == 1) register_self();
    turn();
}

// --- the turn ---

void ClusterMember::Impl::turn() {
    if (!running()) return;
    SegmentEffects effects;
    if (const Status status = work(effects); !status) return fail(status.error());
    tell(effects);
    if (!running()) return;
    const bool inline_disk = options_.threading == wal::Threading::kInline;
    if (inline_disk && (raft_->unsynced() || segments_->unsynced())) (*wake_)();
}

Status ClusterMember::Impl::work(SegmentEffects& effects) {
    if (options_.threading == wal::Threading::kInline) {
        if (raft_->unsynced()) WALRUS_RETURN_IF_ERROR(raft_->flush());
        if (segments_->unsynced()) WALRUS_RETURN_IF_ERROR(segments_->flush());
    }
    do {
        proposals_->make(raft_->raft());
        WALRUS_RETURN_IF_ERROR(raft_->work());
        notice_leader();
        WALRUS_RETURN_IF_ERROR(segments_->work(effects));
        for (cluster::CommandBody& body : effects.proposals) {
            proposals_->propose_once(raft_->raft(), std::move(body));
        }
        effects.proposals.clear();
    } while (raft_->raft().has_ready());
    notice_nodes();
    return {};
}

void ClusterMember::Impl::notice_leader() {
    const raft::Raft& raft = raft_->raft();
    if (raft_->leads() != leads_) {
        leads_ = !leads_;
        segments_->set_controller(leads_);
        controller_changed_ = true;
    }
    if (raft.leader() == leader_ && raft.term() == leader_term_) return;
    leader_ = raft.leader();
    leader_term_ = raft.term();
    controller_changed_ = true;
    if (leader_ != raft::kNobody) proposals_->make_all_again();
}

// The order is that of causes: who asked finds the watchers informed.
void ClusterMember::Impl::tell(SegmentEffects& effects) {
    if (std::exchange(state_replaced_, false)) watcher_.state_replaced();
    for (const cluster::TopicId topic : std::exchange(changed_topics_, {})) {
        watcher_.topic_changed(topic);
    }
    if (std::exchange(controller_changed_, false)) watcher_.controller_changed();
    for (const auto& answer : proposals_->take_decided()) answer();
    for (const auto& answer : std::exchange(answers_, {})) answer();
    for (const auto& answer : effects.answers) answer();
    for (const cluster::SegmentKey& key : effects.readable) watcher_.readable(key);
}

void ClusterMember::Impl::fail(const Error& error) {
    if (!running()) return;
    failed_ = true;
    loop_.cancel(timer_);
    log(LogLevel::kError,
        "member: node " + std::to_string(options_.id) + " cannot go on: " + error.to_string());
    watcher_.failed(error);
}

void ClusterMember::Impl::receive(net::PeerId from, std::uint8_t channel, std::string_view frame) {
    if (!running()) return;
    Status status = Error{Errc::kCorruption, "unknown channel " + std::to_string(channel)};
    switch (channel) {
        case kRaftChannel: status = raft_->receive(from, frame); break;
        case kSegmentsChannel: status = segments_->receive(from, frame); break;
        case kCallsChannel: status = calls_->receive(from, frame); break;
        default: break;
    }
    if (!status && accused_.insert(from).second) {
        log(LogLevel::kWarn,
            "member: a frame of node " + std::to_string(from) +
                " was dropped, and further ones are silently: " + status.error().to_string());
    }
    (*wake_)();
}

// --- metadata ---

void ClusterMember::Impl::apply(const raft::Entry& command) {
    const cluster::CommandResult result =
        state_.apply(command.index, as_bytes(command.data.text()));
    if (result.topic != 0) {
        changed_topics_.insert(result.topic);
        segments_->metadata_changed(result.topic);
    } else {
        nodes_changed_ = true;
    }
    proposals_->applied(command, result);
}

Status ClusterMember::Impl::restore(Bytes snapshot) {
    Result<cluster::ClusterState> state = cluster::ClusterState::restore(snapshot);
    if (!state) return std::move(state).error();
    state_ = *std::move(state);
    nodes_changed_ = state_replaced_ = true;
    if (segments_) segments_->metadata_replaced();
    return {};
}

// Registers this run until the state says so.
void ClusterMember::Impl::register_self() {
    if (registered_ || registering_) return;
    const cluster::Node* known = state_.node(options_.id);
    registering_ = true;
    proposals_->add(
        cluster::UpsertNode{.id = options_.id,
                            .boot = boot_,
                            .disk = segments_->disk(),
                            .expect_boot = known != nullptr ? known->boot : 0,
                            .peer_address = options_.peer_address,
                            .text_address = options_.text_address,
                            .kafka_address = options_.kafka_address},
        loop_.now_ms() + options_.propose_timeout_ms,
        [this](const Result<cluster::CommandResult>& result) {
            registering_ = false;
            if (result && result->outcome == cluster::Outcome::kStaleNode) {
                fail({Errc::kCorruption, options_.directory +
                                             ": its disk is not the one that was registered for "
                                             "node " +
                                             std::to_string(options_.id) +
                                             "; a node that lost its disk must join as another"});
            }
        });
}

// --- peers ---

void ClusterMember::Impl::notice_nodes() {
    if (!std::exchange(nodes_changed_, false)) return;
    for (const auto& [id, node] : state_.data().nodes) {
        if (id == options_.id) continue;
        const auto known = file_.peers.find(id);
        if (node.state == cluster::NodeState::kRemoved) {
            if (known == file_.peers.end()) continue;
            file_.peers.erase(known);
            file_stale_ = true;
            departing_[id] = ticks_;
        } else if (known == file_.peers.end() || known->second != node.peer_address) {
            file_.peers[id] = node.peer_address;
            file_stale_ = true;
            transport_.set_peer(id, node.peer_address);
        }
    }
    const cluster::Node* self = state_.node(options_.id);
    const bool here = self != nullptr && self->boot == boot_;
    if (registered_ && !here) {
        return fail({Errc::kFenced, "another process registered as node " +
                                        std::to_string(options_.id) + "; stop one of them"});
    }
    registered_ = here;
    if (here && self->state == cluster::NodeState::kRemoved) {
        return fail({Errc::kFenced,
                     "node " + std::to_string(options_.id) + " was removed from the cluster"});
    }
    write_file();
}

// A removed node shall hear of it before its connections go.
void ClusterMember::Impl::drop_departed() {
    for (auto at = departing_.begin(); at != departing_.end();) {
        auto& [id, since] = *at;
        if (raft_->raft().conf().contains(id)) since = ticks_;
        const bool gone = ticks_ - since >= kDepartTicks;
        if (gone) transport_.remove_peer(id);
        at = gone ? departing_.erase(at) : std::next(at);
    }
}

void ClusterMember::Impl::write_file() {
    if (file_busy_ || !std::exchange(file_stale_, false)) return;
    file_busy_ = true;
    jobs_.run([env = options_.env, directory = options_.directory,
               file = file_] { return write_member_file(*env, directory, file); },
              [this](const Status& written) {
                  file_busy_ = false;
                  if (written) {
                      nodes_changed_ |= file_stale_;
                      return;
                  }
                  // The metadata has the addresses too: the next change tries it again.
                  file_stale_ = true;
                  log(LogLevel::kWarn, "member: " + written.error().to_string());
              });
}

}  // namespace walrus::member

#include "walrus/net/peer_transport.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "walrus/base/assert.h"
#include "walrus/base/log.h"
#include "walrus/net/peer_context.h"
#include "walrus/net/peer_door.h"
#include "walrus/net/peer_link.h"
#include "walrus/net/peer_question.h"
#include "walrus/net/peer_visitor.h"

namespace walrus::net {
namespace {

class Transporter final : public PeerTransport, private PeerVisitorHost {
public:
    Transporter(AsioLoop& loop, Random& random, PeerTransportOptions options)
        : context_(std::make_shared<PeerContext>(
              PeerContext{.loop = loop, .random = random, .options = std::move(options)})) {
        context_->incarnation = random.next();
    }
    ~Transporter() override;

    Status open();

    std::uint16_t port() const override { return door_->port(); }
    const std::string& address() const override { return context_->address; }
    void set_identity(std::uint64_t cluster, PeerId self) override;
    const PeerStats& stats() const override { return context_->stats; }
    std::vector<PeerStatus> peers() const override;

    void set_handlers(TransportHandlers handlers) override;
    void set_peer(PeerId peer, const std::string& address) override;
    void remove_peer(PeerId peer) override;
    void send(PeerId to, std::uint8_t channel, std::string frame) override;
    void ask(const std::string& address, std::string question, std::uint64_t timeout_ms,
             std::function<void(Result<std::string>)> done) override;

private:
    struct Peer {
        std::string given_address = {};  // By set_peer(); "": it told its own.
        std::shared_ptr<PeerLink> link = {};
        std::shared_ptr<PeerVisitor> visitor = {};  // Its messages come here.
        std::shared_ptr<PeerVisitor> held = {};     // Waits until `visitor` is known to be dead.
    };

    void on_hello(PeerVisitor& visitor) override;
    void on_alive(PeerVisitor& visitor) override;
    void on_gone(PeerVisitor& visitor) override;

    void admit(asio::ip::tcp::socket socket, std::string from);
    std::optional<PeerRefusalReason> objection(const PeerHello& hello) const;
    void let_in(const std::shared_ptr<PeerVisitor>& visitor);
    void refuse(PeerVisitor& visitor, PeerRefusalReason reason);
    PeerLink& link_of(PeerId peer);
    void tell(PeerEvent::Kind kind, PeerId peer);
    void sweep_later();
    void sweep();

    const PeerContextPtr context_;
    std::shared_ptr<PeerDoor> door_;
    std::map<PeerId, Peer> peers_;
    std::set<PeerId> removed_;
    std::set<std::shared_ptr<PeerVisitor>> visitors_;
    std::vector<std::weak_ptr<PeerQuestion>> questions_;
    std::set<std::pair<PeerId, PeerRefusalReason>> told_;  // What was refused and logged.
    TimerId sweep_timer_ = 0;
};

Status Transporter::open() {
    PeerTransportOptions& options = context_->options;
    auto door = PeerDoor::open(context_->loop, options.host, options.port,
                               [this](asio::ip::tcp::socket socket, std::string from) {
                                   admit(std::move(socket), std::move(from));
                               });
    if (!door) return door.error();
    door_ = *std::move(door);
    const std::string& host =
        options.advertise_host.empty() ? options.host : options.advertise_host;
    const std::uint16_t port = options.advertise_port == 0 ? door_->port() : options.advertise_port;
    const bool is_v6 = host.find(':') != std::string::npos;
    context_->address = (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
    if (context_->address.size() > kMaxPeerAddressBytes)
        return Error{Errc::kInvalidArgument, "peer: host is too long"};
    sweep_later();
    return {};
}

Transporter::~Transporter() {
    context_->options.on_event = nullptr;
    context_->loop.cancel(sweep_timer_);
    if (door_ != nullptr) door_->close();
    const auto peers = std::exchange(peers_, {});
    for (const auto& [id, peer] : peers)
        if (peer.link != nullptr) peer.link->close();
    const auto visitors = std::exchange(visitors_, {});
    for (const auto& visitor : visitors) visitor->close();
    for (const auto& weak : questions_)
        if (const auto question = weak.lock()) question->cancel();
    context_->handlers = {};
}

// --- peers ---

void Transporter::set_identity(std::uint64_t cluster, PeerId self) {
    WALRUS_ASSERT(context_->cluster == 0 && cluster != 0 && self != 0);
    context_->cluster = cluster;
    context_->self = self;
    const auto early = std::exchange(peers_, {});
    for (const auto& [id, peer] : early) set_peer(id, peer.given_address);
}

void Transporter::set_handlers(TransportHandlers handlers) {
    context_->handlers = std::move(handlers);
}

// An address that is given again does not take back a newer one that the peer told.
void Transporter::set_peer(PeerId peer, const std::string& address) {
    if (peer == 0 || peer == context_->self) return;
    removed_.erase(peer);
    Peer& entry = peers_[peer];
    if (entry.given_address == address) return;
    entry.given_address = address;
    if (context_->cluster != 0) link_of(peer).set_address(address);
}

PeerLink& Transporter::link_of(PeerId peer) {
    auto& link = peers_[peer].link;
    if (link == nullptr) link = std::make_shared<PeerLink>(context_, peer);
    return *link;
}

void Transporter::remove_peer(PeerId peer) {
    removed_.insert(peer);
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return;
    const Peer entry = std::move(found->second);
    peers_.erase(found);
    if (entry.link != nullptr) entry.link->close();
    if (entry.visitor != nullptr) entry.visitor->close();
    if (entry.held != nullptr) entry.held->close();
}

void Transporter::send(PeerId to, std::uint8_t channel, std::string frame) {
    const auto found = peers_.find(to);
    if (found == peers_.end() || found->second.link == nullptr) {
        ++context_->stats.dropped_unconnected;
        return;
    }
    found->second.link->send(channel, std::move(frame));
}

void Transporter::ask(const std::string& address, std::string question, std::uint64_t timeout_ms,
                      std::function<void(Result<std::string>)> done) {
    std::erase_if(questions_, [](const auto& weak) { return weak.expired(); });
    const auto asked =
        std::make_shared<PeerQuestion>(context_, address, std::move(question), std::move(done));
    questions_.push_back(asked);
    asked->start(timeout_ms);
}

std::vector<PeerStatus> Transporter::peers() const {
    std::vector<PeerStatus> all;
    for (const auto& [id, peer] : peers_) {
        PeerStatus status = peer.link == nullptr ? PeerStatus{.peer = id} : peer.link->status();
        status.is_accepted = peer.visitor != nullptr;
        all.push_back(std::move(status));
    }
    return all;
}

// --- visitors ---

void Transporter::admit(asio::ip::tcp::socket socket, std::string from) {
    const auto strangers = static_cast<std::size_t>(std::ranges::count_if(
        visitors_, [](const auto& visitor) { return visitor->is_stranger(); }));
    if (strangers >= context_->options.max_strangers) {
        // The oldest makes room: who floods the door cannot keep a peer out for long.
        const auto oldest = std::ranges::min_element(visitors_, {}, [](const auto& visitor) {
            return std::pair(!visitor->is_stranger(), visitor->since_ms());
        });
        const auto victim = *oldest;
        victim->close();
    }
    const auto visitor = std::make_shared<PeerVisitor>(
        context_, static_cast<PeerVisitorHost&>(*this), std::move(socket), std::move(from));
    visitors_.insert(visitor);
    visitor->start();
}

std::optional<PeerRefusalReason> Transporter::objection(const PeerHello& hello) const {
    if (context_->cluster == 0 || !context_->handlers.receive) return PeerRefusalReason::kNotReady;
    if (hello.cluster != context_->cluster) return PeerRefusalReason::kOtherCluster;
    if (hello.from == context_->self && hello.incarnation != context_->incarnation)
        return PeerRefusalReason::kDuplicateNode;
    if (hello.from == context_->self || hello.to != context_->self)
        return PeerRefusalReason::kOtherNode;
    if (removed_.contains(hello.from)) return PeerRefusalReason::kRemoved;
    if (!peers_.contains(hello.from) && peers_.size() >= context_->options.max_peers)
        return PeerRefusalReason::kTooManyPeers;
    return std::nullopt;
}

void Transporter::on_hello(PeerVisitor& visitor) {
    if (const auto reason = objection(visitor.hello())) return refuse(visitor, *reason);
    const auto self = visitor.shared_from_this();
    Peer& peer = peers_[visitor.hello().from];
    if (peer.held != nullptr) std::exchange(peer.held, nullptr)->close();
    const bool is_other_process =
        peer.visitor != nullptr && peer.visitor->hello().incarnation != visitor.hello().incarnation;
    if (!is_other_process) return let_in(self);
    // It was started again, or there are two of it: the former one is asked whether it lives.
    visitor.hold();
    peer.held = self;
    peer.visitor->probe();
}

void Transporter::on_alive(PeerVisitor& visitor) {
    const auto found = peers_.find(visitor.hello().from);
    if (found == peers_.end() || found->second.held == nullptr) return;
    const auto held = std::exchange(found->second.held, nullptr);
    refuse(*held, PeerRefusalReason::kDuplicateNode);
}

void Transporter::let_in(const std::shared_ptr<PeerVisitor>& visitor) {
    const PeerHello& hello = visitor->hello();
    Peer& peer = peers_[hello.from];
    peer.held = nullptr;
    if (peer.visitor != nullptr) std::exchange(peer.visitor, nullptr)->close();
    peer.visitor = visitor;
    visitor->welcome();
    std::erase_if(told_, [&](const auto& told) { return told.first == hello.from; });
    if (!hello.address.empty()) {
        PeerLink& link = link_of(hello.from);
        link.set_address(hello.address);
        link.hurry();
    }
    tell(PeerEvent::Kind::kAccepted, hello.from);
}

void Transporter::refuse(PeerVisitor& visitor, PeerRefusalReason reason) {
    constexpr std::size_t kMaxTold = 1000;
    const PeerHello& hello = visitor.hello();
    if (told_.size() < kMaxTold && told_.insert({hello.from, reason}).second &&
        reason != PeerRefusalReason::kNotReady)
        log(LogLevel::kWarn, "peer: refuses node " + std::to_string(hello.from) + " from " +
                                 visitor.from_address() + ", which listens at " + hello.address +
                                 ": " + std::string(refusal_name(reason)));
    visitor.refuse(reason);
}

void Transporter::on_gone(PeerVisitor& visitor) {
    const auto self = visitor.shared_from_this();
    visitors_.erase(self);
    const auto found = peers_.find(visitor.hello().from);
    if (found == peers_.end()) return;
    Peer& peer = found->second;
    if (peer.held == self) peer.held = nullptr;
    if (peer.visitor != self) return;
    peer.visitor = nullptr;
    tell(PeerEvent::Kind::kGone, found->first);
    if (const auto held = std::exchange(peer.held, nullptr)) let_in(held);
}

// --- both ---

void Transporter::tell(PeerEvent::Kind kind, PeerId peer) {
    if (!context_->options.on_event) return;
    context_->loop.post([context = context_, kind, peer] {
        if (context->options.on_event) context->options.on_event({.kind = kind, .peer = peer});
    });
}

void Transporter::sweep_later() {
    sweep_timer_ = context_->loop.after_ms(context_->options.ping_ms, [this] { sweep(); });
}

void Transporter::sweep() {
    sweep_later();
    const std::uint64_t now_ms = context_->loop.now_ms();
    for (auto& [id, peer] : peers_)
        if (peer.link != nullptr) peer.link->sweep(now_ms);
    std::vector<std::shared_ptr<PeerVisitor>> late;
    for (const auto& [id, peer] : peers_)
        if (peer.held != nullptr && now_ms - peer.held->since_ms() >= context_->options.probe_ms)
            late.push_back(peer.held);
    for (const auto& held : late) let_in(held);  // The former one gave no sign of life.
    const std::vector<std::shared_ptr<PeerVisitor>> all(visitors_.begin(), visitors_.end());
    for (const auto& visitor : all) visitor->sweep(now_ms);
}

}  // namespace

Result<std::unique_ptr<PeerTransport>> PeerTransport::listen(AsioLoop& loop, Random& random,
                                                             PeerTransportOptions options) {
    auto transport = std::make_unique<Transporter>(loop, random, std::move(options));
    WALRUS_RETURN_IF_ERROR(transport->open());
    return std::unique_ptr<PeerTransport>(std::move(transport));
}

}  // namespace walrus::net

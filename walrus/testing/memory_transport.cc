#include "walrus/testing/memory_transport.h"

#include "walrus/base/assert.h"

namespace walrus::testing {

class MemoryNetwork::Endpoint final : public net::Transport,
                                      public std::enable_shared_from_this<Endpoint> {
public:
    Endpoint(MemoryNetwork& network, net::PeerId self, std::string address)
        : network_(network), self_(self), address_(std::move(address)) {}

    void set_handlers(net::TransportHandlers handlers) override { handlers_ = std::move(handlers); }
    void set_peer(net::PeerId peer, const std::string& address) override {
        removed_.erase(peer);
        peers_[peer] = address;
    }
    void remove_peer(net::PeerId peer) override {
        peers_.erase(peer);
        removed_.insert(peer);
    }

    void send(net::PeerId to, std::uint8_t channel, std::string frame) override {
        const auto peer = peers_.find(to);
        if (peer == peers_.end()) return;
        const std::shared_ptr<Endpoint> target = network_.find(peer->second);
        if (target == nullptr || target->self_ != to || !network_.passes(self_, to)) return;
        network_.loop_.post([target = std::weak_ptr(target), from = self_, address = address_,
                             channel, frame = std::move(frame), &network = network_] {
            const auto there = target.lock();
            if (!there || !network.passes(from, there->self_)) return;
            there->meet(from, address);
            there->take(from, channel, frame);
        });
    }

    void ask(const std::string& address, std::string question, std::uint64_t timeout_ms,
             std::function<void(Result<std::string>)> done) override {
        const auto open =
            std::make_shared<std::function<void(Result<std::string>)>>(std::move(done));
        // The first answer counts, and none after this end is gone.
        const auto finish = [open, self = weak_from_this()](Result<std::string> answer) {
            if (self.expired()) return;
            if (const auto call = std::exchange(*open, nullptr)) call(std::move(answer));
        };
        network_.loop_.after_ms(timeout_ms, [finish, address] {
            finish(Error{Errc::kTimeout, address + ": no answer"});
        });
        network_.loop_.post([this, self = weak_from_this(), finish, address,
                             question = std::move(question)] {
            if (self.expired()) return;
            const std::shared_ptr<Endpoint> target = network_.find(address);
            if (target == nullptr) return finish(Error{Errc::kIo, address + ": nobody is there"});
            if (!network_.passes(self_, target->self_) || !target->handlers_.asked) return;
            target->handlers_.asked(question, [finish, &loop = network_.loop_](std::string bytes) {
                loop.post([finish, bytes = std::move(bytes)] { finish(bytes); });
            });
        });
    }

    // Whoever comes is answered where it says that it is.
    void meet(net::PeerId peer, const std::string& address) {
        if (!removed_.contains(peer)) peers_[peer] = address;
    }
    void take(net::PeerId from, std::uint8_t channel, const std::string& frame) {
        if (removed_.contains(from) || !handlers_.receive) return;
        ++network_.delivered_frames_;
        handlers_.receive(from, channel, frame);
    }

private:
    MemoryNetwork& network_;
    const net::PeerId self_;
    const std::string address_;
    net::TransportHandlers handlers_;
    std::map<net::PeerId, std::string> peers_;
    std::set<net::PeerId> removed_;
};

namespace {

// What attach() gives away: the end of the line is gone with it, whoever else looks at it.
class Owner final : public net::Transport {
public:
    explicit Owner(std::shared_ptr<net::Transport> endpoint) : endpoint_(std::move(endpoint)) {}
    ~Owner() override { endpoint_->set_handlers({}); }

    void set_handlers(net::TransportHandlers handlers) override {
        endpoint_->set_handlers(std::move(handlers));
    }
    void set_peer(net::PeerId peer, const std::string& address) override {
        endpoint_->set_peer(peer, address);
    }
    void remove_peer(net::PeerId peer) override { endpoint_->remove_peer(peer); }
    void send(net::PeerId to, std::uint8_t channel, std::string frame) override {
        endpoint_->send(to, channel, std::move(frame));
    }
    void ask(const std::string& address, std::string question, std::uint64_t timeout_ms,
             std::function<void(Result<std::string>)> done) override {
        endpoint_->ask(address, std::move(question), timeout_ms, std::move(done));
    }

private:
    std::shared_ptr<net::Transport> endpoint_;
};

}  // namespace

std::unique_ptr<net::Transport> MemoryNetwork::attach(net::PeerId self,
                                                      const std::string& address) {
    WALRUS_ASSERT(find(address) == nullptr);
    auto endpoint = std::make_shared<Endpoint>(*this, self, address);
    endpoints_[address] = endpoint;
    return std::make_unique<Owner>(std::move(endpoint));
}

void MemoryNetwork::heal_all() {
    cuts_.clear();
    isolated_.clear();
}

void MemoryNetwork::inject(net::PeerId from, const std::string& to_address, std::uint8_t channel,
                           const std::string& frame) {
    loop_.post([this, from, to_address, channel, frame] {
        if (const auto there = find(to_address)) there->take(from, channel, frame);
    });
}

bool MemoryNetwork::passes(net::PeerId one, net::PeerId other) const {
    return !isolated_.contains(one) && !isolated_.contains(other) &&
           !cuts_.contains(std::minmax(one, other));
}

std::shared_ptr<MemoryNetwork::Endpoint> MemoryNetwork::find(const std::string& address) const {
    const auto found = endpoints_.find(address);
    return found == endpoints_.end() ? nullptr : found->second.lock();
}

}  // namespace walrus::testing

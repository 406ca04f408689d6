#include "walrus/net/peer_transport.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "walrus/net/peer_frame.h"
#include "walrus/testing/loop_thread.h"
#include "walrus/testing/seed.h"
#include "walrus/testing/socket_client.h"

namespace walrus::net {
namespace {

using testing::SocketClient;

constexpr std::uint64_t kCluster = 77;

std::string frame_of(PeerFrameKind kind, const std::string& payload, std::uint8_t channel = 0) {
    std::string frame;
    append_peer_header(frame, {.kind = kind, .channel = channel, .payload = payload});
    return frame + payload;
}

std::string hello_frame(PeerId from, PeerId to, std::uint64_t incarnation = 1) {
    return frame_of(
        PeerFrameKind::kHello,
        encode_hello({.cluster = kCluster, .from = from, .incarnation = incarnation, .to = to}));
}

// "kind" and the payload of what came; nothing: closed.
std::optional<std::pair<PeerFrameKind, std::string>> receive(SocketClient& client) {
    const auto bytes = client.receive_frame();
    if (!bytes) return std::nullopt;
    const auto frame = decode_peer_frame(as_bytes(*bytes));
    if (!frame) return std::nullopt;
    return std::pair(frame->kind, std::string(frame->payload));
}

std::optional<PeerRefusalReason> receive_refusal(SocketClient& client) {
    const auto frame = receive(client);
    if (!frame || frame->first != PeerFrameKind::kRefusal) return std::nullopt;
    return decode_refusal(frame->second)->reason;
}

// A listener that does what the test says and nothing else.
class RawListener {
public:
    RawListener() : acceptor_(context_, {asio::ip::address_v4::loopback(), 0}) {}

    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    std::string address() const { return "127.0.0.1:" + std::to_string(port()); }
    void accept() { socket_.emplace(acceptor_.accept()); }
    void small_receive_buffer() {
        acceptor_.set_option(asio::socket_base::receive_buffer_size(4096));
    }
    PeerFrameKind receive() {
        std::array<std::byte, 4> length{};
        asio::read(*socket_, asio::buffer(length));
        std::vector<std::byte> bytes(load_le<std::uint32_t>(length.data()));
        asio::read(*socket_, asio::buffer(bytes));
        const auto frame = decode_peer_frame(bytes);
        return frame ? frame->kind : PeerFrameKind{};
    }
    void send(const std::string& bytes) { asio::write(*socket_, asio::buffer(bytes)); }
    void close() { socket_.reset(); }

private:
    asio::io_context context_;
    asio::ip::tcp::acceptor acceptor_;
    std::optional<asio::ip::tcp::socket> socket_;
};

// Nodes on one loop.  What happens is noted as a line, and waited for.
class PeerTransportTest : public ::testing::Test {
protected:
    struct Node {
        std::unique_ptr<PeerTransport> transport;
        std::string address;
    };

    void TearDown() override {
        loop_.run([&] { nodes_.clear(); });
    }

    static PeerTransportOptions quick() {
        return {.retry_min_ms = 1, .retry_max_ms = 5, .ping_ms = 10, .probe_ms = 50};
    }
    // A node that listens; `name` is 10 x its id in notes, so that two may share an id.
    void listen(int name, PeerTransportOptions options = quick()) {
        loop_.run([&] {
            options.on_event = [this, name](const PeerEvent& event) { note_event(name, event); };
            auto transport = PeerTransport::listen(loop_.loop(), random_, std::move(options));
            ASSERT_TRUE(transport) << transport.error().to_string();
            nodes_[name].transport = *std::move(transport);
            nodes_[name].address = "127.0.0.1:" + std::to_string(nodes_[name].transport->port());
        });
    }
    void serve(int name, PeerId id, std::uint64_t cluster = kCluster) {
        loop_.run([&] {
            PeerTransport& transport = *nodes_[name].transport;
            transport.set_handlers(
                {.receive =
                     [this, name](PeerId from, std::uint8_t channel, std::string_view frame) {
                         note(std::to_string(name) + " got " + std::to_string(from) + "/" +
                              std::to_string(channel) + " " +
                              (frame.size() < 100 ? std::string(frame)
                                                  : std::to_string(frame.size()) + " bytes"));
                     },
                 .asked =
                     [this](std::string question, std::function<void(std::string)> answer) {
                         if (question != "hold") return answer(question + "!");
                         held_ = std::move(answer);
                         note("held");
                     }});
            transport.set_identity(cluster, id);
        });
    }
    // A node of id `id` by that name.
    void start(PeerId id, PeerTransportOptions options = quick()) {
        listen(static_cast<int>(id), std::move(options));
        serve(static_cast<int>(id), id);
    }
    void stop(int name) {
        loop_.run([&] { nodes_.erase(name); });
    }
    void introduce(int name, PeerId peer, const std::string& address) {
        loop_.run([&] { nodes_[name].transport->set_peer(peer, address); });
    }
    void send(int name, PeerId to, std::string frame, std::uint8_t channel = 0) {
        loop_.run([&] { nodes_[name].transport->send(to, channel, std::move(frame)); });
    }
    Result<std::string> ask(int name, const std::string& address, const std::string& question,
                            std::uint64_t timeout_ms = 20'000) {
        std::promise<Result<std::string>> answered;
        loop_.run([&] {
            nodes_[name].transport->ask(
                address, question, timeout_ms,
                [&](Result<std::string> answer) { answered.set_value(std::move(answer)); });
        });
        return answered.get_future().get();
    }
    PeerStats stats(int name) {
        return loop_.run([&] { return nodes_[name].transport->stats(); });
    }
    std::uint16_t port(int name) {
        return loop_.run([&] { return nodes_[name].transport->port(); });
    }

    void note_event(int name, const PeerEvent& event) {
        constexpr std::array<const char*, 5> kKinds = {"connected", "disconnected", "refused",
                                                       "accepted", "gone"};
        std::string text = std::to_string(name) + " " +
                           kKinds[static_cast<std::size_t>(event.kind)] + " " +
                           std::to_string(event.peer);
        if (event.kind == PeerEvent::Kind::kRefused)
            text += " " + std::to_string(static_cast<int>(event.refusal.reason));
        note(std::move(text));
    }
    void note(std::string text) {
        notes_.push_back(std::move(text));
        changed_();
    }
    // Waits until this has been noted so many times.
    void wait_for(const std::string& text, std::ptrdiff_t times = 1) {
        wait_until([&] { return std::ranges::count(notes_, text) >= times; });
    }
    // Asked whenever something was noted.
    void wait_until(std::function<bool()> is_true) {
        std::promise<void> seen;
        loop_.run([&] {
            changed_ = [&, done = false]() mutable {
                if (done || !is_true()) return;
                done = true;
                seen.set_value();
            };
            changed_();
        });
        seen.get_future().get();
        loop_.run([&] { changed_ = [] {}; });
    }
    std::vector<std::string> notes_with(const std::string& begin) {
        return loop_.run([&] {
            std::vector<std::string> found;
            std::ranges::copy_if(notes_, std::back_inserter(found),
                                 [&](const auto& text) { return text.starts_with(begin); });
            return found;
        });
    }
    void meet(PeerId a, PeerId b) {
        introduce(static_cast<int>(a), b, nodes_[static_cast<int>(b)].address);
        introduce(static_cast<int>(b), a, nodes_[static_cast<int>(a)].address);
        wait_for(std::to_string(a) + " connected " + std::to_string(b));
        wait_for(std::to_string(b) + " connected " + std::to_string(a));
    }

    SeededRandom random_{testing::test_seed()};
    std::vector<std::string> notes_;
    std::function<void()> changed_ = [] {};
    std::function<void(std::string)> held_;
    std::map<int, Node> nodes_;
    testing::LoopThread loop_;
};

std::string refused(int name, PeerId peer, PeerRefusalReason reason) {
    return std::to_string(name) + " refused " + std::to_string(peer) + " " +
           std::to_string(static_cast<int>(reason));
}

// --- frames ---

TEST_F(PeerTransportTest, FramesComeInOrderWithTheirChannel) {
    start(1);
    start(2);
    meet(1, 2);
    loop_.run([&] {
        for (int i = 0; i < 1000; ++i)
            nodes_[1].transport->send(2, static_cast<std::uint8_t>(i % 3), std::to_string(i));
    });
    send(2, 1, "");
    wait_for("2 got 1/0 999");
    wait_for("1 got 2/0 ");
    std::vector<std::string> expected;
    for (int i = 0; i < 1000; ++i)
        expected.push_back("2 got 1/" + std::to_string(i % 3) + " " + std::to_string(i));
    EXPECT_EQ(notes_with("2 got"), expected);
    EXPECT_EQ(stats(1).sent_frames, 1000U);
    EXPECT_EQ(stats(2).received_frames, 1000U);
}

TEST_F(PeerTransportTest, LargeFramesArriveWhole) {
    start(1);
    start(2);
    meet(1, 2);
    for (const std::size_t size : {1024U, 65'535U, 65'536U, 1U << 20, 20U << 20}) {
        send(1, 2, std::string(size, 'x'), 9);
        wait_for("2 got 1/9 " + std::to_string(size) + " bytes");
    }
}

TEST_F(PeerTransportTest, APeerThatWasNotIntroducedIsAnsweredWhereItSaysThatItIs) {
    start(1);
    start(2);
    introduce(1, 2, nodes_[2].address);
    wait_for("2 connected 1");
    send(2, 1, "hello back");
    wait_for("1 got 2/0 hello back");
}

TEST_F(PeerTransportTest, WhatIsSentToNobodyIsDropped) {
    start(1);
    send(1, 2, "lost");
    send(1, 1, "lost");
    EXPECT_EQ(stats(1).dropped_unconnected, 2U);
    EXPECT_EQ(stats(1).sent_frames, 0U);
}

// --- breaking and coming back ---

TEST_F(PeerTransportTest, APeerThatIsStartedAgainIsConnectedAgain) {
    start(1);
    start(2);
    meet(1, 2);
    auto options = quick();
    options.port = port(2);
    for (int round = 1; round <= 3; ++round) {
        stop(2);
        wait_for("1 disconnected 2", round);
        wait_for("1 gone 2", round);
        start(2, options);
        introduce(2, 1, nodes_[1].address);
        wait_for("1 connected 2", round + 1);
        wait_for("2 connected 1", round + 1);
        send(1, 2, "round " + std::to_string(round));
        send(2, 1, "round " + std::to_string(round));
        wait_for("2 got 1/0 round " + std::to_string(round));
        wait_for("1 got 2/0 round " + std::to_string(round));
    }
}

TEST_F(PeerTransportTest, APeerThatComesBackAtAnotherAddressTellsItItself) {
    start(1);
    start(2);
    meet(1, 2);
    const std::string former = nodes_[2].address;
    stop(2);
    wait_for("1 disconnected 2");
    start(2);
    introduce(2, 1, nodes_[1].address);
    wait_for("1 connected 2", 2);
    // What the metadata still says does not count any more.
    introduce(1, 2, former);
    send(1, 2, "found");
    wait_for("2 got 1/0 found");
}

TEST_F(PeerTransportTest, ANewAddressReplacesTheFormerOne) {
    start(1);
    RawListener nobody;
    introduce(1, 2, nobody.address());
    start(2);
    introduce(1, 2, nodes_[2].address);
    wait_for("1 connected 2");
}

TEST_F(PeerTransportTest, ARemovedPeerIsCutOffAndRefused) {
    start(1);
    start(2);
    meet(1, 2);
    loop_.run([&] { nodes_[1].transport->remove_peer(2); });
    wait_for(refused(2, 1, PeerRefusalReason::kRemoved));
    send(1, 2, "lost");
    EXPECT_EQ(stats(1).dropped_unconnected, 1U);
    introduce(1, 2, nodes_[2].address);
    wait_for("1 connected 2", 2);
    wait_for("2 connected 1", 2);
}

// The peer's machine is gone: nothing comes, not even an error.
TEST_F(PeerTransportTest, ASilentPeerIsDisconnectedAndDialedAgain) {
    auto options = quick();
    options.silence_ms = 100;
    start(1, options);
    RawListener silent;
    introduce(1, 2, silent.address());
    for (int round = 1; round <= 2; ++round) {
        silent.accept();
        EXPECT_EQ(silent.receive(), PeerFrameKind::kHello);
        silent.send(frame_of(PeerFrameKind::kWelcome, ""));
        wait_for("1 connected 2", round);
        EXPECT_EQ(silent.receive(), PeerFrameKind::kPing);
        wait_for("1 disconnected 2", round);
    }
}

TEST_F(PeerTransportTest, AListenerThatDoesNotGreetIsDialedAgain) {
    auto options = quick();
    options.greeting_timeout_ms = 50;
    start(1, options);
    RawListener mute;
    introduce(1, 2, mute.address());
    for (int round = 0; round < 3; ++round) {
        mute.accept();
        EXPECT_EQ(mute.receive(), PeerFrameKind::kHello);
    }
}

TEST_F(PeerTransportTest, ADamagedFrameEndsTheConnectionAndNothingOfItIsBelieved) {
    start(1);
    SocketClient peer(port(1));
    peer.send(hello_frame(2, 1));
    EXPECT_EQ(receive(peer)->first, PeerFrameKind::kWelcome);
    peer.send(frame_of(PeerFrameKind::kMessage, "good"));
    std::string bad = frame_of(PeerFrameKind::kMessage, "good");
    bad.back() = 'x';
    peer.send(bad + frame_of(PeerFrameKind::kMessage, "after"));
    EXPECT_EQ(peer.receive_until_closed(), "");
    EXPECT_EQ(notes_with("1 got"), std::vector<std::string>{"1 got 2/0 good"});
    EXPECT_EQ(stats(1).bad_input, 1U);
}

// --- who may talk ---

TEST_F(PeerTransportTest, ANodeOfAnotherClusterIsRefused) {
    start(1);
    listen(2);
    serve(2, 2, kCluster + 1);
    introduce(2, 1, nodes_[1].address);
    wait_for(refused(2, 1, PeerRefusalReason::kOtherCluster), 2);
    EXPECT_TRUE(notes_with("1 accepted").empty());
    EXPECT_TRUE(notes_with("1 connected").empty());
}

TEST_F(PeerTransportTest, AnAddressThatBelongsToAnotherNodeIsRefused) {
    start(1);
    start(2);
    introduce(1, 3, nodes_[2].address);
    wait_for(refused(1, 3, PeerRefusalReason::kOtherNode));
}

TEST_F(PeerTransportTest, ADialerWithTheListenersIdIsRefused) {
    start(1);
    listen(10);
    serve(10, 1);
    SocketClient twin(port(1));
    twin.send(hello_frame(1, 1));
    EXPECT_EQ(receive_refusal(twin), PeerRefusalReason::kDuplicateNode);
}

TEST_F(PeerTransportTest, ASecondLivingProcessOfANodeIsRefusedAndTheFirstGoesOn) {
    start(1);
    start(2);
    meet(1, 2);
    listen(20);
    serve(20, 2);
    introduce(20, 1, nodes_[1].address);
    wait_for(refused(20, 1, PeerRefusalReason::kDuplicateNode));
    send(2, 1, "still here");
    wait_for("1 got 2/0 still here");
    EXPECT_TRUE(notes_with("20 connected").empty());
}

// Its machine was cut from the net: the connection is still there, but nobody at its other end.
TEST_F(PeerTransportTest, AProcessReplacesADeadOneOfItsNode) {
    start(1);
    SocketClient dead(port(1));
    dead.send(hello_frame(2, 1));
    EXPECT_EQ(receive(dead)->first, PeerFrameKind::kWelcome);
    start(2);
    introduce(2, 1, nodes_[1].address);
    wait_for("2 connected 1");
    EXPECT_EQ(receive(dead)->first, PeerFrameKind::kPing);
    EXPECT_EQ(dead.receive_until_closed(), "");
    send(2, 1, "here");
    wait_for("1 got 2/0 here");
}

TEST_F(PeerTransportTest, TheSameProcessMayComeAgainAtOnce) {
    start(1);
    SocketClient first(port(1));
    first.send(hello_frame(2, 1));
    EXPECT_EQ(receive(first)->first, PeerFrameKind::kWelcome);
    SocketClient second(port(1));
    second.send(hello_frame(2, 1));
    EXPECT_EQ(receive(second)->first, PeerFrameKind::kWelcome);
    EXPECT_EQ(first.receive_until_closed(), "");
}

TEST_F(PeerTransportTest, ANodeWithoutAClusterRefusesUntilItHasOne) {
    start(1);
    listen(2);
    introduce(1, 2, nodes_[2].address);
    wait_for(refused(1, 2, PeerRefusalReason::kNotReady));
    serve(2, 2);
    wait_for("1 connected 2");
}

TEST_F(PeerTransportTest, PeersThatWereIntroducedBeforeTheIdentityAreDialedAfterIt) {
    start(1);
    listen(2);
    introduce(2, 1, nodes_[1].address);
    EXPECT_TRUE(notes_with("2 ").empty());
    serve(2, 2);
    wait_for("2 connected 1");
}

TEST_F(PeerTransportTest, AnotherVersionIsToldSo) {
    start(1);
    std::string payload = encode_hello({.cluster = kCluster, .from = 2, .to = 1});
    payload[8] = 9;
    SocketClient peer(port(1));
    peer.send(frame_of(PeerFrameKind::kHello, payload));
    EXPECT_EQ(receive_refusal(peer), PeerRefusalReason::kOtherVersion);
    EXPECT_EQ(peer.receive_until_closed(), "");
}

TEST_F(PeerTransportTest, MorePeersThanTheLimitAreRefused) {
    auto options = quick();
    options.max_peers = 1;
    start(1, options);
    start(2);
    start(3);
    meet(1, 2);
    introduce(3, 1, nodes_[1].address);
    wait_for(refused(3, 1, PeerRefusalReason::kTooManyPeers));
}

// --- bad input ---

TEST_F(PeerTransportTest, GarbageIsClosedAndHurtsNobody) {
    start(1);
    start(2);
    meet(1, 2);
    SeededRandom random(testing::test_seed());
    std::string noise(5000, '\0');
    for (char& byte : noise) byte = static_cast<char>(random.below(256));
    const std::vector<std::string> all = {
        "GET / HTTP/1.1\r\nHost: walrus\r\n\r\n",
        noise,
        std::string(5000, '\0'),
        std::string(5000, '\xff'),
        frame_of(PeerFrameKind::kMessage, "not greeted"),
        frame_of(PeerFrameKind::kHello, "no hello"),
        frame_of(PeerFrameKind::kQuestion, "no preamble"),
        hello_frame(5, 1) + hello_frame(5, 1),
        hello_frame(5, 1) + frame_of(PeerFrameKind::kAnswer, "?"),
    };
    for (const std::string& bytes : all) {
        SocketClient stranger(port(1));
        stranger.send(bytes);
        stranger.receive_until_closed();
    }
    send(2, 1, "unharmed");
    wait_for("1 got 2/0 unharmed");
    EXPECT_GE(stats(1).bad_input, all.size());
}

TEST_F(PeerTransportTest, AFrameAboveTheLimitEndsTheConnectionBeforeItIsStored) {
    auto options = quick();
    options.max_frame_bytes = 100'000;
    start(1, options);
    SocketClient peer(port(1));
    peer.send(hello_frame(2, 1));
    EXPECT_EQ(receive(peer)->first, PeerFrameKind::kWelcome);
    peer.send(frame_of(PeerFrameKind::kMessage, std::string(100'000 - 6, 'x')));
    wait_for("1 got 2/0 99994 bytes");
    peer.send(std::string("\x00\x00\x00\x10", 4));
    EXPECT_EQ(peer.receive_until_closed(), "");
    // Of a stranger far less is taken.
    SocketClient stranger(port(1));
    stranger.send(std::string("\x00\x80\x01\x00", 4));
    EXPECT_EQ(stranger.receive_until_closed(), "");
}

TEST_F(PeerTransportTest, AStrangerWhoSaysNothingIsClosed) {
    auto options = quick();
    options.greeting_timeout_ms = 30;
    start(1, options);
    SocketClient silent(port(1));
    SocketClient slow(port(1));
    slow.send(hello_frame(2, 1).substr(0, 10));
    EXPECT_EQ(silent.receive_until_closed(), "");
    EXPECT_EQ(slow.receive_until_closed(), "");
}

TEST_F(PeerTransportTest, AFloodOfStrangersDoesNotKeepAPeerOut) {
    auto options = quick();
    options.max_strangers = 4;
    start(1, options);
    std::vector<SocketClient> flood;
    for (int i = 0; i < 20; ++i) flood.emplace_back(port(1));
    EXPECT_EQ(flood.front().receive_until_closed(), "");
    start(2);
    introduce(2, 1, nodes_[1].address);
    wait_for("2 connected 1");
}

// --- backpressure ---

TEST_F(PeerTransportTest, APeerThatDoesNotReadCostsABoundedAmountOfMemory) {
    constexpr std::size_t kFrame = 64 << 10;
    auto options = quick();
    options.max_unsent_bytes = 1 << 20;
    start(1, options);
    RawListener slow;
    slow.small_receive_buffer();
    introduce(1, 2, slow.address());
    slow.accept();
    EXPECT_EQ(slow.receive(), PeerFrameKind::kHello);
    slow.send(frame_of(PeerFrameKind::kWelcome, ""));
    wait_for("1 connected 2");
    // Far more than the kernel takes for us.
    for (int i = 0; i < 1000; ++i) send(1, 2, std::string(kFrame, 'x'));
    const std::uint64_t unsent =
        loop_.run([&] { return nodes_[1].transport->peers().at(0).unsent_bytes; });
    EXPECT_LE(unsent, options.max_unsent_bytes + 4096) << "pings come on top";
    EXPECT_GT(stats(1).dropped_full, 500U);
    // Once it reads, what was not dropped comes whole.
    const std::uint64_t sent = stats(1).sent_frames;
    for (std::uint64_t i = 0; i < sent;)
        if (slow.receive() == PeerFrameKind::kMessage) ++i;
}

TEST_F(PeerTransportTest, AFrameThatFindsNothingUnsentGoesWhateverItsSize) {
    auto options = quick();
    options.max_unsent_bytes = 1000;
    options.max_frame_bytes = 1 << 20;
    start(1, options);
    start(2);
    meet(1, 2);
    loop_.run([&] {
        nodes_[1].transport->send(2, 0, std::string(500'000, 'x'));
        nodes_[1].transport->send(2, 0, "dropped");
        nodes_[1].transport->send(2, 0, std::string((1 << 20) + 1, 'x'));
    });
    wait_for("2 got 1/0 500000 bytes");
    EXPECT_EQ(stats(1).dropped_full, 2U);
}

// --- questions ---

TEST_F(PeerTransportTest, AStrangersQuestionIsAnswered) {
    start(1);
    listen(2);  // Belongs to no cluster.
    const auto answer = ask(2, nodes_[1].address, "may I join");
    ASSERT_TRUE(answer) << answer.error().to_string();
    EXPECT_EQ(*answer, "may I join!");
    const std::string large(60'000, 'q');
    EXPECT_EQ(*ask(2, nodes_[1].address, large), large + "!");
}

TEST_F(PeerTransportTest, AQuestionThatCannotBeAnsweredSaysWhy) {
    start(1);
    listen(2);
    EXPECT_EQ(ask(1, nodes_[2].address, "nobody answers here").error().code, Errc::kIo);
    EXPECT_EQ(ask(1, "nonsense", "?").error().code, Errc::kInvalidArgument);
    EXPECT_EQ(ask(1, "127.0.0.1:", "?").error().code, Errc::kInvalidArgument);
    std::string closed;
    {
        RawListener listener;
        closed = listener.address();
    }
    EXPECT_EQ(ask(1, closed, "?").error().code, Errc::kIo);
    EXPECT_EQ(ask(2, nodes_[1].address, std::string(70'000, 'q')).error().code, Errc::kIo);
    EXPECT_EQ(ask(2, nodes_[1].address, "hold", 30).error().code, Errc::kTimeout);
    wait_for("held");
    loop_.run([&] { held_("too late"); });
    EXPECT_EQ(*ask(2, nodes_[1].address, "and now"), "and now!");
}

TEST_F(PeerTransportTest, AQuestionToAnotherVersionOrAnotherProgramIsToldApart) {
    start(1);
    RawListener other;
    std::promise<Errc> code;
    const auto ask_it = [&] {
        code = {};
        loop_.run([&] {
            nodes_[1].transport->ask(other.address(), "?", 20'000, [&](Result<std::string> answer) {
                code.set_value(answer.error().code);
            });
        });
        other.accept();
        EXPECT_EQ(other.receive(), PeerFrameKind::kQuestion);
    };
    ask_it();
    other.send(frame_of(PeerFrameKind::kRefusal,
                        encode_refusal({.reason = PeerRefusalReason::kOtherVersion})));
    EXPECT_EQ(code.get_future().get(), Errc::kUnsupported);
    ask_it();
    other.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    EXPECT_EQ(code.get_future().get(), Errc::kIo);
    ask_it();
    other.send(frame_of(PeerFrameKind::kWelcome, ""));
    EXPECT_EQ(code.get_future().get(), Errc::kUnsupported);
    ask_it();
    other.close();
    EXPECT_EQ(code.get_future().get(), Errc::kIo);
}

TEST_F(PeerTransportTest, QuestionsOfATransportThatIsGoneAreNotAnswered) {
    start(1);
    listen(2);
    loop_.run([&] {
        nodes_[2].transport->ask(nodes_[1].address, "hold", 20'000,
                                 [](const Result<std::string>&) { FAIL(); });
    });
    wait_for("held");
    stop(2);
    stop(1);
    loop_.run([&] { held_("nobody is there"); });
}

// --- listening ---

TEST_F(PeerTransportTest, APortInUseAndAForeignHostAreToldApart) {
    start(1);
    loop_.run([&] {
        PeerTransportOptions taken;
        taken.port = nodes_[1].transport->port();
        EXPECT_EQ(PeerTransport::listen(loop_.loop(), random_, taken).error().code, Errc::kBusy);
        PeerTransportOptions foreign;
        foreign.host = "192.0.2.1";
        EXPECT_EQ(PeerTransport::listen(loop_.loop(), random_, foreign).error().code,
                  Errc::kInvalidArgument);
        PeerTransportOptions advertised;
        advertised.advertise_host = "node1.example";
        advertised.advertise_port = 16'000;
        const auto transport = PeerTransport::listen(loop_.loop(), random_, advertised);
        EXPECT_EQ((*transport)->address(), "node1.example:16000");
    });
}

}  // namespace
}  // namespace walrus::net

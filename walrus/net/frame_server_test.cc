#include "walrus/net/frame_server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <map>
#include <string>
#include <vector>

#include "walrus/testing/loop_thread.h"
#include "walrus/testing/socket_client.h"

namespace walrus::net {
namespace {

using testing::SocketClient;

std::string frame_of(std::string_view text) {
    std::byte length[4];
    store_le(length, static_cast<std::uint32_t>(text.size()));
    return std::string(as_text(length)).append(text);
}

// What the handlers of all connections share; the loop's own.
struct Script {
    std::map<std::string, ReplySlot> held;
    std::map<std::string, std::weak_ptr<const void>> owners;
    std::vector<std::string> notes;
    std::function<void()> changed = [] {};

    void note(std::string text) {
        notes.push_back(std::move(text));
        changed();
    }
};

// Does what a frame says; every other frame is sent back.
class ScriptedHandler final : public ConnectionHandler {
public:
    explicit ScriptedHandler(Script& script) : script_(script) {}
    ~ScriptedHandler() override { script_.note("gone"); }

    void on_frame(Bytes frame, ReplySlot slot) override {
        const std::string text(as_text(frame));
        const std::string argument = text.substr(std::min(text.size(), text.find(' ') + 1));
        if (text.starts_with("hold ")) {
            script_.held[argument] = std::move(slot);
            script_.note(text);
        } else if (text.starts_with("reserve ")) {
            slot.reserve(std::stoull(argument));
            script_.held[argument] = std::move(slot);
            script_.note(text);
        } else if (text.starts_with("large ")) {
            send_large(std::stoull(argument), std::move(slot));
        } else if (text == "skip") {
            slot.skip();
        } else if (text == "close") {
            slot.close(Reply{.head = frame_of("bye")});
        } else if (text != "forget") {
            slot.send(frame_of(text));
        }
    }
    Reply on_bad_length(std::uint64_t length) override {
        return Reply{.head = frame_of("bad length " + std::to_string(length))};
    }
    void on_input_end() override { script_.note("input end"); }

private:
    void send_large(std::uint64_t size, ReplySlot slot) {
        const auto bytes = std::make_shared<const std::string>(size, 'x');
        const Bytes whole = as_bytes(*bytes);
        script_.owners[std::to_string(script_.owners.size())] = bytes;
        std::string head = frame_of(*bytes).substr(0, 4);
        slot.send(Reply{.head = std::move(head),
                        .pieces = {whole.first(size / 3), whole.subspan(size / 3)},
                        .owners = {bytes}});
        script_.note("large");
    }

    Script& script_;
};

class FrameServerTest : public ::testing::Test {
protected:
    void SetUp() override { serve({}); }
    void TearDown() override {
        loop_.run([&] { server_.reset(); });
        loop_.run([&] { script_.held.clear(); });
    }

    void serve(ServerOptions options) {
        options.name = "test";
        loop_.run([&] {
            server_.reset();
            auto server = FrameServer::listen(loop_.loop(), options, [&](std::string_view peer) {
                EXPECT_TRUE(peer.starts_with("127.0.0.1:")) << peer;
                return std::make_unique<ScriptedHandler>(script_);
            });
            ASSERT_TRUE(server) << server.error().to_string();
            server_ = *std::move(server);
            port_ = server_->port();
        });
    }
    ServerStats stats() {
        return loop_.run([&] { return server_->stats(); });
    }
    void answer(const std::string& name, std::string reply) {
        loop_.run([&] { script_.held.at(name).send(frame_of(reply)); });
    }
    // Waits until the handlers have noted this `times` times.
    void wait_for(const std::string& note, std::ptrdiff_t times = 1) {
        std::promise<void> seen;
        loop_.run([&] {
            script_.changed = [&, done = false]() mutable {
                if (done || std::ranges::count(script_.notes, note) < times) return;
                done = true;
                seen.set_value();
            };
            script_.changed();
        });
        const auto outcome = seen.get_future().wait_for(std::chrono::seconds(30));
        loop_.run([&] { script_.changed = [] {}; });
        ASSERT_EQ(outcome, std::future_status::ready) << "nobody noted '" << note << "'";
    }

    Script script_;
    testing::LoopThread loop_;
    std::unique_ptr<FrameServer> server_;
    std::uint16_t port_ = 0;
};

// --- requests and replies ---

TEST_F(FrameServerTest, AnswersOneRequestAfterTheOther) {
    SocketClient client(port_);
    for (const std::string text : {"hello", "", "again"}) {
        client.send(frame_of(text));
        EXPECT_EQ(client.receive_frame(), text);
    }
    EXPECT_EQ(stats().requests, 3U);
    EXPECT_EQ(stats().received_bytes, 4 * 3U + 10);
    EXPECT_EQ(stats().sent_bytes, 4 * 3U + 10);
}

TEST_F(FrameServerTest, TakesFramesThatComeByteByByte) {
    SocketClient client(port_);
    for (const char c : frame_of("slowly") + frame_of("but surely"))
        client.send(std::string_view(&c, 1));
    EXPECT_EQ(client.receive_frame(), "slowly");
    EXPECT_EQ(client.receive_frame(), "but surely");
}

TEST_F(FrameServerTest, TakesManyFramesAtOnce) {
    std::string stream;
    for (int i = 0; i < 10'000; ++i) stream += frame_of("frame " + std::to_string(i));
    SocketClient client(port_);
    client.send(stream);
    EXPECT_EQ(client.receive(stream.size()), stream);
}

TEST_F(FrameServerTest, RepliesLeaveInTheOrderOfTheRequests) {
    SocketClient client(port_);
    client.send(frame_of("hold first") + frame_of("now") + frame_of("hold second") +
                frame_of("skip") + frame_of("last"));
    wait_for("hold second");
    answer("second", "second");
    answer("first", "first");
    for (const std::string text : {"first", "now", "second", "last"})
        EXPECT_EQ(client.receive_frame(), text);
}

TEST_F(FrameServerTest, LargeFramesGoBothWays) {
    serve({.max_frame_bytes = 8 << 20});
    const std::string large(5 << 20, 'y');
    SocketClient client(port_);
    client.send(frame_of(large) + frame_of("small") + frame_of(large));
    EXPECT_EQ(client.receive_frame(), large);
    EXPECT_EQ(client.receive_frame(), "small");
    EXPECT_EQ(client.receive_frame(), large);
}

TEST_F(FrameServerTest, PiecesOfAReplyAreLetGoWhenTheyAreSent) {
    SocketClient client(port_);
    client.send(frame_of("large 3000000"));
    EXPECT_EQ(client.receive_frame(), std::string(3'000'000, 'x'));
    client.send(frame_of("done"));
    EXPECT_EQ(client.receive_frame(), "done");
    EXPECT_TRUE(loop_.run([&] { return script_.owners.at("0").expired(); }));
}

TEST_F(FrameServerTest, ManyConnectionsDoNotMixTheirReplies) {
    std::vector<SocketClient> clients;
    for (int i = 0; i < 50; ++i) clients.emplace_back(port_);
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < clients.size(); ++i)
            clients[i].send(frame_of("hold " + std::to_string(i)));
        wait_for("hold 49", round + 1);
        for (std::size_t i = clients.size(); i-- > 0;)
            answer(std::to_string(i), "to " + std::to_string(i));
        for (std::size_t i = 0; i < clients.size(); ++i)
            EXPECT_EQ(clients[i].receive_frame(), "to " + std::to_string(i));
    }
    EXPECT_EQ(stats().connections, 50U);
}

// --- the end of a connection ---

TEST_F(FrameServerTest, AClientThatShutItsSideStillGetsItsReplies) {
    SocketClient client(port_);
    client.send(frame_of("hold a") + frame_of("b"));
    client.end_sending();
    wait_for("input end");
    answer("a", "a");
    EXPECT_EQ(client.receive_until_closed(), frame_of("a") + frame_of("b"));
    wait_for("gone");
}

TEST_F(FrameServerTest, AHandlerMayCloseBehindItsLastReply) {
    SocketClient client(port_);
    client.send(frame_of("hold a") + frame_of("close") + frame_of("never answered"));
    wait_for("hold a");
    answer("a", "a");
    EXPECT_EQ(client.receive_until_closed(), frame_of("a") + frame_of("bye"));
}

TEST_F(FrameServerTest, ARequestThatIsForgottenClosesTheConnection) {
    SocketClient client(port_);
    client.send(frame_of("fine") + frame_of("forget"));
    EXPECT_EQ(client.receive_until_closed(), frame_of("fine"));
}

TEST_F(FrameServerTest, AnswersToAClientThatIsGoneAreDropped) {
    {
        SocketClient client(port_);
        client.send(frame_of("hold a") + frame_of("hold b"));
        wait_for("hold b");
        client.reset();
    }
    wait_for("gone");
    answer("a", "a");
    loop_.run([&] { script_.held.erase("b"); });
    SocketClient other(port_);
    other.send(frame_of("still here"));
    EXPECT_EQ(other.receive_frame(), "still here");
}

TEST_F(FrameServerTest, AHalfFrameAtTheEndIsNoFrame) {
    SocketClient client(port_);
    client.send(frame_of("whole") + frame_of("half").substr(0, 6));
    client.end_sending();
    EXPECT_EQ(client.receive_until_closed(), frame_of("whole"));
}

// --- limits ---

TEST_F(FrameServerTest, ALengthAboveTheLimitIsAnsweredAndTheConnectionClosed) {
    SocketClient client(port_);
    client.send(frame_of("hold a") + std::string("\xff\xff\xff\xff", 4));
    // Bytes that nobody reads would make the kernel reset the connection, and lose the answer.
    client.send(std::string(300'000, 'z'));
    wait_for("hold a");
    answer("a", "a");
    EXPECT_EQ(client.receive(8 + 1),
              frame_of("a") + frame_of("bad length 4294967295").substr(0, 4));
    EXPECT_EQ(client.receive_until_closed(), "bad length 4294967295");
    EXPECT_EQ(stats().closed_bad_length, 1U);
}

TEST_F(FrameServerTest, AClientThatNeverReadsIsNoLongerRead) {
    serve({.max_unsent_bytes = 1 << 20});
    SocketClient client(port_, 4096);
    std::string stream;
    for (int i = 0; i < 40; ++i) stream += frame_of("large 1000000");
    client.send(stream);
    SocketClient other(port_);
    other.send(frame_of("undisturbed"));
    EXPECT_EQ(other.receive_frame(), "undisturbed");
    // Some go to the kernel's buffers.  Of the rest less than a MiB is unsent before another is
    // taken: the end of one, a whole one and that other.
    EXPECT_LT(stats().requests, 20U);
    std::size_t alive = 0;
    loop_.run([&] {
        for (const auto& [name, owner] : script_.owners) alive += owner.expired() ? 0 : 1;
    });
    EXPECT_LE(alive, 3U);
    for (int i = 0; i < 40; ++i) ASSERT_EQ(client.receive(1'000'004).size(), 1'000'004U);
    EXPECT_EQ(stats().requests, 41U);
}

TEST_F(FrameServerTest, UnansweredRequestsAreLimited) {
    serve({.max_unanswered = 3});
    SocketClient client(port_);
    std::string stream;
    for (int i = 0; i < 10; ++i) stream += frame_of("hold " + std::to_string(i));
    client.send(stream);
    wait_for("hold 2");
    EXPECT_EQ(stats().requests, 3U);
    for (int i = 0; i < 10; ++i) {
        wait_for("hold " + std::to_string(i));
        answer(std::to_string(i), "ok");
        EXPECT_EQ(client.receive_frame(), "ok");
    }
    EXPECT_LE(stats().requests, 10U);
}

TEST_F(FrameServerTest, AReservationHoldsBackLaterRequests) {
    serve({.max_unsent_bytes = 1000});
    SocketClient client(port_);
    client.send(frame_of("reserve 1000") + frame_of("later"));
    wait_for("reserve 1000");
    EXPECT_EQ(stats().requests, 1U);
    answer("1000", "small after all");
    EXPECT_EQ(client.receive_frame(), "small after all");
    EXPECT_EQ(client.receive_frame(), "later");
}

TEST_F(FrameServerTest, OneConnectionTooManyIsToldSo) {
    serve({.max_connections = 2, .refusal = frame_of("too many")});
    SocketClient first(port_);
    SocketClient second(port_);
    for (SocketClient* client : {&first, &second}) {
        client->send(frame_of("here"));
        EXPECT_EQ(client->receive_frame(), "here");
    }
    SocketClient third(port_);
    third.send(frame_of("me too"));
    EXPECT_EQ(third.receive_until_closed(), frame_of("too many"));
    third.close();

    first.close();
    wait_for("gone");
    SocketClient fourth(port_);
    fourth.send(frame_of("me"));
    EXPECT_EQ(fourth.receive_frame(), "me");
    EXPECT_EQ(stats().refused, 1U);
    EXPECT_EQ(stats().connections, 2U);
}

TEST_F(FrameServerTest, ASilentClientIsClosedAndOneThatWaitsIsNot) {
    serve({.idle_timeout_ms = 50});
    SocketClient waiting(port_);
    waiting.send(frame_of("hold on"));
    wait_for("hold on");
    SocketClient silent(port_);
    SocketClient half(port_);
    half.send(frame_of("never completed").substr(0, 9));
    EXPECT_EQ(silent.receive_until_closed(), "");
    EXPECT_EQ(half.receive_until_closed(), "");
    answer("on", "patience");
    EXPECT_EQ(waiting.receive_frame(), "patience");
    EXPECT_EQ(stats().closed_idle, 2U);
}

// --- listening and draining ---

TEST_F(FrameServerTest, APortInUseIsBusy) {
    loop_.run([&] {
        const auto second = FrameServer::listen(loop_.loop(), {.port = port_}, {});
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, Errc::kBusy);
        EXPECT_NE(second.error().message.find(std::to_string(port_)), std::string::npos);
    });
}

TEST_F(FrameServerTest, AHostThatIsNotOursIsAnInvalidArgument) {
    loop_.run([&] {
        for (const std::string host : {"192.0.2.1", "no such host", ""}) {
            const auto server = FrameServer::listen(loop_.loop(), {.host = host}, {});
            if (host.empty()) continue;  // Any address.
            ASSERT_FALSE(server) << host;
            EXPECT_EQ(server.error().code, Errc::kInvalidArgument) << host;
        }
    });
}

TEST_F(FrameServerTest, DrainAnswersWhatIsInHandAndTakesNothingNew) {
    SocketClient idle(port_);
    SocketClient busy(port_);
    busy.send(frame_of("hold a"));
    wait_for("hold a");
    std::promise<void> drained;
    loop_.run([&] { server_->drain(60'000, [&] { drained.set_value(); }); });
    busy.send(frame_of("too late"));
    EXPECT_EQ(idle.receive_until_closed(), "");
    idle.close();
    answer("a", "a");
    EXPECT_EQ(busy.receive_until_closed(), frame_of("a"));
    busy.close();
    drained.get_future().wait();
    EXPECT_EQ(stats().connections, 0U);
    EXPECT_EQ(stats().requests, 1U);
}

TEST_F(FrameServerTest, DrainEndsAtItsDeadline) {
    SocketClient stuck(port_);
    stuck.send(frame_of("hold for ever"));
    wait_for("hold for ever");
    std::promise<void> drained;
    loop_.run([&] { server_->drain(20, [&] { drained.set_value(); }); });
    drained.get_future().wait();
    EXPECT_EQ(stuck.receive_until_closed(), "");
}

TEST_F(FrameServerTest, DrainOfNobodyEndsAtOnce) {
    std::promise<void> drained;
    loop_.run([&] { server_->drain(60'000, [&] { drained.set_value(); }); });
    drained.get_future().wait();
}

}  // namespace
}  // namespace walrus::net

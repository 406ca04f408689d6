#include "walrus/client/text_client.h"

#include <gtest/gtest.h>

#include "walrus/client/test_text_server.h"

namespace walrus::client {
namespace {

using protocol::TextCommand;
using protocol::TextReplyKind;

constexpr std::uint32_t kTimeoutMs = 10'000;

Result<TextClient> connect_to(const TestTextServer& server, std::uint32_t timeout_ms = kTimeoutMs,
                              std::size_t max_reply_bytes = 256 << 20) {
    return TextClient::connect({"127.0.0.1", server.port()},
                               {.timeout_ms = timeout_ms, .max_reply_bytes = max_reply_bytes});
}

// A port that nobody listens on: bound and closed again.
std::uint16_t unused_port() {
    const TestTextServer server([](const std::string&) { return std::nullopt; });
    return server.port();
}

TEST(TextClient, EachCommandIsSentInItsWordsAndItsReplyComesBack) {
    TestTextServer server([](const std::string& command) -> std::optional<std::string> {
        if (command.starts_with("REGISTER") || command.starts_with("PUT")) return "OK";
        if (command == "GET t") return "OK one  apple ";
        if (command == "GET empty") return "EMPTY";
        if (command == "METRICS") return "{\"id\":1}";
        return "ERR unknown topic x";
    });
    auto client = connect_to(server);
    ASSERT_TRUE(client) << client.error().message;
    EXPECT_EQ(client->send({TextCommand::kRegister, "t"})->kind, TextReplyKind::kOk);
    EXPECT_EQ(client->send({TextCommand::kPut, "t", "a  b "})->kind, TextReplyKind::kOk);
    EXPECT_EQ(client->send({TextCommand::kGet, "t"})->text, "one  apple ");
    EXPECT_EQ(client->send({TextCommand::kGet, "empty"})->kind, TextReplyKind::kEmpty);
    EXPECT_EQ(client->send({TextCommand::kMetrics})->text, "{\"id\":1}");
    const auto refused = client->send({TextCommand::kState, "x"});
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->kind, TextReplyKind::kError);
    EXPECT_EQ(refused->text, "unknown topic x");
    EXPECT_EQ(server.commands(), (std::vector<std::string>{"REGISTER t", "PUT t a  b ", "GET t",
                                                           "GET empty", "METRICS", "STATE x"}));
}

TEST(TextClient, AReplyMayBeFarLongerThanACommand) {
    const std::string record(3 << 20, 'x');
    TestTextServer server([&](const std::string&) { return "OK " + record; });
    auto client = connect_to(server);
    ASSERT_TRUE(client);
    EXPECT_EQ(client->send({TextCommand::kGet, "t"})->text, record);
}

TEST(TextClient, ErrorRepliesAreToldApart) {
    EXPECT_EQ(text_reply_error("unknown topic t").code, Errc::kNotFound);
    EXPECT_EQ(text_reply_error("NotLeaderForPartition: t_t_s_1").code, Errc::kNotLeader);
    EXPECT_EQ(text_reply_error("raft propose timed out").code, Errc::kTimeout);
    EXPECT_EQ(text_reply_error("append failed for t_t_s_1").code, Errc::kIo);
    EXPECT_EQ(text_reply_error("append failed for t_t_s_1").message, "append failed for t_t_s_1");
}

// --- error paths ---

TEST(TextClient, NobodyListeningIsClosed) {
    const auto client = TextClient::connect({"127.0.0.1", unused_port()}, {});
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().code, Errc::kClosed);
    EXPECT_NE(client.error().message.find("refused"), std::string::npos) << client.error().message;
}

TEST(TextClient, AServerThatHangsUpIsClosedAndSoIsEveryLaterCall) {
    TestTextServer server([](const std::string&) { return std::nullopt; });
    auto client = connect_to(server);
    ASSERT_TRUE(client);
    EXPECT_EQ(client->send({TextCommand::kMetrics}).error().code, Errc::kClosed);
    EXPECT_EQ(client->send({TextCommand::kMetrics}).error().code, Errc::kClosed);
    EXPECT_EQ(server.commands().size(), 1U);
}

TEST(TextClient, AReplyThatDoesNotComeIsATimeout) {
    std::mutex hold;
    hold.lock();
    TestTextServer server([&](const std::string&) {
        const std::lock_guard wait(hold);
        return std::optional<std::string>("OK");
    });
    auto client = connect_to(server, 50);
    ASSERT_TRUE(client);
    EXPECT_EQ(client->send({TextCommand::kMetrics}).error().code, Errc::kTimeout);
    hold.unlock();
    // The reply is on its way and would be taken for that of the next command.
    EXPECT_EQ(client->send({TextCommand::kMetrics}).error().code, Errc::kClosed);
}

TEST(TextClient, AReplyBeyondTheLimitIsRefused) {
    TestTextServer server([](const std::string&) { return std::string(5000, 'x'); });
    auto client = connect_to(server, kTimeoutMs, 4000);
    ASSERT_TRUE(client);
    EXPECT_EQ(client->send({TextCommand::kMetrics}).error().code, Errc::kTooLarge);
}

TEST(TextClient, WhatCannotBeSaidIsNotSent) {
    TestTextServer server([](const std::string&) { return "OK"; });
    auto client = connect_to(server);
    ASSERT_TRUE(client);
    EXPECT_EQ(client->send({TextCommand::kGet, ""}).error().code, Errc::kInvalidArgument);
    EXPECT_EQ(client->send({TextCommand::kGet, "a b"}).error().code, Errc::kInvalidArgument);
    const std::string big(protocol::kMaxTextCommandBytes, 'x');
    EXPECT_EQ(client->send({TextCommand::kPut, "t", big}).error().code, Errc::kTooLarge);
    EXPECT_TRUE(server.commands().empty());
    // Nothing was sent, so the connection is as good as before.
    EXPECT_TRUE(client->send({TextCommand::kPut, "t", "x"}));
}

}  // namespace
}  // namespace walrus::client

#include "walrus/client/cli/repl_session.h"

#include <gtest/gtest.h>

#include "walrus/client/test_text_server.h"

namespace walrus::client {
namespace {

class Repl : public ::testing::Test {
protected:
    static std::optional<std::string> answer(const std::string& command) {
        if (command == "GET gone") return std::nullopt;  // Hangs up.
        if (command.starts_with("STATE")) return "ERR unknown topic x";
        return "OK";
    }

    TestTextServer server_{answer};
    ReplSession session_{[this] {
        return TextClient::connect({"127.0.0.1", server_.port()}, {.timeout_ms = 10'000});
    }};
};

TEST_F(Repl, ALineIsSentAsItIsAndTheReplyIsGivenBack) {
    EXPECT_EQ(session_.line("REGISTER t").reply, "OK");
    EXPECT_EQ(session_.line("  GET t \r\n").reply, "OK");
    EXPECT_EQ(session_.line("PUT t two  spaces \n").reply, "OK");
    EXPECT_EQ(session_.line("nonsense").reply, "OK");
    EXPECT_EQ(server_.commands(),
              (std::vector<std::string>{"REGISTER t", "GET t", "PUT t two  spaces ", "nonsense"}));
}

TEST_F(Repl, ThreeWordsLeaveAndEmptyLinesDoNothing) {
    for (const char* word : {"exit", "quit", "q", " q "})
        EXPECT_EQ(session_.line(word).next, ReplSession::Next::kQuit) << word;
    for (const char* line : {"", "   ", "\n"}) {
        EXPECT_EQ(session_.line(line).next, ReplSession::Next::kGoOn);
        EXPECT_TRUE(session_.line(line).reply.empty());
    }
    EXPECT_TRUE(server_.commands().empty());
}

TEST_F(Repl, ARefusalIsToldApart) {
    EXPECT_FALSE(session_.line("REGISTER t").refused);
    const auto refused = session_.line("STATE x");
    EXPECT_TRUE(refused.refused);
    EXPECT_EQ(refused.reply, "ERR unknown topic x");
}

TEST_F(Repl, ALostConnectionIsToldOnceAndMadeAnew) {
    const auto lost = session_.line("GET gone");
    ASSERT_FALSE(lost.status);
    EXPECT_EQ(lost.status.error().code, Errc::kClosed);
    EXPECT_EQ(session_.line("GET t").reply, "OK");
}

TEST_F(Repl, ALineThatIsTooLongLeavesTheConnectionAlone) {
    const std::string big(protocol::kMaxTextCommandBytes + 1, 'x');
    EXPECT_EQ(session_.line(big).status.error().code, Errc::kTooLarge);
    EXPECT_EQ(session_.line("GET t").reply, "OK");
}

TEST_F(Repl, CommandsAndTopicsThatWereNamedComplete) {
    using Words = std::vector<std::string>;
    EXPECT_EQ(session_.completions("RE"), Words{"REGISTER"});
    EXPECT_EQ(session_.completions("re"), Words{});
    EXPECT_EQ(session_.completions("GET "), Words{});
    session_.line("REGISTER orders");
    session_.line("PUT oranges a b");
    session_.line("STATE olives");  // Refused: there is none.
    EXPECT_EQ(session_.completions("GET or"), (Words{"oranges", "orders"}));
    EXPECT_EQ(session_.completions("PUT ord"), Words{"orders"});
    EXPECT_EQ(session_.completions("PUT orders or"), Words{});
    EXPECT_EQ(session_.completions("METRICS or"), Words{});
}

}  // namespace
}  // namespace walrus::client

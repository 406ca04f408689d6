// Commands and replies are upstream's (distributed-walrus/src/client.rs): handle_connection() and
// handle_command() say what each text means.
#include "walrus/protocol/text_codec.h"

#include <gtest/gtest.h>

#include "walrus/protocol/test_hex.h"
#include "walrus/protocol/text_error.h"

namespace walrus::protocol {
namespace {

Result<TextRequest> parse(std::string_view text) {
    return parse_text_request(as_bytes(text));
}

void expect_request(std::string_view text, const TextRequest& expected) {
    const auto request = parse(text);
    ASSERT_TRUE(request) << text << ": " << request.error().to_string();
    EXPECT_EQ(request->command, expected.command) << text;
    EXPECT_EQ(request->topic, expected.topic) << text;
    EXPECT_EQ(request->payload, expected.payload) << text;
}

void expect_refused(std::string_view text, std::string_view message) {
    const auto request = parse(text);
    ASSERT_FALSE(request) << text;
    EXPECT_EQ(request.error().code, Errc::kInvalidArgument) << text;
    EXPECT_EQ(request.error().message, message) << text;
}

TEST(TextRequest, EveryCommandIsUnderstood) {
    expect_request("REGISTER logs", {TextCommand::kRegister, "logs", ""});
    expect_request("PUT logs hello", {TextCommand::kPut, "logs", "hello"});
    expect_request("GET logs", {TextCommand::kGet, "logs", ""});
    expect_request("STATE logs", {TextCommand::kState, "logs", ""});
    expect_request("METRICS", {TextCommand::kMetrics, "", ""});
}

TEST(TextRequest, ThePayloadIsKeptByteForByte) {
    expect_request("PUT t  two  spaces \r\n", {TextCommand::kPut, "t", " two  spaces \r\n"});
    expect_request("PUT t ", {TextCommand::kPut, "t", ""});
    expect_request("PUT t \n", {TextCommand::kPut, "t", "\n"});
    expect_request("PUT t \xf0\x9f\xa6\xad", {TextCommand::kPut, "t", "\xf0\x9f\xa6\xad"});
    constexpr std::string_view kWithNul("PUT t a\0b", 9);
    expect_request(kWithNul, {TextCommand::kPut, "t", kWithNul.substr(6)});
}

TEST(TextRequest, WhiteSpaceAtTheEndAndMoreWordsAreIgnored) {
    expect_request("GET logs \r\n", {TextCommand::kGet, "logs", ""});
    expect_request("GET logs and more", {TextCommand::kGet, "logs", ""});
    expect_request("METRICS\n", {TextCommand::kMetrics, "", ""});
    expect_request("METRICS please", {TextCommand::kMetrics, "", ""});
}

TEST(TextRequest, WhatIsMissingIsNamed) {
    expect_refused("REGISTER", "REGISTER requires a topic");
    expect_refused("PUT", "PUT requires a topic");
    expect_refused("PUT  payload", "PUT requires a topic");
    expect_refused("PUT t", "PUT requires a payload");
    expect_refused("GET ", "GET requires a topic");
    expect_refused("GET  t", "GET requires a topic");
    expect_refused("STATE\n", "STATE requires a topic");
}

TEST(TextRequest, WhatIsNoCommandIsRefused) {
    expect_refused("", "invalid frame length");
    expect_refused(std::string(kMaxTextCommandBytes + 1, 'a'), "invalid frame length");
    expect_refused("PUT t \xc3", "invalid utf-8");
    for (const char* text : {" ", "get t", " GET t", "PUTS t x", "GET\tt", "\n"})
        expect_refused(text, "unknown command");
}

TEST(TextRequest, TheLongestCommandIsTaken) {
    const std::string payload(kMaxTextCommandBytes - 6, 'x');
    expect_request("PUT t " + payload, {TextCommand::kPut, "t", payload});
}

TEST(TextRequest, FramesHaveUpstreamsBytes) {
    EXPECT_EQ(to_hex(encode_text_request({TextCommand::kPut, "t", "hi"})),
              "08000000505554"
              "2074206869");
    EXPECT_EQ(encode_text_request({TextCommand::kPut, "t", ""}), encode_text_frame("PUT t "));
    EXPECT_EQ(encode_text_request({TextCommand::kRegister, "t", ""}),
              encode_text_frame("REGISTER t"));
    EXPECT_EQ(encode_text_request({TextCommand::kGet, "t", ""}), encode_text_frame("GET t"));
    EXPECT_EQ(encode_text_request({TextCommand::kState, "t", ""}), encode_text_frame("STATE t"));
    EXPECT_EQ(encode_text_request({}), encode_text_frame("METRICS"));
}

TEST(TextReply, FramesHaveUpstreamsBytes) {
    EXPECT_EQ(to_hex(encode_text_ok()), "020000004f4b");
    EXPECT_EQ(to_hex(encode_text_ok("hi")), "050000004f4b206869");
    EXPECT_EQ(to_hex(encode_text_ok("")), "030000004f4b20");
    EXPECT_EQ(to_hex(encode_text_empty()), "05000000454d505459");
    EXPECT_EQ(to_hex(encode_text_error("no")), "06000000455252206e6f");
    EXPECT_EQ(to_hex(encode_text_frame("{}")), "020000007b7d");
}

void expect_reply(std::string_view text, TextReplyKind kind, std::string_view content) {
    const TextReply reply = parse_text_reply(as_bytes(text));
    EXPECT_EQ(reply.kind, kind) << text;
    EXPECT_EQ(reply.text, content) << text;
}

TEST(TextReply, EveryKindIsToldApart) {
    expect_reply("OK", TextReplyKind::kOk, "");
    expect_reply("OK ", TextReplyKind::kOk, "");
    expect_reply("OK  OK", TextReplyKind::kOk, " OK");
    expect_reply("OK EMPTY", TextReplyKind::kOk, "EMPTY");
    expect_reply("EMPTY", TextReplyKind::kEmpty, "");
    expect_reply("ERR unknown topic t", TextReplyKind::kError, "unknown topic t");
    expect_reply("{\"id\":1}", TextReplyKind::kDocument, "{\"id\":1}");
    expect_reply("", TextReplyKind::kDocument, "");
}

// Scripts compare these texts, so they are written out once more.
TEST(TextError, TheWordsAreUpstreams) {
    EXPECT_EQ(text_error::kUnknownTopicFor, "unknown topic ");
    EXPECT_EQ(text_error::kNotLeaderFor, "NotLeaderForPartition: ");
    EXPECT_EQ(text_error::kAppendFailedFor, "append failed for ");
    EXPECT_EQ(text_error::kForwardAppendFailedFor, "forward append failed: ");
    EXPECT_EQ(text_error::kForwardMetadataFailedFor, "forwarded metadata failed: ");
    EXPECT_EQ(text_error::kUnknownAddressOfNodeFor, "unknown addr for node ");
    EXPECT_EQ(text_error::kUnknownAddressOfLeaderFor, "unknown addr for raft leader ");
    EXPECT_EQ(text_error::kUnresolvedAddressFor, "could not resolve addr ");
    EXPECT_EQ(text_error::kProposeTimedOut, "raft propose timed out");
    EXPECT_EQ(text_error::kNoLeader, "no raft leader known for metadata proposal after retries");
}

}  // namespace
}  // namespace walrus::protocol

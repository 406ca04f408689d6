#include "walrus/net/peer_frame.h"

#include <gtest/gtest.h>

#include <string>

namespace walrus::net {
namespace {

const PeerHello kHello{
    .cluster = 0x1122, .from = 3, .incarnation = 0x99, .to = 1, .address = "10.0.0.3:6000"};

std::string frame_of(PeerFrameKind kind, std::uint8_t channel, const std::string& payload) {
    std::string frame;
    append_peer_header(frame, {.kind = kind, .channel = channel, .payload = payload});
    return frame + payload;
}

Bytes without_length(const std::string& frame) {
    return as_bytes(frame).subspan(kPeerLengthBytes);
}

std::string hex(const std::string& bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        out += kDigits[static_cast<unsigned char>(c) >> 4];
        out += kDigits[static_cast<unsigned char>(c) & 15];
    }
    return out;
}

TEST(PeerFrame, HasTheseBytes) {
    // The CRC is that of 04 07 61 62 63.
    EXPECT_EQ(hex(frame_of(PeerFrameKind::kMessage, 7, "abc")),
              "09000000"
              "82ec18ea"
              "0407616263");
    EXPECT_EQ(hex(encode_hello(kHello)),
              "77616c7275737072"
              "01000000"
              "2211000000000000"
              "0300000000000000"
              "9900000000000000"
              "0100000000000000"
              "0d00"
              "31302e302e302e333a36303030");
    EXPECT_EQ(
        hex(encode_refusal(
            {.reason = PeerRefusalReason::kOtherCluster, .version = 1, .cluster = 2, .node = 3})),
        "02"
        "01000000"
        "0200000000000000"
        "0300000000000000");
}

TEST(PeerFrame, ComesBackAsItWas) {
    const std::string bytes = frame_of(PeerFrameKind::kMessage, 255, std::string("a\0b", 3));
    const auto frame = decode_peer_frame(without_length(bytes));
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->kind, PeerFrameKind::kMessage);
    EXPECT_EQ(frame->channel, 255);
    EXPECT_EQ(frame->payload, std::string("a\0b", 3));
    EXPECT_TRUE(decode_peer_frame(without_length(frame_of(PeerFrameKind::kPong, 0, ""))));
}

TEST(PeerFrame, EveryFlippedBitIsFound) {
    std::string bytes = frame_of(PeerFrameKind::kMessage, 1, "payload");
    for (std::size_t bit = 0; bit < 8 * (bytes.size() - kPeerLengthBytes); ++bit) {
        char& byte = bytes[kPeerLengthBytes + bit / 8];
        byte = static_cast<char>(byte ^ (1 << (bit % 8)));
        EXPECT_FALSE(decode_peer_frame(without_length(bytes))) << bit;
        byte = static_cast<char>(byte ^ (1 << (bit % 8)));
    }
}

TEST(PeerFrame, AnUnknownKindOrAShortFrameIsNone) {
    for (const int kind : {0, 9, 255})
        EXPECT_FALSE(
            decode_peer_frame(without_length(frame_of(static_cast<PeerFrameKind>(kind), 0, ""))));
    const std::string bytes = frame_of(PeerFrameKind::kPing, 0, "");
    for (std::size_t size = 0; size < bytes.size() - kPeerLengthBytes; ++size)
        EXPECT_FALSE(decode_peer_frame(without_length(bytes).first(size))) << size;
}

TEST(PeerGreeting, ComesBackAsItWas) {
    const auto hello = decode_hello(encode_hello(kHello));
    ASSERT_TRUE(hello) << hello.error().to_string();
    EXPECT_EQ(*hello, kHello);
    EXPECT_EQ(*decode_question(encode_question("who is there?")), "who is there?");
    const PeerRefusal refusal{
        .reason = PeerRefusalReason::kRemoved, .version = 9, .cluster = 8, .node = 7};
    EXPECT_EQ(*decode_refusal(encode_refusal(refusal)), refusal);
}

TEST(PeerGreeting, WhatIsTooShortOrTooLongIsRefused) {
    const std::string hello = encode_hello(kHello);
    for (std::size_t size = 0; size < hello.size(); ++size)
        EXPECT_FALSE(decode_hello(std::string_view(hello).substr(0, size))) << size;
    EXPECT_EQ(decode_hello(hello + "x").error().code, Errc::kCorruption);
    EXPECT_FALSE(decode_question("walruspr"));
    EXPECT_FALSE(decode_refusal(""));
    PeerHello nobody = kHello;
    nobody.from = 0;
    EXPECT_FALSE(decode_hello(encode_hello(nobody)));
    PeerHello verbose = kHello;
    verbose.address = std::string(kMaxPeerAddressBytes + 1, 'a');
    EXPECT_FALSE(decode_hello(encode_hello(verbose)));
}

TEST(PeerGreeting, AnotherVersionIsToldApartFromGarbage) {
    std::string hello = encode_hello(kHello);
    hello[8] = 2;
    EXPECT_EQ(decode_hello(hello).error().code, Errc::kUnsupported);
    EXPECT_EQ(decode_hello(hello.substr(0, 12)).error().code, Errc::kUnsupported);
    hello[0] = 'x';
    EXPECT_EQ(decode_hello(hello).error().code, Errc::kCorruption);
    std::string question = encode_question("?");
    question[8] = 2;
    EXPECT_EQ(decode_question(question).error().code, Errc::kUnsupported);
    // A later version may say more, and for other reasons.
    auto refusal = decode_refusal(std::string(1, '\x63') + encode_refusal({}).substr(1) + "more");
    ASSERT_TRUE(refusal);
    EXPECT_NE(explain_refusal(*refusal, 1, 2, "a:1").find("reason 99"), std::string::npos);
}

TEST(PeerGreeting, EveryRefusalSaysWhatToDoNext) {
    for (int reason = 1; reason <= 8; ++reason) {
        const PeerRefusal refusal{.reason = static_cast<PeerRefusalReason>(reason), .node = 5};
        const std::string text = explain_refusal(refusal, 1, 2, "host:6000");
        EXPECT_NE(text.find("node 2 at host:6000"), std::string::npos) << text;
        EXPECT_NE(refusal_name(refusal.reason), "unknown reason");
    }
}

}  // namespace
}  // namespace walrus::net

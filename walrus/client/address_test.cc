#include "walrus/client/address.h"

#include <gtest/gtest.h>

namespace walrus::client {
namespace {

TEST(Address, HostAndPortMayBeLeftOut) {
    EXPECT_EQ(*parse_address("node7:81", 80), (Address{"node7", 81}));
    EXPECT_EQ(*parse_address("node7", 80), (Address{"node7", 80}));
    EXPECT_EQ(*parse_address(":81", 80), (Address{"127.0.0.1", 81}));
    EXPECT_EQ(*parse_address("10.0.0.5:65535", 80), (Address{"10.0.0.5", 65535}));
}

TEST(Address, AnIpv6AddressStandsInBrackets) {
    EXPECT_EQ(*parse_address("[::1]:81", 80), (Address{"::1", 81}));
    EXPECT_EQ(*parse_address("[::1]", 80), (Address{"::1", 80}));
    EXPECT_EQ((Address{"::1", 81}).to_string(), "[::1]:81");
    EXPECT_EQ((Address{"a", 81}).to_string(), "a:81");
}

TEST(Address, SeveralHaveCommasBetweenThem) {
    const auto addresses = parse_addresses("a:1,b,[::1]:3", 9092);
    ASSERT_TRUE(addresses);
    EXPECT_EQ(*addresses, (std::vector<Address>{{"a", 1}, {"b", 9092}, {"::1", 3}}));
}

TEST(Address, WhatIsNoneIsRefusedByName) {
    for (const char* text : {"", "a:", "a:0", "a:65536", "a:b", "a:1:2", "[::1", "[::1]81", "a b:1",
                             "http://a:1", "a:-1", "a:1x"}) {
        const auto address = parse_address(text, 80);
        ASSERT_FALSE(address) << text;
        EXPECT_EQ(address.error().code, Errc::kInvalidArgument);
        EXPECT_NE(address.error().message.find(text), std::string::npos);
    }
    EXPECT_FALSE(parse_addresses("a:1,,b:2", 80));
    EXPECT_FALSE(parse_addresses("", 80));
}

}  // namespace
}  // namespace walrus::client

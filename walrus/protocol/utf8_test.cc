#include "walrus/protocol/utf8.h"

#include <gtest/gtest.h>

namespace walrus::protocol {
namespace {

TEST(Utf8, TextOfEveryLengthIsUtf8) {
    EXPECT_TRUE(is_utf8(""));
    EXPECT_TRUE(is_utf8(std::string_view("a\0b", 3)));
    EXPECT_TRUE(is_utf8("\x7f"));
    EXPECT_TRUE(is_utf8("\xc2\x80 \xdf\xbf"));
    EXPECT_TRUE(is_utf8("\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf"));
    EXPECT_TRUE(is_utf8("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"));
}

// The kinds of RFC 3629 section 4 that are excluded, each at its edge.
TEST(Utf8, WhatNoEncoderWritesIsNot) {
    for (const char* text : {
             "\x80",              // A continuation without a beginning.
             "\xff",              // No byte of UTF-8.
             "\xc1\xbf",          // Overlong, two bytes.
             "\xe0\x9f\xbf",      // Overlong, three.
             "\xf0\x8f\xbf\xbf",  // Overlong, four.
             "\xed\xa0\x80",      // A surrogate.
             "\xf4\x90\x80\x80",  // Above U+10FFFF.
             "\xf5\x80\x80\x80",
             "\xc2",          // Cut short.
             "\xe2\x82",      // Cut short.
             "\xf0\x90\x80",  // Cut short.
             "\xc2 ",         // No continuation.
             "\xe2\x82 ",
         })
        EXPECT_FALSE(is_utf8(text)) << testing::PrintToString(text);
}

}  // namespace
}  // namespace walrus::protocol

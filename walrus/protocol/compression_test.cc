// The streams of Kafka's own client are in record_batch_test.cc; here are the other forms, and
// damage.
#include "walrus/protocol/compression.h"

#include <gtest/gtest.h>
#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include "walrus/protocol/test_hex.h"

namespace walrus::protocol {
namespace {

constexpr std::size_t kNoLimit = std::size_t{1} << 30;

std::string gzip(const std::string& plain) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&stream, plain.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
    stream.avail_in = static_cast<uInt>(plain.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string compress(Compression codec, const std::string& plain) {
    std::string out;
    switch (codec) {
        case Compression::kNone: return plain;
        case Compression::kGzip: return gzip(plain);
        case Compression::kSnappy: snappy::Compress(plain.data(), plain.size(), &out); return out;
        case Compression::kLz4:
            out.resize(LZ4F_compressFrameBound(plain.size(), nullptr));
            out.resize(
                LZ4F_compressFrame(out.data(), out.size(), plain.data(), plain.size(), nullptr));
            return out;
        case Compression::kZstd:
            out.resize(ZSTD_compressBound(plain.size()));
            out.resize(ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 3));
            return out;
    }
    return out;
}

class CompressionTest : public testing::TestWithParam<Compression> {};

INSTANTIATE_TEST_SUITE_P(Codecs, CompressionTest,
                         testing::Values(Compression::kGzip, Compression::kSnappy,
                                         Compression::kLz4, Compression::kZstd));

// More than one piece of output, and not all of it the same.
std::string some_text() {
    std::string text;
    for (int i = 0; i < 40000; ++i) text += std::to_string(i * 7919);
    return text;
}

TEST_P(CompressionTest, WhatWasCompressedComesBack) {
    for (const std::string& plain : {std::string(), std::string("walrus"), some_text()}) {
        const auto out = decompress(GetParam(), as_bytes(compress(GetParam(), plain)), kNoLimit);
        ASSERT_TRUE(out) << out.error().to_string();
        EXPECT_TRUE(*out == plain) << plain.size();
    }
}

TEST_P(CompressionTest, TheLimitIsExact) {
    const std::string plain = some_text();
    const std::string small = compress(GetParam(), plain);
    EXPECT_TRUE(decompress(GetParam(), as_bytes(small), plain.size()));
    const auto refused = decompress(GetParam(), as_bytes(small), plain.size() - 1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::kTooLarge);
}

TEST_P(CompressionTest, WhatIsCutShortIsCorrupt) {
    const std::string small = compress(GetParam(), std::string(300, 'w') + "alrus");
    for (std::size_t size = 0; size < small.size(); ++size) {
        const auto out = decompress(GetParam(), as_bytes(small).first(size), kNoLimit);
        ASSERT_FALSE(out) << size;
        EXPECT_EQ(out.error().code, Errc::kCorruption) << size;
    }
}

TEST_P(CompressionTest, WhatFollowsTheEndIsCorrupt) {
    const auto out =
        decompress(GetParam(), as_bytes(compress(GetParam(), "walrus") + "x"), kNoLimit);
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().code, Errc::kCorruption);
}

TEST(Compression, SnappyClaimsAreNotBelieved) {
    // The length says 4 GiB - 1, and there is next to nothing.
    const auto out = decompress(Compression::kSnappy, as_bytes(from_hex("ffffffff0f 0061")),
                                std::size_t{8} << 30);
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().code, Errc::kCorruption);
}

TEST(Compression, BlocksOfSnappyJavaAreJoined) {
    std::string one;
    std::string two;
    snappy::Compress("wal", 3, &one);
    snappy::Compress("rus", 3, &two);
    ASSERT_EQ(one.size(), 5U);
    ASSERT_EQ(two.size(), 5U);
    const std::string header = from_hex("82534e4150505900 00000001 00000001");
    const std::string length = from_hex("00000005");
    const std::string whole = header + length + one + length + two;
    const auto out = decompress(Compression::kSnappy, as_bytes(whole), kNoLimit);
    ASSERT_TRUE(out) << out.error().to_string();
    EXPECT_EQ(*out, "walrus");

    for (std::size_t cut = 1; cut < 9; ++cut) {
        const auto less = as_bytes(whole).first(whole.size() - cut);
        EXPECT_FALSE(decompress(Compression::kSnappy, less, kNoLimit)) << cut;
    }
}

TEST(Compression, AnUnknownCodecIsUnsupported) {
    const auto out = decompress(static_cast<Compression>(5), as_bytes("x"), kNoLimit);
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().code, Errc::kUnsupported);
}

}  // namespace
}  // namespace walrus::protocol

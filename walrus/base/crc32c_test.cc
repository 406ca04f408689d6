#include "walrus/base/crc32c.h"

#include <gtest/gtest.h>

#include <vector>

namespace walrus {
namespace {

std::vector<std::byte> filled(std::size_t size, std::uint8_t first, int step) {
    std::vector<std::byte> bytes(size);
    int value = first;
    for (std::byte& b : bytes) {
        b = static_cast<std::byte>(value);
        value += step;
    }
    return bytes;
}

// RFC 3720, appendix B.4.
TEST(Crc32c, MatchesTheVectorsOfRfc3720) {
    EXPECT_EQ(crc32c(filled(32, 0x00, 0)), 0x8a9136aau);
    EXPECT_EQ(crc32c(filled(32, 0xff, 0)), 0x62a8ab43u);
    EXPECT_EQ(crc32c(filled(32, 0x00, 1)), 0x46dd794eu);
    EXPECT_EQ(crc32c(filled(32, 0x1f, -1)), 0x113fdb5cu);
}

// RFC 3720, appendix B.4: "An iSCSI - SCSI Read (10) Command PDU".
TEST(Crc32c, MatchesTheScsiReadCommandOfRfc3720) {
    const std::uint8_t pdu[48] = {0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0,    0, 0, 0, 0,
                                  0x14, 0,    0, 0, 0, 0, 4, 0, 0,    0, 0, 0x14, 0, 0, 0, 0x18,
                                  0x28, 0,    0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0,    0, 0, 0, 0};
    EXPECT_EQ(crc32c(std::as_bytes(std::span(pdu))), 0xd9963a56u);
}

TEST(Crc32c, MatchesTheCheckValueOfTheCatalogue) {
    EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283u);
}

TEST(Crc32c, OfNothingIsZero) {
    EXPECT_EQ(crc32c({}), 0u);
}

TEST(Crc32c, ContinuesFromAnEarlierPiece) {
    const Bytes all = as_bytes("The Walrus and the Carpenter");
    for (std::size_t cut = 0; cut <= all.size(); ++cut) {
        EXPECT_EQ(crc32c(all.subspan(cut), crc32c(all.first(cut))), crc32c(all)) << cut;
    }
}

TEST(Crc32c, ChangesWithEverySingleBit) {
    std::vector<std::byte> bytes = filled(64, 7, 3);
    const std::uint32_t before = crc32c(bytes);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        bytes[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
        EXPECT_NE(crc32c(bytes), before) << bit;
        bytes[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    }
}

}  // namespace
}  // namespace walrus

#include "walrus/base/bytes.h"

#include <gtest/gtest.h>

#include "walrus/base/aligned_buffer.h"
#include "walrus/base/strong.h"

namespace walrus {
namespace {

TEST(LittleEndian, StoresTheLowByteFirst) {
    std::byte bytes[4];
    store_le<std::uint32_t>(bytes, 0x04030201);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(bytes[i], static_cast<std::byte>(i + 1));
}

TEST(LittleEndian, LoadsWhatItStoredAtAnyAlignment) {
    std::byte bytes[16] = {};
    for (std::size_t at = 0; at < 8; ++at) {
        store_le<std::uint64_t>(bytes + at, 0x1122334455667788 + at);
        EXPECT_EQ(load_le<std::uint64_t>(bytes + at), 0x1122334455667788 + at);
    }
}

TEST(Text, TurnsIntoBytesAndBack) {
    EXPECT_EQ(as_text(as_bytes("walrus")), "walrus");
}

TEST(Align, RoundsToMultiples) {
    EXPECT_EQ(align_up(0, 4096), 0u);
    EXPECT_EQ(align_up(1, 4096), 4096u);
    EXPECT_EQ(align_up(4096, 4096), 4096u);
    EXPECT_EQ(align_down(4095, 4096), 0u);
    EXPECT_EQ(align_down(8191, 4096), 4096u);
}

TEST(AlignedBuffer, IsAlignedForDirectIo) {
    const AlignedBuffer buffer(5000);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 4096, 0u);
    EXPECT_EQ(buffer.span().size(), 5000u);
}

TEST(AlignedBuffer, LeavesTheOneItWasMovedFromEmpty) {
    AlignedBuffer from(4096);
    const AlignedBuffer to = std::move(from);
    EXPECT_EQ(to.size(), 4096u);
    EXPECT_EQ(from.size(), 0u);  // NOLINT(bugprone-use-after-move): this is what is tested.
    EXPECT_EQ(from.data(), nullptr);
}

TEST(Strong, ComparesAndCounts) {
    EXPECT_LT(Offset{1}, Offset{2});
    EXPECT_EQ(Offset{1} + 4, Offset{5});
    EXPECT_EQ(Lsn{9} - Lsn{4}, 5u);
    static_assert(!std::is_convertible_v<Offset, Lsn>);
    static_assert(!std::is_convertible_v<std::uint64_t, Offset>);
}

}  // namespace
}  // namespace walrus

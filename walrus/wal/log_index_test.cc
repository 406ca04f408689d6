// Where a topic's offsets are: builder, finished index, cache.
#include "walrus/wal/log_index.h"

#include <gtest/gtest.h>

#include "walrus/wal/format.h"

namespace walrus::wal {
namespace {

constexpr std::uint64_t kStep = kAnchorInterval;

// A builder with entries of one topic at offsets 0, 10, 20, ... one interval apart.
IndexBuilder builder_with(std::uint32_t topic, std::uint64_t entries, IndexBuilder::Chain& chain) {
    IndexBuilder builder(5);
    for (std::uint64_t i = 0; i < entries; ++i)
        builder.add(chain, topic, Offset{10 * i}, Lsn{1000 + kStep * i});
    return builder;
}

TEST(IndexBuilder, FindsTheLastEntryAtOrBeforeAnOffset) {
    IndexBuilder::Chain chain;
    const IndexBuilder builder = builder_with(1, 5, chain);
    EXPECT_EQ(builder.locate(chain, Offset{0})->offset, Offset{0});
    EXPECT_EQ(builder.locate(chain, Offset{9})->offset, Offset{0});
    EXPECT_EQ(builder.locate(chain, Offset{10})->offset, Offset{10});
    EXPECT_EQ(builder.locate(chain, Offset{1000})->lsn, Lsn{1000 + 4 * kStep});
}

TEST(IndexBuilder, IsSparsePerTopic) {
    IndexBuilder builder(5);
    IndexBuilder::Chain a;
    IndexBuilder::Chain b;
    builder.add(a, 1, Offset{0}, Lsn{0});
    builder.add(b, 2, Offset{0}, Lsn{8});
    builder.add(a, 1, Offset{1}, Lsn{kStep - 1});  // Too near to the one before.
    builder.add(a, 1, Offset{2}, Lsn{kStep});
    EXPECT_EQ(builder.locate(a, Offset{1})->offset, Offset{0});
    EXPECT_EQ(builder.locate(a, Offset{2})->offset, Offset{2});
    EXPECT_EQ(builder.locate(b, Offset{9})->lsn, Lsn{8});
}

TEST(IndexBuilder, ForgetsAChainOfAnotherFile) {
    IndexBuilder::Chain chain;
    builder_with(1, 5, chain);
    IndexBuilder next(6);
    EXPECT_FALSE(next.locate(chain, Offset{50}));
    next.add(chain, 1, Offset{50}, Lsn{1000 + 4 * kStep + 8});  // Near, but the first of its file.
    EXPECT_EQ(next.locate(chain, Offset{50})->offset, Offset{50});
    EXPECT_FALSE(next.locate(chain, Offset{49}));
}

TEST(FileIndex, FindsTopicsAndTheirEntries) {
    IndexBuilder::Chain a;
    IndexBuilder builder = builder_with(1, 4, a);
    IndexBuilder::Chain b;
    builder.add(b, 2, Offset{100}, Lsn{1200});
    const auto index = std::move(builder).finish(
        77, 123, {{3, 0, 0, Offset{9}, 90}, {2, 0, 0, Offset{101}, 10}, {1, 0, 0, Offset{40}, 40}});
    EXPECT_EQ(index->number(), 5U);
    EXPECT_EQ(index->epoch(), 77U);
    EXPECT_EQ(index->find(2)->end_offset, Offset{101});
    EXPECT_EQ(index->find(3)->entry_count, 0U);
    EXPECT_EQ(index->find(4), nullptr);
    EXPECT_EQ(index->locate(1, Offset{25})->offset, Offset{20});
    EXPECT_EQ(index->locate(2, Offset{100})->lsn, Lsn{1200});
    EXPECT_FALSE(index->locate(2, Offset{99}));
    EXPECT_FALSE(index->locate(3, Offset{0}));
    EXPECT_FALSE(index->locate(4, Offset{0}));
}

TEST(FileIndex, HidesEntriesOfTopicsThatAreGone) {
    IndexBuilder::Chain chain;
    const auto index = builder_with(1, 3, chain).finish(77, 123, {{2, 0, 0, Offset{}, 0}});
    EXPECT_FALSE(index->locate(1, Offset{0}));
}

TEST(FileIndex, ComesBackFromItsStoredForm) {
    IndexBuilder::Chain chain;
    const auto index = builder_with(1, 100, chain).finish(77, 123, {{1, 0, 0, Offset{1000}, 5}});
    const auto decoded = FileIndex::decode(index->encode(), 5, 77);
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ((*decoded)->encode(), index->encode());
    EXPECT_EQ((*decoded)->locate(1, Offset{555})->offset, Offset{550});
    EXPECT_TRUE((*decoded)->same_content(*index));
    IndexBuilder::Chain other;
    EXPECT_FALSE(builder_with(1, 99, other)
                     .finish(77, 123, {{1, 0, 0, Offset{1000}, 5}})
                     ->same_content(*index));
}

TEST(IndexCache, KeepsTheRecentlyUsedWithinItsBudget) {
    const auto make = [](std::uint64_t number) {
        return std::make_shared<FileIndex>(number, 1, 1, std::vector<IndexTopic>{},
                                           std::vector<IndexEntry>(100));
    };
    IndexCache cache(3 * make(0)->memory_bytes());
    for (std::uint64_t number = 0; number < 3; ++number) cache.insert(make(number));
    EXPECT_NE(cache.find(0), nullptr);
    cache.insert(make(3));
    EXPECT_NE(cache.find(0), nullptr);
    EXPECT_EQ(cache.find(1), nullptr);  // The least recently used.
    cache.erase(0);
    EXPECT_EQ(cache.find(0), nullptr);
    cache.insert(make(2));  // Again: the old one goes.
    EXPECT_NE(cache.find(3), nullptr);
}

TEST(IndexCache, KeepsOneIndexWhateverItsSize) {
    IndexCache cache(1);
    cache.insert(std::make_shared<FileIndex>(7, 1, 1, std::vector<IndexTopic>{},
                                             std::vector<IndexEntry>(100)));
    EXPECT_NE(cache.find(7), nullptr);
}

}  // namespace
}  // namespace walrus::wal

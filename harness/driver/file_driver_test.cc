#include "harness/driver/file_driver.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/driver/scratch_directory.h"

namespace walrus::harness {
namespace {

class FileDriverTest : public ::testing::Test {
protected:
    std::unique_ptr<System> open(const std::string& misbehave = "none") {
        auto system = make_file_driver()->open({.directory = directory_.path(),
                                                .durability = Durability::kDisk,
                                                .settings = {{"misbehave", misbehave}},
                                                .writers = 1});
        EXPECT_TRUE(system);
        EXPECT_TRUE((*system)->create_topics(1));
        return std::move(*system);
    }

    static void append(System& system, const std::vector<std::string>& records) {
        auto producer = system.producer(0);
        ASSERT_TRUE(producer);
        for (const std::string& record : records) {
            const Bytes bytes = as_bytes(record);
            ASSERT_TRUE((*producer)->append(0, {&bytes, 1}));
        }
    }

    static std::vector<std::string> read_all(System& system) {
        std::vector<std::string> records;
        auto reader = system.reader(0);
        EXPECT_TRUE(reader);
        while (*(*reader)->read([&](Bytes r) { records.emplace_back(as_text(r)); }) > 0) continue;
        return records;
    }

    ScratchDirectory directory_;
};

TEST_F(FileDriverTest, WhatIsAppendedIsReadBackByAnotherSystem) {
    append(*open(), {"one", "", "three"});
    EXPECT_EQ(read_all(*open()), (std::vector<std::string>{"one", "", "three"}));
}

TEST_F(FileDriverTest, AReaderFollowsWhatIsAppendedAfterItsEnd) {
    const auto system = open();
    const auto reader = std::move(*system->reader(0));
    std::vector<std::string> records;
    const auto read = [&] {
        return *reader->read([&](Bytes record) { records.emplace_back(as_text(record)); });
    };
    EXPECT_EQ(read(), 0u);
    append(*system, {"one", "two"});
    EXPECT_EQ(read(), 2u);
    EXPECT_EQ(read(), 0u);
    // Larger than what is read at once.
    append(*system, {std::string(3'000'000, 'x'), "four"});
    while (read() > 0) continue;
    ASSERT_EQ(records.size(), 4u);
    EXPECT_EQ(records[2].size(), 3'000'000u);
    EXPECT_EQ(records[3], "four");
}

TEST_F(FileDriverTest, AcknowledgingEarlyLosesEverythingWithoutAnOrderlyStop) {
    append(*open("ack-early"), {"one"});
    EXPECT_TRUE(read_all(*open()).empty());
}

TEST_F(FileDriverTest, UnknownSettingsAndMisbehavioursAreRefused) {
    EXPECT_FALSE(make_file_driver()->capabilities({{"misbehave", "dorp"}}));
    EXPECT_FALSE(make_file_driver()->capabilities({{"speed", "high"}}));
}

}  // namespace
}  // namespace walrus::harness

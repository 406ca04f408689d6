#include "compare/rocksdb/rocksdb_driver.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/driver/scratch_directory.h"

namespace walrus::compare {
namespace {

using harness::Durability;
using harness::Settings;

// Every profile, in both classes.
class RocksDriverTest
    : public ::testing::TestWithParam<std::tuple<const char*, harness::Durability>> {
protected:
    std::unique_ptr<harness::System> open() {
        const auto [profile, durability] = GetParam();
        auto system = driver_->open({.directory = directory_.path(),
                                     .durability = durability,
                                     .settings = {{"profile", profile}},
                                     .writers = 2});
        EXPECT_TRUE(system) << system.error().message;
        return std::move(*system);
    }

    static void append(harness::Producer& producer, const std::vector<std::string>& records) {
        std::vector<Bytes> bytes;
        for (const std::string& record : records) bytes.push_back(walrus::as_bytes(record));
        const Status status = producer.append(0, bytes);
        ASSERT_TRUE(status) << status.error().message;
    }

    static std::vector<std::string> read_all(harness::System& system) {
        std::vector<std::string> records;
        auto reader = system.reader(0);
        EXPECT_TRUE(reader) << reader.error().message;
        for (;;) {
            const auto got =
                (*reader)->read([&](Bytes record) { records.emplace_back(as_text(record)); });
            EXPECT_TRUE(got) << got.error().message;
            if (!got || *got == 0) return records;
        }
    }

    const std::unique_ptr<harness::Driver> driver_ = make_rocksdb_driver();
    harness::ScratchDirectory directory_;
};

TEST_P(RocksDriverTest, ReadsBackWhatItWroteInOrderAlsoAfterReopening) {
    {
        auto system = open();
        ASSERT_TRUE(system->create_topics(1));
        const auto producer = system->producer(0);
        ASSERT_TRUE(producer);
        append(**producer, {"one", "two"});
        append(**producer, {"three"});
        ASSERT_TRUE(system->stop());
    }
    auto system = open();
    EXPECT_EQ(read_all(*system), (std::vector<std::string>{"one", "two", "three"}));
    // What a reader leaves behind does not show up in the next one.
    EXPECT_EQ(read_all(*system), (std::vector<std::string>{"one", "two", "three"}));
}

TEST_P(RocksDriverTest, AReaderFollowsWritersWhereThatIsOffered) {
    const auto [profile, durability] = GetParam();
    if (!make_rocksdb_driver()->capabilities({{"profile", profile}})->live_read) {
        EXPECT_STREQ(profile, "wal-only");
        return;
    }
    auto system = open();
    const auto first = std::move(*system->producer(0));
    const auto second = std::move(*system->producer(1));
    const auto reader = std::move(*system->reader(0));
    std::vector<std::string> records;
    const auto read = [&] {
        records.clear();
        return *reader->read([&](Bytes record) { records.emplace_back(as_text(record)); });
    };
    EXPECT_EQ(read(), 0u);
    append(*second, {"b1", "b2"});
    EXPECT_EQ(read(), 2u);
    append(*first, {"a1"});  // Its key comes before those that were read.
    append(*second, {"b3"});
    EXPECT_EQ(read(), 2u);
    EXPECT_EQ(records, (std::vector<std::string>{"a1", "b3"}));
    EXPECT_EQ(read(), 0u);
}

TEST_P(RocksDriverTest, TellsItsLiveOptions) {
    auto system = open();
    const Settings config = system->effective_config();
    const auto [profile, durability] = GetParam();
    EXPECT_EQ(config.at("profile"), profile);
    EXPECT_EQ(config.at("write_options.sync"), durability == Durability::kDisk ? "true" : "false");
    // The recovery mode keeps RocksDB from resetting this.
    EXPECT_EQ(config.at("recycle_log_file_num"), std::string(profile) == "tuned" ? "4" : "0");
    EXPECT_TRUE(config.contains("write_buffer_size"));
}

INSTANTIATE_TEST_SUITE_P(Profiles, RocksDriverTest,
                         ::testing::Combine(::testing::Values("default", "tuned", "wal-only"),
                                            ::testing::Values(Durability::kProcess,
                                                              Durability::kDisk)),
                         [](const auto& test) {
                             std::string name = std::get<0>(test.param);
                             std::erase(name, '-');
                             return name + "_" +
                                    std::string(harness::durability_name(std::get<1>(test.param)));
                         });

TEST(RocksDriver, RefusesUnknownProfilesAndWhatALogWithoutTopicsCannotDo) {
    const auto driver = make_rocksdb_driver();
    EXPECT_FALSE(driver->capabilities({{"profile", "wal-onyl"}}));
    const auto log = driver->capabilities({{"profile", "wal-only"}});
    EXPECT_FALSE(harness::check_supported(*log, Durability::kDisk, 2, false));
    EXPECT_FALSE(harness::check_supported(*log, Durability::kDisk, 1, true));
    EXPECT_TRUE(harness::check_supported(*log, Durability::kDisk, 1, false));
}

}  // namespace
}  // namespace walrus::compare

// The facade against the real disk: what users do, edges, errors.
#include "walrus/wal/wal.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace walrus::wal {
namespace {

TEST(Wal, Smoke) {
    const std::string dir = "wal_test_smoke";
    std::filesystem::remove_all(dir);
    Options options;
    options.data_dir = dir;
    options.file_size = 1 << 20;
    options.ring_size = 256 << 10;
    options.limits.max_batch_bytes = options.limits.max_record_bytes = 64 << 10;
    {
        auto wal = Wal::open(options);
        ASSERT_TRUE(wal) << wal.error().to_string();
        for (int i = 0; i < 3000; ++i) {
            const std::string text = "record " + std::to_string(i) + std::string(i % 900, 'x');
            auto offset = (*wal)->append("t", as_bytes(text));
            ASSERT_TRUE(offset) << offset.error().to_string();
            ASSERT_EQ(offset->value, static_cast<std::uint64_t>(i));
        }
        ASSERT_TRUE((*wal)->close());
    }
    auto wal = Wal::open(options);
    ASSERT_TRUE(wal) << wal.error().to_string();
    for (int i = 0; i < 3000; ++i) {
        const std::string text = "record " + std::to_string(i) + std::string(i % 900, 'x');
        auto batch = (*wal)->read_next("t", {.consumer = "", .checkpoint = false});
        ASSERT_TRUE(batch) << batch.error().to_string();
        ASSERT_EQ(batch->size(), 1U);
        ASSERT_EQ(as_text((*batch)[0].data), text);
        ASSERT_TRUE((*wal)->seek("t", "", Offset{static_cast<std::uint64_t>(i + 1)}));
    }
    std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace walrus::wal

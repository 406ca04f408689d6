// The facade on the real disk: what users do, edges, and what they are told when they err.
// Crashes and faults: crash_test.cc, fault_test.cc.  Against a model: wal_model_test.cc.
#include "walrus/wal/wal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "walrus/wal/format.h"

namespace walrus::wal {
namespace {

namespace fs = std::filesystem;

class WalTest : public testing::TestWithParam<Backend> {
protected:
    WalTest() {
        std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
        std::replace(name.begin(), name.end(), '/', '_');
        options_.data_dir = "wal_test_data/" + name;
        fs::remove_all(options_.data_dir);
        options_.backend = GetParam();
        options_.durability = DurabilityClass::kProcess;
        options_.file_size = 256 << 10;
        options_.ring_size = 256 << 10;
        options_.limits.max_batch_bytes = options_.limits.max_record_bytes = 64 << 10;
        open();
    }
    ~WalTest() override {
        wal_.reset();
        fs::remove_all(options_.data_dir);
    }

    void open() {
        wal_.reset();
        Result<std::unique_ptr<Wal>> wal = Wal::open(options_);
        ASSERT_TRUE(wal) << wal.error().to_string();
        wal_ = std::move(*wal);
    }
    void close_and_open() {
        ASSERT_TRUE(wal_->close());
        open();
    }
    Errc open_error() {
        wal_.reset();
        const Result<std::unique_ptr<Wal>> wal = Wal::open(options_);
        EXPECT_FALSE(wal.has_value());
        return wal ? Errc::kIo : wal.error().code;
    }

    std::uint64_t append(std::string_view topic, std::string_view text) {
        const Result<Offset> offset = wal_->append(topic, as_bytes(text));
        EXPECT_TRUE(offset) << offset.error().to_string();
        return offset ? offset->value : ~std::uint64_t{0};
    }
    void append_many(std::string_view topic, int count, std::size_t size) {
        for (int i = 0; i < count; ++i) append(topic, numbered(i, size));
    }
    static std::string numbered(int i, std::size_t size) {
        std::string text = std::to_string(i) + ":";
        if (text.size() < size) text.append(size - text.size(), 'x');
        return text;
    }
    std::string next(std::string_view topic, ReadOptions options = {}) {
        const Result<RecordBatch> batch = wal_->read_next(topic, options);
        EXPECT_TRUE(batch) << batch.error().to_string();
        if (!batch || batch->empty()) return "(nothing)";
        return std::string(as_text(batch->front().data));
    }
    std::vector<std::string> texts(const Result<RecordBatch>& batch) {
        EXPECT_TRUE(batch) << batch.error().to_string();
        std::vector<std::string> out;
        if (batch)
            for (const Record& record : *batch) out.emplace_back(as_text(record.data));
        return out;
    }
    std::vector<std::string> everything(std::string_view topic) {
        std::vector<std::string> out;
        Offset at = wal_->topic(topic)->log_start_offset;
        for (;;) {
            const Result<RecordBatch> batch = wal_->read_at(topic, at, 50'000);
            for (const std::string& text : texts(batch)) out.push_back(text);
            if (!batch || batch->empty()) return out;
            EXPECT_LE(batch->front().offset, at);
            at = batch->end_offset();
        }
    }

    Options options_;
    std::unique_ptr<Wal> wal_;
};

INSTANTIATE_TEST_SUITE_P(Backends, WalTest,
                         testing::Values(Backend::kUring, Backend::kDirect, Backend::kBuffered,
                                         Backend::kMmap),
                         [](const auto& test) { return std::string(backend_name(test.param)); });

using Texts = std::vector<std::string>;

// --- appending and reading ---

TEST_P(WalTest, RecordsComeBackInOrderAcrossReopening) {
    EXPECT_EQ(append("t", "a"), 0U);
    EXPECT_EQ(append("t", "b"), 1U);
    EXPECT_EQ(next("t"), "a");
    close_and_open();
    EXPECT_EQ(append("t", "c"), 2U);
    EXPECT_EQ(next("t"), "b");
    EXPECT_EQ(next("t"), "c");
    EXPECT_EQ(next("t"), "(nothing)");
    EXPECT_EQ(wal_->stats().backend, backend_name(GetParam()));
}

TEST_P(WalTest, RecordsSurviveALogThatWasNeverClosed) {
    append_many("t", 1000, 700);  // Several files, and a tail that only the ring has.
    open();
    const std::vector<std::string> all = everything("t");
    ASSERT_EQ(all.size(), 1000U);
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(all[static_cast<std::size_t>(i)], numbered(i, 700));
    EXPECT_EQ(append("t", "more"), 1000U);
}

TEST_P(WalTest, ClassDiskIsDurableWhenAppendReturns) {
    options_.durability = DurabilityClass::kDisk;
    open();
    append("t", "a");
    EXPECT_EQ(wal_->topic("t")->durable_offset, Offset{1});
    EXPECT_GT(wal_->stats().syncs, 0U);
}

TEST_P(WalTest, SyncMakesEveryClassDurable) {
    for (const DurabilityClass durability :
         {DurabilityClass::kNone, DurabilityClass::kProcess, DurabilityClass::kOsInterval}) {
        options_.durability = durability;
        open();
        append("t", "a");
        ASSERT_TRUE(wal_->sync());
        const Result<TopicInfo> info = wal_->topic("t");
        EXPECT_EQ(info->durable_offset, info->log_end_offset);
    }
}

TEST_P(WalTest, ABatchIsAppendedWholeAndReadRecordByRecord) {
    const Bytes batch[] = {as_bytes("a"), as_bytes(""), as_bytes("c")};
    const Result<Offset> first = wal_->append_batch("t", batch);
    ASSERT_TRUE(first);
    EXPECT_EQ(*first, Offset{0});
    EXPECT_EQ(append("t", "d"), 3U);
    EXPECT_EQ(next("t"), "a");
    EXPECT_EQ(next("t"), "");
    close_and_open();
    EXPECT_EQ(next("t"), "c");
    EXPECT_EQ(next("t"), "d");
}

TEST_P(WalTest, AnEmptyBatchAppendsNothingAndMakesNoTopic) {
    const Result<Offset> end = wal_->append_batch("t", {});
    ASSERT_TRUE(end);
    EXPECT_EQ(*end, Offset{0});
    EXPECT_TRUE(wal_->topics().empty());
}

TEST_P(WalTest, AnOpaqueBatchStandsForManyOffsetsAndIsReadWhole) {
    append("t", "a");
    const std::string blob(30'000, 'b');
    ASSERT_EQ(wal_->append_opaque("t", {as_bytes(blob), 1000}).value(), Offset{1});
    EXPECT_EQ(append("t", "c"), 1001U);
    EXPECT_EQ(wal_->topic("t")->entry_count, 1002U);
    for (const bool reopened : {false, true}) {
        if (reopened) close_and_open();
        for (const std::uint64_t inside : {1, 2, 500, 1000}) {
            const Result<RecordBatch> got = wal_->read_at("t", Offset{inside}, 1);
            ASSERT_TRUE(got) << got.error().to_string();
            ASSERT_EQ(got->size(), 1U);
            EXPECT_EQ(got->front().offset, Offset{1});
            EXPECT_EQ(got->front().count, 1000U);
            EXPECT_EQ(got->end_offset(), Offset{1001});
            EXPECT_EQ(as_text(got->front().data), blob);
        }
        EXPECT_EQ(texts(wal_->read_at("t", Offset{0}, 100'000)), (Texts{"a", blob, "c"}));
    }
}

TEST_P(WalTest, ACursorPassesAnOpaqueBatchAsAWhole) {
    ASSERT_TRUE(wal_->append_opaque("t", {as_bytes("blob"), 10}));
    append("t", "next");
    EXPECT_EQ(next("t"), "blob");
    EXPECT_EQ(wal_->position("t").value(), Offset{10});
    ASSERT_TRUE(wal_->commit("t", "", Offset{4}));
    EXPECT_EQ(next("t"), "blob");
    EXPECT_EQ(next("t"), "next");
    EXPECT_EQ(wal_->topic("t")->unread_count, 0U);
}

TEST_P(WalTest, AHeadCutInsideAnOpaqueBatchKeepsTheBatch) {
    ASSERT_TRUE(wal_->append_opaque("t", {as_bytes("blob"), 10}));
    ASSERT_TRUE(wal_->truncate_head("t", Offset{7}));
    close_and_open();
    EXPECT_EQ(wal_->topic("t")->log_start_offset, Offset{7});
    EXPECT_EQ(wal_->topic("t")->entry_count, 3U);
    EXPECT_EQ(everything("t"), Texts{"blob"});
    EXPECT_EQ(wal_->read_at("t", Offset{6}, 1).error().code, Errc::kOutOfRange);
}

TEST_P(WalTest, WhatWasJustWrittenIsReadWithoutTheDiskAndWhatLiesBackIsNot) {
    append("t", "first");
    EXPECT_EQ(texts(wal_->read_recent("t", Offset{0}, 100)), Texts{"first"});
    EXPECT_TRUE(texts(wal_->read_recent("t", Offset{1}, 100)).empty());
    append_many("t", 700, 1000);  // Several rings full.
    EXPECT_EQ(wal_->read_recent("t", Offset{0}, 100).error().code, Errc::kBusy);
    EXPECT_EQ(texts(wal_->read_at("t", Offset{0}, 1)), Texts{"first"});
    EXPECT_EQ(texts(wal_->read_recent("t", Offset{700}, 100)), Texts{numbered(699, 1000)});
    EXPECT_EQ(wal_->read_recent("t", Offset{702}, 100).error().code, Errc::kOutOfRange);
}

TEST_P(WalTest, RecordsOfEverySizeUpToTheLimitComeBack) {
    Texts expected;
    for (const std::size_t size : {0U, 1U, 7U, 8U, 55U, 56U, 4096U, 40'000U, 65'536U})
        expected.push_back(numbered(static_cast<int>(size), size).substr(0, size));
    for (const std::string& text : expected) append("t", text);
    EXPECT_EQ(everything("t"), expected);
    close_and_open();
    EXPECT_EQ(everything("t"), expected);
}

TEST_P(WalTest, TopicsDoNotMix) {
    for (int i = 0; i < 300; ++i) append("topic " + std::to_string(i % 7), numbered(i, 900));
    close_and_open();
    for (int t = 0; t < 7; ++t) {
        Texts expected;
        for (int i = t; i < 300; i += 7) expected.push_back(numbered(i, 900));
        EXPECT_EQ(everything("topic " + std::to_string(t)), expected);
    }
}

TEST_P(WalTest, ATopicAmongManyIsReadWithoutReadingTheOthers) {
    for (int i = 0; i < 4000; ++i) append("topic " + std::to_string(i % 400), numbered(i, 900));
    close_and_open();
    for (const int t : {0, 7, 399}) {
        Texts expected;
        for (int i = t; i < 4000; i += 400) expected.push_back(numbered(i, 900));
        EXPECT_EQ(everything("topic " + std::to_string(t)), expected);
    }
}

TEST_P(WalTest, ManyShardsHoldTheirTopics) {
    options_.data_dir += "_shards";
    fs::remove_all(options_.data_dir);
    options_.shards = 4;
    open();
    for (int i = 0; i < 100; ++i) append("t" + std::to_string(i % 20), numbered(i, 100));
    options_.shards = 0;  // As stored.
    close_and_open();
    EXPECT_EQ(wal_->topics().size(), 20U);
    EXPECT_EQ(everything("t3"), (Texts{numbered(3, 100), numbered(23, 100), numbered(43, 100),
                                       numbered(63, 100), numbered(83, 100)}));
}

TEST_P(WalTest, AsynchronousAppendsAreAcknowledgedInOrder) {
    options_.durability = DurabilityClass::kDisk;
    open();
    std::vector<std::uint64_t> acknowledged;
    AckCallback callback;
    callback.context = &acknowledged;
    callback.function = [](void* context, Offset first, const Status& status) {
        EXPECT_TRUE(status.has_value());
        static_cast<std::vector<std::uint64_t>*>(context)->push_back(first.value);
    };
    Ticket last;
    for (int i = 0; i < 500; ++i) {
        const std::string text = numbered(i, 300);
        const Bytes record = as_bytes(text);
        const Result<Ticket> ticket = wal_->append_async("t", {&record, 1}, callback);
        ASSERT_TRUE(ticket) << ticket.error().to_string();
        last = *ticket;
    }
    ASSERT_TRUE(wal_->wait(last));
    ASSERT_EQ(acknowledged.size(), 500U);
    for (std::uint64_t i = 0; i < 500; ++i) EXPECT_EQ(acknowledged[i], i);
    EXPECT_EQ(wal_->topic("t")->durable_offset, Offset{500});
}

TEST_P(WalTest, OutstandingBytesAreBounded) {
    options_.durability = DurabilityClass::kDisk;
    options_.limits.max_outstanding_bytes = 10'000;
    open();
    const std::string text(3000, 'x');
    const Bytes record = as_bytes(text);
    Ticket last;
    for (int i = 0; i < 100; ++i) {
        const Result<Ticket> ticket = wal_->append_async("t", {&record, 1});
        ASSERT_TRUE(ticket);
        last = *ticket;
        const Result<TopicInfo> info = wal_->topic("t");
        EXPECT_LE(info->log_end_offset - info->durable_offset, 4U);
    }
    ASSERT_TRUE(wal_->wait(last));
}

TEST_P(WalTest, ReadBatchKeepsToItsBudgetButAlwaysReturnsOne) {
    append_many("t", 10, 100);
    EXPECT_EQ(wal_->read_batch("t", 1)->size(), 1U);
    EXPECT_EQ(wal_->read_batch("t", 250)->size(), 2U);
    EXPECT_EQ(wal_->read_batch("t", 300)->size(), 3U);
    EXPECT_EQ(wal_->read_batch("t", 1 << 20)->size(), 4U);
    EXPECT_TRUE(wal_->read_batch("t", 1 << 20)->empty());
}

TEST_P(WalTest, AReaderCanWaitForNewRecords) {
    append("t", "a");
    EXPECT_TRUE(*wal_->wait_for("t", Offset{0}, 0));
    EXPECT_FALSE(*wal_->wait_for("t", Offset{1}, 1));
    std::thread writer([&] { append("t", "b"); });
    EXPECT_TRUE(*wal_->wait_for("t", Offset{1}, 60'000));
    writer.join();
}

// --- cursors ---

TEST_P(WalTest, APeekMovesNothing) {
    append("t", "a");
    EXPECT_EQ(next("t", {.checkpoint = false}), "a");
    EXPECT_EQ(next("t", {.checkpoint = false}), "a");
    EXPECT_TRUE(wal_->cursors("t")->empty());
    EXPECT_EQ(next("t"), "a");
    EXPECT_EQ(next("t", {.checkpoint = false}), "(nothing)");
}

TEST_P(WalTest, ConsumersHaveCursorsOfTheirOwn) {
    append("t", "a");
    append("t", "b");
    EXPECT_EQ(next("t", {.consumer = "one"}), "a");
    EXPECT_EQ(next("t", {.consumer = "one"}), "b");
    EXPECT_EQ(next("t", {.consumer = "two"}), "a");
    close_and_open();
    EXPECT_EQ(next("t", {.consumer = "two"}), "b");
    EXPECT_EQ(*wal_->cursors("t"),
              (std::map<std::string, Offset>{{"one", Offset{2}}, {"two", Offset{2}}}));
    ASSERT_TRUE(wal_->delete_cursor("t", "one"));
    close_and_open();
    EXPECT_EQ(wal_->cursors("t")->size(), 1U);
    EXPECT_EQ(next("t", {.consumer = "one"}), "a");
}

TEST_P(WalTest, CommitMovesACursorForGoodAndSeekOnlyForNow) {
    append_many("t", 5, 10);
    ASSERT_TRUE(wal_->commit("t", "", Offset{3}));
    EXPECT_EQ(*wal_->position("t"), Offset{3});
    ASSERT_TRUE(wal_->seek("t", "", Offset{1}));
    EXPECT_EQ(next("t", {.checkpoint = false}), numbered(1, 10));
    close_and_open();
    EXPECT_EQ(*wal_->position("t"), Offset{3});
}

TEST_P(WalTest, AtLeastOncePersistsEveryNRecords) {
    options_.consistency = ReadConsistency::at_least_once(3);
    open();
    append_many("t", 10, 10);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(next("t"), numbered(i, 10));
    open();
    EXPECT_EQ(next("t"), numbered(3, 10));  // 3 were persisted, 2 come again.
}

TEST_P(WalTest, APollThatFindsNothingWritesNothing) {
    append("t", "a");
    EXPECT_EQ(next("t"), "a");
    const std::uint64_t end = wal_->stats().written_bytes;
    for (int i = 0; i < 10; ++i) EXPECT_EQ(next("t"), "(nothing)");
    EXPECT_EQ(next("absent"), "(nothing)");
    ASSERT_TRUE(wal_->sync());
    const std::uint64_t synced = wal_->stats().written_bytes;
    for (int i = 0; i < 10; ++i) EXPECT_EQ(next("t"), "(nothing)");
    ASSERT_TRUE(wal_->sync());
    EXPECT_EQ(wal_->stats().written_bytes, synced);
    EXPECT_GE(synced, end);
    EXPECT_EQ(wal_->topics().size(), 1U);
}

// --- topics ---

TEST_P(WalTest, CountsSizesAndMarksFollowTheTopic) {
    append_many("t", 10, 100);
    TopicInfo info = *wal_->topic("t");
    EXPECT_EQ(info.entry_count, 10U);
    EXPECT_EQ(info.unread_count, 10U);
    EXPECT_GE(info.size_bytes, 1000U);
    EXPECT_FALSE(info.clean);
    next("t");
    ASSERT_TRUE(wal_->mark_clean("t"));
    close_and_open();
    info = *wal_->topic("t");
    EXPECT_EQ(info.entry_count, 10U);
    EXPECT_EQ(info.unread_count, 9U);
    EXPECT_TRUE(info.clean);
    append("t", "x");
    EXPECT_FALSE(wal_->topic("t")->clean);
    ASSERT_TRUE(wal_->mark_clean("t"));
    ASSERT_TRUE(wal_->mark_dirty("t"));
    close_and_open();
    EXPECT_FALSE(wal_->topic("t")->clean);
}

TEST_P(WalTest, ACreatedTopicIsEmptyAndADeletedOneBeginsAnew) {
    ASSERT_TRUE(wal_->create_topic("t"));
    ASSERT_TRUE(wal_->create_topic("t"));
    EXPECT_TRUE(wal_->topic("t")->clean);
    append("t", "a");
    ASSERT_TRUE(wal_->delete_topic("t"));
    EXPECT_EQ(wal_->topic("t").error().code, Errc::kNotFound);
    close_and_open();
    EXPECT_TRUE(wal_->topics().empty());
    EXPECT_EQ(append("t", "b"), 0U);
    EXPECT_EQ(everything("t"), Texts{"b"});
}

TEST_P(WalTest, TruncationGivesUpTheHeadForGood) {
    append_many("t", 10, 100);
    ASSERT_TRUE(wal_->truncate_head("t", Offset{4}));
    EXPECT_EQ(wal_->read_at("t", Offset{3}, 1).error().code, Errc::kOutOfRange);
    EXPECT_EQ(next("t"), numbered(4, 100));
    close_and_open();
    EXPECT_EQ(wal_->topic("t")->log_start_offset, Offset{4});
    EXPECT_EQ(wal_->topic("t")->entry_count, 6U);
}

// --- retention ---

TEST_P(WalTest, RetentionByRecordsRecyclesWholeFiles) {
    options_.retention.max_records = 100;
    options_.retention_interval_ms = 1'000'000;
    open();
    append_many("t", 3000, 800);
    ASSERT_TRUE(wal_->sync());
    std::uint64_t recycled = 0;
    // The indexes of left files are stored in the background; a file goes when its index is there.
    while (recycled < 5) {
        const Result<std::uint64_t> files = wal_->run_retention();
        ASSERT_TRUE(files) << files.error().to_string();
        recycled += *files;
        std::this_thread::yield();
    }
    const TopicInfo info = *wal_->topic("t");
    EXPECT_GE(info.entry_count, 100U);
    EXPECT_LT(info.size_bytes, 1'000'000U);
    EXPECT_EQ(wal_->read_at("t", Offset{0}, 1).error().code, Errc::kOutOfRange);
    EXPECT_EQ(texts(wal_->read_at("t", info.log_start_offset, 1)).front(),
              numbered(static_cast<int>(info.log_start_offset.value), 800));
    close_and_open();
    EXPECT_EQ(wal_->topic("t")->log_start_offset, info.log_start_offset);
    EXPECT_EQ(everything("t").size(), info.entry_count);
}

TEST_P(WalTest, ReadersWhoseFileWasRecycledGoOnWhereTheTopicDoes) {
    options_.retention_interval_ms = 1'000'000;
    open();
    append_many("t", 10, 100);
    // Each leaves a reader that stands at record 10.
    for (int i = 0; i < 3; ++i)
        ASSERT_EQ(texts(wal_->read_at("t", Offset{0}, 1 << 20)).size(), 10U);
    append_many("filler", 3000, 800);
    ASSERT_TRUE(wal_->sync());
    ASSERT_TRUE(wal_->truncate_head("t", Offset{10}));
    ASSERT_TRUE(wal_->truncate_head("filler", Offset{3000}));
    std::uint64_t recycled = 0;
    while (recycled < 3) {
        const Result<std::uint64_t> files = wal_->run_retention();
        ASSERT_TRUE(files) << files.error().to_string();
        recycled += *files;
        std::this_thread::yield();
    }
    append_many("t", 10, 100);
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(texts(wal_->read_at("t", Offset{10}, 1 << 20)).size(), 10U);
}

TEST_P(WalTest, TheSlowestCursorHoldsWhatItHasNotRead) {
    ASSERT_TRUE(wal_->create_topic("t"));
    Retention policy;
    policy.reclaim_read = true;
    ASSERT_TRUE(wal_->set_retention("t", policy));
    append_many("t", 2000, 800);
    ASSERT_TRUE(wal_->commit("t", "fast", Offset{2000}));
    ASSERT_TRUE(wal_->commit("t", "slow", Offset{1000}));
    ASSERT_TRUE(wal_->sync());
    while (wal_->topic("t")->log_start_offset < Offset{1000}) {
        ASSERT_TRUE(wal_->run_retention());
        std::this_thread::yield();
    }
    EXPECT_EQ(wal_->topic("t")->log_start_offset, Offset{1000});
    EXPECT_EQ(next("t", {.consumer = "slow"}), numbered(1000, 800));
}

// --- what users are told when they err ---

TEST_P(WalTest, ImpossibleTopicNamesAreRefused) {
    const std::string long_name(256, 'n');
    for (const std::string_view name :
         {std::string_view(""), std::string_view(long_name), std::string_view("a/b"),
          std::string_view("a\nb"), std::string_view("a\0b", 3)}) {
        EXPECT_EQ(wal_->append(name, as_bytes("x")).error().code, Errc::kInvalidArgument);
        EXPECT_EQ(wal_->create_topic(name).error().code, Errc::kInvalidArgument);
        EXPECT_EQ(wal_->read_next(name).error().code, Errc::kInvalidArgument);
    }
    EXPECT_TRUE(wal_->topics().empty());
}

TEST_P(WalTest, RecordsAndBatchesOverTheLimitAreRefused) {
    const std::string big(65'537, 'x');
    EXPECT_EQ(wal_->append("t", as_bytes(big)).error().code, Errc::kTooLarge);
    const std::vector<Bytes> many(2001, as_bytes("x"));
    EXPECT_EQ(wal_->append_batch("t", many).error().code, Errc::kTooLarge);
    const std::string half(40'000, 'x');
    const std::vector<Bytes> heavy(2, as_bytes(half));
    EXPECT_EQ(wal_->append_batch("t", heavy).error().code, Errc::kTooLarge);
    EXPECT_TRUE(wal_->topics().empty());
}

TEST_P(WalTest, OpaqueBatchesThatCannotBeAreRefused) {
    EXPECT_EQ(wal_->append_opaque("t", {as_bytes("x"), 0}).error().code, Errc::kInvalidArgument);
    EXPECT_EQ(wal_->append_opaque("t", {as_bytes("x"), 0x8000'0000}).error().code,
              Errc::kInvalidArgument);
    const std::string large((64 << 10) + 1, 'x');
    EXPECT_EQ(wal_->append_opaque("t", {as_bytes(large), 1}).error().code, Errc::kTooLarge);
    EXPECT_EQ(wal_->topic("t").error().code, Errc::kNotFound);
    EXPECT_TRUE(wal_->append_opaque("t", {as_bytes(large).first(64 << 10), 0x7FFF'FFFF}));
}

TEST_P(WalTest, ATopicHoldsABoundedNumberOfCursors) {
    options_.limits.max_consumers_per_topic = 2;
    open();
    append_many("t", 3, 10);
    append("u", "of u");
    EXPECT_EQ(next("t", {.consumer = "one"}), numbered(0, 10));
    ASSERT_TRUE(wal_->seek("t", "two", Offset{1}));

    const ReadOptions third{.consumer = "three"};
    EXPECT_EQ(wal_->read_next("t", third).error().code, Errc::kResourceExhausted);
    EXPECT_EQ(wal_->read_batch("t", 100, third).error().code, Errc::kResourceExhausted);
    EXPECT_EQ(wal_->commit("t", "three", Offset{1}).error().code, Errc::kResourceExhausted);
    EXPECT_EQ(wal_->seek("t", "three", Offset{1}).error().code, Errc::kResourceExhausted);
    EXPECT_EQ(wal_->read_next("t").error().code, Errc::kResourceExhausted);  // The shared one.
    EXPECT_EQ(wal_->cursors("t")->size(), 2U);

    // A peek needs no cursor, the others go on, and each topic has a bound of its own.
    EXPECT_EQ(next("t", {.consumer = "three", .checkpoint = false}), numbered(0, 10));
    EXPECT_EQ(next("t", {.consumer = "one"}), numbered(1, 10));
    EXPECT_EQ(next("t", {.consumer = "two"}), numbered(1, 10));
    EXPECT_EQ(next("u", third), "of u");

    // The bound holds for what was stored, and a deleted cursor makes room.
    close_and_open();
    EXPECT_EQ(wal_->read_next("t", third).error().code, Errc::kResourceExhausted);
    ASSERT_TRUE(wal_->delete_cursor("t", "one"));
    EXPECT_EQ(next("t", third), numbered(0, 10));
}

// Every cursor is part of what each file begins with, so their names may not fill the files.
TEST_P(WalTest, TheCursorsOfAllTopicsTogetherAreBoundedByTheRing) {
    options_.limits.max_consumers_per_topic = 65'535;
    open();
    append("t", "a");
    append("u", "a");
    const auto consumer = [](int i) { return numbered(i, 250); };
    int held = 0;
    Status status;
    while ((status = wal_->commit("t", consumer(held), Offset{1}))) ++held;
    EXPECT_EQ(status.error().code, Errc::kResourceExhausted);
    EXPECT_NE(status.error().message.find("raise ring_size or file_size"), std::string::npos)
        << status.error().message;
    // A quarter of the ring, in names and what is around them.
    EXPECT_GT(held, 100);
    EXPECT_LT(held, static_cast<int>(options_.ring_size / 4 / 250));
    EXPECT_EQ(wal_->commit("u", "x" + consumer(0), Offset{1}).error().code,
              Errc::kResourceExhausted);

    // Nothing else is hindered, and nothing is forgotten.
    append_many("t", 5000, 100);  // Several files, each with all cursors at its head.
    close_and_open();
    EXPECT_EQ(wal_->cursors("t")->size(), static_cast<std::size_t>(held));
    EXPECT_EQ(*wal_->position("t", consumer(held - 1)), Offset{1});
    ASSERT_TRUE(wal_->delete_cursor("t", consumer(0)));
    EXPECT_TRUE(wal_->commit("t", consumer(held), Offset{1}));
}

TEST_P(WalTest, ReadingOutsideOfTheLogIsOutOfRange) {
    append("t", "a");
    EXPECT_TRUE(wal_->read_at("t", Offset{1}, 1)->empty());
    EXPECT_EQ(wal_->read_at("t", Offset{2}, 1).error().code, Errc::kOutOfRange);
    EXPECT_EQ(wal_->read_at("absent", Offset{0}, 1).error().code, Errc::kNotFound);
    EXPECT_EQ(wal_->commit("t", "", Offset{2}).error().code, Errc::kOutOfRange);
    EXPECT_EQ(wal_->seek("t", "", Offset{2}).error().code, Errc::kOutOfRange);
    EXPECT_EQ(wal_->truncate_head("t", Offset{2}).error().code, Errc::kOutOfRange);
}

TEST_P(WalTest, ASecondOpenerIsToldThatTheLogIsInUse) {
    append("t", "a");
    const Result<std::unique_ptr<Wal>> second = Wal::open(options_);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, Errc::kBusy);
    EXPECT_EQ(append("t", "b"), 1U);
}

TEST_P(WalTest, AForeignFormatVersionIsLeftAlone) {
    ASSERT_TRUE(wal_->close());
    const std::string path = options_.data_dir + "/FORMAT";
    std::ofstream(path) << "walrus-wal 99\nshards 1\nfile_size 4096\n";
    EXPECT_EQ(open_error(), Errc::kUnsupported);
    std::ofstream(path) << "something else";
    EXPECT_EQ(open_error(), Errc::kCorruption);
}

TEST_P(WalTest, AnotherNumberOfShardsIsRefused) {
    ASSERT_TRUE(wal_->close());
    options_.shards = 2;
    EXPECT_EQ(open_error(), Errc::kInvalidArgument);
    EXPECT_FALSE(fs::exists(options_.data_dir + "/shard-001"));
}

TEST_P(WalTest, ARingTooSmallForTheStoredTopicsIsRefusedAndNothingIsLost) {
    const std::uint64_t wide = options_.ring_size;
    for (int i = 0; i < 300; ++i)
        append("a topic with quite a long name, number " + std::to_string(i), "x");
    ASSERT_TRUE(wal_->close());
    options_.ring_size = 64 << 10;
    options_.limits.max_batch_bytes = options_.limits.max_record_bytes = 16 << 10;
    wal_.reset();
    const Result<std::unique_ptr<Wal>> refused = Wal::open(options_);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::kInvalidArgument);
    EXPECT_NE(refused.error().message.find("ring_size of at least"), std::string::npos);
    options_.ring_size = wide;
    open();
    EXPECT_EQ(wal_->topics().size(), 300U);
    EXPECT_EQ(append("a topic with quite a long name, number 7", "y"), 1U);
}

TEST_P(WalTest, ImpossibleOptionsCreateNothing) {
    const std::string absent = options_.data_dir + "_absent";
    options_.data_dir = absent;
    options_.ring_size = 1000;
    EXPECT_EQ(open_error(), Errc::kInvalidArgument);
    EXPECT_FALSE(fs::exists(absent));
}

TEST_P(WalTest, AnUnwritableDirectoryIsAnError) {
    options_.data_dir = "/proc/walrus";
    wal_.reset();
    const Result<std::unique_ptr<Wal>> wal = Wal::open(options_);
    ASSERT_FALSE(wal.has_value());
    EXPECT_NE(wal.error().message.find("/proc/walrus"), std::string::npos);
}

TEST_P(WalTest, AKeyCannotLeaveTheDataDirectory) {
    const std::string outer = options_.data_dir;
    for (const std::string key : {"../escape", "..", "/etc", "a/../../b"}) {
        options_.key = key;
        open();
        append("t", "x");
        wal_.reset();
    }
    EXPECT_FALSE(fs::exists(outer + "/../escape"));
    for (const auto& entry : fs::directory_iterator(outer)) {
        const std::string name = entry.path().filename();
        EXPECT_TRUE(name == "LOCK" || name == "FORMAT" || entry.is_directory()) << name;
    }
}

TEST_P(WalTest, AClosedLogRefusesEverything) {
    ASSERT_TRUE(wal_->close());
    EXPECT_EQ(wal_->append("t", as_bytes("x")).error().code, Errc::kClosed);
    EXPECT_EQ(wal_->read_next("t").error().code, Errc::kClosed);
    EXPECT_EQ(wal_->sync().error().code, Errc::kClosed);
    EXPECT_EQ(wal_->close().error().code, Errc::kClosed);
}

}  // namespace
}  // namespace walrus::wal

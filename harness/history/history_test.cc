#include "harness/history/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/scratch_directory.h"
#include "harness/history/history_writer.h"

namespace walrus::harness {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr HistoryHeader kHeader = {.run_id = 7,
                                   .scenario = {},
                                   .system = {},
                                   .version = {},
                                   .topics = 2,
                                   .writers = 2,
                                   .consumers = 1,
                                   .begin_ns = 10,
                                   .wall_ms = 99};

class HistoryTest : public ::testing::Test {
protected:
    void SetUp() override {
        auto writer = HistoryWriter::create(path(), kHeader);
        ASSERT_TRUE(writer) << writer.error().message;
        writer_ = std::move(*writer);
    }
    std::string path() const { return directory_.path() + "/history.jsonl"; }
    History read() const {
        auto history = read_history(path());
        EXPECT_TRUE(history) << history.error().message;
        return history ? std::move(*history) : History{};
    }
    std::string problem_of(const std::string& line) const {
        const std::string text = read_whole_file(path()).value_or("") + line + "\n";
        const auto history = parse_history(text, "h");
        return history ? "none" : history.error().message;
    }

    ScratchDirectory directory_;
    std::unique_ptr<HistoryWriter> writer_;
};

TEST_F(HistoryTest, EverythingSurvivesTheWayThroughTheFile) {
    writer_->phase("steady", 11);
    writer_->append_sent(
        {.writer = 1, .sequence = 4, .records = 2, .topic = 1, .due_ns = 12, .sent_ns = 13});
    writer_->append_done({.writer = 1,
                          .sequence = 4,
                          .done_ns = 20,
                          .outcome = Outcome::kAcknowledged,
                          .offset = 8});
    writer_->append_sent({.writer = 0, .sequence = 0, .due_ns = 14, .sent_ns = 14});
    writer_->append_done({.writer = 0,
                          .sequence = 0,
                          .done_ns = 21,
                          .outcome = Outcome::kFailed,
                          .why = "said \"no\"\n\xff"});
    writer_->fault({.id = 0, .kind = "kill", .node = "n1", .state = "begun", .what = ""}, 30);
    writer_->fault({.id = 0, .kind = "kill", .node = "n1", .state = "witnessed", .what = "dead"},
                   31);
    writer_->poll({.consumer = 0,
                   .topic = 1,
                   .begin_ns = 40,
                   .end_ns = 41,
                   .runs = {{8, 1, 4, 2}},
                   .damaged = {10},
                   .foreign = {11, 12}});
    writer_->poll({.topic = 1,
                   .begin_ns = 50,
                   .end_ns = 51,
                   .error = "gone",
                   .final_read = true,
                   .reached_end = true,
                   .node = "n1"});
    writer_->crash("n1 ended");
    writer_->note("disk slow");
    writer_->end(60);
    ASSERT_TRUE(writer_->status());

    const History history = read();
    EXPECT_TRUE(history.complete);
    EXPECT_EQ(history.end_ns, 60u);
    EXPECT_EQ(history.header.run_id, 7u);
    ASSERT_EQ(history.appends.size(), 2u);
    EXPECT_EQ(history.appends[0].records, 2u);
    EXPECT_EQ(history.appends[0].done_ns, 20u);
    EXPECT_EQ(history.appends[0].offset, 8u);
    EXPECT_EQ(history.appends[1].outcome, Outcome::kFailed);
    EXPECT_THAT(history.appends[1].why, HasSubstr("said \"no\"\n"));
    ASSERT_EQ(history.polls.size(), 2u);
    EXPECT_THAT(history.polls[0].runs, ElementsAre(RecordRun{8, 1, 4, 2}));
    EXPECT_THAT(history.polls[0].foreign, ElementsAre(11u, 12u));
    EXPECT_TRUE(history.polls[1].final_read && history.polls[1].reached_end);
    EXPECT_EQ(history.polls[1].error, "gone");
    ASSERT_EQ(history.faults.size(), 1u);
    EXPECT_EQ(history.faults[0].witnessed_ns, 31u);
    EXPECT_EQ(history.faults[0].healed_ns, 0u);
    EXPECT_THAT(history.faults[0].what, ElementsAre("dead"));
    EXPECT_THAT(history.crashes, ElementsAre("n1 ended"));
    EXPECT_THAT(history.notes, ElementsAre("disk slow"));
}

TEST_F(HistoryTest, AnAppendIsInTheFileBeforeItIsSentAndItsOutcomeSoonAfter) {
    writer_->append_sent({.writer = 0, .sequence = 0, .sent_ns = 11});
    ASSERT_EQ(read().appends.size(), 1u);  // As if the harness were killed here.
    EXPECT_EQ(read().appends[0].outcome, Outcome::kUnknown);
    writer_->append_done(
        {.writer = 0, .sequence = 0, .done_ns = 12, .outcome = Outcome::kAcknowledged});
    writer_->append_sent({.writer = 0, .sequence = 1, .sent_ns = 13});
    EXPECT_EQ(read().appends[0].outcome, Outcome::kAcknowledged);
    EXPECT_FALSE(read().complete);
}

TEST_F(HistoryTest, ALineThatIsCutOffIsLeftOut) {
    writer_->append_sent({.writer = 0, .sequence = 0, .sent_ns = 11});
    const std::string text = read_whole_file(path()).value_or("");
    const auto history = parse_history(text + R"({"op":"ok","w":0,"s":0,"a)", "h");
    ASSERT_TRUE(history) << history.error().message;
    EXPECT_EQ(history->appends.at(0).outcome, Outcome::kUnknown);
}

TEST_F(HistoryTest, WhatIsNoHistoryIsRefusedWithItsLine) {
    EXPECT_THAT(problem_of("rubbish"), HasSubstr("h:2: is no line of a history"));
    EXPECT_THAT(problem_of(R"({"op":"dance"})"), HasSubstr("unknown op \"dance\""));
    EXPECT_THAT(problem_of(R"({"op":"ok","w":0,"s":5,"at":1})"), HasSubstr("never sent"));
    EXPECT_THAT(problem_of(R"({"op":"append","w":9,"s":0,"n":1,"t":0,"due":1,"at":1})"),
                HasSubstr("does not take part"));
    EXPECT_THAT(parse_history("", "h").error().message, HasSubstr("is empty"));
    EXPECT_THAT(parse_history("{\"op\":\"end\",\"at\":1}\n", "h").error().message,
                HasSubstr("does not begin with a header"));
    EXPECT_EQ(read_history("/nowhere/h").error().code, Errc::kNotFound);
}

TEST_F(HistoryTest, AFileOfAnotherRunIsNeverOverwritten) {
    EXPECT_FALSE(HistoryWriter::create(path(), kHeader));
}

}  // namespace
}  // namespace walrus::harness

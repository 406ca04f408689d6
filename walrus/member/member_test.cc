#include "walrus/member/member.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "walrus/member/test_members.h"
#include "walrus/testing/seed.h"

namespace walrus::member {
namespace {

class MemberTest : public ::testing::Test {
protected:
    void start_single() {
        ASSERT_TRUE(members_.bootstrap(1));
        const Status started = members_.start(1);
        ASSERT_TRUE(started) << started.error().to_string();
        ASSERT_TRUE(members_.wait_for_live(1));
    }

    TestMembers members_{testing::test_seed()};
};

TEST_F(MemberTest, ALoneMemberStoresAndReadsBack) {
    start_single();
    const cluster::TopicId topic = members_.create_topic(1, "t", single_config());
    EXPECT_EQ(members_.append(topic, "one"), Offset{0});
    EXPECT_EQ(members_.append(topic, "two"), Offset{1});
    EXPECT_EQ(members_.read_all(1, topic), (std::vector<std::string>{"one", "two"}));
    EXPECT_EQ(members_[1].readable_end(topic), Offset{2});
    EXPECT_TRUE(members_.node(1).watcher->topics.contains(topic));
    EXPECT_GT((members_.node(1).watcher->readable_of[{topic, 1}]), 0);
    EXPECT_EQ(members_[1].controller(), 1U);
}

TEST_F(MemberTest, ARestartKeepsEverything) {
    start_single();
    const cluster::TopicId topic = members_.create_topic(1, "t", single_config());
    std::vector<std::string> written;
    for (int life = 0; life < 3; ++life) {
        for (int i = 0; i < 20; ++i) {
            written.push_back("record " + std::to_string(written.size()));
            ASSERT_EQ(members_.append(topic, written.back()), Offset{written.size() - 1});
        }
        if (life == 1) {
            members_.cut_power(1);
        } else {
            ASSERT_TRUE(members_.stop(1));
        }
        const Status started = members_.start(1);
        ASSERT_TRUE(started) << started.error().to_string();
        ASSERT_TRUE(members_.wait_for_live(1));
    }
    ASSERT_TRUE(members_.append(topic, "last"));
    written.emplace_back("last");
    EXPECT_EQ(members_.read_all(1, topic), written);
}

TEST_F(MemberTest, AReadBeginsInsideABatch) {
    start_single();
    const cluster::TopicId topic = members_.create_topic(1, "t", single_config());
    std::optional<cluster::AppendDone> done;
    members_[1].append(topic, {.records = 10, .data = cluster::Payload("ten")},
                       [&](const cluster::AppendDone& answer) { done = answer; });
    ASSERT_TRUE(members_.run_until([&] { return done.has_value(); }));
    const auto batches = members_.read(1, topic, Offset{7});
    ASSERT_TRUE(batches) << batches.error().to_string();
    ASSERT_EQ(batches->size(), 1U);
    EXPECT_EQ(batches->front().offset, Offset{0});
    EXPECT_EQ(batches->front().records, 10U);
    EXPECT_EQ(members_.read(1, topic, Offset{10}).error().code, Errc::kOutOfRange);
}

TEST_F(MemberTest, ThreeMembersAcknowledgeByQuorum) {
    ASSERT_TRUE(members_.make_cluster({1, 2, 3}));
    const cluster::TopicId topic = members_.create_topic(2, "t", triple_config());
    ASSERT_TRUE(members_.append(topic, "one"));
    ASSERT_TRUE(members_.append(topic, "two"));
    for (const cluster::NodeId id : {1, 2, 3}) {
        ASSERT_TRUE(
            members_.run_until([&] { return members_[id].readable_end(topic) == Offset{2}; }));
        EXPECT_EQ(members_.read_all(id, topic), (std::vector<std::string>{"one", "two"}));
    }
    EXPECT_TRUE(members_.states_agree());
}

TEST_F(MemberTest, NothingIsAcknowledgedWithoutAQuorum) {
    ASSERT_TRUE(members_.make_cluster({1, 2, 3}));
    const cluster::TopicId topic = members_.create_topic(1, "t", triple_config());
    ASSERT_TRUE(members_.append(topic, "one"));
    const cluster::NodeId leader = members_.leader_of(topic)->identity().node;
    members_.network().isolate(leader);
    bool acknowledged = false;
    members_[leader].append(topic, {.records = 1, .data = cluster::Payload("lost?")},
                            [&](const cluster::AppendDone& done) {
                                acknowledged = done.outcome == cluster::AppendOutcome::kCommitted;
                            });
    members_.run_for(10'000);
    EXPECT_FALSE(acknowledged);
}

TEST_F(MemberTest, ATopicIsWritableAgainAfterItsLeaderDied) {
    ASSERT_TRUE(members_.make_cluster({1, 2, 3}));
    const cluster::TopicId topic = members_.create_topic(1, "t", triple_config());
    std::vector<std::string> written;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 5; ++i) {
            written.push_back("record " + std::to_string(written.size()));
            ASSERT_TRUE(members_.append(topic, written.back()));
        }
        ClusterMember* leader = members_.leader_of(topic);
        ASSERT_NE(leader, nullptr);
        const cluster::NodeId killed = leader->identity().node;
        members_.kill(killed);
        written.push_back("after kill " + std::to_string(round));
        ASSERT_TRUE(members_.append(topic, written.back())) << "round " << round;
        const std::vector<std::string> found = members_.read_anywhere(topic);
        // Appends are not idempotent here, but none was repeated: each was acknowledged at once.
        EXPECT_EQ(found, written);
        const Status started = members_.start(killed);
        ASSERT_TRUE(started) << started.error().to_string();
        ASSERT_TRUE(members_.wait_for_live(3));
    }
    EXPECT_TRUE(members_.states_agree());
}

TEST_F(MemberTest, RestartsOfEverybodyKeepTheMetadata) {
    ASSERT_TRUE(members_.make_cluster({1, 2, 3}));
    const cluster::TopicId topic = members_.create_topic(3, "t", triple_config());
    ASSERT_TRUE(members_.append(topic, "first"));
    for (int round = 0; round < 3; ++round) {
        for (const cluster::NodeId id : {1, 2, 3}) {
            if (round == 1) {
                members_.cut_power(id);
            } else {
                members_.kill(id);
            }
        }
        for (const cluster::NodeId id : {1, 2, 3}) {
            const Status started = members_.start(id);
            ASSERT_TRUE(started) << started.error().to_string();
        }
        ASSERT_TRUE(members_.wait_for_live(3)) << "round " << round;
        ASSERT_TRUE(members_.append(topic, "round " + std::to_string(round)));
        EXPECT_TRUE(members_.states_agree());
        EXPECT_NE(members_[1].state().find_topic("t"), nullptr);
    }
    EXPECT_EQ(members_.read_anywhere(topic),
              (std::vector<std::string>{"first", "round 0", "round 1", "round 2"}));
}

TEST_F(MemberTest, ABarrierSeesWhatWasCommittedElsewhere) {
    ASSERT_TRUE(members_.make_cluster({1, 2, 3}));
    const cluster::TopicId topic = members_.create_topic(1, "t", triple_config());
    for (const cluster::NodeId id : {1, 2, 3}) {
        std::optional<Status> passed;
        members_[id].read_barrier([&](Status status) { passed = std::move(status); });
        ASSERT_TRUE(members_.run_until([&] { return passed.has_value(); }));
        EXPECT_TRUE(*passed);
        EXPECT_NE(members_[id].state().topic(topic), nullptr);
    }
}

TEST_F(MemberTest, CallsAreAnsweredOnceOrTimeOut) {
    ASSERT_TRUE(members_.make_cluster({1, 2}));
    members_[2].set_call_handler([](cluster::NodeId from, std::string_view request,
                                    const std::function<void(std::string)>& answer) {
        if (request == "silence") return;
        answer(std::string(request) + " from " + std::to_string(from));
        answer("again");
    });
    std::vector<Result<std::string>> answers;
    const auto note = [&](Result<std::string> answer) { answers.push_back(std::move(answer)); };
    members_[1].call(2, "hello", 1'000, note);
    members_[2].call(2, "self", 1'000, note);
    members_[1].call(2, "silence", 1'000, note);
    members_[2].call(1, "nobody home", 1'000, note);
    members_[1].call(9, "stranger", 1'000, note);
    ASSERT_TRUE(members_.run_until([&] { return answers.size() == 5; }));
    EXPECT_EQ(answers[0].value(), "self from 2");
    EXPECT_EQ(answers[1].value(), "hello from 1");
    EXPECT_EQ(answers[2].error().code, Errc::kUnsupported);
    EXPECT_EQ(answers[3].error().code, Errc::kTimeout);
    EXPECT_EQ(answers[4].error().code, Errc::kTimeout);
}

// --- error paths ---

TEST_F(MemberTest, BadFramesAreDropped) {
    ASSERT_TRUE(members_.make_cluster({1, 2, 3}));
    const cluster::TopicId topic = members_.create_topic(1, "t", triple_config());
    for (std::uint8_t channel = 0; channel < 5; ++channel) {
        for (const std::string& frame :
             {std::string(), std::string("\x01"), std::string(100, 'x'), std::string(100, '\0')}) {
            members_.network().inject(2, TestMembers::address_of(1), channel, frame);
        }
    }
    EXPECT_TRUE(members_.append(topic, "still alive"));
    EXPECT_FALSE(members_.node(1).watcher->failure);
}

TEST_F(MemberTest, ABatchThatIsTooLargeIsRefused) {
    start_single();
    const cluster::TopicId topic = members_.create_topic(1, "t", single_config());
    std::optional<cluster::AppendDone> done;
    members_[1].append(topic, {.records = 1, .data = cluster::Payload(std::string(1 << 20, 'x'))},
                       [&](const cluster::AppendDone& answer) { done = answer; });
    ASSERT_TRUE(members_.run_until([&] { return done.has_value(); }));
    EXPECT_EQ(done->outcome, cluster::AppendOutcome::kTooLarge);
    EXPECT_TRUE(members_.append(topic, "small"));
}

TEST_F(MemberTest, AProposalWithoutALeaderTimesOut) {
    ASSERT_TRUE(members_.make_cluster({1, 2, 3}));
    members_.kill(2);
    members_.kill(3);
    members_.run_for(5'000);
    const auto result = members_.propose(1, cluster::InitProducer{.name = "p"});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::kTimeout);
}

TEST_F(MemberTest, AFailedDiskEndsTheMember) {
    start_single();
    const cluster::TopicId topic = members_.create_topic(1, "t", single_config());
    members_.node(1).disk->fail_when(
        testing::fault_on(testing::SimOperation::Kind::kDurableWrite, "replicas"), Errc::kIo);
    members_.node(1).disk->fail_when(
        testing::fault_on(testing::SimOperation::Kind::kSync, "replicas"), Errc::kIo);
    bool answered = false;
    members_[1].append(topic, {.records = 1, .data = cluster::Payload("lost")},
                       [&](const cluster::AppendDone&) { answered = true; });
    EXPECT_TRUE(members_.run_until([&] { return members_.node(1).watcher->failure.has_value(); }));
    EXPECT_FALSE(answered);
}

}  // namespace
}  // namespace walrus::member

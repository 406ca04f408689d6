// How clusters grow and shrink.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "walrus/member/join_message.h"
#include "walrus/member/member_file.h"
#include "walrus/member/test_members.h"
#include "walrus/testing/seed.h"

namespace walrus::member {
namespace {

constexpr std::uint64_t kNever = ~std::uint64_t{0};  // For SimEnv::cut_after().

class JoinTest : public ::testing::Test {
protected:
    void start_first() {
        ASSERT_TRUE(members_.bootstrap(1));
        ASSERT_TRUE(members_.start(1));
        ASSERT_TRUE(members_.wait_for_live(1));
    }
    Errc join_error(cluster::NodeId id, const std::string& address) {
        const Status joined = members_.join(id, address);
        EXPECT_FALSE(joined);
        return joined ? Errc::kIo : joined.error().code;
    }
    std::optional<MemberIdentity> identity_of(cluster::NodeId id) {
        return ClusterMember::identify(members_.node(id).options).value();
    }
    Status remove(cluster::NodeId at, cluster::NodeId node) {
        std::optional<Status> removed;
        members_[at].remove_member(node, [&](Status status) { removed = std::move(status); });
        EXPECT_TRUE(members_.run_until([&] { return removed.has_value(); }));
        return *removed;
    }

    TestMembers members_{testing::test_seed()};
};

TEST_F(JoinTest, ABootstrappedMemberKnowsItsIdentity) {
    EXPECT_FALSE(identity_of(1));
    ASSERT_TRUE(members_.bootstrap(1));
    ASSERT_TRUE(identity_of(1));
    EXPECT_EQ(identity_of(1)->node, 1U);
    EXPECT_NE(identity_of(1)->cluster, 0U);
    EXPECT_EQ(members_.bootstrap(1).error().code, Errc::kAlreadyExists);
}

TEST_F(JoinTest, AJoinerBecomesAVoter) {
    ASSERT_TRUE(members_.make_cluster({1, 2}));
    EXPECT_EQ(members_[2].identity().cluster, members_[1].identity().cluster);
    EXPECT_EQ(members_[1].metadata_facts().voters, (std::vector<cluster::NodeId>{1, 2}));
    EXPECT_EQ(members_[1].state().node(2)->text_address, "node2-text");
    EXPECT_TRUE(members_.states_agree());
}

TEST_F(JoinTest, AnyNodeShowsTheWayToTheController) {
    ASSERT_TRUE(members_.make_cluster({1, 2, 3}));
    const cluster::NodeId other = members_[1].controller() == 3 ? 2 : 3;
    ASSERT_TRUE(members_.join(4, TestMembers::address_of(other)));
    ASSERT_TRUE(members_.start(4));
    EXPECT_TRUE(members_.wait_for_live(4));
}

TEST_F(JoinTest, FourAtOnceAllComeIn) {
    start_first();
    for (const cluster::NodeId id : {2, 3, 4, 5}) {
        ASSERT_TRUE(members_.join(id, TestMembers::address_of(1)));
    }
    for (const cluster::NodeId id : {2, 3, 4, 5}) ASSERT_TRUE(members_.start(id));
    EXPECT_TRUE(members_.wait_for_live(5));
    EXPECT_TRUE(members_.states_agree());
}

TEST_F(JoinTest, AJoinerFarBehindInstallsASnapshot) {
    members_.defaults().snapshot_entries = 20;
    start_first();
    for (int i = 0; i < 200; ++i) {
        ASSERT_TRUE(members_.propose(1, cluster::InitProducer{.name = "p" + std::to_string(i)}));
    }
    const cluster::TopicId topic = members_.create_topic(1, "t", single_config());
    ASSERT_TRUE(members_.append(topic, "one"));
    ASSERT_TRUE(members_.join(2, TestMembers::address_of(1)));
    ASSERT_TRUE(members_.start(2));
    ASSERT_TRUE(members_.wait_for_live(2));
    EXPECT_GT(members_.node(2).watcher->replaced, 0);
    EXPECT_EQ(members_[2].state().data().producers.size(), 200U);
    EXPECT_TRUE(members_.states_agree());
    // And comes back from it.
    members_.cut_power(2);
    ASSERT_TRUE(members_.start(2));
    ASSERT_TRUE(members_.wait_for_live(2));
    EXPECT_TRUE(members_.states_agree());
}

TEST_F(JoinTest, APeersNewAddressIsLearned) {
    ASSERT_TRUE(members_.make_cluster({1, 2, 3}));
    members_.kill(3);
    members_.node(3).options.peer_address = "elsewhere";
    ASSERT_TRUE(members_.start(3));
    ASSERT_TRUE(members_.run_until([&] {
        const cluster::Node* moved = members_[1].state().node(3);
        return moved->peer_address == "elsewhere" && moved->boot == members_[3].self().boot;
    }));
    // Nobody but the file says where it is when all start anew.
    for (const cluster::NodeId id : {1, 2, 3}) members_.kill(id);
    for (const cluster::NodeId id : {1, 2, 3}) ASSERT_TRUE(members_.start(id));
    EXPECT_TRUE(members_.wait_for_live(3));
}

TEST_F(JoinTest, AJoinThatWasCutOffGoesOn) {
    start_first();
    for (std::uint64_t n = 1;; ++n) {
        // The joiner's machine dies at every operation of its disk, until it gets through.
        members_.node(2).disk->cut_after(n);
        const Status joined = members_.join(2, TestMembers::address_of(1));
        const bool dead = members_.node(2).disk->dead();
        if (!dead) {
            ASSERT_TRUE(joined) << joined.error().to_string();
            break;
        }
        members_.cut_power(2);
        ASSERT_LT(n, 500U);
    }
    members_.node(2).disk->cut_after(kNever);
    ASSERT_TRUE(members_.start(2));
    EXPECT_TRUE(members_.wait_for_live(2));
}

TEST_F(JoinTest, ABootstrapThatWasCutOffGoesOn) {
    for (std::uint64_t n = 1;; ++n) {
        members_.node(1).disk->cut_after(n);
        const Status made = members_.bootstrap(1);
        if (!members_.node(1).disk->dead()) {
            ASSERT_TRUE(made || made.error().code == Errc::kAlreadyExists)
                << made.error().to_string();
            break;
        }
        members_.cut_power(1);
        ASSERT_LT(n, 500U);
    }
    members_.node(1).disk->cut_after(kNever);
    ASSERT_TRUE(members_.start(1));
    EXPECT_TRUE(members_.wait_for_live(1));
}

TEST_F(JoinTest, ADrainedMemberCanBeRemoved) {
    ASSERT_TRUE(members_.make_cluster({1, 2, 3}));
    const cluster::NodeId leader = members_[1].controller();
    const cluster::NodeId gone = leader == 3 ? 2 : 3;
    ASSERT_TRUE(remove(leader, gone));
    EXPECT_EQ(members_[leader].metadata_facts().voters.size(), 2U);
    ASSERT_TRUE(
        members_.run_until([&] { return members_.node(gone).watcher->failure.has_value(); }));
    EXPECT_EQ(members_.node(gone).watcher->failure->code, Errc::kFenced);
    members_.kill(gone);
    // Its id is taken for ever.
    members_.node(gone).disk = std::make_unique<testing::SimEnv>();
    members_.node(gone).options.env = members_.node(gone).disk.get();
    EXPECT_EQ(join_error(gone, TestMembers::address_of(leader)), Errc::kAlreadyExists);
}

// --- error paths ---

TEST_F(JoinTest, AnIdThatIsTakenIsRefused) {
    ASSERT_TRUE(members_.make_cluster({1, 2}));
    TestNode& twin = members_.node(9);
    twin.options.id = 2;
    EXPECT_EQ(join_error(9, TestMembers::address_of(1)), Errc::kAlreadyExists);
    twin.options.id = 1;
    EXPECT_EQ(join_error(9, TestMembers::address_of(1)), Errc::kAlreadyExists);
    EXPECT_FALSE(identity_of(9));
    EXPECT_EQ(members_[1].metadata_facts().voters.size(), 2U);
}

TEST_F(JoinTest, AUsedDirectoryIsRefused) {
    start_first();
    ASSERT_TRUE(members_.bootstrap(7));
    EXPECT_EQ(join_error(7, TestMembers::address_of(1)), Errc::kAlreadyExists);
    // Also one that another cluster began to take in.
    ASSERT_TRUE(write_member_file(*members_.node(8).options.env, "member",
                                  {.phase = MemberPhase::kJoining, .cluster = 77, .node = 8}));
    EXPECT_EQ(join_error(8, TestMembers::address_of(1)), Errc::kInvalidArgument);
    // Or a store whose file is lost.
    ASSERT_TRUE(members_.node(6).options.env->create_dirs("member/replicas"));
    EXPECT_EQ(join_error(6, TestMembers::address_of(1)), Errc::kAlreadyExists);
    EXPECT_EQ(members_[1].state().data().nodes.size(), 1U);
}

TEST_F(JoinTest, NobodyAtTheAddressIsToldSo) {
    EXPECT_EQ(join_error(2, "nowhere"), Errc::kIo);
    start_first();
    members_.network().isolate(1);
    EXPECT_EQ(join_error(2, TestMembers::address_of(1)), Errc::kTimeout);
    members_.network().heal_all();
    EXPECT_TRUE(members_.join(2, TestMembers::address_of(1)));
}

TEST_F(JoinTest, AnotherVersionIsRefused) {
    start_first();
    auto transport = members_.network().attach(2, "stranger");
    std::string question = encode(JoinQuestion{.node = 2, .boot = 1, .peer_address = "stranger"});
    question[0] = 2;
    std::optional<Result<std::string>> answer;
    transport->ask(TestMembers::address_of(1), question, 1'000,
                   [&](Result<std::string> bytes) { answer = std::move(bytes); });
    ASSERT_TRUE(members_.run_until([&] { return answer.has_value(); }));
    ASSERT_TRUE(*answer);
    EXPECT_EQ(decode_join_answer(**answer)->code, Errc::kUnsupported);
    std::string other = **answer;
    other[0] = 2;
    EXPECT_EQ(decode_join_answer(other).error().code, Errc::kUnsupported);
}

TEST_F(JoinTest, WhoHoldsCopiesOrIsTheLastVoterStays) {
    start_first();
    EXPECT_EQ(remove(1, 1).error().code, Errc::kInvalidArgument);
    EXPECT_EQ(remove(1, 5).error().code, Errc::kNotFound);
    ASSERT_TRUE(members_.join(2, TestMembers::address_of(1)));
    ASSERT_TRUE(members_.start(2));
    ASSERT_TRUE(members_.wait_for_live(2));
    cluster::TopicConfig config = single_config();
    config.replication_factor = 2;
    members_.create_topic(1, "t", config);
    EXPECT_EQ(remove(members_[1].controller(), 2).error().code, Errc::kBusy);
    const cluster::NodeId follower = members_[1].controller() == 1 ? 2 : 1;
    EXPECT_EQ(remove(follower, 2).error().code, Errc::kNotLeader);
    EXPECT_EQ(members_[1].metadata_facts().voters.size(), 2U);
}

TEST_F(JoinTest, ADamagedMemberFileIsNotBelieved) {
    start_first();
    ASSERT_TRUE(members_.stop(1));
    members_.node(1).disk->flip_bit("member/member", 99);
    EXPECT_EQ(members_.start(1).error().code, Errc::kCorruption);
    EXPECT_EQ(ClusterMember::identify(members_.node(1).options).error().code, Errc::kCorruption);
}

TEST_F(JoinTest, AWipedStoreIsRefused) {
    start_first();
    ASSERT_TRUE(members_.stop(1));
    members_.node(1).disk->remove_file("member/replicas/identity");
    const Status started = members_.start(1);
    // A replica store without copies is made anew, under another disk id: the cluster sees it.
    if (started) {
        ASSERT_TRUE(
            members_.run_until([&] { return members_.node(1).watcher->failure.has_value(); }));
        EXPECT_EQ(members_.node(1).watcher->failure->code, Errc::kCorruption);
    }
}

TEST(MemberFileTest, WhatWasWrittenIsRead) {
    const MemberFile file{.phase = MemberPhase::kMade,
                          .drained = true,
                          .cluster = 5,
                          .node = 2,
                          .peers = {{1, "one:1"}, {3, "three:3"}}};
    const std::string bytes = encode(file);
    EXPECT_EQ(decode_member_file(bytes).value(), file);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(decode_member_file(bytes.substr(0, size)));
    }
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        std::string flipped = bytes;
        flipped[i] = static_cast<char>(flipped[i] ^ 4);
        EXPECT_FALSE(decode_member_file(flipped));
    }
}

TEST(JoinMessageTest, WhatWasWrittenIsRead) {
    const JoinQuestion question{.cluster = 1,
                                .node = 2,
                                .boot = 3,
                                .disk = 4,
                                .peer_address = "a",
                                .text_address = "b",
                                .kafka_address = "c"};
    EXPECT_EQ(decode_join_question(encode(question)).value(), question);
    const JoinAnswer answer{.kind = JoinAnswer::Kind::kAccepted,
                            .code = Errc::kBusy,
                            .cluster = 9,
                            .text = "text",
                            .peers = {{1, "one"}}};
    const std::string bytes = encode(answer);
    EXPECT_EQ(decode_join_answer(bytes).value(), answer);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(decode_join_answer(bytes.substr(0, size)));
    }
}

}  // namespace
}  // namespace walrus::member

#include "walrus/broker/groups.h"

#include <gtest/gtest.h>

#include "walrus/broker/test_groups.h"

namespace walrus::broker {
namespace {

class GroupsTest : public ::testing::Test, protected GroupsFixture {};

// --- how a group comes to work ---

TEST_F(GroupsTest, OneMemberLeadsItselfAfterTheInitialDelay) {
    const auto joined = join(join_request());
    EXPECT_EQ(state(), GroupState::kPreparingRebalance);
    EXPECT_FALSE(joined);
    loop.advance_ms(GroupOptions{}.initial_rebalance_delay_ms);
    ASSERT_TRUE(joined);
    EXPECT_EQ(joined->error, ErrorCode::kNone);
    EXPECT_EQ(joined->generation, 1);
    EXPECT_EQ(joined->protocol, "range");
    EXPECT_EQ(joined->leader, joined->member_id);
    ASSERT_EQ(joined->members.size(), 1u);
    EXPECT_EQ(joined->members[0].metadata, "subscription");
    const auto synced = sync(*joined, {{joined->member_id, "all"}});
    ASSERT_TRUE(synced);
    EXPECT_EQ(synced->error, ErrorCode::kNone);
    EXPECT_EQ(synced->assignment, "all");
    EXPECT_EQ(state(), GroupState::kStable);
    EXPECT_EQ(heartbeat(*joined), ErrorCode::kNone);
}

TEST_F(GroupsTest, MembersThatComeDuringTheDelayAreInOneGeneration) {
    std::vector<Answer<JoinAnswer>> answers;
    for (int i = 0; i < 4; ++i) {
        answers.push_back(join(join_request()));
        loop.advance_ms(90);
    }
    for (const auto& answer : answers) EXPECT_FALSE(answer) << "each one begins the delay anew";
    loop.advance_ms(200);
    std::size_t leaders = 0;
    for (const auto& answer : answers) {
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->generation, 1);
        if (answer->leader == answer->member_id) {
            ++leaders;
            EXPECT_EQ(answer->members.size(), 4u);
        } else {
            EXPECT_TRUE(answer->members.empty());
        }
    }
    EXPECT_EQ(leaders, 1u);
}

TEST_F(GroupsTest, FollowersWaitForTheLeadersAssignments) {
    const auto first = join(join_request());
    const auto second = join(join_request());
    loop.advance_ms(300);
    const JoinAnswer& leader = first->leader == first->member_id ? *first : *second;
    const JoinAnswer& follower = first->leader == first->member_id ? *second : *first;
    const auto waits = sync(follower);
    EXPECT_FALSE(waits);
    EXPECT_EQ(heartbeat(follower), ErrorCode::kNone) << "a member that waits may say that it lives";
    const auto led = sync(leader, {{follower.member_id, "f"}, {leader.member_id, "l"}});
    ASSERT_TRUE(waits);
    ASSERT_TRUE(led);
    EXPECT_EQ(waits->assignment, "f");
    EXPECT_EQ(led->assignment, "l");
    EXPECT_EQ(sync(follower)->assignment, "f") << "asking again gives the same";
}

TEST_F(GroupsTest, AMemberWithoutAnIdGetsOneAndComesAgain) {
    JoinRequest request = join_request();
    request.needs_member_id = true;
    const auto refused = join(request);
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->error, ErrorCode::kMemberIdRequired);
    EXPECT_EQ(refused->member_id.rfind("test-", 0), 0u);
    request.member_id = refused->member_id;
    const auto joined = join(request);
    loop.advance_ms(300);
    ASSERT_TRUE(joined);
    EXPECT_EQ(joined->error, ErrorCode::kNone);
    EXPECT_EQ(joined->member_id, request.member_id);
}

TEST_F(GroupsTest, TheProtocolThatMostLikeBestOfThoseThatAllSpeakIsChosen) {
    const auto with = [](std::vector<std::string> names) {
        JoinRequest request = join_request();
        request.protocols.clear();
        for (const std::string& name : names) request.protocols.push_back({name, "m-" + name});
        return request;
    };
    const auto a = join(with({"sticky", "range", "round"}));
    const auto b = join(with({"range", "round"}));
    const auto c = join(with({"round", "range"}));
    loop.advance_ms(300);
    EXPECT_EQ(a->protocol, "range");
    const JoinAnswer& leader = a->members.empty() ? (b->members.empty() ? *c : *b) : *a;
    for (const JoinedMember& member : leader.members) EXPECT_EQ(member.metadata, "m-range");
}

// --- rebalances ---

TEST_F(GroupsTest, ANewMemberMakesTheOthersJoinAgain) {
    const auto old = stable(2);
    const auto third = join(join_request());
    EXPECT_EQ(heartbeat(old[0]), ErrorCode::kRebalanceInProgress);
    EXPECT_EQ(sync(old[0])->error, ErrorCode::kRebalanceInProgress);
    const auto again0 = join(join_request(old[0].member_id));
    EXPECT_FALSE(third) << "one is missing";
    const auto again1 = join(join_request(old[1].member_id));
    for (const auto* answer : {&third, &again0, &again1}) {
        ASSERT_TRUE(*answer);
        EXPECT_EQ((*answer)->generation, 2);
        EXPECT_EQ((*answer)->leader, old[0].leader) << "the leader stays";
    }
    EXPECT_EQ(heartbeat(old[0]), ErrorCode::kIllegalGeneration);
}

TEST_F(GroupsTest, WhoDoesNotJoinAgainInTimeIsOut) {
    GroupsFixture fixture;
    std::vector<Answer<JoinAnswer>> answers;
    for (int i = 0; i < 2; ++i) {
        JoinRequest request = join_request();
        request.session_timeout_ms = 100'000;  // Longer than a rebalance.
        answers.push_back(fixture.join(request));
    }
    fixture.loop.advance_ms(300);
    const auto third = fixture.join(join_request());
    JoinRequest again = join_request(answers[0]->member_id);
    const auto first = fixture.join(again);
    fixture.loop.advance_ms(kRebalanceMs - 1);
    EXPECT_FALSE(first);
    fixture.loop.advance_ms(1);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->generation, 2);
    EXPECT_EQ(fixture.groups->describe("g")->members.size(), 2u);
    EXPECT_EQ(fixture.heartbeat(*answers[1]), ErrorCode::kUnknownMemberId);
}

TEST_F(GroupsTest, LeavingRebalancesWhatIsLeft) {
    const auto old = stable(2);
    EXPECT_EQ(groups->leave("g", old[0].member_id), ErrorCode::kNone);
    EXPECT_EQ(heartbeat(old[0]), ErrorCode::kUnknownMemberId);
    EXPECT_EQ(heartbeat(old[1]), ErrorCode::kRebalanceInProgress);
    const auto again = join(join_request(old[1].member_id));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->leader, old[1].member_id);
    EXPECT_EQ(groups->leave("g", old[1].member_id), ErrorCode::kNone);
    EXPECT_FALSE(groups->describe("g"));
}

TEST_F(GroupsTest, AMemberThatIsNotHeardOfIsOutAfterItsSession) {
    const auto old = stable(2);
    for (int i = 0; i < 4; ++i) {
        loop.advance_ms(kSessionMs / 2 - 1);
        const ErrorCode expected = i < 2 ? ErrorCode::kNone : ErrorCode::kRebalanceInProgress;
        EXPECT_EQ(heartbeat(old[0]), expected) << i;
    }
    EXPECT_EQ(heartbeat(old[1]), ErrorCode::kUnknownMemberId);
}

TEST_F(GroupsTest, AMemberOfTheFirstGenerationIsMissedAfterItsSessionToo) {
    stable(1);
    loop.advance_ms(kSessionMs);
    EXPECT_FALSE(groups->describe("g")) << "not after the long time that a new member may wait";
}

TEST_F(GroupsTest, ALeaderThatDoesNotAssignIsReplaced) {
    const auto first = join(join_request());
    const auto second = join(join_request());
    loop.advance_ms(300);
    const JoinAnswer& follower = first->leader == first->member_id ? *second : *first;
    const auto waits = sync(follower);
    loop.advance_ms(kSessionMs);
    ASSERT_TRUE(waits);
    EXPECT_EQ(waits->error, ErrorCode::kRebalanceInProgress);
    const auto again = join(join_request(follower.member_id));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->leader, follower.member_id);
    EXPECT_EQ(again->members.size(), 1u);
}

TEST_F(GroupsTest, AMemberThatNeverAsksForItsPartIsDroppedAfterTheRebalanceTimeout) {
    std::vector<Answer<JoinAnswer>> answers;
    for (int i = 0; i < 2; ++i) {
        JoinRequest request = join_request();
        request.session_timeout_ms = 200'000;
        answers.push_back(join(request));
    }
    loop.advance_ms(300);
    const bool first_leads = answers[0]->leader == answers[0]->member_id;
    const JoinAnswer& leader = first_leads ? *answers[0] : *answers[1];
    const JoinAnswer& lazy = first_leads ? *answers[1] : *answers[0];
    sync(leader, {});
    loop.advance_ms(kRebalanceMs);
    EXPECT_EQ(heartbeat(lazy), ErrorCode::kUnknownMemberId);
    EXPECT_EQ(heartbeat(leader), ErrorCode::kRebalanceInProgress);
}

TEST_F(GroupsTest, ALeaderThatJoinsAgainStartsARebalanceAndAFollowerDoesNot) {
    const auto old = stable(2);
    const bool first_leads = old[0].leader == old[0].member_id;
    const JoinAnswer& leader = first_leads ? old[0] : old[1];
    const JoinAnswer& follower = first_leads ? old[1] : old[0];
    const auto same = join(join_request(follower.member_id));
    ASSERT_TRUE(same);
    EXPECT_EQ(same->generation, 1);
    EXPECT_FALSE(join(join_request(leader.member_id)));
    EXPECT_EQ(heartbeat(follower), ErrorCode::kRebalanceInProgress);
}

TEST_F(GroupsTest, AFollowerWithAnotherSubscriptionStartsARebalance) {
    const auto old = stable(2);
    const bool first_leads = old[0].leader == old[0].member_id;
    const JoinAnswer& follower = first_leads ? old[1] : old[0];
    JoinRequest request = join_request(follower.member_id);
    request.protocols[0].metadata = "more topics";
    EXPECT_FALSE(join(request));
    EXPECT_EQ(state(), GroupState::kPreparingRebalance);
}

TEST_F(GroupsTest, AnIdThatWasGivenOutAndNotUsedHoldsUpARebalanceForASessionAtMost) {
    const auto old = stable(1);
    JoinRequest lost = join_request();
    lost.needs_member_id = true;
    join(lost);
    const auto third = join(join_request());
    const auto again = join(join_request(old[0].member_id));
    EXPECT_FALSE(again);
    loop.advance_ms(kSessionMs);
    EXPECT_TRUE(again);
    EXPECT_TRUE(third);
}

// --- static members ---

JoinRequest static_request(std::string instance, std::string member_id = "") {
    JoinRequest request = join_request(std::move(member_id));
    request.instance_id = std::move(instance);
    request.needs_member_id = true;  // Has no effect on a member that has a name of its own.
    return request;
}

TEST_F(GroupsTest, AStaticMemberThatRestartsKeepsItsPartAndFencesItsPredecessor) {
    const auto a = join(static_request("a"));
    const auto b = join(static_request("b"));
    loop.advance_ms(300);
    const bool a_leads = a->leader == a->member_id;
    const JoinAnswer& leader = a_leads ? *a : *b;
    const JoinAnswer& follower = a_leads ? *b : *a;
    const std::string name = a_leads ? "b" : "a";
    sync(leader, {{follower.member_id, "part"}});
    const auto back = join(static_request(name));
    ASSERT_TRUE(back) << "nobody else needs to notice";
    EXPECT_EQ(back->generation, 1);
    EXPECT_NE(back->member_id, follower.member_id);
    EXPECT_EQ(sync(*back)->assignment, "part");
    MemberIdentity old = identity(follower);
    old.instance_id = name;
    EXPECT_EQ(groups->heartbeat(old), ErrorCode::kFencedInstanceId);
    EXPECT_EQ(join(static_request(name, follower.member_id))->error, ErrorCode::kFencedInstanceId);
    old.instance_id = "nobody";
    EXPECT_EQ(groups->heartbeat(old), ErrorCode::kUnknownMemberId);
}

TEST_F(GroupsTest, AStaticMemberThatStaysAwayIsExpectedUntilItsSessionEnds) {
    const auto a = join(static_request("a"));
    const auto b = join(static_request("b"));
    loop.advance_ms(300);
    const bool a_leads = a->leader == a->member_id;
    const auto again = join(static_request(a_leads ? "a" : "b"));
    EXPECT_FALSE(again) << "the leader asks for a rebalance";
    loop.advance_ms(kSessionMs);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->members.size(), 1u);
}

// --- offsets ---

TEST_F(GroupsTest, MembersCommitInTheirGenerationOnly) {
    const auto old = stable(1);
    EXPECT_EQ(commit(identity(old[0]), 5), ErrorCode::kNone);
    MemberIdentity who = identity(old[0]);
    who.generation = 7;
    EXPECT_EQ(commit(who, 6), ErrorCode::kIllegalGeneration);
    who = {.group = "g", .generation = -1};
    EXPECT_EQ(commit(who, 7), ErrorCode::kUnknownMemberId) << "the group has members";
    EXPECT_EQ(store->committed("g", "t", 0)->offset, Offset{5});
}

TEST_F(GroupsTest, WhoNeedsNoGroupCommitsWithoutOne) {
    EXPECT_EQ(commit({.group = "alone"}, 3), ErrorCode::kNone);
    EXPECT_EQ(commit({.group = "alone", .generation = 1, .member_id = "x"}, 4),
              ErrorCode::kIllegalGeneration);
    EXPECT_EQ(commit({.group = ""}, 4), ErrorCode::kInvalidGroupId)
        << "the shared cursor of the text protocol";
    ASSERT_TRUE(groups->describe("alone"));
    EXPECT_EQ(groups->describe("alone")->state, GroupState::kEmpty);
    EXPECT_EQ(groups->list(), (std::vector<std::pair<std::string, std::string>>{{"alone", ""}}));
}

TEST_F(GroupsTest, BetweenJoinAndSyncNobodyCommits) {
    const auto joined = join(join_request());
    loop.advance_ms(300);
    EXPECT_EQ(commit(identity(*joined), 1), ErrorCode::kRebalanceInProgress);
}

TEST_F(GroupsTest, WhileARebalanceBeginsMembersMayStillCommit) {
    const auto old = stable(1);
    join(join_request());
    EXPECT_EQ(commit(identity(old[0]), 9), ErrorCode::kNone);
}

// --- what is seen from outside ---

TEST_F(GroupsTest, ADescriptionNamesMembersAndTheirParts) {
    const auto old = stable(2);
    const auto group = groups->describe("g");
    ASSERT_TRUE(group);
    EXPECT_EQ(group->generation, 1);
    EXPECT_EQ(group->protocol_type, "consumer");
    EXPECT_EQ(group->protocol, "range");
    ASSERT_EQ(group->members.size(), 2u);
    for (const MemberDescription& member : group->members) {
        EXPECT_EQ(member.client_id, "test");
        EXPECT_EQ(member.client_host, "/127.0.0.1");
        EXPECT_EQ(member.metadata, "subscription");
        EXPECT_EQ(member.assignment, member.member_id == old[0].member_id ? "part 0" : "part 1");
    }
    EXPECT_FALSE(groups->describe("nobody"));
    EXPECT_EQ(groups->list(),
              (std::vector<std::pair<std::string, std::string>>{{"g", "consumer"}}));
}

// --- error paths ---

TEST_F(GroupsTest, WhatCannotJoinIsToldWhy) {
    const auto error_of = [&](auto change) {
        JoinRequest request = join_request();
        change(request);
        const auto answer = join(request);
        EXPECT_TRUE(answer);
        return answer ? answer->error : ErrorCode::kNone;
    };
    stable(1);
    EXPECT_EQ(error_of([](JoinRequest& r) { r.group.clear(); }), ErrorCode::kInvalidGroupId);
    EXPECT_EQ(error_of([](JoinRequest& r) { r.group.assign(2000, 'x'); }),
              ErrorCode::kInvalidGroupId);
    EXPECT_EQ(error_of([](JoinRequest& r) { r.session_timeout_ms = 1; }),
              ErrorCode::kInvalidSessionTimeout);
    EXPECT_EQ(error_of([](JoinRequest& r) { r.session_timeout_ms = 1ull << 40; }),
              ErrorCode::kInvalidSessionTimeout);
    EXPECT_EQ(error_of([](JoinRequest& r) { r.member_id = "nobody"; }),
              ErrorCode::kUnknownMemberId);
    EXPECT_EQ(error_of([](JoinRequest& r) { r.protocols.clear(); }),
              ErrorCode::kInconsistentGroupProtocol);
    EXPECT_EQ(error_of([](JoinRequest& r) { r.protocols[0].name = "sticky"; }),
              ErrorCode::kInconsistentGroupProtocol);
    EXPECT_EQ(error_of([](JoinRequest& r) { r.protocol_type = "connect"; }),
              ErrorCode::kInconsistentGroupProtocol);
    EXPECT_EQ(error_of([](JoinRequest& r) { r.protocols[0].metadata.assign(2 << 20, 'x'); }),
              ErrorCode::kInvalidRequest);
    EXPECT_EQ(state(), GroupState::kStable) << "none of it disturbed the group";
}

TEST_F(GroupsTest, AStrangerIsUnknown) {
    const MemberIdentity stranger{.group = "g", .generation = 1, .member_id = "x"};
    for (const bool exists : {false, true}) {
        if (exists) stable(1);
        EXPECT_EQ(groups->heartbeat(stranger), ErrorCode::kUnknownMemberId);
        EXPECT_EQ(groups->leave("g", "x"), ErrorCode::kUnknownMemberId);
        Answer<SyncAnswer> synced;
        groups->sync({.member = stranger}, synced.callback());
        EXPECT_EQ(synced->error, ErrorCode::kUnknownMemberId);
    }
}

TEST(Groups, SizesAreLimited) {
    GroupsFixture fixture(1, {.max_group_members = 2, .max_groups = 2});
    fixture.join(join_request());
    fixture.join(join_request());
    EXPECT_EQ(fixture.join(join_request())->error, ErrorCode::kGroupMaxSizeReached);
    JoinRequest other = join_request();
    other.group = "h";
    fixture.join(other);
    other.group = "i";
    EXPECT_EQ(fixture.join(other)->error, ErrorCode::kCoordinatorNotAvailable);
    fixture.loop.advance_ms(400'000);
    EXPECT_FALSE(fixture.join(other)) << "there is room again, so it waits for the others";
}

TEST(Groups, WhoWaitsIsAnsweredWhenTheServerStops) {
    GroupsFixture fixture;
    const auto joined = fixture.join(join_request());
    fixture.groups.reset();
    ASSERT_TRUE(joined);
    EXPECT_EQ(joined->error, ErrorCode::kCoordinatorNotAvailable);
    EXPECT_EQ(fixture.loop.timers(), 0u);
}

TEST(Groups, WhoseMembersWereForgottenJoinAgain) {
    GroupsFixture fixture;
    const auto waits = fixture.join(join_request());
    fixture.groups->forget_members();
    ASSERT_TRUE(waits);
    EXPECT_EQ(waits->error, ErrorCode::kCoordinatorNotAvailable);
    EXPECT_EQ(fixture.loop.timers(), 0u);
    const auto again = fixture.join(join_request());
    fixture.loop.advance_ms(300);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->generation, 1);
}

// An offset store of a node that is told whether it coordinates.
class TestPlace final : public OffsetStore {
public:
    void commit(std::string_view, std::vector<OffsetCommit>, StatusCallback done) override {
        ++commits;
        done({});
    }
    std::optional<CommittedOffset> committed(std::string_view, std::string_view,
                                             std::int32_t) const override {
        return std::nullopt;
    }
    std::vector<OffsetCommit> of_group(std::string_view) const override { return {}; }
    std::vector<std::string> groups() const override { return {}; }
    void forget_group(std::string_view, StatusCallback done) override { done({}); }
    void forget_topic(std::string_view, StatusCallback done) override { done({}); }
    Status coordinates() const override { return here; }

    Status here;
    int commits = 0;
};

TEST(Groups, ANodeThatDoesNotCoordinateSaysSoToEverything) {
    testing::ManualLoop loop;
    SeededRandom random(1);
    TestPlace place;
    GroupCoordinator groups(loop, random, place, {});
    for (const auto& [reason, expected] :
         {std::pair{Errc::kNotLeader, ErrorCode::kNotCoordinator},
          std::pair{Errc::kBusy, ErrorCode::kCoordinatorLoadInProgress},
          std::pair{Errc::kClosed, ErrorCode::kCoordinatorNotAvailable}}) {
        place.here = Error{reason, "elsewhere"};
        EXPECT_EQ(groups.refusal(), expected);
        Answer<JoinAnswer> joined;
        groups.join(join_request(), joined.callback());
        EXPECT_EQ(joined->error, expected);
        Answer<SyncAnswer> synced;
        groups.sync({.member = {.group = "g"}}, synced.callback());
        EXPECT_EQ(synced->error, expected);
        EXPECT_EQ(groups.heartbeat({.group = "g"}), expected);
        EXPECT_EQ(groups.leave("g", "m"), expected);
        Answer<ErrorCode> committed;
        groups.commit({.group = "g"}, {}, committed.callback());
        EXPECT_EQ(*committed, expected);
    }
    EXPECT_EQ(place.commits, 0);
    EXPECT_EQ(loop.timers(), 0u);
}

TEST(Groups, AnAnswerMayLeadToTheNextRequestAtOnce) {
    GroupsFixture fixture;
    Answer<SyncAnswer> synced;
    fixture.groups->join(join_request(), [&](const JoinAnswer& joined) {
        fixture.groups->sync({GroupsFixture::identity(joined), {{joined.member_id, "all"}}},
                             synced.callback());
    });
    fixture.loop.advance_ms(300);
    ASSERT_TRUE(synced);
    EXPECT_EQ(synced->assignment, "all");
}

}  // namespace
}  // namespace walrus::broker

// Many members that join, assign, die, come back, leave and say wrong things, in random order.
// Checked after every answer:
//   - every question is answered once, and none stays open when time goes on
//   - member ids are given out once
//   - generations never fall, and what a generation is, it stays: protocol, leader
//   - in one generation no part is given to two members, and every part is what its leader gave
//   - when the trouble ends, the group settles with every part given to somebody who lives
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "walrus/broker/test_groups.h"
#include "walrus/testing/seed.h"

namespace walrus::broker {
namespace {

constexpr int kParts = 12;

// One client: a state machine as Kafka's clients are.
struct Client {
    enum class Phase { kOut, kJoining, kSyncing, kIn };
    Phase phase = Phase::kOut;
    std::string member_id = {};
    std::optional<std::string> instance_id = {};
    std::int32_t generation = -1;
    std::uint64_t life = 0;  // Answers of earlier lives are not looked at, only counted.
};

class World {
public:
    explicit World(std::uint64_t seed) : fixture_(seed), random_(seed + 1), clients_(6) {
        clients_[4].instance_id = "static-a";
        clients_[5].instance_id = "static-b";
    }

    void trouble(int steps) {
        for (int i = 0; i < steps; ++i) {
            Client& client = clients_[random_.below(clients_.size())];
            switch (random_.below(12)) {
                case 0: forget(client); break;  // Dies; its questions stay open.
                case 1: leave(client); break;
                case 2: lie(); break;
                case 3: fixture_.loop.advance_ms(random_.below(kSessionMs)); break;
                case 4: fixture_.loop.advance_ms(random_.below(200)); break;
                default: act(client);
            }
        }
    }

    void settle() {
        for (int round = 0; round < 60; ++round) {
            for (Client& client : clients_) act(client);
            fixture_.loop.advance_ms(kSessionMs / 3);
        }
        ASSERT_EQ(fixture_.state(), GroupState::kStable);
        std::set<int> given;
        for (const Client& client : clients_) {
            EXPECT_EQ(client.phase, Client::Phase::kIn);
            EXPECT_EQ(client.generation, fixture_.groups->describe("g")->generation);
            const auto& parts = parts_[client.generation][client.member_id];
            given.insert(parts.begin(), parts.end());
        }
        EXPECT_EQ(given.size(), static_cast<std::size_t>(kParts));
        EXPECT_EQ(fixture_.groups->describe("g")->members.size(), clients_.size());
    }

    // Everybody dies.  Then nobody may be left waiting for an answer, and no timer may run.
    void end() {
        for (Client& client : clients_) forget(client);
        fixture_.loop.advance_ms(1'000'000);
        EXPECT_EQ(open_questions_, 0);
        EXPECT_FALSE(fixture_.groups->describe("g"));
        EXPECT_EQ(fixture_.loop.timers(), 0u);
    }
    std::int32_t generations() const { return last_generation_; }

private:
    void act(Client& client) {
        switch (client.phase) {
            case Client::Phase::kOut: return join(client);
            case Client::Phase::kJoining:
            case Client::Phase::kSyncing: return;
            case Client::Phase::kIn: return heartbeat(client);
        }
    }

    static void forget(Client& client) {
        client = {.instance_id = client.instance_id, .life = client.life + 1};
    }

    void leave(Client& client) {
        if (!client.member_id.empty()) fixture_.groups->leave("g", client.member_id);
        forget(client);
    }

    // Somebody speaks who has no right to.
    void lie() {
        const Client& victim = clients_[random_.below(clients_.size())];
        MemberIdentity who{
            .group = "g", .generation = victim.generation - 1, .member_id = victim.member_id};
        EXPECT_NE(fixture_.groups->heartbeat(who), ErrorCode::kNone);
        who.member_id = "nobody";
        who.generation = last_generation_;
        ++open_questions_;
        fixture_.groups->sync({who, {{victim.member_id, "13"}}}, [this](const SyncAnswer& answer) {
            --open_questions_;
            EXPECT_EQ(answer.error, ErrorCode::kUnknownMemberId);
        });
    }

    void join(Client& client) {
        JoinRequest request = join_request(client.member_id);
        request.instance_id = client.instance_id;
        request.needs_member_id = random_.chance(1, 2);
        request.rebalance_timeout_ms = 15'000;
        client.phase = Client::Phase::kJoining;
        ++open_questions_;
        fixture_.groups->join(std::move(request),
                              [this, &client, life = client.life](const JoinAnswer& answer) {
                                  --open_questions_;
                                  if (client.life == life) on_joined(client, answer);
                              });
    }

    void on_joined(Client& client, const JoinAnswer& answer) {
        ASSERT_EQ(client.phase, Client::Phase::kJoining);
        client.phase = Client::Phase::kOut;
        if (!answer.member_id.empty() && answer.member_id != client.member_id &&
            (answer.error == ErrorCode::kNone || answer.error == ErrorCode::kMemberIdRequired)) {
            EXPECT_TRUE(ids_.insert(answer.member_id).second) << answer.member_id;
        }
        if (answer.error == ErrorCode::kMemberIdRequired) client.member_id = answer.member_id;
        if (answer.error == ErrorCode::kUnknownMemberId ||
            answer.error == ErrorCode::kFencedInstanceId)
            client.member_id.clear();
        if (answer.error != ErrorCode::kNone) return;

        EXPECT_GE(answer.generation, client.generation);
        last_generation_ = std::max(last_generation_, answer.generation);
        const auto leader = leaders_.emplace(answer.generation, answer.leader).first;
        client.member_id = answer.member_id;
        client.generation = answer.generation;
        if (answer.leader != answer.member_id) {
            EXPECT_TRUE(answer.members.empty());
        } else {
            EXPECT_EQ(leader->second, answer.leader) << "generation " << answer.generation;
        }
        sync(client, answer);
    }

    void sync(Client& client, const JoinAnswer& joined) {
        std::vector<std::pair<std::string, std::string>> assignments;
        std::set<std::string> names;
        for (const JoinedMember& member : joined.members) {
            EXPECT_TRUE(names.insert(member.member_id).second) << "twice in a generation";
            std::string parts;
            for (int part = 0; part < kParts; ++part)
                if (static_cast<std::size_t>(part) % joined.members.size() == names.size() - 1)
                    parts += std::to_string(part) + " ";
            assignments.emplace_back(member.member_id, parts);
        }
        client.phase = Client::Phase::kSyncing;
        ++open_questions_;
        SyncRequest request{.member = {.group = "g",
                                       .generation = client.generation,
                                       .member_id = client.member_id,
                                       .instance_id = client.instance_id},
                            .assignments = std::move(assignments)};
        fixture_.groups->sync(std::move(request),
                              [this, &client, life = client.life](const SyncAnswer& answer) {
                                  --open_questions_;
                                  if (client.life == life) on_synced(client, answer);
                              });
    }

    void on_synced(Client& client, const SyncAnswer& answer) {
        ASSERT_EQ(client.phase, Client::Phase::kSyncing);
        client.phase = answer.error == ErrorCode::kNone ? Client::Phase::kIn : Client::Phase::kOut;
        if (answer.error == ErrorCode::kUnknownMemberId ||
            answer.error == ErrorCode::kFencedInstanceId)
            client.member_id.clear();
        if (answer.error != ErrorCode::kNone) return;
        std::set<int>& mine = parts_[client.generation][owner(client)];
        std::istringstream words(answer.assignment);
        for (int part = 0; words >> part;) {
            EXPECT_LT(part, kParts) << "what a stranger assigned";
            mine.insert(part);
            const auto holder = holders_.emplace(std::pair(client.generation, part), owner(client));
            EXPECT_EQ(holder.first->second, owner(client))
                << "part " << part << " of generation " << client.generation;
        }
        parts_[client.generation][client.member_id] = mine;
    }

    // A static member that restarts has the part of its predecessor.
    static std::string owner(const Client& client) {
        return client.instance_id.value_or(client.member_id);
    }

    void heartbeat(Client& client) {
        const ErrorCode error = fixture_.groups->heartbeat({.group = "g",
                                                            .generation = client.generation,
                                                            .member_id = client.member_id,
                                                            .instance_id = client.instance_id});
        if (error == ErrorCode::kNone) return;
        if (error == ErrorCode::kUnknownMemberId || error == ErrorCode::kFencedInstanceId)
            client.member_id.clear();
        client.phase = Client::Phase::kOut;
        join(client);
    }

    GroupsFixture fixture_;
    SeededRandom random_;
    std::vector<Client> clients_;
    std::set<std::string> ids_;
    std::map<std::int32_t, std::string> leaders_;
    std::map<std::int32_t, std::map<std::string, std::set<int>>> parts_;
    std::map<std::pair<std::int32_t, int>, std::string> holders_;
    std::int32_t last_generation_ = 0;
    int open_questions_ = 0;
};

TEST(GroupsRandom, WhateverMembersDoTheGroupKeepsItsPromises) {
    const std::uint64_t seed = testing::test_seed();
    std::int32_t generations = 0;
    for (std::uint64_t run = 0; run < 40 && !::testing::Test::HasFailure(); ++run) {
        SCOPED_TRACE("WALRUS_SEED=" + std::to_string(seed) + " run " + std::to_string(run));
        World world(seed + run * 1000);
        world.trouble(600);
        world.settle();
        generations += world.generations();
        world.end();
    }
    EXPECT_GT(generations, 400) << "the trouble was none";
}

}  // namespace
}  // namespace walrus::broker

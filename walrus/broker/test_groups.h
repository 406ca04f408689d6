// What the tests of groups share: a coordinator with a real offset store on a simulated disk.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "walrus/base/assert.h"
#include "walrus/base/random.h"
#include "walrus/broker/groups.h"
#include "walrus/broker/offset_store.h"
#include "walrus/testing/manual_loop.h"
#include "walrus/testing/sim_clock.h"
#include "walrus/testing/sim_env.h"

namespace walrus::broker {

// The answer to a call, when it has come.
template <class T>
struct Answer {
    std::shared_ptr<std::optional<T>> value = std::make_shared<std::optional<T>>();

    std::function<void(T)> callback() {
        return [value = value](T given) {
            WALRUS_ASSERT(!value->has_value());  // Answered twice.
            *value = std::move(given);
        };
    }
    explicit operator bool() const { return value->has_value(); }
    const T& operator*() const { return **value; }
    const T* operator->() const { return &**value; }
};

inline constexpr std::uint64_t kSessionMs = 10'000;
inline constexpr std::uint64_t kRebalanceMs = 60'000;

inline JoinRequest join_request(std::string member_id = "") {
    return {.group = "g",
            .member_id = std::move(member_id),
            .client_id = "test",
            .client_host = "/127.0.0.1",
            .protocol_type = "consumer",
            .protocols = {{"range", "subscription"}},
            .session_timeout_ms = kSessionMs,
            .rebalance_timeout_ms = kRebalanceMs};
}

struct GroupsFixture {
    explicit GroupsFixture(std::uint64_t seed = 1, GroupOptions group_options = {})
        : env(seed), random(seed) {
        OffsetStoreOptions options;
        options.directory = "offsets";
        options.file_size_bytes = 64 << 10;
        options.backend = wal::Backend::kDirect;
        options.threading = wal::Threading::kInline;
        options.env = &env;
        options.clock = &clock;
        options.random = &random;
        auto opened = LogOffsetStore::open(options, loop);
        WALRUS_ASSERT(opened.has_value());
        store = *std::move(opened);
        groups = std::make_unique<GroupCoordinator>(loop, random, *store, group_options);
    }

    Answer<JoinAnswer> join(JoinRequest request) {
        Answer<JoinAnswer> answer;
        groups->join(std::move(request), answer.callback());
        return answer;
    }
    Answer<SyncAnswer> sync(const JoinAnswer& joined,
                            std::vector<std::pair<std::string, std::string>> assignments = {}) {
        Answer<SyncAnswer> answer;
        groups->sync({identity(joined), std::move(assignments)}, answer.callback());
        return answer;
    }
    static MemberIdentity identity(const JoinAnswer& joined) {
        return {"g", joined.generation, joined.member_id, std::nullopt};
    }
    ErrorCode heartbeat(const JoinAnswer& joined) { return groups->heartbeat(identity(joined)); }
    ErrorCode commit(const MemberIdentity& who, std::uint64_t offset) {
        Answer<ErrorCode> answer;
        groups->commit(who, {{"t", 0, {.offset = Offset{offset}}}}, answer.callback());
        loop.run();
        WALRUS_ASSERT(static_cast<bool>(answer));
        return *answer;
    }
    // Joins as many members as that at once, the first leading, and gives each "part n".
    std::vector<JoinAnswer> stable(std::size_t members) {
        std::vector<Answer<JoinAnswer>> answers;
        for (std::size_t i = 0; i < members; ++i) answers.push_back(join(join_request()));
        loop.advance_ms(1000);
        std::vector<JoinAnswer> joined;
        for (const auto& answer : answers) joined.push_back(*answer);
        std::vector<std::pair<std::string, std::string>> parts;
        for (std::size_t i = 0; i < members; ++i)
            parts.emplace_back(joined[i].member_id, "part " + std::to_string(i));
        for (const JoinAnswer& member : joined)
            if (member.member_id != member.leader) sync(member);
        for (const JoinAnswer& member : joined)
            if (member.member_id == member.leader) sync(member, parts);
        WALRUS_ASSERT(groups->describe("g")->state == GroupState::kStable);
        return joined;
    }
    GroupState state() const { return groups->describe("g")->state; }

    testing::ManualLoop loop;
    testing::SimEnv env;
    testing::SimClock clock;
    SeededRandom random;
    std::unique_ptr<LogOffsetStore> store;
    std::unique_ptr<GroupCoordinator> groups;
};

}  // namespace walrus::broker

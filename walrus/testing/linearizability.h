// Is a history of operations on one topic name linearizable?  A search after Wing and Gong, with
// Lowe's memory of what was tried; histories here are short.
//
// The object: a topic that is absent, or there at a version.  An operation with an unknown outcome
// may have taken effect at any time from its call on, or never.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "walrus/testing/history_checker.h"

namespace walrus::testing {

enum class TopicOp : std::uint8_t { kCreate, kUpdate, kDelete };

struct TopicEvent {
    TopicOp op = TopicOp::kCreate;
    // Of kUpdate and kDelete.
    std::uint64_t topic = 0;
    std::uint64_t expect_version = 0;
    std::uint64_t began_ns = 0;
    std::uint64_t ended_ns = ~std::uint64_t{0};
    ClientOutcome outcome = ClientOutcome::kUnknown;
    // kOk: the id, and the version that it made.  kFailed of kCreate: the id that is there.
    std::uint64_t result_topic = 0;
    std::uint64_t result_version = 0;
};

// What is wrong, or nothing.
std::optional<std::string> check_linearizable(const std::vector<TopicEvent>& events);

}  // namespace walrus::testing

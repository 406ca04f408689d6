// Where reading begins, as people say it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "walrus/base/result.h"
#include "walrus/client/kafka_admin.h"

namespace walrus::client {

struct StartPosition {
    enum class Kind { kBeginning, kEnd, kOffset, kTail, kTime };
    Kind kind = Kind::kBeginning;
    std::int64_t value = 0;  // Offset, number of records, or milliseconds since 1970.

    friend bool operator==(const StartPosition&, const StartPosition&) = default;
};

// "beginning" (start, earliest), "end" (latest), "1234", "-10" (the last ten of each partition),
// or a time as in parse_time_ms().  kInvalidArgument names the text.
Result<StartPosition> parse_start_position(std::string_view text);

// "ts:1700000000000" or ISO 8601: 2026-11-23, 2026-11-23T18:30, 2026-11-23T18:30:15.250Z,
// 2026-11-23T18:30:15+02:00; without a zone it is UTC.  In milliseconds since 1970.
Result<std::int64_t> parse_time_ms(std::string_view text);

// "2026-11-23T18:30:15.250Z"
std::string format_time(std::int64_t timestamp_ms);

// Partition and offset for each of `offsets`, which are of `topic`.  kOutOfRange: the offset lies
// before the start or past the end of a partition.
Result<std::vector<std::pair<std::int32_t, std::int64_t>>> resolve_start(
    const StartPosition& position, KafkaAdmin& admin, const TopicInfo& topic);

}  // namespace walrus::client

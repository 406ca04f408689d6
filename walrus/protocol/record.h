// One record of a batch, as readers get it and builders take it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "walrus/base/bytes.h"

namespace walrus::protocol {

struct RecordHeader {
    std::string_view key;
    std::optional<Bytes> value = std::nullopt;
};

// Views into the bytes it was read from.
struct Record {
    std::int64_t offset = 0;
    std::int64_t timestamp_ms = 0;
    std::optional<Bytes> key = std::nullopt;
    std::optional<Bytes> value = std::nullopt;  // Nothing: a tombstone.
    std::vector<RecordHeader> headers = {};
};

}  // namespace walrus::protocol

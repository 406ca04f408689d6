// RecordService: single records by the name of their topic, wherever in a cluster it is led; what
// the text protocol asks for.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/broker/types.h"

namespace walrus::broker {

// A record's value; nothing: there is none that was not read.
using RecordCallback = std::function<void(Result<std::optional<std::string>>)>;

// On the loop; callbacks run once, on the loop, perhaps before the call returns.
class RecordService {
public:
    virtual ~RecordService() = default;

    // Appends a record; durable when answered.  The bytes are copied before this returns.
    // kTimeout, kClosed: it may be there.  Any other error: it is not.
    virtual void put(std::string_view topic, Bytes value, StatusCallback done) = 0;
    // The next record that nobody was given.  kTimeout, kClosed: one may have been given up.
    virtual void get(std::string_view topic, RecordCallback done) = 0;
};

}  // namespace walrus::broker

// Where log lines of a walrusd go and how they look: one line for each event.
#pragma once

#include <string>
#include <string_view>

#include "walrus/base/clock.h"
#include "walrus/base/log.h"
#include "walrus/base/result.h"
#include "walrus/node/config.h"

namespace walrus::node {

// ts=2026-11-23T19:15:45.123Z level=info node=1 msg="..."
// {"ts":"2026-11-23T19:15:45.123Z","level":"info","node":1,"msg":"..."}
std::string format_log_line(LogFormat format, std::uint64_t wall_ms, std::uint32_t node_id,
                            LogLevel level, std::string_view message);

// A sink as the configuration says.  kIo: the log file cannot be opened.
Result<LogSink> make_log_sink(const Config& config, Clock& clock);

}  // namespace walrus::node

// Logging: one logfmt line per event, on a sink the program chooses.
//
// The library writes nothing unless a sink is set: a library must not print behind its user's back.
#pragma once

#include <functional>
#include <string_view>

namespace walrus {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

std::string_view log_level_name(LogLevel level);

using LogSink = std::function<void(LogLevel level, std::string_view message)>;

// Replaces the sink (empty = silence, the default).  Thread-safe; calls to the sink are serialised,
// and a sink must not log.
void set_log_sink(LogSink sink);

// A sink that writes `level=info msg="..."` lines at or above `least` to stderr.
LogSink stderr_log_sink(LogLevel least);

// Hands one event to the sink.  Thread-safe.
void log(LogLevel level, std::string_view message);

}  // namespace walrus

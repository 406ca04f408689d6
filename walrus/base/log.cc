#include "walrus/base/log.h"

#include <fmt/format.h>

#include <cstdio>
#include <iterator>
#include <mutex>
#include <string>
#include <utility>

namespace walrus {
namespace {

struct Sink {
    std::mutex mutex;
    LogSink write;
};

// Never destroyed, so that destructors of other static objects may still log.
Sink& sink() {
    static Sink* const instance = new Sink;
    return *instance;
}

// One event stays one line, and quotes cannot end the message early.
void append_escaped(std::string& line, std::string_view message) {
    for (const char c : message) {
        switch (c) {
            case '"': line += "\\\""; break;
            case '\\': line += "\\\\"; break;
            case '\n': line += "\\n"; break;
            case '\r': line += "\\r"; break;
            case '\t': line += "\\t"; break;
            default:
                if (const auto code = static_cast<unsigned char>(c); code < 0x20) {
                    fmt::format_to(std::back_inserter(line), "\\x{:02x}", unsigned{code});
                } else {
                    line += c;
                }
        }
    }
}

}  // namespace

std::string_view log_level_name(LogLevel level) {
    switch (level) {
        case LogLevel::kDebug: return "debug";
        case LogLevel::kInfo: return "info";
        case LogLevel::kWarn: return "warn";
        case LogLevel::kError: return "error";
    }
    return "unknown";
}

void set_log_sink(LogSink new_sink) {
    LogSink old;  // Destroyed outside the lock: its captures may do anything.
    {
        const std::scoped_lock lock(sink().mutex);
        old = std::exchange(sink().write, std::move(new_sink));
    }
}

LogSink stderr_log_sink(LogLevel least) {
    return [least](LogLevel level, std::string_view message) {
        if (level < least) return;
        std::string line = fmt::format("level={} msg=\"", log_level_name(level));
        append_escaped(line, message);
        line += "\"\n";
        std::fwrite(line.data(), 1, line.size(), stderr);
    };
}

void log(LogLevel level, std::string_view message) {
    const std::scoped_lock lock(sink().mutex);
    if (sink().write) sink().write(level, message);
}

}  // namespace walrus

#include "walrus/node/log_output.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

namespace walrus::node {
namespace {

std::string timestamp(std::uint64_t wall_ms) {
    const auto seconds = static_cast<std::time_t>(wall_ms / 1000);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), wall_ms % 1000);
}

// One event stays one line, and quotes cannot end the message early.
std::string escaped(std::string_view message) {
    std::string out;
    for (const char c : message) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            default:
                if (const auto code = static_cast<unsigned char>(c); code < 0x20) {
                    out += fmt::format("\\x{:02x}", unsigned{code});
                } else {
                    out += c;
                }
        }
    }
    return out;
}

}  // namespace

std::string format_log_line(LogFormat format, std::uint64_t wall_ms, std::uint32_t node_id,
                            LogLevel level, std::string_view message) {
    if (format == LogFormat::kLogfmt)
        return fmt::format("ts={} level={} node={} msg=\"{}\"\n", timestamp(wall_ms),
                           log_level_name(level), node_id, escaped(message));
    using Json = nlohmann::ordered_json;
    const Json line = {{"ts", timestamp(wall_ms)},
                       {"level", log_level_name(level)},
                       {"node", node_id},
                       {"msg", message}};
    return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<LogSink> make_log_sink(const Config& config, Clock& clock) {
    std::shared_ptr<std::FILE> file(stderr, [](std::FILE*) {});
    if (!config.log_file.empty()) {
        std::FILE* const opened = std::fopen(config.log_file.c_str(), "ae");
        if (opened == nullptr)
            return Error{Errc::kIo, "log_file: " + config.log_file + ": " + std::strerror(errno)};
        file = std::shared_ptr<std::FILE>(opened, &std::fclose);
    }
    return LogSink([file, &clock, format = config.log_format, node = config.node_id,
                    least = config.log_level](LogLevel level, std::string_view message) {
        if (level < least) return;
        const std::string line = format_log_line(format, clock.wall_ms(), node, level, message);
        std::fwrite(line.data(), 1, line.size(), file.get());
        std::fflush(file.get());
    });
}

}  // namespace walrus::node

#include "harness/runner/child_jobs.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "harness/driver/file_descriptor.h"

namespace walrus::harness {

Result<ChildProcess> ChildJobs::start(const Job& job, const std::string& log) const {
    auto child = ChildProcess::start(executable_, log);
    if (!child) return child;
    WALRUS_RETURN_IF_ERROR(child->send_line(nlohmann::json(job).dump() + "\n"));
    return child;
}

Result<Answer> ChildJobs::read_answer(ChildProcess& child, const std::string& log,
                                      std::uint64_t timeout_ms) {
    const auto line = child.read_line(timeout_ms);
    if (!line) return with_last_words(line.error(), log);
    try {
        return nlohmann::json::parse(*line).get<Answer>();
    } catch (const nlohmann::json::exception& error) {
        return Error{Errc::kCorruption, fmt::format("bad answer: {}", error.what())};
    }
}

Result<Answer> ChildJobs::ask(const Job& job, const std::string& log,
                              std::uint64_t timeout_ms) const {
    auto child = start(job, log);
    if (!child) return std::move(child).error();
    auto answer = read_answer(*child, log, timeout_ms);
    child->kill();
    if (!answer) return answer;
    if (!answer->error.empty()) return with_last_words({Errc::kIo, answer->error}, log);
    remove_if_empty(log);
    return answer;
}

Error ChildJobs::with_last_words(const Error& error, const std::string& log) {
    std::string text = read_whole_file(log).value_or("");
    while (text.ends_with('\n')) text.pop_back();
    if (text.empty()) {
        remove_if_empty(log);
        return error;
    }
    const auto newline = text.rfind('\n');
    const std::string last = newline == std::string::npos ? text : text.substr(newline + 1);
    return Error{error.code, fmt::format("{}; its last words: {}", error.message, last)};
}

void ChildJobs::remove_if_empty(const std::string& log) {
    std::error_code ignored;
    if (std::filesystem::file_size(log, ignored) == 0) std::filesystem::remove(log, ignored);
}

}  // namespace walrus::harness

// ChildJobs: hands jobs to child processes and takes their answers (the parent's side of job.h).
#pragma once

#include <cstdint>
#include <string>

#include "harness/runner/child_process.h"
#include "harness/runner/job.h"
#include "walrus/base/result.h"

namespace walrus::harness {

// What a child prints goes to a log file, which is removed again when it stays empty.
class ChildJobs {
public:
    explicit ChildJobs(std::string executable) : executable_(std::move(executable)) {}

    // Starts a child with `job`; its answer is still to be read.
    Result<ChildProcess> start(const Job& job, const std::string& log) const;
    // kCorruption: the answer is no answer.  Otherwise the errors of ChildProcess::read_line, with
    // the last line of the log.
    static Result<Answer> read_answer(ChildProcess& child, const std::string& log,
                                      std::uint64_t timeout_ms);
    // A job that needs no orderly end: starts, waits for the answer, kills.  An error in the answer
    // is returned as kIo.
    Result<Answer> ask(const Job& job, const std::string& log, std::uint64_t timeout_ms) const;

    // `error` with the last line the child said.
    static Error with_last_words(const Error& error, const std::string& log);
    static void remove_if_empty(const std::string& log);

private:
    std::string executable_;
};

}  // namespace walrus::harness

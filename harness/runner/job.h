// Job: what the parent asks of a child process, and what the child answers.
//
// The child gets one JSON line on standard input and answers with one JSON line on descriptor 3;
// its standard output and error go to a log file.  After the answer of a write job the child holds
// the system open until it reads "stop" (orderly end) or is killed.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/report/result.h"
#include "harness/scenario/scenario.h"
#include "harness/workload/journal.h"

namespace walrus::harness {

inline constexpr int kAnswerDescriptor = 3;

enum class JobKind {
    kWrite,     // Open a fresh directory and run the load.
    kReadBack,  // Open what a writer left, read everything and check it.
    kFloor,     // Measure the device's own floor.
    kServe,     // Start a server, warm it up, and keep it until told to stop.
    kProve,     // Open a fresh directory and do what a resilience scenario says.
};

// kProve: the scenario as its file has it, and where to write.
struct ProofOrder {
    std::string text;
    std::string path;
    std::vector<Override> overrides;
    std::uint64_t seed = 0;
    std::string history;  // Path of the file.
    std::string logs;     // Directory.
};

struct Job {
    JobKind kind = JobKind::kWrite;
    std::string directory;
    SystemSpec system;
    Settings attachment;  // Of a kept server; on top of all other settings.
    Row row;
    std::uint64_t seed = 0;
    std::uint64_t run_id = 0;
    Journal journal;                 // kReadBack.
    bool plain_reads_first = false;  // kReadBack of a scan row: the order of the two passes.
    std::uint64_t duration_ns = 0;   // kFloor, of each of its two halves.
    ProofOrder proof;
};

// The answer: `error` or the part that belongs to the kind of job.
struct Answer {
    std::string error;
    WriteFigures write;
    ReadFigures read;
    Journal journal;
    ReadBackFigures read_back;
    FloorResult floor;
    Settings attachment;  // kServe.
};

void to_json(nlohmann::json& json, const WriterJournal& journal);
void from_json(const nlohmann::json& json, WriterJournal& journal);
void to_json(nlohmann::json& json, const Job& job);
void from_json(const nlohmann::json& json, Job& job);
void to_json(nlohmann::json& json, const Answer& answer);
void from_json(const nlohmann::json& json, Answer& answer);

}  // namespace walrus::harness

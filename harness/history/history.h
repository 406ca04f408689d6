// History: what clients did and saw, and what was done to the system meanwhile, as it happened.
//
// One file of JSON lines (harness/history/README.md), written by HistoryWriter and read by
// read_history.  Times are of the monotonic clock of the machine that ran the clients.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/workload/journal.h"
#include "walrus/base/result.h"

namespace walrus::harness {

inline constexpr const char* kHistorySchema = "walrus.history/v1";

// Records [sequence, sequence + count) of a writer, at [offset, offset + count) of a topic.
struct RecordRun {
    std::uint64_t offset = 0;
    std::uint32_t writer = 0;
    std::uint64_t sequence = 0;
    std::uint64_t count = 0;

    bool operator==(const RecordRun&) const = default;
};

// One append: records [sequence, sequence + records) of a writer, to one topic.
struct AppendOp {
    std::uint32_t writer = 0;
    std::uint64_t sequence = 0;
    std::uint64_t records = 1;
    std::uint32_t topic = 0;
    std::uint64_t due_ns = 0;   // When it should have been sent.
    std::uint64_t sent_ns = 0;  // The call.
    std::uint64_t done_ns = 0;  // The outcome; 0: none ever came, so it is unknown.
    Outcome outcome = Outcome::kUnknown;
    std::optional<std::uint64_t> offset = {};  // Of its first record, where the system told it.
    std::string why = {};                      // Of an outcome other than kAcknowledged.
};

// One read of one topic.  Polls of a consumer follow each other in the file.
struct PollOp {
    std::uint32_t consumer = 0;
    std::uint32_t topic = 0;
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;
    std::vector<RecordRun> runs = {};
    std::vector<std::uint64_t> damaged = {};  // Offsets of records whose checksum does not fit.
    std::vector<std::uint64_t> foreign = {};  // Offsets of records that are not of this run.
    std::string error = {};                   // "" when the read was answered.
    // The read of a whole topic after everything was healed.
    bool final_read = false;
    bool reached_end = false;  // final_read: up to the high watermark.
    std::string node = {};     // final_read: who was asked; "" where the system decides.
};

struct PhaseMark {
    std::string name = {};
    std::uint64_t begin_ns = 0;
};

// A fault, once.  A moment that is 0 never came.
struct FaultRecord {
    std::uint32_t id = 0;
    std::string kind = {};
    std::string node = {};
    std::uint64_t begun_ns = 0;          // Just before it was done.
    std::uint64_t witnessed_ns = 0;      // It was seen to have happened.
    std::uint64_t healing_ns = 0;        // Just before it was undone.
    std::uint64_t healed_ns = 0;         // The node was seen to be back.
    std::vector<std::string> what = {};  // What was seen, and what went wrong.
};

// Who takes part.
struct HistoryHeader {
    std::uint64_t run_id = 0;
    std::string scenario = {};
    std::string system = {};
    std::string version = {};
    std::uint32_t topics = 0;
    std::uint32_t writers = 0;
    std::uint32_t consumers = 0;
    std::uint64_t begin_ns = 0;
    std::uint64_t wall_ms = 0;
};

struct History {
    HistoryHeader header = {};
    std::vector<AppendOp> appends = {};  // In the order of their calls.
    std::vector<PollOp> polls = {};
    std::vector<PhaseMark> phases = {};
    std::vector<FaultRecord> faults = {};   // By id.
    std::vector<std::string> crashes = {};  // Servers that ended by themselves, or said so.
    std::vector<std::string> notes = {};    // What else went wrong in the harness.
    // It was written to its end.  Otherwise the harness ended early, and what it had not written
    // yet is not there (history_writer.h says what that can be).
    bool complete = false;
    std::uint64_t end_ns = 0;
};

// kNotFound: no such file.  kCorruption: not a history, with the line.  A last line that is cut off
// is left out: that is how a killed harness ends.
Result<History> read_history(const std::string& path);
Result<History> parse_history(std::string_view text, const std::string& path);

}  // namespace walrus::harness

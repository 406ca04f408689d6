// HistoryChecker: what clients did and saw, against what the log holds in the end.
//
// Outcomes are three-valued: kOk, kFailed (it did not happen, for certain), kUnknown.  The names of
// the anomalies are those of the harness (design.md section 6).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace walrus::testing {

enum class ClientOutcome : std::uint8_t { kUnknown, kOk, kFailed };

// One batch; its value says which one it is, for ever.
struct AppendEvent {
    std::string topic = {};
    std::string value = {};
    std::uint64_t records = 1;
    ClientOutcome outcome = ClientOutcome::kUnknown;
    std::optional<std::uint64_t> offset = {};
    std::uint64_t completed_ns = 0;
};

struct SeenBatch {
    std::uint64_t offset = 0;
    std::uint64_t records = 1;
    std::string value = {};
};

// A poll from `next`; what came follows it without a gap.
struct PollEvent {
    std::string topic = {};
    std::uint64_t next = 0;
    std::uint64_t log_start = 0;
    std::vector<SeenBatch> seen = {};
};

// "There is nothing beyond `end`", asked at `began_ns`.
struct EndEvent {
    std::string topic = {};
    std::uint64_t began_ns = 0;
    std::uint64_t end = 0;
};

// A shared cursor was moved from `from` to `to`; with kOk the records were handed out.
struct GetEvent {
    std::string topic = {};
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    ClientOutcome outcome = ClientOutcome::kUnknown;
};

// What a copy holds of a topic in the end, from `log_start` on.
struct FinalLog {
    std::uint64_t log_start = 0;
    std::vector<SeenBatch> batches = {};
};

class HistoryChecker {
public:
    // Returns a number for append_done().
    std::size_t append(AppendEvent event);
    AppendEvent& append_of(std::size_t number) { return appends_[number]; }
    void poll(PollEvent event);
    void end_seen(const EndEvent& event);
    std::size_t get(GetEvent event);
    GetEvent& get_of(std::size_t number) { return gets_[number]; }
    // Copies of the same topic are compared.
    void final_log(const std::string& topic, FinalLog log);

    // The first anomaly, "name: what"; complete once every final log is there.
    std::optional<std::string> check();
    // Of polls: while it runs.
    const std::optional<std::string>& violation() const { return violation_; }
    std::uint64_t polled() const { return polled_; }
    std::size_t appends() const { return appends_.size(); }

private:
    void fail(const std::string& anomaly, const std::string& what);
    void check_values(const std::string& topic, const FinalLog& log);
    void check_appends();
    void check_ends();
    void check_gets();

    std::vector<AppendEvent> appends_;
    std::map<std::string, std::size_t> by_value_;
    std::map<std::pair<std::string, std::uint64_t>, std::string> seen_;  // (topic, offset) -> value
    std::vector<EndEvent> ends_;
    std::vector<GetEvent> gets_;
    std::map<std::string, FinalLog> finals_;
    std::uint64_t polled_ = 0;
    std::optional<std::string> violation_;
};

}  // namespace walrus::testing

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/driver/file_descriptor.h"
#include "harness/history/history.h"

namespace walrus::harness {
namespace {

using nlohmann::json;

// Takes lines in order and builds the history.  Throws json::exception on a line of another shape.
class HistoryParser {
public:
    // "" or what is wrong with the line.
    std::string take(const json& line) {
        const auto op = line.at("op").get<std::string>();
        if (history_.header.begin_ns == 0 && op != "begin") return "does not begin with a header";
        if (op == "begin") return begin(line);
        if (op == "append") return append(line);
        if (op == "ok") return done(line, Outcome::kAcknowledged);
        if (op == "fail") return done(line, Outcome::kFailed);
        if (op == "unknown") return done(line, Outcome::kUnknown);
        if (op == "poll" || op == "final") return poll(line, op == "final");
        if (op == "fault") return fault(line);
        if (op == "phase") {
            history_.phases.push_back({line.at("name"), line.at("at")});
            return "";
        }
        if (op == "note" || op == "crash") {
            (op == "note" ? history_.notes : history_.crashes).push_back(line.at("what"));
            return "";
        }
        if (op != "end") return "unknown op \"" + op + "\"";
        history_.complete = true;
        history_.end_ns = line.at("at");
        return "";
    }

    History finish() && { return std::move(history_); }

private:
    using RecordKey = std::pair<std::uint32_t, std::uint64_t>;

    std::string begin(const json& line) {
        if (line.value("schema", "") != kHistorySchema) {
            return fmt::format("is no {}: written by another version", kHistorySchema);
        }
        history_.header = {.run_id = line.at("run"),
                           .scenario = line.at("scenario"),
                           .system = line.at("system"),
                           .version = line.at("version"),
                           .topics = line.at("topics"),
                           .writers = line.at("writers"),
                           .consumers = line.at("consumers"),
                           .begin_ns = line.at("at"),
                           .wall_ms = line.at("wall_ms")};
        return "";
    }

    std::string append(const json& line) {
        AppendOp append{.writer = line.at("w"),
                        .sequence = line.at("s"),
                        .records = line.at("n"),
                        .topic = line.at("t"),
                        .due_ns = line.at("due"),
                        .sent_ns = line.at("at")};
        if (append.writer >= history_.header.writers || append.topic >= history_.header.topics) {
            return "names a writer or topic that does not take part";
        }
        const RecordKey key{append.writer, append.sequence};
        if (!open_.try_emplace(key, history_.appends.size()).second) return "is sent twice";
        note_time(append.sent_ns);
        history_.appends.push_back(std::move(append));
        return "";
    }

    std::string done(const json& line, Outcome outcome) {
        const auto found = open_.find({line.at("w"), line.at("s")});
        if (found == open_.end()) return "is the outcome of an append that was never sent";
        AppendOp& append = history_.appends[found->second];
        if (append.done_ns != 0) return "is a second outcome";
        append.outcome = outcome;
        append.done_ns = line.at("at");
        if (line.contains("o")) append.offset = line.at("o").get<std::uint64_t>();
        append.why = line.value("why", "");
        note_time(append.done_ns);
        return "";
    }

    std::string poll(const json& line, bool final_read) {
        PollOp poll{.consumer = line.at("c"),
                    .topic = line.at("t"),
                    .begin_ns = line.at("from"),
                    .end_ns = line.at("at")};
        for (const json& run : line.at("runs")) {
            poll.runs.push_back({run.at(0), run.at(1), run.at(2), run.at(3)});
        }
        if (line.contains("damaged")) line.at("damaged").get_to(poll.damaged);
        if (line.contains("foreign")) line.at("foreign").get_to(poll.foreign);
        poll.error = line.value("why", "");
        poll.final_read = final_read;
        poll.reached_end = line.value("end", false);
        poll.node = line.value("node", "");
        if (poll.topic >= history_.header.topics) return "names a topic that does not take part";
        note_time(poll.end_ns);
        history_.polls.push_back(std::move(poll));
        return "";
    }

    std::string fault(const json& line) {
        const std::size_t id = line.at("id");
        if (id > history_.faults.size()) return "is about a fault that never began";
        if (id == history_.faults.size()) {
            history_.faults.push_back({.id = line.at("id"),
                                       .kind = line.at("kind"),
                                       .node = line.at("node"),
                                       .what = {}});
        }
        FaultRecord& fault = history_.faults[id];
        const auto state = line.at("state").get<std::string>();
        const std::uint64_t at_ns = line.at("at");
        if (state == "begun") fault.begun_ns = at_ns;
        if (state == "witnessed") fault.witnessed_ns = at_ns;
        if (state == "healing") fault.healing_ns = at_ns;
        if (state == "healed") fault.healed_ns = at_ns;
        if (const auto what = line.value("what", ""); !what.empty()) fault.what.push_back(what);
        note_time(at_ns);
        return "";
    }

    void note_time(std::uint64_t at_ns) { history_.end_ns = std::max(history_.end_ns, at_ns); }

    History history_;
    std::map<RecordKey, std::size_t> open_;  // Appends by their first record.
};

}  // namespace

Result<History> read_history(const std::string& path) {
    const auto text = read_whole_file(path);
    if (!text) return text.error();
    return parse_history(*text, path);
}

Result<History> parse_history(std::string_view text, const std::string& path) {
    HistoryParser parser;
    std::uint64_t number = 0;
    while (!text.empty()) {
        const auto end = text.find('\n');
        if (end == std::string_view::npos) break;  // Cut off.
        ++number;
        const auto wrong = [&](const std::string& what) {
            return Error{Errc::kCorruption, fmt::format("{}:{}: {}", path, number, what)};
        };
        try {
            const std::string what = parser.take(json::parse(text.substr(0, end)));
            if (!what.empty()) return wrong(what);
        } catch (const json::exception& error) {
            return wrong(fmt::format("is no line of a history: {}", error.what()));
        }
        text.remove_prefix(end + 1);
    }
    History history = std::move(parser).finish();
    if (history.header.begin_ns == 0) {
        return Error{Errc::kCorruption, path + ": is empty, so it is no history"};
    }
    return history;
}

}  // namespace walrus::harness

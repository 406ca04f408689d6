#include "harness/history/history_writer.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

namespace walrus::harness {
namespace {

constexpr std::size_t kBufferBytes = 64 << 10;

// As a JSON text, quotes included.  Bytes that are no UTF-8 are replaced: messages of systems may
// hold anything.
std::string json_text(std::string_view text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string_view outcome_word(Outcome outcome) {
    switch (outcome) {
        case Outcome::kAcknowledged: return "ok";
        case Outcome::kFailed: return "fail";
        case Outcome::kUnknown: return "unknown";
    }
    return "unknown";
}

}  // namespace

Result<std::unique_ptr<HistoryWriter>> HistoryWriter::create(const std::string& path,
                                                             const HistoryHeader& header) {
    auto file = open_file(path, O_WRONLY | O_CREAT | O_EXCL);
    if (!file) return std::move(file).error();
    std::unique_ptr<HistoryWriter> writer(new HistoryWriter(std::move(*file), path));
    writer->add(
        fmt::format(
            R"({{"op":"begin","schema":"{}","run":{},"scenario":{},"system":{},)"
            R"("version":{},"topics":{},"writers":{},"consumers":{},"at":{},"wall_ms":{}}})",
            kHistorySchema, header.run_id, json_text(header.scenario), json_text(header.system),
            json_text(header.version), header.topics, header.writers, header.consumers,
            header.begin_ns, header.wall_ms),
        true);
    WALRUS_RETURN_IF_ERROR(writer->status());
    return writer;
}

void HistoryWriter::append_sent(const AppendOp& append) {
    add(fmt::format(R"({{"op":"append","w":{},"s":{},"n":{},"t":{},"due":{},"at":{}}})",
                    append.writer, append.sequence, append.records, append.topic, append.due_ns,
                    append.sent_ns),
        true);
}

void HistoryWriter::append_done(const AppendOp& append) {
    std::string line =
        fmt::format(R"({{"op":"{}","w":{},"s":{},"at":{})", outcome_word(append.outcome),
                    append.writer, append.sequence, append.done_ns);
    if (append.offset) line += fmt::format(R"(,"o":{})", *append.offset);
    if (!append.why.empty()) line += R"(,"why":)" + json_text(append.why);
    add(line + "}", false);
}

void HistoryWriter::poll(const PollOp& poll) {
    std::string line = fmt::format(R"({{"op":"{}","c":{},"t":{},"from":{},"at":{})",
                                   poll.final_read ? "final" : "poll", poll.consumer, poll.topic,
                                   poll.begin_ns, poll.end_ns);
    if (poll.final_read) {
        line += fmt::format(R"(,"end":{},"node":{})", poll.reached_end, json_text(poll.node));
    }
    line += R"(,"runs":[)";
    for (const RecordRun& run : poll.runs) {
        fmt::format_to(std::back_inserter(line), "{}[{},{},{},{}]", line.back() == '[' ? "" : ",",
                       run.offset, run.writer, run.sequence, run.count);
    }
    line += "]";
    if (!poll.damaged.empty()) {
        line += fmt::format(R"(,"damaged":[{}])", fmt::join(poll.damaged, ","));
    }
    if (!poll.foreign.empty()) {
        line += fmt::format(R"(,"foreign":[{}])", fmt::join(poll.foreign, ","));
    }
    if (!poll.error.empty()) line += R"(,"why":)" + json_text(poll.error);
    add(line + "}", poll.final_read);
}

void HistoryWriter::phase(std::string_view name, std::uint64_t now_ns) {
    add(fmt::format(R"({{"op":"phase","name":{},"at":{}}})", json_text(name), now_ns), true);
}

void HistoryWriter::fault(const FaultLine& line, std::uint64_t now_ns) {
    add(fmt::format(R"({{"op":"fault","id":{},"kind":{},"node":{},"state":{},"at":{},"what":{}}})",
                    line.id, json_text(line.kind), json_text(line.node), json_text(line.state),
                    now_ns, json_text(line.what)),
        true);
}

void HistoryWriter::crash(std::string_view what) {
    add(fmt::format(R"({{"op":"crash","what":{}}})", json_text(what)), true);
}

void HistoryWriter::note(std::string_view text) {
    add(fmt::format(R"({{"op":"note","what":{}}})", json_text(text)), true);
}

void HistoryWriter::end(std::uint64_t now_ns) {
    add(fmt::format(R"({{"op":"end","at":{}}})", now_ns), true);
}

Status HistoryWriter::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

void HistoryWriter::add(std::string_view line, bool flush) {
    const std::lock_guard lock(mutex_);
    buffer_.append(line);
    buffer_ += '\n';
    if (flush || buffer_.size() >= kBufferBytes) flush_locked();
}

void HistoryWriter::flush_locked() {
    const Status written = write_all_at(file_.get(), as_bytes(buffer_), written_, path_);
    if (!written && status_) status_ = written;
    written_ += buffer_.size();
    buffer_.clear();
}

}  // namespace walrus::harness

// HistoryWriter: writes a history while it happens.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "harness/driver/file_descriptor.h"
#include "harness/history/history.h"

namespace walrus::harness {

// Thread-safe.
//
// What a call says is in the file (not yet on the disk) when a later append_sent(), phase(),
// fault() or end() returns, or after 64 KiB; append_sent() itself returns after its own line was
// written. So a harness that dies, by kill -9 too, loses at most outcomes and polls since the last
// append, never the fact that an append was sent: what may be in the log is always known.  An
// outcome that is lost reads as unknown, which can hide an anomaly and never invents one.  A
// machine that dies loses what the kernel had not written.
class HistoryWriter {
public:
    // The file must not exist.
    static Result<std::unique_ptr<HistoryWriter>> create(const std::string& path,
                                                         const HistoryHeader& header);

    // Before the append is handed to the system.  Only writer .. sent_ns of it matter.
    void append_sent(const AppendOp& append);
    // Once per append that has an outcome.  Only writer, sequence, done_ns .. why matter.
    void append_done(const AppendOp& append);
    void poll(const PollOp& poll);
    void phase(std::string_view name, std::uint64_t now_ns);
    // `state`: "begun", "witnessed", "healing", "undone", "healed" or "failed".
    struct FaultLine {
        std::uint32_t id = 0;
        std::string_view kind = {};
        std::string_view node = {};
        std::string_view state = {};
        std::string_view what = {};
    };
    void fault(const FaultLine& line, std::uint64_t now_ns);
    // A server that ended by itself, or that says in its log that it hit a bug of its own.
    void crash(std::string_view what);
    // Something that went wrong in the harness: the run proves nothing.
    void note(std::string_view text);
    // The last line.
    void end(std::uint64_t now_ns);

    // The first error of writing, which is also an error of the run.
    Status status() const;

private:
    HistoryWriter(FileDescriptor file, std::string path)
        : file_(std::move(file)), path_(std::move(path)) {}
    void add(std::string_view line, bool flush);
    void flush_locked();

    FileDescriptor file_;
    const std::string path_;
    mutable std::mutex mutex_;
    std::string buffer_;
    std::uint64_t written_ = 0;
    Status status_;
};

}  // namespace walrus::harness

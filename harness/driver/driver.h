// What the harness knows about a system under test.
//
// A Driver opens a System in a fresh directory; a System gives Producers (one per writer thread)
// and Readers (one per topic).  Drivers live in compare/ and in this room (null, file); they run
// in a child process, so a driver may crash without taking the harness along.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"

namespace walrus::harness {

// What an acknowledgement survives, weakest first.  Rows are compared only within one class.
enum class Durability {
    kNone,        // Acknowledged from process memory.
    kProcess,     // Survives the death of the process (kill -9).
    kOsInterval,  // As kProcess, and synced every so often.
    kDisk,        // Synced before the acknowledgement.
    kQuorumDisk,  // Synced on a quorum of replicas before the acknowledgement.
};

// "none", "process", "os-interval", "disk", "quorum-disk".
std::string_view durability_name(Durability durability);
// One sentence for readers of a table.
std::string_view durability_meaning(Durability durability);
// kInvalidArgument: unknown name; the message suggests the nearest one.
Result<Durability> parse_durability(std::string_view name);

// Option name -> value, both as text.
using Settings = std::map<std::string, std::string>;

// Engines run inside the measuring process, servers behind a socket.  Never one table for both.
enum class Level { kEngine, kServer };
// "engine", "server".
std::string_view level_name(Level level);

struct Description {
    std::string name;     // E.g. "rocksdb".
    std::string version;  // Of the system, as it reports it.
    std::string summary;  // One line for `walrus-harness list`.
    Level level = Level::kEngine;
};

// What a driver can do with given settings.  What it cannot do is refused before the run.
struct Capabilities {
    bool async_append = false;  // append_async returns before the acknowledgement.
    bool read_back = true;      // Readers return what was appended, also after a crash.
    bool live_read = false;     // Readers also return what is appended after they were made.
    std::uint32_t max_topics = 1;
    std::vector<Durability> durabilities;
};

// Waits for one asynchronous append.  Owned by the caller, who keeps it until done() was called.
class Completion {
public:
    virtual ~Completion() = default;

    // Called once, on any thread.  Must not block or call the producer.
    virtual void done(const Status& status) = 0;
    // Called before done() of an acknowledged append of one record, by drivers whose systems tell
    // where it is: its offset.
    virtual void placed_at(std::uint64_t offset) { static_cast<void>(offset); }
};

// One writer's way in.  Used by one thread at a time.  Topics are numbered [0, topics).
class Producer {
public:
    virtual ~Producer() = default;

    // Appends the records as one unit and returns when they are acknowledged in the class the
    // system was opened with.  An error of code kTimeout means that the outcome is unknown;
    // kPoisoned that nothing was sent and this producer will never send again: make another.
    virtual Status append(std::uint32_t topic, std::span<const Bytes> records) = 0;
    // As append without waiting; `records` may be reused when it returns.  After an error
    // `completion` is not called and nothing was appended.
    virtual Status append_async(std::uint32_t topic, std::span<const Bytes> records,
                                Completion& completion) = 0;
    // Waits until every accepted append_async was acknowledged or failed.  The last completions
    // may still be on their way.
    virtual Status drain() = 0;
};

// Reads one topic from its start, in log order (a writer's records in order, at least).  Used by
// one thread at a time, beside producers where `live_read` is offered.
class Reader {
public:
    virtual ~Reader() = default;

    // Calls `visit` for the next records; returns how many, 0 at the end of the topic.  The bytes
    // are valid during the call only.
    virtual Result<std::uint64_t> read(const std::function<void(Bytes)>& visit) = 0;
    // As read(), with each record's offset; records of systems that have none are counted from 0.
    // A reader is used through one of the two.
    virtual Result<std::uint64_t> read_at(const std::function<void(std::uint64_t, Bytes)>& visit) {
        return read([&](Bytes record) { visit(counted_++, record); });
    }
    // Waits until there is more to read, for at most `timeout_ms`.  False: this reader cannot wait,
    // and the caller looks again after a while.
    virtual bool wait(std::uint64_t timeout_ms) {
        static_cast<void>(timeout_ms);
        return false;
    }

private:
    std::uint64_t counted_ = 0;
};

class Nodes;

// An open system.  producer() and reader() may be called from any thread.
class System {
public:
    virtual ~System() = default;

    // The live settings, read back from the system wherever it allows that.
    virtual Settings effective_config() = 0;
    // The system's own counters (syncs, bytes written, ...), since it was opened.
    virtual Settings counters() { return {}; }
    // Makes sure that topics [0, count) exist.
    virtual Status create_topics(std::uint32_t count) = 0;
    virtual Result<std::unique_ptr<Producer>> producer(std::uint32_t writer) = 0;
    virtual Result<std::unique_ptr<Reader>> reader(std::uint32_t topic) = 0;
    // Processes other than this one that belong to the system; for resources and faults.
    virtual std::vector<pid_t> processes() { return {}; }
    // Settings with which another process opens this very system while it runs; empty where a
    // system lives in one process.  Closing what was opened so leaves the system running.
    virtual Settings attachment() { return {}; }
    // What faults act on (nodes.h); null: it has no processes of its own.
    virtual Nodes* nodes() { return nullptr; }
    // Closes in an orderly way.  The destructor without stop() may behave like a crash.
    virtual Status stop() = 0;
};

struct OpenRequest {
    std::string directory;  // Exists; empty, or left by an earlier open with the same settings.
    Durability durability = Durability::kDisk;
    Settings settings;
    std::uint32_t writers = 1;  // Producers that will be made.
};

// Thread-safe, without state of its own.
class Driver {
public:
    virtual ~Driver() = default;

    virtual Description describe() const = 0;
    // kInvalidArgument: an unknown setting or a value that cannot be.  kUnsupported: something that
    // the system needs is not on this machine; rows go on without it.
    virtual Result<Capabilities> capabilities(const Settings& settings) const = 0;
    virtual Result<std::unique_ptr<System>> open(const OpenRequest& request) const = 0;
};

// The drivers of this program.  An absent one (library not installed when it was built) is known
// by name with the reason, so that a scenario can say what is missing.
class Registry {
public:
    void add(std::unique_ptr<Driver> driver);
    void add_absent(std::string name, std::string reason);

    // kNotFound: unknown name, with a suggestion.  kUnsupported: absent, with the reason.
    Result<const Driver*> find(std::string_view name) const;
    const std::map<std::string, std::unique_ptr<Driver>, std::less<>>& drivers() const {
        return drivers_;
    }
    const std::map<std::string, std::string, std::less<>>& absent() const { return absent_; }

private:
    std::map<std::string, std::unique_ptr<Driver>, std::less<>> drivers_;
    std::map<std::string, std::string, std::less<>> absent_;
};

// Errors of `capabilities` for a planned use: durability, topics, asynchronous appends, readers
// beside the writers.
Status check_supported(const Capabilities& capabilities, Durability durability,
                       std::uint32_t topics, bool async, bool live_read = false);

}  // namespace walrus::harness

// CrashScript: a seeded run of a log on a simulated disk, and what must be left of it after a
// crash.
//
// One shard is one sequence of frames and the script is one thread, so what recovery finds must be
// the state of the log after some step of the script: not before the last step that was
// acknowledged for this kind of crash, and not behind the last step that was tried.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "walrus/base/random.h"
#include "walrus/testing/sim_clock.h"
#include "walrus/testing/sim_env.h"
#include "walrus/wal/wal.h"

namespace walrus::wal {

// What can be asked of a topic.  Cursors that stand at or before the start are as good as none.
struct TopicModel {
    std::uint64_t generation = 0;  // How often the name was created before.
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    bool clean = true;
    std::map<std::string, std::uint64_t> cursors;
    std::map<std::uint64_t, std::uint64_t> blobs;  // Opaque batches: first offset -> count.

    // The opaque batch that holds `offset`, or the record there.
    struct Unit {
        std::uint64_t first = 0;
        std::uint64_t count = 1;
        std::uint64_t end() const { return first + count; }
    };
    Unit unit_at(std::uint64_t offset) const;
};
using LogModel = std::map<std::string, TopicModel>;

struct CrashScriptConfig {
    std::uint64_t seed = 0;
    DurabilityClass durability = DurabilityClass::kDisk;
    Backend backend = Backend::kDirect;
    std::uint32_t steps = 160;
};

class CrashScript {
public:
    explicit CrashScript(CrashScriptConfig config);

    // Runs to the end, or until the machine dies.  Returns what went wrong otherwise, or "".
    // The log stays open, for SimEnv::after_crash wants it so.
    std::string run(testing::SimEnv& env);

    // How a recovered log is used before it is opened again.
    enum class After {
        kAppend,     // A little.
        kGiveUp,     // And everything is given up, so that files are recycled.
        kFillFiles,  // The same after filling several files.
    };
    // Opens what the crash left and compares; then uses it, closes, opens and compares again.
    // Returns what is wrong, or "".
    std::string check(testing::SimEnv& survivor, testing::CrashKind kind, After after) const;

    // Options as the script uses them, on that disk.
    Options options(testing::SimEnv& env) const;
    // The bytes of a record, or of an opaque batch of `count` records; every one is different.
    std::string record(const std::string& topic, std::uint64_t generation, std::uint64_t offset,
                       std::uint64_t count = 1) const;
    std::uint64_t steps_tried() const { return states_.size() - 1; }
    // Which kinds of steps were taken, for the test that the script is worth its time.
    const std::map<std::string, int>& taken() const { return taken_; }

private:
    struct Seams {
        testing::SimClock clock;
        SeededRandom random;
    };

    const LogModel& now() const { return states_.back(); }
    LogModel& next_state() { return states_.emplace_back(states_.back()); }
    // The last step was acknowledged: it survives the death of the process.
    void acknowledge() { acknowledged_ = states_.size() - 1; }
    void became_durable() { durable_ = acknowledged_ = states_.size() - 1; }
    std::size_t promised(testing::CrashKind kind) const;

    Status step();
    Status open();
    Status append(std::size_t records, bool async);
    Status append_opaque();
    Status read_next();
    Status move_cursor();
    Status truncate();
    Status change_topics();
    Status mark();
    Status retain();
    Status reopen();

    std::string pick_topic();
    std::string pick_consumer();
    std::uint64_t readable(const std::string& topic);

    std::string compare(Wal& wal, const LogModel& wanted, const LogModel* later) const;
    std::string compare_records(Wal& wal, const std::string& name, const TopicModel& topic,
                                std::uint64_t start) const;
    std::string find_state(Wal& wal, testing::CrashKind kind, LogModel& found) const;
    std::string go_on(testing::SimEnv& survivor, std::unique_ptr<Wal> wal, LogModel state,
                      After after) const;

    const CrashScriptConfig config_;
    SeededRandom dice_;
    std::unique_ptr<Seams> seams_;
    testing::SimEnv* env_ = nullptr;
    std::unique_ptr<Wal> wal_;
    std::vector<LogModel> states_;  // After each step tried; the first is the empty log.
    std::size_t acknowledged_ = 0;  // Positions in states_.
    std::size_t durable_ = 0;
    std::map<std::string, std::uint64_t> generations_;
    std::map<std::string, int> taken_;
    std::string problem_;
};

// The log's state as its interface shows it.
LogModel observe(Wal& wal);

}  // namespace walrus::wal

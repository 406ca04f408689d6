// A log whose files, ring and indexes were changed at will: whatever open() makes of it, every
// record it returns is one that was written, at its offset, and the log either refuses with a typed
// error or works.
//
// Input: the first byte chooses the crash; then edits of {file, position, what, value}.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "walrus/base/crc32c.h"
#include "walrus/testing/sim_clock.h"
#include "walrus/testing/sim_env.h"
#include "walrus/wal/format.h"
#include "walrus/wal/verify.h"
#include "walrus/wal/wal.h"

namespace walrus::wal {
namespace {

using testing::CrashKind;
using testing::SimEnv;
using testing::Unsynced;

constexpr std::uint64_t kFileSize = 64 << 10;
constexpr std::uint64_t kRecords = 260;
constexpr std::uint64_t kTopics = 2;

testing::SimClock clock_of_the_log;

void expect(bool condition, const std::string& what) {
    if (condition) return;
    std::fprintf(stderr, "recovery_fuzz: not true: %s\n", what.c_str());
    std::abort();
}

std::string record_text(std::uint64_t topic, std::uint64_t i) {
    return std::to_string(topic) + " " + std::to_string(i) + std::string(i * 37 % 700, 'r');
}

Options options_for(SimEnv& env, Random& random) {
    Options options;
    options.data_dir = "log";
    options.env = &env;
    options.clock = &clock_of_the_log;
    options.random = &random;
    options.threading = Threading::kInline;
    options.durability = DurabilityClass::kProcess;
    options.backend = Backend::kBuffered;
    options.file_size = options.ring_size = kFileSize;
    options.limits.max_batch_bytes = options.limits.max_record_bytes = 8 << 10;
    return options;
}

// A log of several files, some of whose frames only the ring has; and its file names.
struct Original {
    Original() {
        SeededRandom random(1);
        auto wal = Wal::open(options_for(env, random));
        expect(wal.has_value(), "the original opens");
        for (std::uint64_t i = 0; i < kRecords; ++i) {
            for (std::uint64_t topic = 0; topic < kTopics; ++topic)
                expect((*wal)
                           ->append("t" + std::to_string(topic), as_bytes(record_text(topic, i)))
                           .has_value(),
                       "the original takes records");
            if (i == kRecords / 2) {
                expect((*wal)->commit("t0", "c", Offset{5}).has_value(), "commit");
                expect((*wal)->sync().has_value(), "sync");
            }
        }
        static_cast<void>((*wal)->run_retention().has_value());  // Stores indexes.
        killed = env.after_crash({CrashKind::kKill, Unsynced::kKeep, 1});
        const auto names = killed->list("log/" + shard_dir_name(0));
        expect(names.has_value(), "list");
        for (const std::string& name : *names)
            paths.push_back("log/" + shard_dir_name(0) + "/" + name);
        paths.push_back("log/FORMAT");
    }
    SimEnv env;
    std::unique_ptr<SimEnv> killed;
    std::vector<std::string> paths;
};

class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
    bool empty() const { return at_ >= size_; }
    std::uint64_t take(std::size_t bytes) {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < bytes; ++i)
            value = value << 8 | (at_ < size_ ? data_[at_++] : std::uint8_t{0});
        return value;
    }

private:
    const std::uint8_t* data_;
    std::size_t size_;
    std::size_t at_ = 0;
};

// One edit of a file's bytes.  Positions of frames are aligned, so that edits often hit headers.
void edit(SimEnv& env, const std::vector<std::string>& paths, Input& input) {
    const std::string& path = paths[input.take(1) % paths.size()];
    auto bytes = env.read_file(path);
    const std::uint64_t position = input.take(3);
    const std::uint64_t kind = input.take(1) % 6;
    const auto value = static_cast<std::byte>(input.take(1));
    if (!bytes || bytes->empty()) return;
    const std::uint64_t at = position % bytes->size();
    switch (kind) {
        case 0: (*bytes)[at] ^= value; break;
        case 1: (*bytes)[align_down(at, 8)] ^= value; break;
        case 2:  // A lost sector.
            for (std::uint64_t i = align_down(at, 512); i < std::min(at + 512, bytes->size()); ++i)
                (*bytes)[i] = value;
            break;
        case 3: bytes->resize(at); break;
        case 4: return env.remove_file(path);
        case 5:  // A piece from elsewhere in the same file.
            for (std::uint64_t i = 0; i < 4096 && at + i < bytes->size(); ++i)
                (*bytes)[at + i] = (*bytes)[i * (1 + static_cast<unsigned>(value)) % bytes->size()];
            break;
    }
    env.write_file(path, *bytes);
}

// Reads what there is; every record must be one that was written.
void read_all(Wal& wal) {
    for (std::uint64_t topic = 0; topic < kTopics; ++topic) {
        const std::string name = "t" + std::to_string(topic);
        const auto info = wal.topic(name);
        if (!info) continue;
        expect(info->log_end_offset <= Offset{kRecords + 1}, "no more records than were written");
        for (Offset at = info->log_start_offset; at < info->high_watermark;) {
            const auto batch = wal.read_at(name, at, 4096);
            if (!batch) {
                expect(batch.error().code == Errc::kCorruption ||
                           batch.error().code == Errc::kNotFound ||
                           batch.error().code == Errc::kOutOfRange,
                       "damage is a typed error: " + batch.error().to_string());
                break;
            }
            expect(!batch->empty(), "a read below the high watermark returns something");
            for (const Record& record : *batch) {
                expect(record.offset == at, "records come in order");
                const std::string_view text = as_text(record.data);
                expect(text == record_text(topic, at.value) || text == "new",
                       "only what was written comes back");
                at = at + 1;
            }
        }
    }
}

void use(SimEnv& env, std::uint64_t seed) {
    SeededRandom random(seed);
    const Options options = options_for(env, random);
    auto wal = Wal::open(options);
    if (!wal) return;
    read_all(**wal);
    const auto appended = (*wal)->append("t0", as_bytes("new"));
    if (!appended) return;
    const auto batch = (*wal)->read_at("t0", *appended, 1);
    expect(batch && batch->size() == 1 && as_text((*batch)[0].data) == "new",
           "what was appended can be read");
    if (!(*wal)->close()) return;
    wal->reset();

    auto again = Wal::open(options);
    expect(again.has_value(), "a log that was closed opens");
    const auto topic = (*again)->topic("t0");
    expect(topic && topic->log_end_offset == *appended + 1, "what was closed is there");
}

}  // namespace
}  // namespace walrus::wal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace walrus;
    using namespace walrus::wal;
    static const Original original;
    if (size > 256) return 0;
    Input input(data, size);
    const std::uint64_t mode = input.take(1);
    const auto env = original.killed->after_crash({CrashKind::kKill, Unsynced::kKeep, 0});
    if (mode % 4 == 0)
        env->remove_file("log/" + shard_dir_name(0) + "/" + std::string(kRingFileName));
    while (!input.empty()) edit(*env, original.paths, input);

    SeededRandom random(2);
    const Options options = options_for(*env, random);
    const auto report = verify(options);
    if (mode % 2 == 1 && report && !report->ok()) {
        expect(repair(options).has_value(), "a damaged log can be repaired");
        const auto repaired = verify(options);
        expect(repaired && repaired->ok(), "and is healthy then");
        expect(Wal::open(options).has_value(), "and opens");
    }
    if (report && report->ok()) expect(Wal::open(options).has_value(), "a healthy log opens");
    use(*env, mode + 3);
    return 0;
}

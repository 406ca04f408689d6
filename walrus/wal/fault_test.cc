// Faults at the seam: failing and short transfers at every operation, a full disk, a failing ring,
// and files that are damaged, absent or not what they should be.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>

#include "walrus/base/random.h"
#include "walrus/testing/seed.h"
#include "walrus/testing/sim_clock.h"
#include "walrus/testing/sim_env.h"
#include "walrus/wal/log_reader.h"
#include "walrus/wal/wal.h"

namespace walrus::wal {
namespace {

using testing::Repeat;
using testing::SimEnv;
using testing::SimOperation;

constexpr const char* kShard = "log/shard-000/";
constexpr std::uint64_t kFileSize = 64 << 10;

// A log on a simulated disk, with a ledger of what it acknowledged.
class FaultLog {
public:
    explicit FaultLog(std::unique_ptr<SimEnv> env = std::make_unique<SimEnv>())
        : env_(std::move(env)) {
        options_.data_dir = "log";
        options_.backend = Backend::kDirect;
        options_.file_size = options_.ring_size = kFileSize;
        options_.limits.max_record_bytes = options_.limits.max_batch_bytes = 8 << 10;
        options_.threading = Threading::kInline;
        options_.clock = &clock_;
        options_.random = &random_;
    }

    SimEnv& env() { return *env_; }
    Wal& wal() { return *wal_; }
    Options& options() { return options_; }
    bool is_open() const { return wal_ != nullptr; }
    const std::map<std::uint64_t, std::string>& acknowledged() const { return acknowledged_; }

    Status open() {
        wal_.reset();
        options_.env = env_.get();
        Result<std::unique_ptr<Wal>> wal = Wal::open(options_);
        if (!wal) return std::move(wal).error();
        wal_ = std::move(*wal);
        return {};
    }
    Status close() {
        const Status closed = wal_->close();
        wal_.reset();
        return closed;
    }
    void drop() { wal_.reset(); }
    // A copy of the disk as it is, or as a power cut leaves it, with what was acknowledged on it.
    std::unique_ptr<FaultLog> copy(testing::CrashKind kind = testing::CrashKind::kKill) const {
        const auto unsynced =
            kind == testing::CrashKind::kKill ? testing::Unsynced::kKeep : testing::Unsynced::kDrop;
        auto other = std::make_unique<FaultLog>(env_->after_crash({kind, unsynced, 0}));
        other->options_.durability = options_.durability;
        other->acknowledged_ = acknowledged_;
        other->tried_ = tried_;
        return other;
    }

    static std::string record(std::uint64_t sequence) {
        return std::to_string(sequence) + std::string(1 + sequence * 131 % 900, '.');
    }
    Status append() {
        const std::string text = record(tried_++);
        const Result<Offset> offset = wal_->append("t", as_bytes(text));
        if (!offset) return offset.error();
        EXPECT_TRUE(acknowledged_.emplace(offset->value, text).second) << "offset given twice";
        return {};
    }
    void append_many(int count) {
        for (int i = 0; i < count; ++i) ASSERT_TRUE(append());
    }
    // Several appends in one commit group, so that all but the first have short headers.
    void append_group(int count) {
        std::map<std::uint64_t, std::string> group;
        for (int i = 0; i < count; ++i) {
            const std::string text = record(tried_++);
            const Bytes bytes = as_bytes(text);
            const Result<Ticket> ticket = wal_->append_async("t", {&bytes, 1});
            ASSERT_TRUE(ticket) << ticket.error().to_string();
            group[ticket->first_offset.value] = text;
        }
        ASSERT_TRUE(wal_->sync());
        acknowledged_.merge(group);
    }

    // Reads everything.  Returns the first error; what is read must be what was appended.
    Status read_all() {
        const Result<TopicInfo> info = wal_->topic("t");
        if (!info) return acknowledged_.empty() ? Status{} : info.error();
        std::uint64_t at = info->log_start_offset.value;
        std::uint64_t last = 0;
        Status first_error;
        while (at < info->high_watermark.value) {
            const Result<RecordBatch> batch = wal_->read_at("t", Offset{at}, 32 << 10);
            if (!batch) {
                if (first_error) first_error = batch.error();
                ++at;
                continue;
            }
            for (const Record& read : *batch) {
                const std::uint64_t sequence =
                    std::stoull(std::string(as_text(read.data)).substr(0, 12));
                EXPECT_EQ(as_text(read.data), record(sequence));
                EXPECT_EQ(read.offset.value, at);
                EXPECT_TRUE(last <= sequence && sequence < tried_) << "invented or out of order";
                last = sequence + 1;
                const auto known = acknowledged_.find(at++);
                if (known != acknowledged_.end()) {
                    EXPECT_EQ(known->second, as_text(read.data));
                }
            }
        }
        if (!acknowledged_.empty()) {
            EXPECT_GT(info->log_end_offset.value, acknowledged_.rbegin()->first);
        }
        return first_error;
    }

private:
    std::unique_ptr<SimEnv> env_;
    testing::SimClock clock_;
    SeededRandom random_{7};
    Options options_;
    std::unique_ptr<Wal> wal_;
    std::map<std::uint64_t, std::string> acknowledged_;
    std::uint64_t tried_ = 0;
};

// A log that ends where its file does waits for the next file while it opens.
TEST(Fault, ALogThatFillsItsFileToTheLastBlockOpens) {
    for (int appends = 10; appends < 20; ++appends) {
        FaultLog log;
        ASSERT_TRUE(log.open());
        log.append_many(appends);  // A block each.
        log.drop();
        log.options().threading = Threading::kBackground;
        log.options().clock = nullptr;  // Threads need time that passes.
        ASSERT_TRUE(log.open());
        EXPECT_TRUE(log.read_all());
        log.append_many(3);
        ASSERT_TRUE(log.close());
    }
}

// A creation that broke off between a name and its sync is not believed by the next opening.
TEST(Fault, ACreationThatFailedHalfwayIsMadeDurableByTheNextOpening) {
    FaultLog whole;
    ASSERT_TRUE(whole.open());
    const std::uint64_t operations = whole.env().operation_count();
    for (std::uint64_t n = 1; n <= operations; ++n) {
        FaultLog log;
        log.env().fail_operation(n, Errc::kNoSpace);
        if (!log.open()) {
            ASSERT_TRUE(log.open()) << n;
        }
        log.append_many(3);
        const auto after = log.copy(testing::CrashKind::kPower);
        const Status opened = after->open();
        ASSERT_TRUE(opened) << "operation " << n << ": " << opened.error().to_string();
        EXPECT_TRUE(after->read_all()) << n;
    }
}

// --- transfers that fail ---

// What the sweeps do to a log: fills two files, commits, gives up, recycles, opens twice.
// Goes on after errors as a stubborn caller would, and checks what the errors promise.
void use_under_faults(FaultLog& log) {
    const auto expect_typed = [](const Status& status) {
        if (status) return;
        const Errc code = status.error().code;
        EXPECT_TRUE(code == Errc::kIo || code == Errc::kNoSpace || code == Errc::kPoisoned)
            << status.error().to_string();
    };
    for (int round = 0; round < 2; ++round) {
        const Status opened = log.open();
        expect_typed(opened);
        if (!opened) continue;
        bool poisoned = false;
        const auto check = [&](const Status& status) {
            expect_typed(status);
            if (poisoned) {
                EXPECT_FALSE(status) << "a poisoned log did it";
                EXPECT_EQ(status ? Errc::kIo : status.error().code, Errc::kPoisoned);
            }
            poisoned = poisoned || (!status && status.error().code == Errc::kPoisoned);
        };
        for (int i = 0; i < 90; ++i) {
            check(log.append());
            if (i % 30 == 10) check(log.wal().sync());
            if (i == 60) {
                const Result<TopicInfo> info = log.wal().topic("t");
                if (!info) continue;
                check(log.wal().commit("t", "", info->log_start_offset));
                const Result<std::uint64_t> recycled = log.wal().run_retention();
                if (!recycled) expect_typed(recycled.error());
            }
        }
        const Status read = log.read_all();
        EXPECT_TRUE(read) << read.error().to_string();
        if (round == 0) expect_typed(log.close());
    }
}

void expect_recovered(FaultLog& log) {
    log.drop();
    log.env().clear_faults();
    const Status opened = log.open();
    ASSERT_TRUE(opened) << opened.error().to_string();
    const Status read = log.read_all();
    EXPECT_TRUE(read) << read.error().to_string();
    EXPECT_TRUE(log.append());
    ASSERT_TRUE(log.close());
    ASSERT_TRUE(log.open());
    EXPECT_TRUE(log.read_all());
}

void sweep_faults(DurabilityClass durability, std::uint64_t stride,
                  const std::function<void(SimEnv&, std::uint64_t)>& inject) {
    FaultLog whole;
    whole.options().durability = durability;
    use_under_faults(whole);
    const std::uint64_t total = whole.env().operation_count();
    ASSERT_EQ(whole.acknowledged().size(), 180U);
    for (std::uint64_t n = 1 + testing::test_seed() % stride; n <= total; n += stride) {
        SCOPED_TRACE("fault at operation " + std::to_string(n) + " of " + std::to_string(total) +
                     " class " + std::string(durability_class_name(durability)));
        FaultLog log;
        log.options().durability = durability;
        inject(log.env(), n);
        use_under_faults(log);
        if (durability == DurabilityClass::kDisk) {
            const std::unique_ptr<FaultLog> after_power_cut = log.copy(testing::CrashKind::kPower);
            expect_recovered(*after_power_cut);
        }
        expect_recovered(log);
        if (::testing::Test::HasFailure()) return;
    }
}

constexpr DurabilityClass kClasses[] = {DurabilityClass::kDisk, DurabilityClass::kProcess,
                                        DurabilityClass::kOsInterval};

TEST(Fault, AnIoErrorAtAnyOperationLosesNothingAcknowledged) {
    for (const DurabilityClass durability : kClasses)
        sweep_faults(durability, 1,
                     [](SimEnv& env, std::uint64_t n) { env.fail_operation(n, Errc::kIo); });
}

TEST(Fault, IoErrorsFromAnyOperationOnLoseNothingAcknowledged) {
    for (const DurabilityClass durability : kClasses)
        sweep_faults(durability, 1, [](SimEnv& env, std::uint64_t n) {
            env.fail_operation(n, Errc::kIo, Repeat::kFromThenOn);
        });
}

TEST(Fault, NoSpaceAtAnyOperationLosesNothingAcknowledged) {
    for (const DurabilityClass durability : kClasses)
        sweep_faults(durability, 1,
                     [](SimEnv& env, std::uint64_t n) { env.fail_operation(n, Errc::kNoSpace); });
}

TEST(Fault, NoSpaceFromAnyOperationOnLosesNothingAcknowledged) {
    for (const DurabilityClass durability : kClasses)
        sweep_faults(durability, 1, [](SimEnv& env, std::uint64_t n) {
            env.fail_operation(n, Errc::kNoSpace, Repeat::kFromThenOn);
        });
}

TEST(Fault, AShortWriteAtAnyOperationLosesNothingAcknowledged) {
    for (const DurabilityClass durability : kClasses)
        sweep_faults(durability, 1, [](SimEnv& env, std::uint64_t n) { env.short_write(n); });
}

TEST(Fault, AFailedWritePoisonsForGood) {
    FaultLog log;
    ASSERT_TRUE(log.open());
    log.append_many(5);
    log.env().fail_operation(log.env().operation_count() + 1, Errc::kIo);
    EXPECT_EQ(log.append().error().code, Errc::kPoisoned);
    EXPECT_EQ(log.append().error().code, Errc::kPoisoned);
    EXPECT_EQ(log.wal().sync().error().code, Errc::kPoisoned);
    EXPECT_EQ(log.wal().commit("t", "", Offset{1}).error().code, Errc::kPoisoned);
    EXPECT_EQ(log.wal().create_topic("u").error().code, Errc::kPoisoned);
    EXPECT_EQ(log.wal().truncate_head("t", Offset{1}).error().code, Errc::kPoisoned);
    EXPECT_EQ(log.wal().append_async("t", {}).has_value(), true) << "nothing is nothing";
    const Bytes record = as_bytes("x");
    EXPECT_EQ(log.wal().append_async("t", {&record, 1}).error().code, Errc::kPoisoned);
    EXPECT_TRUE(log.read_all());
    EXPECT_EQ(log.wal().topic("t")->high_watermark, Offset{5});
    EXPECT_EQ(log.close().error().code, Errc::kPoisoned);
    expect_recovered(log);
}

// After a failed sync the pages may be gone: a later success would prove nothing.
TEST(Fault, AFailedSyncIsNeverRetriedIntoASuccess) {
    FaultLog log;
    log.options().durability = DurabilityClass::kProcess;
    ASSERT_TRUE(log.open());
    log.append_many(5);
    bool failed = false;
    log.env().fail_when(
        [&](const SimOperation& operation) {
            const bool hit = !failed && operation.kind == SimOperation::Kind::kSync &&
                             operation.path.ends_with(".log");
            failed = failed || hit;
            return hit;
        },
        Errc::kIo);
    EXPECT_EQ(log.wal().sync().error().code, Errc::kPoisoned);
    ASSERT_TRUE(failed);
    EXPECT_EQ(log.wal().sync().error().code, Errc::kPoisoned);
    EXPECT_EQ(log.append().error().code, Errc::kPoisoned);
    EXPECT_TRUE(log.read_all()) << "what was acknowledged by the ring is still readable";
    EXPECT_EQ(log.wal().topic("t")->durable_offset, Offset{0});
}

// --- the disk is full ---

TEST(Fault, AFullDiskRefusesAppendsAndTakesThemAgainWhenSpaceReturns) {
    for (const DurabilityClass durability : kClasses) {
        FaultLog log;
        log.options().durability = durability;
        ASSERT_TRUE(log.open());
        log.append_many(20);
        log.env().set_capacity(log.env().used_bytes() + 3 * kFileSize / 2);
        Status refused;
        for (int i = 0; i < 1000 && refused; ++i) refused = log.append();
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Errc::kNoSpace) << refused.error().to_string();
        for (int i = 0; i < 10; ++i)  // A smaller one may still fit.
            if (const Status again = log.append(); !again) {
                EXPECT_EQ(again.error().code, Errc::kNoSpace);
            }
        EXPECT_TRUE(log.read_all());
        // Cursors still move: that is what the ballast, two blocks of so small a file, is for.
        EXPECT_TRUE(log.wal().commit("t", "reader", Offset{6}));
        EXPECT_TRUE(log.wal().commit("t", "reader", Offset{7}));
        log.env().set_capacity(~std::uint64_t{0});
        log.append_many(200);
        EXPECT_TRUE(log.read_all());
        ASSERT_TRUE(log.close());
        ASSERT_TRUE(log.open());
        EXPECT_TRUE(log.read_all());
        EXPECT_EQ(log.wal().position("t", "reader").value(), Offset{7});
    }
}

// One that would rather be refused than wait is told which it is: full for now, or no space.
TEST(Fault, AnAppendThatDoesNotWaitIsToldWhetherToComeBackOrThatTheDiskIsFull) {
    testing::SimEnv env;
    SystemRandom random;
    Options options;
    options.data_dir = "log";
    options.backend = Backend::kDirect;
    options.file_size = options.ring_size = kFileSize;
    options.limits.max_record_bytes = options.limits.max_batch_bytes = 8 << 10;
    options.env = &env;
    options.random = &random;
    auto wal = Wal::open(options);
    ASSERT_TRUE(wal) << wal.error().to_string();
    const std::string blob(8 << 10, 'x');
    env.set_capacity(env.used_bytes() + 2 * kFileSize);
    std::uint64_t end = 0;
    Error refusal{Errc::kBusy, ""};
    while (refusal.code == Errc::kBusy) {
        const Result<Ticket> ticket =
            (*wal)->append_opaque_async("t", {as_bytes(blob), 3}, {}, WhenFull::kRefuse);
        if (ticket) {
            EXPECT_EQ(ticket->first_offset, Offset{end});
            end += 3;
        } else {
            refusal = ticket.error();
        }
    }
    EXPECT_EQ(refusal.code, Errc::kNoSpace) << refusal.to_string();
    ASSERT_TRUE((*wal)->sync());
    EXPECT_EQ((*wal)->topic("t")->log_end_offset, Offset{end});
    env.set_capacity(~std::uint64_t{0});
    for (Errc code = Errc::kNoSpace; code == Errc::kNoSpace || code == Errc::kBusy;) {
        const Result<Ticket> ticket =
            (*wal)->append_opaque_async("t", {as_bytes(blob), 3}, {}, WhenFull::kRefuse);
        if (ticket) break;
        code = ticket.error().code;
        ASSERT_TRUE(code == Errc::kNoSpace || code == Errc::kBusy) << ticket.error().to_string();
    }
    ASSERT_TRUE((*wal)->sync());
    EXPECT_EQ((*wal)->topic("t")->log_end_offset, Offset{end + 3});
}

TEST(Fault, AFullDiskTakesAppendsAgainWhenRetentionFreesFiles) {
    FaultLog log;
    ASSERT_TRUE(log.open());
    log.append_many(20);
    log.env().set_capacity(log.env().used_bytes() + 2 * kFileSize);
    Status refused;
    for (int i = 0; i < 1000 && refused; ++i) refused = log.append();
    ASSERT_EQ(refused.error().code, Errc::kNoSpace);
    const Offset end = log.wal().topic("t")->log_end_offset;
    ASSERT_TRUE(log.wal().truncate_head("t", end));
    ASSERT_GE(log.wal().run_retention().value(), 1U);
    log.append_many(12);  // A block each, and a file has 15.
    EXPECT_TRUE(log.read_all());
    ASSERT_TRUE(log.close());
    ASSERT_TRUE(log.open());
    EXPECT_TRUE(log.read_all());
}

TEST(Fault, ALogOnAFullDiskOpensAndCanBeRead) {
    FaultLog log;
    ASSERT_TRUE(log.open());
    log.append_many(60);
    log.env().set_capacity(log.env().used_bytes());
    while (log.append()) {
    }
    log.drop();
    ASSERT_TRUE(log.open());
    EXPECT_TRUE(log.read_all());
    Status refused;
    for (int i = 0; i < 10 && refused; ++i) refused = log.append();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::kNoSpace);
    log.env().set_capacity(~std::uint64_t{0});
    log.append_many(10);
    EXPECT_TRUE(log.read_all());
}

// --- the ring fails ---

TEST(Fault, AFailingRingPoisons) {
    for (const DurabilityClass durability : kClasses) {
        FaultLog log;
        log.options().durability = durability;
        ASSERT_TRUE(log.open());
        log.append_many(30);
        ASSERT_TRUE(log.wal().sync());
        log.env().fail_ring(std::string(kShard) + "ring");
        EXPECT_EQ(log.append().error().code, Errc::kPoisoned);
        const Bytes record = as_bytes("x");
        EXPECT_EQ(log.wal().append_async("t", {&record, 1}).error().code, Errc::kPoisoned);
        EXPECT_EQ(log.wal().sync().error().code, Errc::kPoisoned);
        EXPECT_TRUE(log.read_all());
        expect_recovered(log);
    }
}

TEST(Fault, AnAsynchronousAppendIntoAFailingRingIsRefused) {
    FaultLog log;
    log.options().durability = DurabilityClass::kProcess;
    ASSERT_TRUE(log.open());
    log.env().fail_ring(std::string(kShard) + "ring");
    const Bytes record = as_bytes("x");
    EXPECT_EQ(log.wal().append_async("t", {&record, 1}).error().code, Errc::kPoisoned);
}

// --- flipped bits ---

struct Range {
    std::uint64_t begin = 0;  // In the file.
    std::uint64_t end = 0;
    FrameType type = FrameType::kBatch;
    ControlKind control = ControlKind::kNone;
};

// The bytes of one file that a checksum covers, frame by frame.
std::vector<Range> covered_ranges(SimEnv& env, std::uint64_t number) {
    SeededRandom random(1);
    LogFilesConfig config;
    config.env = &env;
    config.random = &random;
    config.directory = "log/shard-000";
    config.file_size = kFileSize;
    Result<std::unique_ptr<LogFiles>> files = LogFiles::open(config);
    EXPECT_TRUE(files);
    LogReader reader(**files, nullptr);
    reader.seek_file(number);
    std::vector<Range> ranges;
    for (;;) {
        Frame frame;
        const Result<LogReader::Next> next = reader.next(frame);
        if (!next || *next == LogReader::Next::kEnd) break;
        if ((*files)->number_of(frame.header.lsn) != number) break;
        const std::uint64_t at = frame.header.lsn.value % kFileSize;
        const std::uint64_t header = frame.is_short ? kShortHeaderSize : kFullHeaderSize;
        ranges.push_back(
            {at, at + header + frame.body.size(), frame.header.type, frame.header.control});
    }
    return ranges;
}

std::string log_path(std::uint64_t number) {
    return kShard + log_file_name(number);
}

// A closed log of three files, without its ring, which would heal the damage.
std::unique_ptr<FaultLog> closed_log() {
    auto log = std::make_unique<FaultLog>();
    EXPECT_TRUE(log->open());
    for (int i = 0; i < 40; ++i) log->append_group(1 + i % 12);
    EXPECT_TRUE(log->wal().commit("t", "reader", Offset{9}));
    EXPECT_TRUE(log->wal().mark_clean("t"));
    EXPECT_TRUE(log->close());
    log->env().remove_file(std::string(kShard) + "ring");
    return log;
}

TEST(Fault, AFlippedBitInTheScannedPartIsReportedByOpen) {
    const std::unique_ptr<FaultLog> whole = closed_log();
    std::uint64_t last = 0;
    while (whole->env().exists(log_path(last + 1))) ++last;
    const std::vector<Range> ranges = covered_ranges(whole->env(), last);
    ASSERT_GT(ranges.size(), 10U);
    int reported = 0;
    for (const Range& range : ranges) {
        const bool is_end = range.control == ControlKind::kClose || &range == &ranges.back();
        const std::uint64_t stride = range.end - range.begin > 200 ? 37 : 1;
        for (std::uint64_t at = range.begin; at < range.end; at += stride) {
            SCOPED_TRACE("byte " + std::to_string(at) + " of file " + std::to_string(last));
            const std::unique_ptr<FaultLog> log = whole->copy();
            log->env().flip_bit(log_path(last), at * 8 + (at + testing::test_seed()) % 8);
            const Status opened = log->open();
            if (is_end) {
                // Nothing behind it can prove that it was there; nothing acknowledged is lost.
                ASSERT_TRUE(opened) << opened.error().to_string();
                EXPECT_TRUE(log->read_all());
                continue;
            }
            ASSERT_FALSE(opened) << "damage was passed over";
            EXPECT_EQ(opened.error().code, Errc::kCorruption) << opened.error().to_string();
            EXPECT_NE(opened.error().message.find(log_file_name(last)), std::string::npos)
                << opened.error().message;
            EXPECT_NE(opened.error().message.find("lsn"), std::string::npos);
            ++reported;
            if (HasFailure()) return;
        }
    }
    EXPECT_GT(reported, 100);
}

TEST(Fault, AFlippedBitInASealedFileIsReportedByTheReadAndNeverServed) {
    const std::unique_ptr<FaultLog> whole = closed_log();
    for (const Range& range : covered_ranges(whole->env(), 0)) {
        const std::uint64_t stride = range.end - range.begin > 200 ? 97 : 5;
        for (std::uint64_t at = range.begin; at < range.end; at += stride) {
            SCOPED_TRACE("byte " + std::to_string(at));
            const std::unique_ptr<FaultLog> log = whole->copy();
            log->env().flip_bit(log_path(0), at * 8 + (at + testing::test_seed()) % 8);
            const Status opened = log->open();
            ASSERT_TRUE(opened) << opened.error().to_string();
            const Status read = log->read_all();
            if (range.type == FrameType::kBatch) {
                ASSERT_FALSE(read) << "a damaged record was served or passed over";
            }
            if (!read) {
                EXPECT_EQ(read.error().code, Errc::kCorruption) << read.error().to_string();
                EXPECT_NE(read.error().message.find("lsn"), std::string::npos)
                    << read.error().message;
            }
            if (HasFailure()) return;
        }
    }
}

TEST(Fault, AFlippedBitInAFileHeaderIsReported) {
    const std::unique_ptr<FaultLog> whole = closed_log();
    for (const std::uint64_t number : {0, 1, 2})
        for (std::uint64_t at = 0; at < 44; ++at) {
            SCOPED_TRACE("byte " + std::to_string(at) + " of file " + std::to_string(number));
            const std::unique_ptr<FaultLog> log = whole->copy();
            log->env().flip_bit(log_path(number), at * 8 + at % 8);
            Status status = log->open();
            if (status) status = log->read_all();
            ASSERT_FALSE(status);
            EXPECT_EQ(status.error().code, Errc::kCorruption) << status.error().to_string();
        }
}

TEST(Fault, AFlippedBitInTheFormatFileIsReportedAndChangesNothing) {
    const std::unique_ptr<FaultLog> whole = closed_log();
    const std::size_t size = whole->env().read_file("log/FORMAT")->size();
    for (std::uint64_t bit = 0; bit < size * 8; ++bit) {
        const std::unique_ptr<FaultLog> log = whole->copy();
        log->env().flip_bit("log/FORMAT", bit);
        const auto before = log->env().list("log/shard-000").value();
        const std::uint64_t operations = log->env().operation_count();
        const Status opened = log->open();
        ASSERT_FALSE(opened) << "bit " << bit;
        EXPECT_TRUE(opened.error().code == Errc::kCorruption ||
                    opened.error().code == Errc::kUnsupported)
            << opened.error().to_string();
        EXPECT_EQ(log->env().list("log/shard-000").value(), before);
        EXPECT_EQ(log->env().operation_count(), operations);
    }
}

TEST(Fault, TheRingHealsWhatItStillHolds) {
    FaultLog whole;
    ASSERT_TRUE(whole.open());
    whole.append_many(12);  // A block each, and the ring holds 16.
    whole.drop();
    for (const Range& range : covered_ranges(whole.env(), 0)) {
        const std::unique_ptr<FaultLog> log = whole.copy();
        log->env().flip_bit(log_path(0), range.begin * 8 + 3);
        ASSERT_TRUE(log->open());
        const Status read = log->read_all();
        ASSERT_TRUE(read) << "byte " << range.begin << ": " << read.error().to_string();
        ASSERT_TRUE(log->close());
        log->env().remove_file(std::string(kShard) + "ring");
        ASSERT_TRUE(log->open());
        EXPECT_TRUE(log->read_all()) << "byte " << range.begin << ": healed for one run only";
    }
}

// A torn group at the end: nothing says that it was ever acknowledged.
TEST(Fault, DamageBehindTheLastProofIsCutAndTheLogGoesOn) {
    FaultLog whole;
    ASSERT_TRUE(whole.open());
    whole.append_many(12);
    whole.drop();
    whole.env().remove_file(std::string(kShard) + "ring");
    const std::vector<Range> ranges = covered_ranges(whole.env(), 0);
    // The last record, and the pad that ends its group.
    ASSERT_EQ(ranges.back().type, FrameType::kPad);
    const Range record = ranges[ranges.size() - 2];
    ASSERT_EQ(record.type, FrameType::kBatch);
    for (std::uint64_t at = record.begin; at < record.end; at += 11) {
        const std::unique_ptr<FaultLog> log = whole.copy();
        log->env().flip_bit(log_path(0), at * 8);
        const Status opened = log->open();
        ASSERT_TRUE(opened) << opened.error().to_string();
        EXPECT_EQ(log->wal().topic("t")->log_end_offset, Offset{11});
        EXPECT_TRUE(log->wal().append("t", as_bytes(FaultLog::record(11))));
        EXPECT_TRUE(log->read_all());
    }
}

// --- files that are not what they should be ---

void expect_whole(FaultLog& log, const std::string& what) {
    SCOPED_TRACE(what);
    const Status opened = log.open();
    ASSERT_TRUE(opened) << opened.error().to_string();
    const Status read = log.read_all();
    EXPECT_TRUE(read) << read.error().to_string();
    EXPECT_TRUE(log.append());
    ASSERT_TRUE(log.close());
    ASSERT_TRUE(log.open());
    EXPECT_TRUE(log.read_all());
}

std::vector<std::byte> garbage(std::size_t size) {
    SeededRandom random(testing::test_seed());
    std::vector<std::byte> bytes(size);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.next());
    return bytes;
}

TEST(Fault, AnIndexFileIsNeverBelievedOverTheLog) {
    const std::unique_ptr<FaultLog> whole = closed_log();
    const std::string index = kShard + index_file_name(0);
    ASSERT_TRUE(whole->env().exists(index));
    const std::vector<std::byte> good = whole->env().read_file(index).value();
    const std::vector<std::byte> other =
        whole->env().read_file(kShard + index_file_name(1)).value();

    const auto with_index = [&](const std::string& what, Bytes contents) {
        const std::unique_ptr<FaultLog> log = whole->copy();
        log->env().write_file(index, contents);
        expect_whole(*log, what);
    };
    with_index("empty", {});
    with_index("garbage", garbage(good.size()));
    with_index("large garbage", garbage(1 << 20));
    with_index("of another file", other);
    for (std::size_t length = 1; length < good.size(); length += 13)
        with_index("cut to " + std::to_string(length), Bytes(good).first(length));
    for (std::uint64_t bit = 0; bit < good.size() * 8; bit += 11) {
        const std::unique_ptr<FaultLog> log = whole->copy();
        log->env().flip_bit(index, bit);
        expect_whole(*log, "bit " + std::to_string(bit));
    }
    const std::unique_ptr<FaultLog> log = whole->copy();
    for (int i = 0; i < 4; ++i) log->env().remove_file(kShard + index_file_name(i));
    expect_whole(*log, "absent");
}

TEST(Fault, TheRingFileMayBeAnything) {
    const std::string ring = std::string(kShard) + "ring";
    FaultLog dropped;
    ASSERT_TRUE(dropped.open());
    dropped.append_many(200);
    dropped.drop();
    const std::unique_ptr<FaultLog> closed = closed_log();
    for (FaultLog* whole : {&dropped, closed.get()}) {
        for (const std::size_t size :
             {std::size_t{0}, std::size_t{1}, std::size_t{4096}, std::size_t{5000},
              std::size_t{kFileSize}, std::size_t{4 * kFileSize}, std::size_t{99'999}}) {
            const std::unique_ptr<FaultLog> log = whole->copy();
            log->env().write_file(ring, garbage(size));
            expect_whole(*log, std::to_string(size) + " bytes of garbage");
        }
        const std::unique_ptr<FaultLog> absent = whole->copy();
        absent->env().remove_file(ring);
        expect_whole(*absent, "absent");
        for (const std::uint64_t size : {kFileSize * 2, kFileSize * 4}) {
            const std::unique_ptr<FaultLog> log = whole->copy();
            log->options().ring_size = size;
            expect_whole(*log, "another ring size");
        }
    }
}

TEST(Fault, ARingOfAnotherSizeGivesUpNothingThatOnlyItHeld) {
    FaultLog log;
    log.options().durability = DurabilityClass::kProcess;
    ASSERT_TRUE(log.open());
    log.append_many(20);
    log.drop();
    log.options().ring_size = 4 * kFileSize;
    expect_whole(log, "larger");
    log.append_many(20);
    log.drop();
    log.options().ring_size = kFileSize;
    expect_whole(log, "smaller");
}

TEST(Fault, LeftoverTemporaryFilesAreClearedAway) {
    const std::unique_ptr<FaultLog> log = closed_log();
    for (const char* name : {"next.tmp", "index.tmp"})
        log->env().write_file(std::string(kShard) + name, garbage(5000));
    for (const char* name : {"log/FORMAT.tmp", "log/probe.tmp"})
        log->env().write_file(name, garbage(5000));
    expect_whole(*log, "leftovers");
    EXPECT_FALSE(log->env().exists(std::string(kShard) + "next.tmp"));
    EXPECT_FALSE(log->env().exists(std::string(kShard) + "index.tmp"));
}

TEST(Fault, AMissingFileBetweenOthersIsReported) {
    const std::unique_ptr<FaultLog> log = closed_log();
    log->env().remove_file(log_path(1));
    const Status opened = log->open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::kCorruption);
    EXPECT_NE(opened.error().message.find(log_file_name(1)), std::string::npos);
}

}  // namespace
}  // namespace walrus::wal

// What every Env promises, run against the real disk and the simulated one, buffered, direct and
// mapped.  All transfers are whole, aligned blocks, so that each case holds for direct files too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "walrus/base/aligned_buffer.h"
#include "walrus/env/posix_env.h"
#include "walrus/testing/seed.h"
#include "walrus/testing/sim_env.h"

namespace walrus::env {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Target {
    const char* name;
    bool simulated;
    OpenFlags flags;
};

const Target kTargets[] = {
    {"PosixBuffered", false, {}},
    {"PosixDirect", false, {.direct = true}},
    {"PosixMapped", false, {.mapped = true}},
    {"SimBuffered", true, {}},
    {"SimDirect", true, {.direct = true}},
    {"SimMapped", true, {.mapped = true}},
};

// `blocks` blocks that begin with `fill` and continue with bytes that tell their place.
AlignedBuffer blocks_of(char fill, std::size_t blocks = 1) {
    AlignedBuffer buffer(blocks * kBlockSize);
    for (std::size_t i = 0; i < buffer.size(); ++i) {
        buffer.data()[i] = static_cast<std::byte>(static_cast<std::size_t>(fill) + i / 512 % 64);
    }
    return buffer;
}

std::string text(Bytes bytes) {
    return std::string(as_text(bytes));
}

class EnvFixture {
public:
    explicit EnvFixture(const Target& target) : flags_(target.flags) {
        if (target.simulated) {
            sim_ = std::make_unique<testing::SimEnv>(testing::test_seed());
            directory_ = "disk/log";
            EXPECT_TRUE(sim_->create_dirs(directory_));
            return;
        }
        // The working directory is in the build tree: on a disk, unlike /tmp perhaps.
        std::string name = (std::filesystem::current_path() / "env_contract_XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        directory_ = name;
    }
    ~EnvFixture() {
        if (sim_ == nullptr) std::filesystem::remove_all(directory_);
    }
    EnvFixture(const EnvFixture&) = delete;
    EnvFixture& operator=(const EnvFixture&) = delete;

    Env& env() { return sim_ ? static_cast<Env&>(*sim_) : posix_env(); }
    std::string path(std::string_view name) const { return join_path(directory_, name); }

    // Opens with the target's kind of transfer; `more` adds to it.
    Result<std::unique_ptr<File>> open(std::string_view name, OpenFlags more = {.create = true}) {
        more.direct = flags_.direct;
        more.mapped = flags_.mapped;
        return env().open(path(name), more);
    }
    bool supported() {
        const auto probe = open("probe");
        static_cast<void>(env().remove(path("probe")));
        return probe.has_value();
    }
    bool direct() const { return flags_.direct; }

private:
    const OpenFlags flags_;
    std::string directory_;
    std::unique_ptr<testing::SimEnv> sim_;
};

class EnvContract : public ::testing::TestWithParam<Target> {
protected:
    void SetUp() override {
        if (!at_.supported()) GTEST_SKIP() << "this file system refuses O_DIRECT";
    }

    std::unique_ptr<File> open(std::string_view name, OpenFlags more = {.create = true}) {
        auto file = at_.open(name, more);
        EXPECT_TRUE(file) << file.error().to_string();
        return *std::move(file);
    }
    void write(File& file, const AlignedBuffer& data, std::uint64_t position,
               Durability durability = Durability::kNone) {
        const Status status = file.write_at(data.span(), position, durability);
        EXPECT_TRUE(status) << status.error().to_string();
    }
    std::string read(File& file, std::uint64_t position, std::size_t blocks = 1) {
        AlignedBuffer into(blocks * kBlockSize);
        const Result<std::size_t> n = file.read_at(into.span(), position);
        EXPECT_TRUE(n) << n.error().to_string();
        return text(into.span().first(*n));
    }
    Env& env() { return at_.env(); }
    std::string path(std::string_view name) const { return at_.path(name); }

    EnvFixture at_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(All, EnvContract, ::testing::ValuesIn(kTargets),
                         [](const auto& target) { return std::string(target.param.name); });

TEST_P(EnvContract, ReadsWhatWasWritten) {
    const auto file = open("f");
    const AlignedBuffer data = blocks_of('a', 3);
    write(*file, data, 0);
    EXPECT_EQ(read(*file, 0, 3), text(data.span()));
    EXPECT_EQ(read(*file, kBlockSize), text(data.span().subspan(kBlockSize, kBlockSize)));
}

TEST_P(EnvContract, ReadsThroughAnotherHandleOfTheSameFile) {
    const auto writer = open("f");
    const auto reader = open("f", {.read_only = true});
    write(*writer, blocks_of('a'), 0);
    EXPECT_EQ(read(*reader, 0), text(blocks_of('a').span()));
}

TEST_P(EnvContract, DurableWriteIsReadBackLikeAnyOther) {
    const auto file = open("f");
    write(*file, blocks_of('a', 2), 0);
    write(*file, blocks_of('b'), kBlockSize, Durability::kData);
    EXPECT_EQ(read(*file, 0), text(blocks_of('a').span()));
    EXPECT_EQ(read(*file, kBlockSize), text(blocks_of('b').span()));
    EXPECT_TRUE(file->sync_data());
}

TEST_P(EnvContract, WritePastTheEndLeavesZerosBetween) {
    const auto file = open("f");
    write(*file, blocks_of('a'), 2 * kBlockSize);
    EXPECT_EQ(*file->size(), 3 * kBlockSize);
    EXPECT_EQ(read(*file, 0, 2), std::string(2 * kBlockSize, '\0'));
}

TEST_P(EnvContract, ReadIsShortOnlyAtTheEndOfTheFile) {
    const auto file = open("f");
    write(*file, blocks_of('a', 2), 0);
    EXPECT_EQ(read(*file, kBlockSize, 4).size(), kBlockSize);
    EXPECT_EQ(read(*file, 2 * kBlockSize).size(), 0u);
    EXPECT_EQ(read(*file, 64 * kBlockSize).size(), 0u);
}

TEST_P(EnvContract, ReadEndsAtAnEndInsideABlock) {
    const auto file = open("f");
    write(*file, blocks_of('a', 2), 0);
    ASSERT_TRUE(file->truncate(kBlockSize + 100));
    EXPECT_EQ(read(*file, 0, 4), text(blocks_of('a', 2).span().first(kBlockSize + 100)));
}

TEST_P(EnvContract, EmptyTransfersDoNothing) {
    const auto file = open("f");
    EXPECT_TRUE(file->write_at({}, kBlockSize, Durability::kData));
    EXPECT_EQ(*file->size(), 0u);
    EXPECT_EQ(*file->read_at({}, 0), 0u);
}

TEST_P(EnvContract, OverwritesInPlace) {
    const auto file = open("f");
    write(*file, blocks_of('a', 3), 0);
    write(*file, blocks_of('z'), kBlockSize);
    EXPECT_EQ(*file->size(), 3 * kBlockSize);
    EXPECT_EQ(read(*file, kBlockSize), text(blocks_of('z').span()));
}

TEST_P(EnvContract, KeepsContentsWhenReopened) {
    write(*open("f"), blocks_of('a'), 0);
    EXPECT_EQ(read(*open("f", {}), 0), text(blocks_of('a').span()));
}

TEST_P(EnvContract, GrowsBySmallWritesFarBeyondItsFirstSize) {
    const auto file = open("f");
    const AlignedBuffer data = blocks_of('a', 16);
    for (std::uint64_t i = 0; i < 64; ++i) write(*file, data, i * data.size());
    EXPECT_EQ(*file->size(), 64 * data.size());
    EXPECT_EQ(read(*file, 63 * data.size(), 16), text(data.span()));
}

TEST_P(EnvContract, PreallocateExtendsWithZerosAndKeepsBytes) {
    const auto file = open("f");
    write(*file, blocks_of('a'), 0);
    ASSERT_TRUE(file->preallocate(8 * kBlockSize));
    EXPECT_EQ(*file->size(), 8 * kBlockSize);
    EXPECT_EQ(read(*file, 0), text(blocks_of('a').span()));
    EXPECT_EQ(read(*file, 7 * kBlockSize), std::string(kBlockSize, '\0'));
    ASSERT_TRUE(file->preallocate(4 * kBlockSize));
    EXPECT_EQ(*file->size(), 8 * kBlockSize);
}

TEST_P(EnvContract, TruncateCutsAndExtendsWithZeros) {
    const auto file = open("f");
    write(*file, blocks_of('a', 4), 0);
    ASSERT_TRUE(file->truncate(kBlockSize));
    EXPECT_EQ(*file->size(), kBlockSize);
    ASSERT_TRUE(file->truncate(4 * kBlockSize));
    EXPECT_EQ(read(*file, 0), text(blocks_of('a').span()));
    EXPECT_EQ(read(*file, kBlockSize, 3), std::string(3 * kBlockSize, '\0'));
    write(*file, blocks_of('b'), 2 * kBlockSize);
    EXPECT_EQ(read(*file, 2 * kBlockSize), text(blocks_of('b').span()));
}

TEST_P(EnvContract, WritesAgainAfterBeingCutShort) {
    const auto file = open("f");
    write(*file, blocks_of('a', 4), 0);
    ASSERT_TRUE(file->truncate(0));
    write(*file, blocks_of('b'), kBlockSize);
    EXPECT_EQ(*file->size(), 2 * kBlockSize);
    EXPECT_EQ(read(*file, 0), std::string(kBlockSize, '\0'));
}

TEST_P(EnvContract, ManyThreadsWriteDifferentBlocksOfAGrowingFile) {
    const auto file = open("f");
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            const AlignedBuffer data = blocks_of(static_cast<char>('a' + t));
            for (std::size_t i = 0; i < 64; ++i) write(*file, data, (i * 4 + t) * kBlockSize);
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = 0; i < 256; ++i) {
        EXPECT_EQ(read(*file, i * kBlockSize)[0], static_cast<char>('a' + i % 4)) << i;
    }
}

TEST_P(EnvContract, RenameReplacesItsTarget) {
    write(*open("old"), blocks_of('o'), 0);
    write(*open("new"), blocks_of('n'), 0);
    ASSERT_TRUE(env().rename(path("new"), path("old")));
    EXPECT_EQ(read(*open("old", {}), 0), text(blocks_of('n').span()));
    EXPECT_EQ(at_.open("new", {}).error().code, Errc::kNotFound);
    EXPECT_TRUE(env().sync_dir(path("")));
}

TEST_P(EnvContract, RenameToItselfChangesNothing) {
    write(*open("f"), blocks_of('a'), 0);
    ASSERT_TRUE(env().rename(path("f"), path("f")));
    EXPECT_EQ(read(*open("f", {}), 0), text(blocks_of('a').span()));
}

TEST_P(EnvContract, RenameMovesBetweenDirectories) {
    ASSERT_TRUE(env().create_dirs(path("sub")));
    write(*open("f"), blocks_of('a'), 0);
    ASSERT_TRUE(env().rename(path("f"), path("sub/g")));
    EXPECT_EQ(read(*open("sub/g", {}), 0), text(blocks_of('a').span()));
    EXPECT_THAT(*env().list(path("")), ElementsAre("sub"));
}

TEST_P(EnvContract, RemovedFileIsGoneButItsOpenHandleGoesOn) {
    const auto file = open("f");
    write(*file, blocks_of('a'), 0);
    ASSERT_TRUE(env().remove(path("f")));
    EXPECT_EQ(at_.open("f", {}).error().code, Errc::kNotFound);
    EXPECT_EQ(read(*file, 0), text(blocks_of('a').span()));
}

TEST_P(EnvContract, ListIsSortedAndShowsFilesAndDirectories) {
    EXPECT_THAT(*env().list(path("")), IsEmpty());
    for (const char* name : {"c", "a", "b10", "b9"}) open(name);
    ASSERT_TRUE(env().create_dirs(path("d/e")));
    EXPECT_THAT(*env().list(path("")), ElementsAre("a", "b10", "b9", "c", "d"));
    EXPECT_THAT(*env().list(path("d")), ElementsAre("e"));
}

TEST_P(EnvContract, CreateDirsIsFineWhenTheyExist) {
    ASSERT_TRUE(env().create_dirs(path("a/b/c/")));
    EXPECT_TRUE(env().create_dirs(path("a/b/c")));
    EXPECT_TRUE(env().create_dirs(path("a//b")));
    open("a/b/c/f");
    EXPECT_THAT(*env().list(path("a/b/c")), ElementsAre("f"));
}

TEST_P(EnvContract, LockIsExclusiveUntilItsHolderCloses) {
    {
        const auto holder = open("f", {.create = true, .lock = true});
        EXPECT_EQ(at_.open("f", {.lock = true}).error().code, Errc::kBusy);
        EXPECT_TRUE(at_.open("f", {}));  // Advisory: only those who ask are refused.
    }
    EXPECT_TRUE(at_.open("f", {.lock = true}));
}

TEST_P(EnvContract, FailedLockDoesNotReleaseTheHoldersLock) {
    const auto holder = open("f", {.create = true, .lock = true});
    EXPECT_EQ(at_.open("f", {.lock = true}).error().code, Errc::kBusy);
    EXPECT_EQ(at_.open("f", {.lock = true}).error().code, Errc::kBusy);
}

// Error paths.

TEST_P(EnvContract, ExclusiveCreateRefusesAFileThatExists) {
    open("f", {.create = true, .exclusive = true});
    EXPECT_EQ(at_.open("f", {.create = true, .exclusive = true}).error().code,
              Errc::kAlreadyExists);
}

TEST_P(EnvContract, AbsentThingsAreNotFound) {
    EXPECT_EQ(at_.open("absent", {}).error().code, Errc::kNotFound);
    EXPECT_EQ(at_.open("absent/f").error().code, Errc::kNotFound);
    EXPECT_EQ(env().remove(path("absent")).error().code, Errc::kNotFound);
    EXPECT_EQ(env().rename(path("absent"), path("f")).error().code, Errc::kNotFound);
    EXPECT_EQ(env().list(path("absent")).error().code, Errc::kNotFound);
    EXPECT_EQ(env().sync_dir(path("absent")).error().code, Errc::kNotFound);
    EXPECT_EQ(env().map_ring(path("absent/ring"), kBlockSize).error().code, Errc::kNotFound);
    EXPECT_THAT(at_.open("absent", {}).error().message, HasSubstr("absent"));
}

TEST_P(EnvContract, ReadOnlyFileRefusesChanges) {
    write(*open("f"), blocks_of('a'), 0);
    const auto file = open("f", {.read_only = true});
    EXPECT_EQ(file->write_at(blocks_of('b').span(), 0, Durability::kNone).error().code,
              Errc::kInvalidArgument);
    EXPECT_EQ(file->preallocate(kBlockSize).error().code, Errc::kInvalidArgument);
    EXPECT_EQ(file->truncate(0).error().code, Errc::kInvalidArgument);
    EXPECT_EQ(read(*file, 0), text(blocks_of('a').span()));
}

TEST_P(EnvContract, FlagsThatContradictEachOtherAreRefused) {
    const auto code = [&](OpenFlags flags) { return env().open(path("f"), flags).error().code; };
    EXPECT_EQ(code({.create = true, .direct = true, .mapped = true}), Errc::kInvalidArgument);
    EXPECT_EQ(code({.create = true, .read_only = true}), Errc::kInvalidArgument);
    EXPECT_EQ(code({.exclusive = true}), Errc::kInvalidArgument);
}

TEST_P(EnvContract, OnlyADirectFileRefusesWhatIsNotAligned) {
    const auto file = open("f");
    const AlignedBuffer data = blocks_of('a', 3);
    const auto refused = [](const auto& result) {
        return !result && result.error().code == Errc::kInvalidArgument;
    };
    const auto write_refused = [&](Bytes bytes, std::uint64_t position) {
        return refused(file->write_at(bytes, position, Durability::kNone));
    };
    EXPECT_EQ(write_refused(data.span().first(kBlockSize), 512), at_.direct());
    EXPECT_EQ(write_refused(data.span().first(512), 0), at_.direct());
    EXPECT_EQ(write_refused(data.span().subspan(512, kBlockSize), 0), at_.direct());
    EXPECT_EQ(refused(file->read_at(data.span().first(512), 0)), at_.direct());
    EXPECT_EQ(*file->size(), at_.direct() ? 0u : kBlockSize + 512);
}

TEST_P(EnvContract, CreateDirsRefusesAFileInItsPlace) {
    open("f");
    EXPECT_EQ(env().create_dirs(path("f")).error().code, Errc::kAlreadyExists);
}

// Rings.

TEST_P(EnvContract, RingStandsTwiceInARow) {
    const auto ring = *env().map_ring(path("ring"), 4 * kBlockSize);
    ASSERT_EQ(ring->size(), 4 * kBlockSize);
    ring->data()[ring->size() - 1] = std::byte{1};
    ring->data()[ring->size()] = std::byte{2};  // The first byte again.
    EXPECT_EQ(ring->data()[2 * ring->size() - 1], std::byte{1});
    EXPECT_EQ(ring->data()[0], std::byte{2});
    const AlignedBuffer data = blocks_of('a', 2);
    std::memcpy(ring->data() + 3 * kBlockSize, data.data(), data.size());  // Wraps.
    EXPECT_EQ(std::memcmp(ring->data(), data.data() + kBlockSize, kBlockSize), 0);
    EXPECT_FALSE(ring->failed());
}

TEST_P(EnvContract, NewRingIsZero) {
    const auto ring = *env().map_ring(path("ring"), 4 * kBlockSize);
    EXPECT_EQ(text({ring->data(), 8 * kBlockSize}), std::string(8 * kBlockSize, '\0'));
}

TEST_P(EnvContract, RingKeepsItsContentsUntilMappedAgain) {
    std::memset((*env().map_ring(path("ring"), 4 * kBlockSize))->data(), 'r', 3 * kBlockSize);
    const auto again = *env().map_ring(path("ring"), 4 * kBlockSize);
    EXPECT_EQ(text({again->data(), 3 * kBlockSize}), std::string(3 * kBlockSize, 'r'));
    EXPECT_EQ(text({again->data() + 3 * kBlockSize, kBlockSize}), std::string(kBlockSize, '\0'));
}

TEST_P(EnvContract, RingIsReadThroughItsFile) {
    const auto ring = *env().map_ring(path("ring"), 2 * kBlockSize);
    std::memset(ring->data(), 'r', kBlockSize);
    EXPECT_EQ(read(*open("ring", {.read_only = true}), 0), std::string(kBlockSize, 'r'));
    EXPECT_EQ(*open("ring", {.read_only = true})->size(), 2 * kBlockSize);
}

TEST_P(EnvContract, RingFitsAnExistingFileToItsSize) {
    std::memset((*env().map_ring(path("ring"), 2 * kBlockSize))->data(), 'r', 2 * kBlockSize);
    {
        const auto longer = *env().map_ring(path("ring"), 4 * kBlockSize);
        EXPECT_EQ(text({longer->data(), 2 * kBlockSize}), std::string(2 * kBlockSize, 'r'));
        EXPECT_EQ(text({longer->data() + 2 * kBlockSize, 2 * kBlockSize}),
                  std::string(2 * kBlockSize, '\0'));
    }
    const auto shorter = *env().map_ring(path("ring"), kBlockSize);
    EXPECT_EQ(text({shorter->data(), 2 * kBlockSize}), std::string(2 * kBlockSize, 'r'));
    EXPECT_EQ(*open("ring", {.read_only = true})->size(), kBlockSize);
}

TEST_P(EnvContract, RingMustBeWholeBlocks) {
    EXPECT_EQ(env().map_ring(path("ring"), 100).error().code, Errc::kInvalidArgument);
    EXPECT_EQ(env().map_ring(path("ring"), 0).error().code, Errc::kInvalidArgument);
}

// Queues.

struct QueueTarget {
    Target target;
    QueueKind kind;
};

std::vector<QueueTarget> queue_targets() {
    std::vector<QueueTarget> all;
    for (const Target& target : kTargets) {
        for (const QueueKind kind : {QueueKind::kUring, QueueKind::kInline}) {
            all.push_back({target, kind});
        }
    }
    return all;
}

class IoQueueContract : public ::testing::TestWithParam<QueueTarget> {
protected:
    static constexpr std::size_t kDepth = 8;

    void SetUp() override {
        if (!at_.supported()) GTEST_SKIP() << "this file system refuses O_DIRECT";
        auto queue = at_.env().open_queue(GetParam().kind, kDepth);
        if (!queue && queue.error().code == Errc::kUnsupported) {
            GTEST_SKIP() << queue.error().to_string();
        }
        ASSERT_TRUE(queue) << queue.error().to_string();
        queue_ = *std::move(queue);
        file_ = *at_.open("f");
    }

    IoRequest request(IoRequest::Kind kind, const AlignedBuffer& bytes, std::uint64_t position,
                      Durability durability = Durability::kNone) {
        IoRequest made;
        made.kind = kind;
        made.file = file_.get();
        made.bytes = bytes.span();
        made.position = position;
        made.durability = durability;
        return made;
    }
    // Waits for the next completion; a queue that was woken is asked again.
    IoRequest& complete_one() {
        for (;;) {
            if (IoRequest* done = queue_->complete(true)) return *done;
        }
    }

    EnvFixture at_{GetParam().target};
    std::unique_ptr<File> file_;
    std::unique_ptr<IoQueue> queue_;
};

INSTANTIATE_TEST_SUITE_P(All, IoQueueContract, ::testing::ValuesIn(queue_targets()),
                         [](const auto& target) {
                             const bool uring = target.param.kind == QueueKind::kUring;
                             return std::string(target.param.target.name) +
                                    (uring ? "Uring" : "Inline");
                         });

TEST_P(IoQueueContract, CompletesAWriteThatIsThenRead) {
    const AlignedBuffer data = blocks_of('a', 2);
    IoRequest write = request(IoRequest::Kind::kWrite, data, 0, Durability::kData);
    queue_->submit(write);
    ASSERT_EQ(&complete_one(), &write);
    EXPECT_TRUE(write.status);
    EXPECT_EQ(write.transferred, data.size());

    const AlignedBuffer into(2 * kBlockSize);
    IoRequest read = request(IoRequest::Kind::kRead, into, 0);
    queue_->submit(read);
    ASSERT_EQ(&complete_one(), &read);
    EXPECT_TRUE(read.status);
    EXPECT_EQ(text(into.span()), text(data.span()));
    EXPECT_EQ(queue_->complete(true), nullptr);
}

TEST_P(IoQueueContract, HasTheDepthItWasAskedFor) {
    EXPECT_EQ(queue_->depth(), kDepth);
}

TEST_P(IoQueueContract, ReturnsNullWhenNothingIsInFlight) {
    EXPECT_EQ(queue_->complete(false), nullptr);
    EXPECT_EQ(queue_->complete(true), nullptr);
}

TEST_P(IoQueueContract, CompletesEveryOneOfManyInFlight) {
    constexpr std::size_t kRounds = 50;
    std::vector<AlignedBuffer> data;
    std::vector<IoRequest> requests(kDepth);
    for (std::size_t i = 0; i < kDepth; ++i) data.push_back(blocks_of(static_cast<char>('a' + i)));
    std::size_t submitted = 0;
    std::size_t completed = 0;
    const auto submit_next = [&](std::size_t slot) {
        const Durability durability = submitted % 7 == 0 ? Durability::kData : Durability::kNone;
        requests[slot] = request(IoRequest::Kind::kWrite, data[slot],
                                 (submitted / kDepth * kDepth + slot) * kBlockSize, durability);
        queue_->submit(requests[slot]);
        ++submitted;
    };
    for (std::size_t slot = 0; slot < kDepth; ++slot) submit_next(slot);
    while (completed < kRounds * kDepth) {
        const IoRequest& done = complete_one();
        EXPECT_TRUE(done.status) << done.status.error().to_string();
        ++completed;
        if (submitted < kRounds * kDepth) {
            submit_next(static_cast<std::size_t>(&done - requests.data()));
        }
    }
    EXPECT_EQ(queue_->complete(true), nullptr);
}

TEST_P(IoQueueContract, ScatteredReadsEachGetTheirOwnBytes) {
    for (std::size_t i = 0; i < kDepth; ++i) {
        const AlignedBuffer data = blocks_of(static_cast<char>('a' + i));
        ASSERT_TRUE(file_->write_at(data.span(), i * kBlockSize, Durability::kNone));
    }
    std::vector<AlignedBuffer> into;
    std::vector<IoRequest> reads(kDepth);
    for (std::size_t i = 0; i < kDepth; ++i) {
        into.emplace_back(kBlockSize);
        reads[i] = request(IoRequest::Kind::kRead, into[i], (kDepth - 1 - i) * kBlockSize);
        queue_->submit(reads[i]);
    }
    for (std::size_t i = 0; i < kDepth; ++i) EXPECT_TRUE(complete_one().status);
    for (std::size_t i = 0; i < kDepth; ++i) {
        EXPECT_EQ(into[i].data()[0], static_cast<std::byte>('a' + kDepth - 1 - i));
    }
}

TEST_P(IoQueueContract, ReadIsShortAtTheEndOfTheFile) {
    ASSERT_TRUE(file_->write_at(blocks_of('a').span(), 0, Durability::kNone));
    const AlignedBuffer into(4 * kBlockSize);
    IoRequest read = request(IoRequest::Kind::kRead, into, 0);
    queue_->submit(read);
    EXPECT_TRUE(complete_one().status);
    EXPECT_EQ(read.transferred, kBlockSize);
    read.position = 8 * kBlockSize;
    queue_->submit(read);
    EXPECT_TRUE(complete_one().status);
    EXPECT_EQ(read.transferred, 0u);
}

TEST_P(IoQueueContract, PollingFindsTheCompletion) {
    const AlignedBuffer data = blocks_of('a');
    IoRequest write = request(IoRequest::Kind::kWrite, data, 0);
    queue_->submit(write);
    IoRequest* done = nullptr;
    while (done == nullptr) done = queue_->complete(false);
    EXPECT_EQ(done, &write);
}

TEST_P(IoQueueContract, RequestIsReusableAfterItsCompletion) {
    const AlignedBuffer data = blocks_of('a');
    IoRequest write = request(IoRequest::Kind::kWrite, data, 0);
    for (std::uint64_t i = 0; i < 20; ++i) {
        write.position = i * kBlockSize;
        queue_->submit(write);
        EXPECT_TRUE(complete_one().status);
    }
    EXPECT_EQ(*file_->size(), 20 * kBlockSize);
}

TEST_P(IoQueueContract, WakingNeverLosesACompletion) {
    const AlignedBuffer data = blocks_of('a');
    for (int i = 0; i < 50; ++i) {
        IoRequest write = request(IoRequest::Kind::kWrite, data, 0);
        queue_->submit(write);
        queue_->wake();
        EXPECT_EQ(&complete_one(), &write);
        EXPECT_TRUE(write.status);
    }
}

TEST_P(IoQueueContract, AnyThreadMayWake) {
    const AlignedBuffer data = blocks_of('a');
    std::thread waker([&] {
        for (int i = 0; i < 200; ++i) queue_->wake();
    });
    for (int i = 0; i < 50; ++i) {
        IoRequest write = request(IoRequest::Kind::kWrite, data, 0, Durability::kData);
        queue_->submit(write);
        EXPECT_TRUE(complete_one().status);
    }
    waker.join();
}

TEST_P(IoQueueContract, DestructorWaitsForWhatIsInFlight) {
    const AlignedBuffer data = blocks_of('a', 64);
    IoRequest write = request(IoRequest::Kind::kWrite, data, 0);
    queue_->submit(write);
    queue_->wake();
    queue_.reset();
    EXPECT_EQ(*file_->size(), data.size());
}

TEST_P(IoQueueContract, CompletionReportsTheFailure) {
    ASSERT_TRUE(file_->write_at(blocks_of('a').span(), 0, Durability::kNone));
    file_ = *at_.open("f", {.read_only = true});
    const AlignedBuffer data = blocks_of('b');
    IoRequest write = request(IoRequest::Kind::kWrite, data, 0);
    queue_->submit(write);
    ASSERT_EQ(&complete_one(), &write);
    ASSERT_FALSE(write.status);
    EXPECT_EQ(write.status.error().code, Errc::kInvalidArgument);
    EXPECT_EQ(write.transferred, 0u);
}

TEST_P(IoQueueContract, MisalignedDirectTransferIsReportedByItsCompletion) {
    const AlignedBuffer data = blocks_of('b');
    IoRequest write = request(IoRequest::Kind::kWrite, data, 512);
    queue_->submit(write);
    const Status& status = complete_one().status;
    EXPECT_EQ(status.has_value(), !at_.direct());
    EXPECT_TRUE(status || status.error().code == Errc::kInvalidArgument);
}

TEST(OpenQueue, RefusesADepthOfZero) {
    testing::SimEnv sim;
    for (Env* env : {&posix_env(), static_cast<Env*>(&sim)}) {
        EXPECT_EQ(env->open_queue(QueueKind::kInline, 0).error().code, Errc::kInvalidArgument);
        EXPECT_EQ(env->open_queue(QueueKind::kUring, 0).error().code, Errc::kInvalidArgument);
    }
}

}  // namespace
}  // namespace walrus::env

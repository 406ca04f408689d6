// Options: what is refused, what the environment may change, keys as directory names.
#include "walrus/wal/options.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "walrus/wal/log_directory.h"

namespace walrus::wal {
namespace {

// Sets a variable of the environment for one scope.
class Variable {
public:
    Variable(const char* name, const char* value) : name_(name) {
        if (value == nullptr)
            ::unsetenv(name);
        else
            ::setenv(name, value, 1);
    }
    ~Variable() { ::unsetenv(name_); }

private:
    const char* name_;
};

template <class Change>
Status validated(Change&& change) {
    Options options;
    change(options);
    return options.validate();
}

TEST(Options, DefaultsAreValidAndDurable) {
    const Options options;
    EXPECT_TRUE(options.validate());
    EXPECT_EQ(options.durability, DurabilityClass::kDisk);
    EXPECT_EQ(options.consistency.persist_every, 1U);
    EXPECT_EQ(options.data_dir, "wal_files");
}

TEST(Options, NamesOfClassesAndBackendsComeBack) {
    for (const DurabilityClass durability : {DurabilityClass::kNone, DurabilityClass::kProcess,
                                             DurabilityClass::kOsInterval, DurabilityClass::kDisk})
        EXPECT_EQ(*parse_durability_class(durability_class_name(durability)), durability);
    for (const Backend backend :
         {Backend::kAuto, Backend::kUring, Backend::kDirect, Backend::kBuffered, Backend::kMmap})
        EXPECT_EQ(*parse_backend(backend_name(backend)), backend);
    const auto unknown = parse_backend("floppy");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, Errc::kInvalidArgument);
    EXPECT_NE(unknown.error().message.find("auto, uring, direct, buffered, mmap"),
              std::string::npos);
    EXPECT_FALSE(parse_durability_class("quorum-disk"));
}

TEST(Options, AtLeastOnceOfZeroCountsAsOne) {
    EXPECT_EQ(ReadConsistency::at_least_once(0).persist_every, 1U);
    EXPECT_EQ(ReadConsistency::at_least_once(7).persist_every, 7U);
}

TEST(Options, TheEnvironmentChangesDefaultsOnlyWhenAsked) {
    const Variable dir("WALRUS_DATA_DIR", "/tmp/somewhere");
    const Variable key("WALRUS_INSTANCE_KEY", "orders");
    const Variable uring("WALRUS_DISABLE_IO_URING", "1");
    EXPECT_EQ(Options{}.data_dir, "wal_files");
    const Options options = Options::from_environment();
    EXPECT_EQ(options.data_dir, "/tmp/somewhere");
    EXPECT_EQ(options.key, "orders");
    EXPECT_FALSE(options.allow_uring);
}

TEST(Options, AnEmptyEnvironmentGivesTheDefaults) {
    const Variable dir("WALRUS_DATA_DIR", "");
    const Variable key("WALRUS_INSTANCE_KEY", nullptr);
    const Variable uring("WALRUS_DISABLE_IO_URING", nullptr);
    const Options options = Options::from_environment();
    EXPECT_EQ(options.data_dir, "wal_files");
    EXPECT_EQ(options.key, "");
    EXPECT_TRUE(options.allow_uring);
}

TEST(Options, QuietIsSaidByTheEnvironment) {
    {
        const Variable quiet("WALRUS_QUIET", "1");
        EXPECT_TRUE(quiet_in_environment());
    }
    EXPECT_FALSE(quiet_in_environment());
}

TEST(Options, KeysBecomeDirectoryNames) {
    EXPECT_EQ(sanitise_key("orders-2.v_1"), "orders-2.v_1");
    EXPECT_EQ(sanitise_key("a b/c\\d:e"), "a_b_c_d_e");
    EXPECT_EQ(sanitise_key("a\xC3\xA4"), "a__");
}

TEST(Options, NoKeyLeavesTheDataDirectoryOrHitsAFileOfOurs) {
    const std::string tricks[] = {"..",
                                  ".",
                                  "../..",
                                  "/etc",
                                  "",
                                  "___",
                                  "/",
                                  "../../etc/passwd",
                                  std::string("a\0b", 3),
                                  "LOCK",
                                  "FORMAT",
                                  "shard-000",
                                  std::string(300, 'k')};
    for (const std::string& key : tricks) {
        const std::string name = sanitise_key(key);
        EXPECT_EQ(name.find('/'), std::string::npos) << key;
        EXPECT_EQ(name.find('\0'), std::string::npos) << key;
        EXPECT_NE(name, "..");
        EXPECT_NE(name, ".");
        EXPECT_NE(name, "LOCK");
        EXPECT_NE(name, "FORMAT");
        EXPECT_FALSE(name.starts_with("shard-")) << key;
        EXPECT_FALSE(name.empty());
        EXPECT_LE(name.size(), 200U);
    }
    // Keys that mean nothing as names stay different from each other.
    EXPECT_NE(sanitise_key(".."), sanitise_key("."));
    EXPECT_EQ(sanitise_key("..").substr(0, 3), "ns_");
}

TEST(Options, TheKeyIsADirectoryInsideTheDataDirectory) {
    Options options;
    options.data_dir = "/data";
    EXPECT_EQ(LogDirectory::path_of(options), "/data");
    options.key = "../up";
    EXPECT_EQ(LogDirectory::path_of(options), "/data/.._up");
}

// --- error paths ---

TEST(Options, ImpossibleOnesAreRefusedByName) {
    const auto names = [](const Status& status, const char* option) {
        return !status && status.error().code == Errc::kInvalidArgument &&
               status.error().message.find(option) != std::string::npos;
    };
    EXPECT_TRUE(names(validated([](Options& o) { o.data_dir = ""; }), "data_dir"));
    EXPECT_TRUE(names(validated([](Options& o) { o.file_size = 4096 * 100 + 1; }), "file_size"));
    EXPECT_TRUE(names(validated([](Options& o) { o.file_size = 4096; }), "file_size"));
    EXPECT_TRUE(names(validated([](Options& o) { o.ring_size = 0; }), "ring_size"));
    EXPECT_TRUE(names(validated([](Options& o) { o.shards = 257; }), "shards"));
    EXPECT_TRUE(names(validated([](Options& o) { o.prepared_files = 0; }), "prepared_files"));
    EXPECT_TRUE(names(validated([](Options& o) { o.ring_size = 1 << 20; }), "max_batch_bytes"));
    EXPECT_TRUE(names(validated([](Options& o) {
                          o.file_size = o.ring_size = std::uint64_t{64} << 30;
                          o.limits.max_batch_bytes = std::uint64_t{1} << 32;
                      }),
                      "max_batch_bytes"));
    EXPECT_TRUE(names(validated([](Options& o) { o.limits.max_record_bytes = 9 << 20; }),
                      "max_record_bytes"));
    EXPECT_TRUE(
        names(validated([](Options& o) { o.limits.max_batch_records = 0; }), "max_batch_records"));
    EXPECT_TRUE(names(validated([](Options& o) { o.limits.max_topic_name_bytes = 256; }),
                      "max_topic_name_bytes"));
    EXPECT_TRUE(names(validated([](Options& o) { o.limits.max_topics = 0; }), "max_topics"));
    EXPECT_TRUE(names(validated([](Options& o) { o.limits.max_consumers_per_topic = 65'536; }),
                      "max_consumers_per_topic"));
    EXPECT_TRUE(
        names(validated([](Options& o) { o.consistency.persist_every = 0; }), "persist_every"));
    const Status forbidden = validated([](Options& o) {
        o.backend = Backend::kUring;
        o.allow_uring = false;
    });
    ASSERT_FALSE(forbidden);
    EXPECT_EQ(forbidden.error().code, Errc::kUnsupported);
}

}  // namespace
}  // namespace walrus::wal

#include "compare/rocksdb/rocksdb_options.h"

#include <fmt/format.h>
#include <rocksdb/convenience.h>

#include <array>
#include <string_view>

#include "harness/driver/settings.h"

namespace walrus::compare {
namespace {

constexpr std::array<std::string_view, 3> kProfiles = {"default", "tuned", "wal-only"};
constexpr std::uint64_t kTunedBufferBytes = 256 << 20;
constexpr std::uint64_t kKeepLogSeconds = 7 * 24 * 3600;

// Settings of "name=value; name=value; ..." as RocksDB prints its options.
void add_printed_options(const std::string& text, harness::Settings& settings) {
    std::size_t depth = 0;
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        if (i < text.size() && text[i] == '{') ++depth;
        if (i < text.size() && text[i] == '}') --depth;
        if (i < text.size() && (text[i] != ';' || depth > 0)) continue;
        const std::string item = text.substr(begin, i - begin);
        begin = i + 1;
        const auto name = item.find_first_not_of(" \n");
        const auto equals = item.find('=');
        if (name == std::string::npos || equals == std::string::npos) continue;
        settings[item.substr(name, equals - name)] = item.substr(equals + 1);
    }
}

rocksdb::Options tuned(rocksdb::Options options, std::uint64_t write_buffer_bytes) {
    options.write_buffer_size = write_buffer_bytes;
    options.max_write_buffer_number = 6;
    options.disable_auto_compactions = true;
    options.level0_slowdown_writes_trigger = 1 << 20;
    options.level0_stop_writes_trigger = 1 << 20;
    options.compression = rocksdb::kNoCompression;
    options.enable_pipelined_write = true;
    options.max_background_jobs = 2;
    options.recycle_log_file_num = 4;
    // Any other recovery mode silently turns recycling off (7.8).
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
    return options;
}

}  // namespace

Result<ProfileSettings> parse_profile(const harness::Settings& settings) {
    harness::SettingsReader reader(settings);
    const std::string name = reader.text("profile", "default");
    ProfileSettings parsed;
    parsed.write_buffer_bytes = reader.bytes("write_buffer_size", 0);
    WALRUS_RETURN_IF_ERROR(reader.finish());
    for (std::size_t i = 0; i < kProfiles.size(); ++i) {
        if (kProfiles[i] != name) continue;
        parsed.profile = static_cast<Profile>(i);
        return parsed;
    }
    return Error{Errc::kInvalidArgument, fmt::format("setting profile: unknown value \"{}\"{}",
                                                     name, harness::did_you_mean(name, kProfiles))};
}

rocksdb::Options make_options(const ProfileSettings& settings) {
    rocksdb::Options options;
    options.create_if_missing = true;
    switch (settings.profile) {
        case Profile::kDefault: break;
        case Profile::kTuned: {
            const bool given = settings.write_buffer_bytes > 0;
            return tuned(options, given ? settings.write_buffer_bytes : kTunedBufferBytes);
        }
        case Profile::kWalOnly:
            // Who uses the log as a log keeps it: without this a reopened database deletes it.
            options.WAL_ttl_seconds = kKeepLogSeconds;
            break;
    }
    if (settings.write_buffer_bytes > 0) options.write_buffer_size = settings.write_buffer_bytes;
    return options;
}

harness::Settings live_options(rocksdb::DB& db, const ProfileSettings& settings) {
    harness::Settings live;
    std::string text;
    if (rocksdb::GetStringFromDBOptions(&text, db.GetDBOptions(), ";").ok()) {
        add_printed_options(text, live);
    }
    text.clear();
    if (rocksdb::GetStringFromColumnFamilyOptions(&text, db.GetOptions(), ";").ok()) {
        add_printed_options(text, live);
    }
    live["profile"] = kProfiles[static_cast<std::size_t>(settings.profile)];
    live["preallocation"] = "log files with fallocate (unwritten extents), keep-size";
    return live;
}

Error to_error(std::string_view what, const rocksdb::Status& status) {
    const Errc code = status.IsNoSpace()      ? Errc::kNoSpace
                      : status.IsCorruption() ? Errc::kCorruption
                      : status.IsTimedOut()   ? Errc::kTimeout
                      : status.IsBusy()       ? Errc::kBusy
                                              : Errc::kIo;
    return Error{code, fmt::format("rocksdb: {}: {}", what, status.ToString())};
}

}  // namespace walrus::compare

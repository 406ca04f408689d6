// Settings of the driver -> RocksDB's options, and the live ones back.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <cstdint>
#include <string>

#include "harness/driver/driver.h"
#include "walrus/base/result.h"

namespace walrus::compare {

enum class Profile {
    kDefault,  // R0: Put with a 16-byte key, options as they come.
    kTuned,    // R1: Put, options as one would set them for a write-only load.
    kWalOnly,  // R2: PutLogData, which writes the log and nothing else.
};

struct ProfileSettings {
    Profile profile = Profile::kDefault;
    std::uint64_t write_buffer_bytes = 0;  // 0: the profile's own.
};

Result<ProfileSettings> parse_profile(const harness::Settings& settings);
rocksdb::Options make_options(const ProfileSettings& settings);
// What the open database says its options are, plus what they mean for a comparison.
harness::Settings live_options(rocksdb::DB& db, const ProfileSettings& settings);

// An error of ours for a status that is not ok.
Error to_error(std::string_view what, const rocksdb::Status& status);

// Topic, writer and count, big-endian: 16 bytes that sort as they were written.
inline constexpr std::size_t kKeyBytes = 16;

}  // namespace walrus::compare

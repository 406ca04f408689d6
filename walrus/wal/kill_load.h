// What the child of kill_test.cc writes and what it tells its parent.
#pragma once

#include <cstdint>
#include <string>

#include "walrus/wal/wal.h"

namespace walrus::wal {

// One acknowledgement, written to the pipe at once, so that it is there whole or not at all.
struct KillAck {
    enum Kind : std::uint32_t {
        kReady = 0,   // The log is open.
        kOwn = 1,     // `count` records of the writer's own topic from `offset` on.
        kShared = 2,  // A record of the shared topic: the writer's record `sequence`.
        kCursor = 3,  // The cursor of the writer's own topic stands at `offset`.
        kFailed = 4,  // The log refused; the child's stderr says why.
    };
    std::uint32_t kind = kReady;
    std::uint32_t writer = 0;
    std::uint64_t offset = 0;
    std::uint64_t count = 0;
    std::uint64_t sequence = 0;
};

inline constexpr std::uint32_t kKillWriters = 4;
inline constexpr const char* kKillSharedTopic = "shared";
inline constexpr const char* kKillConsumer = "reader";

inline std::string kill_topic(std::uint32_t writer) {
    return "writer " + std::to_string(writer);
}

// A record says where it stands and which batch it belongs to, and its size follows from that.
inline std::string kill_record(std::uint32_t writer, std::uint64_t offset,
                               std::uint64_t batch_begin, std::uint64_t batch_size) {
    std::string text = std::to_string(writer) + " " + std::to_string(offset) + " " +
                       std::to_string(batch_begin) + " " + std::to_string(batch_size) + " ";
    const std::uint64_t size = (offset * 7919 + writer * 104'729) % 1500;
    while (text.size() < size) text.push_back(static_cast<char>('a' + (offset + text.size()) % 26));
    return text;
}

inline Options kill_options(const std::string& directory, Backend backend,
                            DurabilityClass durability) {
    Options options;
    options.data_dir = directory;
    options.backend = backend;
    options.durability = durability;
    options.file_size = 256 << 10;
    options.ring_size = 128 << 10;
    options.limits.max_record_bytes = options.limits.max_batch_bytes = 16 << 10;
    options.retention_interval_ms = 5;
    return options;
}

}  // namespace walrus::wal

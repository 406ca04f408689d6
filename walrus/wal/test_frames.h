// Helpers of the unit tests of frames: hexadecimal bytes, and a staging ring in simulated memory.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/testing/sim_env.h"
#include "walrus/wal/frame.h"
#include "walrus/wal/staging.h"

namespace walrus::wal {

inline std::string to_hex(Bytes bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const std::byte byte : bytes) {
        text.push_back(kDigits[static_cast<std::size_t>(byte) >> 4]);
        text.push_back(kDigits[static_cast<std::size_t>(byte) & 15]);
    }
    return text;
}

inline std::vector<std::byte> from_hex(std::string_view text) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        bytes.push_back(static_cast<std::byte>(digit(text[i]) * 16 + digit(text[i + 1])));
    return bytes;
}

inline constexpr std::uint32_t kTestEpoch = 0x11223344;

// A ring with a Staging in it that begins behind the header of file 0.
class StagedLog {
public:
    explicit StagedLog(std::uint64_t ring_size = 256 << 10, std::uint64_t file_size = 1 << 20)
        : file_size_(file_size),
          ring_(*env_.map_ring("ring", ring_size)),
          staging_(*ring_, file_size) {
        start(Lsn{kFileHeaderSize});
    }

    // Begins anew at `lsn`.
    void start(Lsn lsn) {
        staging_.start(lsn, kTestEpoch);
        begin_ = lsn;
    }
    Staging& staging() { return staging_; }

    Staging::Placed append(std::uint32_t topic, std::uint64_t offset,
                           const std::vector<std::string>& records) {
        std::vector<Bytes> bytes;
        for (const std::string& record : records) bytes.push_back(as_bytes(record));
        return staging_.batch(topic, Offset{offset}, BatchSource::of(bytes), Lsn{});
    }
    Staging::Placed control(ControlKind kind, std::string_view body, std::uint32_t topic = 0) {
        FrameHeader header;
        header.control = kind;
        header.topic_id = topic;
        return staging_.control(header, as_bytes(body), Lsn{});
    }

    // What is in the ring from `lsn` on.
    std::byte* at(Lsn lsn) { return staging_.at(lsn); }
    Bytes bytes(Lsn lsn) { return {at(lsn), staging_.end() - lsn}; }
    FrameCursor cursor() const { return {begin_, kTestEpoch, file_size_}; }

    // Follows the frames from where staging began to its end.
    std::vector<Frame> walk() {
        std::vector<Frame> frames;
        FrameCursor cursor = this->cursor();
        while (cursor.lsn() < staging_.end()) {
            if (cursor.at_file_start()) cursor.enter_file(kTestEpoch);
            Frame frame;
            std::uint64_t needed = 0;
            if (cursor.parse(bytes(cursor.lsn()), frame, needed) != FrameStatus::kOk) break;
            cursor.advance(frame);
            frames.push_back(frame);
        }
        walked_ = cursor.lsn();
        return frames;
    }
    // Where the last walk() stopped.
    Lsn walked() const { return walked_; }

private:
    testing::SimEnv env_;
    const std::uint64_t file_size_;
    std::unique_ptr<env::MappedRing> ring_;
    Staging staging_;
    Lsn begin_;
    Lsn walked_;
};

}  // namespace walrus::wal

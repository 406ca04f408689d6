// UpstreamLog: one instance of the original crate, owned.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "compare/upstream/upstream_abi.h"
#include "walrus/base/bytes.h"
#include "walrus/base/result.h"

namespace walrus::compare {

struct UpstreamConfig {
    std::string directory;
    WalrusUpstreamSchedule schedule = kUpstreamNoFsync;
    std::uint64_t interval_ms = 200;  // Of kUpstreamMilliseconds.
    bool mmap = false;
};

// append() from any thread; read() of one topic from one thread at a time.
class UpstreamLog {
public:
    // The rules of walrus_upstream_open.  Each open adds a sparse file of 1,000 MiB.
    static Result<std::unique_ptr<UpstreamLog>> open(const UpstreamConfig& config);

    // One record, or a batch.  kBusy: a batch of this topic is being written by another thread.
    Status append(std::string_view topic, std::span<const Bytes> records);
    // The next records of the topic's only cursor, at least one; returns how many, 0 at the end.
    Result<std::uint64_t> read(std::string_view topic, const std::function<void(Bytes)>& visit);

private:
    struct Close {
        void operator()(WalrusUpstreamLog* log) const { walrus_upstream_close(log); }
    };

    explicit UpstreamLog(WalrusUpstreamLog* log) : log_(log) {}

    std::unique_ptr<WalrusUpstreamLog, Close> log_;
};

}  // namespace walrus::compare

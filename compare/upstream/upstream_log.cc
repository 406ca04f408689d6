#include "compare/upstream/upstream_log.h"

#include <fmt/format.h>

#include <vector>

namespace walrus::compare {
namespace {

// As the crate's own example reads.  It takes 2,000 records at most per call.
constexpr std::size_t kReadAtOnce = 1 << 20;

WalrusUpstreamBytes bytes_of(Bytes bytes) {
    return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

Errc errc_of(std::int32_t code) {
    switch (static_cast<WalrusUpstreamCode>(code)) {
        case kUpstreamBusy: return Errc::kBusy;
        case kUpstreamInvalidArgument: return Errc::kInvalidArgument;
        case kUpstreamCorruption: return Errc::kCorruption;
        case kUpstreamNoSpace: return Errc::kNoSpace;
        case kUpstreamUnsupported: return Errc::kUnsupported;
        case kUpstreamOk:
        case kUpstreamIo: break;
    }
    return Errc::kIo;
}

Status status_of(std::int32_t code, std::string_view what, const WalrusUpstreamFailure& failure) {
    if (code == kUpstreamOk) return {};
    return Error{errc_of(code), fmt::format("upstream: {}: {}", what, failure.message)};
}

struct Visit {
    const std::function<void(Bytes)>& visit;
    std::uint64_t count = 0;
};

// noexcept: nothing may unwind through Rust.
void visit_record(void* context, WalrusUpstreamBytes record) noexcept {
    auto& visit = *static_cast<Visit*>(context);
    visit.visit({reinterpret_cast<const std::byte*>(record.data), record.size});
    ++visit.count;
}

}  // namespace

Result<std::unique_ptr<UpstreamLog>> UpstreamLog::open(const UpstreamConfig& config) {
    const WalrusUpstreamOptions options{.directory = bytes_of(as_bytes(config.directory)),
                                        .schedule = config.schedule,
                                        .interval_ms = config.interval_ms,
                                        .mmap = config.mmap};
    WalrusUpstreamLog* log = nullptr;
    WalrusUpstreamFailure failure{};
    WALRUS_RETURN_IF_ERROR(status_of(walrus_upstream_open(&options, &log, &failure),
                                     "open " + config.directory, failure));
    return std::unique_ptr<UpstreamLog>(new UpstreamLog(log));
}

Status UpstreamLog::append(std::string_view topic, std::span<const Bytes> records) {
    // Reused, so that a single append costs no allocation on this side.
    thread_local std::vector<WalrusUpstreamBytes> converted;
    converted.clear();
    for (const Bytes record : records) converted.push_back(bytes_of(record));
    WalrusUpstreamFailure failure;
    const std::int32_t code = walrus_upstream_append(log_.get(), bytes_of(as_bytes(topic)),
                                                     converted.data(), converted.size(), &failure);
    return status_of(code, "append", failure);
}

Result<std::uint64_t> UpstreamLog::read(std::string_view topic,
                                        const std::function<void(Bytes)>& visit) {
    Visit context{.visit = visit};
    WalrusUpstreamFailure failure;
    const std::int32_t code =
        walrus_upstream_read(log_.get(), bytes_of(as_bytes(topic)), kReadAtOnce,
                             {.visit = visit_record, .context = &context}, &failure);
    WALRUS_RETURN_IF_ERROR(status_of(code, "read", failure));
    return context.count;
}

}  // namespace walrus::compare

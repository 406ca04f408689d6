#include "walrus/broker/batch_cursor.h"

#include <algorithm>
#include <utility>

namespace walrus::broker {
namespace {

// Where a batch says how long it is: protocol/record_batch.h.
constexpr std::size_t kLengthAt = 8;
constexpr std::size_t kLengthCountsFrom = 12;

std::size_t batch_size(Bytes head) {
    const auto length = load_le<std::uint32_t>(head.data() + kLengthAt);
    return kLengthCountsFrom + std::size_t{__builtin_bswap32(length)};
}

}  // namespace

bool BatchCursor::is_at_end() {
    while (index_ < fetched_.pieces.size() && piece().empty()) {
        ++index_;
        used_ = 0;
    }
    return index_ == fetched_.pieces.size();
}

Result<std::optional<protocol::RecordBatchView>> BatchCursor::next() {
    if (is_at_end()) return std::optional<protocol::RecordBatchView>();
    Bytes batch = piece();
    if (batch.size() >= kLengthCountsFrom && batch.size() >= batch_size(batch)) {
        batch = batch.first(batch_size(batch));
        used_ += batch.size();
    } else {
        joined_.clear();
        WALRUS_RETURN_IF_ERROR(join(kLengthCountsFrom));
        WALRUS_RETURN_IF_ERROR(join(batch_size(as_bytes(joined_)) - kLengthCountsFrom));
        batch = as_bytes(joined_);
    }
    auto view = protocol::RecordBatchView::parse_only(batch);
    if (!view) return view.error();
    return std::optional<protocol::RecordBatchView>(*view);
}

Status BatchCursor::join(std::size_t count) {
    while (count > 0) {
        if (is_at_end()) return Error{Errc::kCorruption, "fetch: its pieces end within a batch"};
        const Bytes part = piece().first(std::min(count, piece().size()));
        joined_ += as_text(part);
        used_ += part.size();
        count -= part.size();
    }
    return {};
}

}  // namespace walrus::broker

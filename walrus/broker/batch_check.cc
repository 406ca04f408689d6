#include "walrus/broker/batch_check.h"

#include <string>

namespace walrus::broker {

cluster::ProducerStamp stamp_of(const protocol::RecordBatchView& batch) {
    if (batch.producer_id() <= 0 || batch.base_sequence() < 0) return {};
    return {static_cast<std::uint64_t>(batch.producer_id()),
            static_cast<std::uint16_t>(batch.producer_epoch()),
            static_cast<std::uint32_t>(batch.base_sequence())};
}

Result<CheckedBatch> check_batch(Bytes batch, std::uint64_t max_message_bytes) {
    const auto view = protocol::RecordBatchView::parse_only(batch);
    if (!view) return view.error();
    if (batch.size() > max_message_bytes)
        return Error{Errc::kTooLarge, "batch: " + std::to_string(batch.size()) +
                                          " bytes, max.message.bytes is " +
                                          std::to_string(max_message_bytes)};
    WALRUS_RETURN_IF_ERROR(view->verify());
    if (view->is_control() || view->is_transactional())
        return Error{Errc::kInvalidArgument,
                     "batch: control and transactional batches are not taken"};
    if (view->producer_id() == 0 || view->producer_id() < -1 ||
        (view->producer_id() > 0 && (view->producer_epoch() < 0 || view->base_sequence() < 0)))
        return Error{Errc::kInvalidArgument, "batch: producer id, epoch or sequence cannot be"};
    return CheckedBatch{batch, static_cast<std::uint32_t>(view->record_count()), stamp_of(*view)};
}

}  // namespace walrus::broker

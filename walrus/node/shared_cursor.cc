#include "walrus/node/shared_cursor.h"

#include <algorithm>
#include <utility>

#include "walrus/node/text_reply.h"
#include "walrus/protocol/text_codec.h"

namespace walrus::node {
namespace {

constexpr std::uint64_t kFetchBytes = 256 << 10;

}  // namespace

// --- RecordWalker ---

Status RecordWalker::start(const broker::Partition* partition, Offset from,
                           broker::FetchedBatches fetched) {
    forget();
    partition_ = partition;
    next_ = from;
    batches_ = BatchCursor(std::move(fetched));
    return open_next_batch();
}

// Opens the next batch that has a record at or behind next_; none: the reader stays closed.
Status RecordWalker::open_next_batch() {
    reader_.reset();
    for (;;) {
        const auto batch = batches_.next();
        if (!batch) return batch.error();
        if (!*batch) return {};
        if ((*batch)->last_offset() < static_cast<std::int64_t>(next_.value)) continue;
        auto reader = protocol::RecordReader::open(**batch);
        if (!reader) return reader.error();
        reader_.emplace(*std::move(reader));
        return {};
    }
}

Result<std::optional<Bytes>> RecordWalker::read() {
    protocol::Record record;
    while (reader_) {
        const auto found = reader_->next(record);
        if (!found) return found.error();
        if (!*found) {
            WALRUS_RETURN_IF_ERROR(open_next_batch());
            continue;
        }
        if (record.offset < static_cast<std::int64_t>(next_.value)) continue;
        next_ = Offset{static_cast<std::uint64_t>(record.offset) + 1};
        return std::optional<Bytes>(record.value.value_or(Bytes{}));
    }
    return std::optional<Bytes>();
}

void RecordWalker::forget() {
    reader_.reset();
    batches_ = {};
    partition_ = nullptr;
}

// --- SharedCursor ---

void SharedCursor::get(net::ReplySlot slot) {
    waiting_.push_back(std::move(slot));
    serve();
}

void SharedCursor::serve() {
    if (is_serving_) return;  // It goes on by itself.
    is_serving_ = true;
    while (!is_busy_ && !waiting_.empty()) {
        const broker::PartitionInfo info = partition_.info();
        const auto committed = offsets_.committed("", topic_, 0);
        const Offset from =
            std::max(committed ? committed->offset : Offset{}, info.log_start_offset);
        if (from >= info.high_watermark) {
            walker_.forget();
            answer_waiting(protocol::encode_text_empty());
            break;
        }
        is_busy_ = true;
        if (!walker_.is_at(&partition_, from) || !hand_out(from)) fetch(from);
    }
    is_serving_ = false;
}

void SharedCursor::fetch(Offset from) {
    partition_.fetch(from, kFetchBytes, [this, from](broker::FetchedBatches fetched) {
        on_fetched(from, std::move(fetched));
    });
}

void SharedCursor::on_fetched(Offset from, broker::FetchedBatches fetched) {
    const Status status = std::exchange(fetched.status, {});
    const Status started = status ? walker_.start(&partition_, from, std::move(fetched)) : status;
    if (!started) return fail(started.error());
    if (!hand_out(from)) fail({Errc::kCorruption, "no record at " + std::to_string(from.value)});
}

bool SharedCursor::hand_out(Offset from) {
    Offset next = from;
    while (!waiting_.empty()) {
        const auto value = walker_.read();
        if (!value && served_.empty()) {
            fail(value.error());
            return true;
        }
        if (!value || !*value) break;
        next = walker_.next();
        served_.push_back(
            {std::move(waiting_.front()), protocol::encode_text_ok(as_text(**value))});
        waiting_.pop_front();
    }
    if (served_.empty()) return false;
    std::vector<broker::OffsetCommit> commits(1);
    commits[0].topic = topic_;
    commits[0].committed.offset = next;
    commits[0].committed.commit_time_ms = loop_.wall_ms();
    offsets_.commit("", std::move(commits), [this](Status status) { on_committed(status); });
    return true;
}

void SharedCursor::on_committed(const Status& status) {
    for (Served& served : std::exchange(served_, {}))
        served.slot.send(status ? std::move(served.reply)
                                : read_error_reply(topic_, status.error()));
    is_busy_ = false;
    serve();
}

void SharedCursor::fail(const Error& error) {
    walker_.forget();
    is_busy_ = false;
    answer_waiting(read_error_reply(topic_, error));
}

void SharedCursor::answer_waiting(const std::string& reply) {
    for (net::ReplySlot& slot : std::exchange(waiting_, {})) slot.send(reply);
}

}  // namespace walrus::node

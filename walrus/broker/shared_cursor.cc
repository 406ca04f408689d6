#include "walrus/broker/shared_cursor.h"

#include <algorithm>
#include <utility>

namespace walrus::broker {
namespace {

constexpr std::uint64_t kFetchBytes = 256 << 10;

}  // namespace

// --- RecordWalker ---

Status RecordWalker::start(const Partition* partition, Offset from, FetchedBatches fetched) {
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

void SharedCursor::get(RecordCallback done) {
    waiting_.push_back(std::move(done));
    serve();
}

void SharedCursor::serve() {
    if (is_serving_) return;  // It goes on by itself.
    is_serving_ = true;
    while (!is_busy_ && !waiting_.empty()) {
        is_busy_ = true;
        offsets_.acquire("", topic_, index_,
                         [this](const Status& status) { status ? go_on() : fail(status.error()); });
    }
    is_serving_ = false;
}

void SharedCursor::go_on() {
    const PartitionInfo info = partition_.info();
    const auto committed = offsets_.committed("", topic_, index_);
    const Offset from = std::max(committed ? committed->offset : Offset{}, info.log_start_offset);
    if (from < info.high_watermark) {
        if (!walker_.is_at(&partition_, from) || !hand_out(from)) fetch(from);
        return;
    }
    // Who comes while this is asked may know of records that it does not cover: not answered by it.
    partition_.end_offset([this, from, asked = waiting_.size()](const Result<Offset>& end) {
        if (!end) return fail(end.error());
        if (from < *end) return fetch(from);
        walker_.forget();
        is_busy_ = false;
        answer_first(asked, std::optional<std::string>());
        serve();
    });
}

void SharedCursor::fetch(Offset from) {
    partition_.fetch(from, kFetchBytes, [this, from](FetchedBatches fetched) {
        on_fetched(from, std::move(fetched));
    });
}

void SharedCursor::on_fetched(Offset from, FetchedBatches fetched) {
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
        served_.push_back({std::move(waiting_.front()), std::string(as_text(**value))});
        waiting_.pop_front();
    }
    if (served_.empty()) return false;
    std::vector<OffsetCommit> commits(1);
    commits[0].topic = topic_;
    commits[0].partition = index_;
    commits[0].committed.offset = next;
    commits[0].committed.commit_time_ms = loop_.wall_ms();
    offsets_.commit("", std::move(commits), [this](Status status) { on_committed(status); });
    return true;
}

void SharedCursor::on_committed(const Status& status) {
    for (Served& served : std::exchange(served_, {})) {
        if (status)
            served.done(std::optional<std::string>(std::move(served.value)));
        else
            served.done(status.error());
    }
    is_busy_ = false;
    serve();
}

void SharedCursor::fail(const Error& error) {
    walker_.forget();
    is_busy_ = false;
    answer_first(waiting_.size(), error);
}

void SharedCursor::answer_first(std::size_t count,
                                const Result<std::optional<std::string>>& answer) {
    for (; count > 0 && !waiting_.empty(); --count) {
        const RecordCallback done = std::move(waiting_.front());
        waiting_.pop_front();
        done(answer);
    }
}

// --- SharedCursors ---

SharedCursor& SharedCursors::of(std::string_view topic, Partition& partition) {
    auto found = cursors_.find(topic);
    // A topic that was deleted and created again has another partition.
    if (found != cursors_.end() && &found->second->partition() != &partition &&
        !found->second->is_busy()) {
        std::erase(warm_, found->second.get());
        cursors_.erase(found);
        found = cursors_.end();
    }
    if (found == cursors_.end())
        found = cursors_
                    .emplace(topic, std::make_unique<SharedCursor>(std::string(topic), partition,
                                                                   offsets_, loop_))
                    .first;
    SharedCursor* const cursor = found->second.get();
    std::erase(warm_, cursor);
    warm_.push_back(cursor);
    if (warm_.size() > kWarmCursors) {
        if (!warm_.front()->is_busy()) warm_.front()->forget_records();
        warm_.erase(warm_.begin());
    }
    return *cursor;
}

}  // namespace walrus::broker

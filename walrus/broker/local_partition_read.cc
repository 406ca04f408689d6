// Reading, watching and giving up of a LocalPartition.
#include <algorithm>

#include "walrus/broker/local_partition.h"
#include "walrus/broker/placed_batches.h"
#include "walrus/protocol/record_batch.h"

namespace walrus::broker {
namespace {

constexpr std::int32_t kLeaderEpoch = 0;  // One leader, for ever.

// What is asked of a log by a worker.
struct Source {
    wal::Wal* wal = nullptr;
    std::string topic;
};

struct Stamped {
    Offset offset;
    Offset end;
    std::int64_t timestamp_ms = 0;
};

Result<Stamped> batch_at(const Source& source, Offset offset) {
    const Result<wal::RecordBatch> read = source.wal->read_at(source.topic, offset, 1);
    if (!read) return read.error();
    if (read->empty()) return Error{Errc::kOutOfRange, "log: ends before its high watermark"};
    const auto view = protocol::RecordBatchView::parse(read->front().data);
    if (!view) return view.error();
    return Stamped{read->front().offset, read->end_offset(), view->max_timestamp()};
}

// The first batch in [low, high) that is not older, if timestamps never fall from one batch to the
// next.  If they do: a batch that is not older while the one before it is.
Result<Offset> find_timestamp(const Source& source, Offset low, Offset high, std::int64_t wanted) {
    while (low < high) {
        const Offset middle{low.value + (high - low) / 2};
        const Result<Stamped> batch = batch_at(source, middle);
        if (!batch && batch.error().code == Errc::kOutOfRange) {
            low = middle + 1;  // Retention was faster.
            continue;
        }
        if (!batch) return batch.error();
        if (batch->timestamp_ms >= wanted) {
            if (batch->offset <= low) return low;
            high = batch->offset;
        } else {
            low = batch->end;
        }
    }
    return low;
}

}  // namespace

// --- fetching ---

void LocalPartition::refresh() const {
    if (retired_ || core_.closed) return;
    const Result<wal::TopicInfo> info = log_.wal->topic(place_.log_topic);
    if (!info) return;
    log_start_ = info->log_start_offset;
    size_bytes_ = info->size_bytes;
}

PartitionInfo LocalPartition::info() const {
    refresh();
    PartitionInfo info;
    info.index = place_.index;
    info.leader = retired_ ? -1 : core_.options.address.id;
    info.leader_epoch = kLeaderEpoch;
    info.replicas = {core_.options.address.id};
    info.in_sync = info.replicas;
    info.log_start_offset = log_start_;
    info.high_watermark = high_watermark_;
    info.log_end_offset = log_end_;
    info.size_bytes = size_bytes_;
    return info;
}

Status LocalPartition::fetchable(Offset from) {
    WALRUS_RETURN_IF_ERROR(usable());
    if (from >= log_start_ && from <= high_watermark_) return {};
    return Error{Errc::kOutOfRange, "partition " + place_.log_topic + ": offset " +
                                        std::to_string(from.value) + " is outside of [" +
                                        std::to_string(log_start_.value) + ", " +
                                        std::to_string(high_watermark_.value) + "]"};
}

void LocalPartition::answer_fetch(Result<wal::RecordBatch> batch, const FetchCallback& done) const {
    FetchedBatches fetched;
    if (retired_) {
        fetched.status = usable();
    } else if (!batch) {
        if (batch.error().code == Errc::kOutOfRange) refresh();
        fetched.status = std::move(batch).error();
    } else {
        // The log may be ahead of what this loop was told is acknowledged.  A reader that got that
        // would come back with an offset past the high watermark, be refused, and begin elsewhere.
        batch->cut_at(high_watermark_);
        fetched.status = place_batches(std::move(*batch), kLeaderEpoch, fetched);
    }
    fetched.log_start_offset = log_start_;
    fetched.high_watermark = high_watermark_;
    core_.counters.fetched_bytes += fetched.size_bytes;
    done(std::move(fetched));
}

void LocalPartition::fetch(Offset from, std::uint64_t max_bytes, FetchCallback done) {
    ++core_.counters.fetches;
    if (Status status = fetchable(from); !status) return answer_fetch(status.error(), done);
    if (from == high_watermark_) return answer_fetch(wal::RecordBatch{}, done);
    Result<wal::RecordBatch> recent = log_.wal->read_recent(place_.log_topic, from, max_bytes);
    if (recent || recent.error().code != Errc::kBusy) return answer_fetch(std::move(recent), done);
    ++core_.counters.cold_fetches;
    core_.pool.run([this, source = Source{log_.wal.get(), place_.log_topic}, from, max_bytes,
                    inbox = core_.inbox, done = std::move(done)] {
        auto read = std::make_shared<Result<wal::RecordBatch>>(
            source.wal->read_at(source.topic, from, max_bytes));
        inbox->put([this, read, done] { answer_fetch(std::move(*read), done); });
    });
}

void LocalPartition::offset_at(std::int64_t timestamp_ms, OffsetCallback done) {
    if (Status status = usable(); !status) return done(status.error());
    refresh();
    core_.pool.run([this, source = Source{log_.wal.get(), place_.log_topic}, low = log_start_,
                    high = high_watermark_, timestamp_ms, inbox = core_.inbox,
                    done = std::move(done)] {
        inbox->put([this, found = find_timestamp(source, low, high, timestamp_ms), done] {
            retired_ ? done(usable().error()) : done(found);
        });
    });
}

void LocalPartition::delete_records(Offset offset, StatusCallback done) {
    if (Status status = usable(); !status) return done(std::move(status));
    if (offset > high_watermark_)
        return done(Error{Errc::kOutOfRange, "partition: offset " + std::to_string(offset.value) +
                                                 " is past the high watermark, " +
                                                 std::to_string(high_watermark_.value)});
    core_.pool.run([this, source = Source{log_.wal.get(), place_.log_topic}, offset,
                    inbox = core_.inbox, done = std::move(done)] {
        inbox->put([this, status = source.wal->truncate_head(source.topic, offset), done] {
            refresh();
            done(retired_ ? usable() : status);
        });
    });
}

// --- watching ---

WatchId LocalPartition::watch(Offset offset, std::function<void()> readable) {
    if (!usable() || high_watermark_ > offset) {
        readable();
        return 0;
    }
    watches_.push_back({++last_watch_, offset, std::move(readable)});
    return last_watch_;
}

void LocalPartition::unwatch(WatchId watch) {
    if (watch == 0) return;
    const auto same = [&](const Watch& each) { return each.id == watch; };
    if (std::erase_if(watches_, same) == 0) std::erase_if(due_, same);
}

// A callback may watch, unwatch and append.
void LocalPartition::notify() {
    if (watches_.empty() && due_.empty()) return;
    const bool gone = !usable();
    const auto still_waits = [&](const Watch& each) {
        return !gone && each.offset >= high_watermark_;
    };
    const auto first = std::partition(watches_.begin(), watches_.end(), still_waits);
    due_.insert(due_.end(), std::make_move_iterator(first),
                std::make_move_iterator(watches_.end()));
    watches_.erase(first, watches_.end());
    if (notifying_) return;  // The caller below goes on with them.
    notifying_ = true;
    while (!due_.empty()) {
        const std::function<void()> readable = std::move(due_.front().readable);
        due_.pop_front();
        readable();
    }
    notifying_ = false;
}

}  // namespace walrus::broker

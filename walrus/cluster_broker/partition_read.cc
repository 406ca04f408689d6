// Fetching, watching, searching and giving up of a ClusterPartition.
#include <algorithm>
#include <memory>

#include "walrus/broker/placed_batches.h"
#include "walrus/cluster_broker/outcomes.h"
#include "walrus/cluster_broker/partition.h"
#include "walrus/cluster_broker/reader.h"
#include "walrus/protocol/record_batch.h"

namespace walrus::cluster_broker {
namespace {

// Bisects a topic's batches by their timestamps, one read after the other.  Exact while the
// timestamps of batches do not fall; else the start of a batch that is young enough behind one that
// is not.
class TimeSearch : public std::enable_shared_from_this<TimeSearch> {
public:
    TimeSearch(Core& core, cluster::TopicId topic, std::int64_t wanted_ms)
        : core_(core), topic_(topic), wanted_ms_(wanted_ms) {}

    void run(Offset low, Offset high, broker::OffsetCallback done) {
        low_ = low;
        high_ = high;
        done_ = std::move(done);
        step();
    }

private:
    void step() {
        if (low_ >= high_) return done_(low_);
        const Offset middle{low_.value + (high_ - low_) / 2};
        read_batches(core_, topic_, middle, 1,
                     [self = shared_from_this(), middle](const Result<Batches>& batches) {
                         self->on_read(middle, batches);
                     });
    }

    void on_read(Offset middle, const Result<Batches>& batches) {
        if (!batches && batches.error().code == Errc::kOutOfRange) {
            low_ = middle + 1;  // Retention was faster.
            return step();
        }
        if (!batches) return done_(batches.error());
        const member::ReadBatch& batch = batches->front();
        const auto view = protocol::RecordBatchView::parse(as_bytes(batch.data.text()));
        if (!view) return done_(view.error());
        if (batch.offset >= high_) {
            high_ = middle;  // What lies between was given up.
        } else if (view->max_timestamp() < wanted_ms_) {
            low_ = batch.offset + batch.records;
        } else if (batch.offset <= low_) {
            return done_(low_);
        } else {
            high_ = std::min(batch.offset, middle);
        }
        step();
    }

    Core& core_;
    const cluster::TopicId topic_;
    const std::int64_t wanted_ms_;
    Offset low_;
    Offset high_;
    broker::OffsetCallback done_;
};

}  // namespace

// --- fetching ---

Status ClusterPartition::fetchable(Offset from, Offset end) const {
    const Offset start = topic()->log_start_offset();
    if (from >= start && from <= end) return {};
    return Error{Errc::kOutOfRange, "topic " + place_.name + ": offset " +
                                        std::to_string(from.value) + " is outside of [" +
                                        std::to_string(start.value) + ", " +
                                        std::to_string(end.value) + "]"};
}

void ClusterPartition::answer_fetch(Result<Batches> batches,
                                    const broker::FetchCallback& done) const {
    broker::FetchedBatches fetched;
    if (!batches) {
        fetched.status = std::move(batches).error();
    } else if (!batches->empty()) {
        const auto owner = std::make_shared<const Batches>(*std::move(batches));
        std::vector<broker::StoredBatch> stored;
        stored.reserve(owner->size());
        for (const member::ReadBatch& batch : *owner)
            stored.push_back({batch.offset, static_cast<std::int32_t>(batch.segment),
                              as_bytes(batch.data.text())});
        fetched.status = broker::place_batches(stored, owner, fetched);
    }
    if (const cluster::Topic* found = topic()) {
        fetched.log_start_offset = found->log_start_offset();
        fetched.high_watermark = high_watermark(*found);
    }
    done(std::move(fetched));
}

void ClusterPartition::fetch(Offset from, std::uint64_t max_bytes, broker::FetchCallback done) {
    if (const Status status = usable(); !status) return answer_fetch(status.error(), done);
    const Offset end = high_watermark(*topic());
    if (const Status status = fetchable(from, end); !status)
        return answer_fetch(status.error(), done);
    if (from == end) return answer_fetch(Batches{}, done);
    read_batches(core_, place_.topic, from, max_bytes,
                 [this, done = std::move(done)](Result<Batches> batches) {
                     answer_fetch(std::move(batches), done);
                 });
}

// Records may be durable on the others before they are on this node's own disk; who is told an end
// wants to read up to it, so that is waited for.
void ClusterPartition::end_offset(broker::OffsetCallback done) {
    if (const Status status = usable(); !status) return done(status.error());
    core_.member->confirm_read(place_.topic,
                               [this, done = std::move(done)](const cluster::ReadDone& read) {
                                   const Status status = usable();
                                   if (!status) return done(status.error());
                                   if (!read.confirmed) return done(not_leader(place_.name));
                                   if (high_watermark(*topic()) >= read.end) return done(read.end);
                                   watch(Offset{read.end.value - 1}, [this, end = read.end, done] {
                                       const Status now = usable();
                                       now ? done(end) : done(now.error());
                                   });
                               });
}

void ClusterPartition::offset_at(std::int64_t timestamp_ms, broker::OffsetCallback done) {
    if (const Status status = usable(); !status) return done(status.error());
    std::make_shared<TimeSearch>(core_, place_.topic, timestamp_ms)
        ->run(topic()->log_start_offset(), high_watermark(*topic()), std::move(done));
}

// Whole segments go; the one that holds `offset` stays.
void ClusterPartition::delete_records(Offset offset, broker::StatusCallback done) {
    if (Status status = usable(); !status) return done(std::move(status));
    const Offset end = high_watermark(*topic());
    if (offset > end)
        return done(Error{Errc::kOutOfRange,
                          "topic " + place_.name + ": offset " + std::to_string(offset.value) +
                              " is past the high watermark, " + std::to_string(end.value)});
    cluster::SegmentNumber first_kept = topic()->first().number;
    for (const auto& [number, segment] : topic()->segments)
        if (segment.base <= offset) first_kept = number;
    if (first_kept == topic()->first().number) return done({});
    core_.member->propose(
        cluster::DropSegments{place_.topic, first_kept},
        [done = std::move(done)](const Result<cluster::CommandResult>& result) {
            if (!result) return done(result.error());
            // Gone already: retention was faster.
            const bool gone = result->applied() || result->outcome == cluster::Outcome::kNotFound;
            done(gone ? Status() : command_error("delete records", result->outcome));
        });
}

// --- watching ---

broker::WatchId ClusterPartition::watch(Offset offset, std::function<void()> readable) {
    if (!usable() || high_watermark(*topic()) > offset) {
        readable();
        return 0;
    }
    watches_.push_back({++last_watch_, offset, std::move(readable)});
    return last_watch_;
}

void ClusterPartition::unwatch(broker::WatchId watch) {
    if (watch == 0) return;
    const auto same = [&](const Watch& each) { return each.id == watch; };
    if (std::erase_if(watches_, same) == 0) std::erase_if(due_, same);
}

// A callback may watch, unwatch and append.
void ClusterPartition::notify() {
    if (watches_.empty() && due_.empty()) return;
    const bool is_usable = usable().has_value();
    const Offset end = is_usable ? high_watermark(*topic()) : Offset{};
    const auto still_waits = [&](const Watch& each) { return is_usable && each.offset >= end; };
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

}  // namespace walrus::cluster_broker

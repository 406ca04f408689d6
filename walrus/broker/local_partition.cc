// Appending and what follows from it.  Reading: local_partition_read.cc.
#include "walrus/broker/local_partition.h"

#include <algorithm>

#include "walrus/base/log.h"
#include "walrus/broker/producer_snapshot.h"
#include "walrus/protocol/record_batch.h"

namespace walrus::broker {
namespace {

using cluster::ProducerTable;

constexpr std::uint64_t kReplayBytes = 1 << 20;
constexpr std::size_t kMaxLogTopic = 255;

// The append that this thread is handing to a log: its acknowledgement may come at once.
thread_local PendingAppend* handing_over = nullptr;

void on_acknowledged(void* context, Offset first_offset, const Status& status) {
    PendingAppend& append = *static_cast<PendingAppend*>(context);
    append.first_offset = first_offset;
    append.failed = !status;
    if (handing_over == &append) {
        append.inside_append = true;
    } else {
        append.inbox->put(append);
    }
}

AppendOutcome outcome_of(ProducerTable::Verdict verdict, bool known) {
    switch (verdict) {
        case ProducerTable::Verdict::kNew: return AppendOutcome::kAppended;
        case ProducerTable::Verdict::kDuplicate: return AppendOutcome::kDuplicate;
        case ProducerTable::Verdict::kForgottenDuplicate: return AppendOutcome::kForgottenDuplicate;
        case ProducerTable::Verdict::kFenced: return AppendOutcome::kProducerFenced;
        case ProducerTable::Verdict::kOutOfOrder:
            return known ? AppendOutcome::kOutOfOrderSequence : AppendOutcome::kUnknownProducer;
    }
    return AppendOutcome::kFailed;
}

}  // namespace

std::string log_topic_name(std::uint64_t topic_id, std::uint32_t partition, std::string_view name) {
    std::string full = std::to_string(topic_id) + ":" + std::to_string(partition) + ":";
    full += name.substr(0, kMaxLogTopic - std::min(full.size(), kMaxLogTopic));
    return full;
}

LocalPartition::LocalPartition(BrokerCore& core, BrokerLog& log, PartitionPlace place)
    : core_(core), log_(log), place_(std::move(place)) {}

// --- recovery and snapshots ---

Status LocalPartition::recover() {
    const Result<wal::TopicInfo> info = log_.wal->topic(place_.log_topic);
    if (!info) return info.error();
    log_start_ = info->log_start_offset;
    size_bytes_ = info->size_bytes;
    log_end_ = high_watermark_ = info->log_end_offset;
    const SnapshotPlace place{core_.options.env, core_.snapshot_dir, place_.topic_id,
                              static_cast<std::uint32_t>(place_.index)};
    Result<ProducerSnapshot> snapshot = load_snapshot(place, log_end_);
    if (!snapshot) return std::move(snapshot).error();
    producers_ = std::move(snapshot->table);
    snapshot_sequence_ = snapshot->sequence;
    return replay(std::max(snapshot->upto, log_start_), log_end_);
}

// A damaged batch must not keep the partition from being used: reads of it will say so.
Status LocalPartition::replay(Offset from, Offset end) {
    while (from < end) {
        const Result<wal::RecordBatch> batch =
            log_.wal->read_at(place_.log_topic, from, kReplayBytes);
        if (!batch && batch.error().code == Errc::kOutOfRange) {
            // Retention runs already, and has passed this place: what is given up needs no replay.
            const Result<wal::TopicInfo> info = log_.wal->topic(place_.log_topic);
            if (!info) return info.error();
            if (info->log_start_offset <= from) return batch.error();
            from = log_start_ = info->log_start_offset;
            continue;
        }
        if (!batch && batch.error().code != Errc::kCorruption) return batch.error();
        if (!batch) {
            log(LogLevel::kError,
                "partition " + place_.log_topic + ": its producers are known only up to offset " +
                    std::to_string(from.value) + ": " + batch.error().to_string());
            return {};
        }
        for (const wal::Record& record : *batch) {
            unsaved_bytes_ += record.data.size();
            core_.unsaved_bytes += record.data.size();
            if (const auto view = protocol::RecordBatchView::parse(record.data))
                producers_.record(stamp_of(*view), record.count, record.offset);
        }
        from = batch->end_offset();
    }
    return {};
}

void LocalPartition::save_producers(bool now) {
    if (saving_ || retired_ || unsaved_bytes_ == 0) return;
    core_.unsaved_bytes -= unsaved_bytes_;
    unsaved_bytes_ = 0;
    SnapshotPlace place{core_.options.env, core_.snapshot_dir, place_.topic_id,
                        static_cast<std::uint32_t>(place_.index)};
    const auto store = [place = std::move(place), sequence = ++snapshot_sequence_, upto = log_end_,
                        encoded = producers_.encode()] {
        const Status stored = store_snapshot(place, sequence, upto, encoded);
        if (!stored) log(LogLevel::kWarn, "producer snapshot: " + stored.error().to_string());
    };
    if (now) return store();
    saving_ = true;
    core_.pool.run([this, store, inbox = core_.inbox] {
        store();
        inbox->put([this] { saving_ = false; });
    });
}

// --- appending ---

Status LocalPartition::usable() const {
    if (core_.closed) return broker_closed();
    if (retired_) return Error{Errc::kNotFound, "partition: its topic was deleted"};
    return {};
}

void LocalPartition::answer(AppendCallback done, AppendOutcome outcome, Offset base_offset,
                            Status status) {
    if (outcome == AppendOutcome::kDuplicate) ++core_.counters.duplicates;
    if (outcome != AppendOutcome::kDuplicate && outcome != AppendOutcome::kAppended)
        ++core_.counters.refused;
    if (done.function == nullptr) return;
    done.function(done.context, {outcome, std::move(status), base_offset, log_start_});
}

Result<CheckedBatch> LocalPartition::check(Bytes batch) const {
    WALRUS_RETURN_IF_ERROR(usable());
    return check_batch(batch, config_.max_message_bytes);
}

void LocalPartition::append(Bytes batch, Acks acks, AppendCallback done) {
    const Result<CheckedBatch> checked = check(batch);
    if (!checked) return answer(done, AppendOutcome::kFailed, Offset{}, checked.error());
    WaitingAppend append;
    append.partition = this;
    append.acks = acks;
    append.done = done;
    append.began_ns = core_.options.clock->monotonic_ns();
    if (log_.waiting.empty() && try_append(append, *checked)) return;
    if (core_.waiting_bytes + batch.size() > core_.options.max_waiting_bytes)
        return answer(done, AppendOutcome::kFailed, Offset{},
                      Error{Errc::kResourceExhausted,
                            "broker: max_waiting_bytes wait for room in the log already"});
    append.bytes.assign(batch.begin(), batch.end());
    core_.waiting_bytes += batch.size();
    ++core_.counters.appends_waited;
    log_.waiting.push_back(std::move(append));
    core_.retry_soon(log_);
}

bool LocalPartition::retry(WaitingAppend& append) {
    const Result<CheckedBatch> checked = check(append.bytes);
    if (checked) return try_append(append, *checked);
    answer(append.done, AppendOutcome::kFailed, Offset{}, checked.error());
    return true;
}

// True when the producer table alone gives the answer.
bool LocalPartition::answer_known(const CheckedBatch& checked, AppendCallback done) {
    const ProducerTable::Check known = producers_.check(checked.producer, checked.records);
    if (known.verdict == ProducerTable::Verdict::kNew) return false;
    const AppendOutcome outcome =
        outcome_of(known.verdict, producers_.producers().contains(checked.producer.id));
    const Offset end = known.offset + checked.records;
    if (outcome != AppendOutcome::kDuplicate || end <= high_watermark_) {
        answer(done, outcome, known.offset);
    } else if (broken_) {
        answer(done, AppendOutcome::kFailed, Offset{}, broken_log());
    } else {
        twins_.push_back({known.offset, end, done});
    }
    return true;
}

// False: there is no room at the moment.
bool LocalPartition::try_append(const WaitingAppend& append, const CheckedBatch& checked) {
    if (answer_known(checked, append.done)) return true;
    Bytes bytes = checked.bytes;
    if (config_.append_time) {
        core_.scratch.assign(bytes.begin(), bytes.end());
        protocol::set_append_time(core_.scratch, static_cast<std::int64_t>(core_.loop.wall_ms()));
        bytes = core_.scratch;
    }
    PendingAppend& pending = core_.appends.take();
    pending.partition = this;
    pending.inbox = core_.inbox.get();
    pending.done = append.acks == Acks::kNone ? AppendCallback{} : append.done;
    pending.began_ns = append.began_ns;
    pending.records = checked.records;
    pending.size_bytes = bytes.size();
    handing_over = &pending;
    const Result<wal::Ticket> ticket =
        log_.wal->append_opaque_async(place_.log_topic, {bytes, checked.records},
                                      {&on_acknowledged, &pending}, wal::WhenFull::kRefuse);
    handing_over = nullptr;
    if (!ticket) {
        core_.appends.give_back(pending);
        if (ticket.error().code == Errc::kBusy) return false;
        answer(append.done, AppendOutcome::kFailed, Offset{}, ticket.error());
        return true;
    }
    appended(checked, ticket->first_offset);
    if (append.acks == Acks::kNone)
        answer(append.done, AppendOutcome::kAppended, ticket->first_offset);
    if (pending.inside_append) {
        acknowledged(pending);
        core_.appends.give_back(pending);
        notify();
    }
    return true;
}

void LocalPartition::appended(const CheckedBatch& checked, Offset first) {
    log_end_ = first + checked.records;
    producers_.record(checked.producer, checked.records, first);
    unsaved_bytes_ += checked.bytes.size();
    core_.unsaved_bytes += checked.bytes.size();
}

void LocalPartition::acknowledged(const PendingAppend& append) {
    if (append.failed) {
        broken_ = true;
        answer(append.done, AppendOutcome::kFailed, Offset{}, broken_log());
    } else {
        high_watermark_ = std::max(high_watermark_, append.first_offset + append.records);
        ++core_.counters.appends;
        core_.counters.append_records += append.records;
        core_.counters.append_bytes += append.size_bytes;
        core_.counters.append_latency.add(core_.options.clock->monotonic_ns() - append.began_ns);
        answer(append.done, AppendOutcome::kAppended, append.first_offset);
    }
    if (!twins_.empty()) answer_twins();
}

Error LocalPartition::broken_log() const {
    return {Errc::kPoisoned,
            "log of " + place_.log_topic + ": a write failed; restart the server to go on"};
}

// A broken log acknowledges nothing more, so its twins are answered as the originals were.
void LocalPartition::answer_twins() {
    std::vector<Twin> answered;
    std::erase_if(twins_, [&](const Twin& twin) {
        const bool due = broken_ || twin.end <= high_watermark_;
        if (due) answered.push_back(twin);
        return due;
    });
    for (const Twin& twin : answered) {
        if (twin.end <= high_watermark_) {
            answer(twin.done, AppendOutcome::kDuplicate, twin.base_offset);
        } else {
            answer(twin.done, AppendOutcome::kFailed, Offset{}, broken_log());
        }
    }
}

// --- the end ---

void LocalPartition::retire() {
    retired_ = true;
    core_.unsaved_bytes -= unsaved_bytes_;
    unsaved_bytes_ = 0;
    producers_ = {};
    std::vector<Twin> twins;
    twins.swap(twins_);
    for (const Twin& twin : twins)
        answer(twin.done, AppendOutcome::kFailed, Offset{}, usable().error());
    notify();
}

}  // namespace walrus::broker

#include "walrus/cluster_broker/put_queue.h"

#include <algorithm>
#include <utility>

#include "walrus/cluster_broker/call_codec.h"
#include "walrus/protocol/record_batch_builder.h"

namespace walrus::cluster_broker {

using broker::AppendOutcome;

namespace {

constexpr std::uint64_t kPutRetryMs = 20;
constexpr std::size_t kMostRecords = 1'000;
constexpr std::size_t kMostBytes = 256 << 10;
constexpr std::uint32_t kSequences = 1U << 31;  // Where they wrap around.

broker::AppendResult append_answer(const Result<std::string>& bytes) {
    broker::AppendResult result;
    const auto answer = bytes ? decode_append_answer(*bytes) : bytes.error();
    if (!answer) {
        result.status = Error{Errc::kTimeout, answer.error().message};
        return result;
    }
    result.outcome = answer->outcome;
    result.base_offset = answer->base_offset;
    if (answer->error) result.status = *answer->error;
    return result;
}

}  // namespace

PutQueue::PutQueue(Core& core, ClusterPartition& partition, ProducerSource producers)
    : core_(core), partition_(partition), producers_(std::move(producers)) {}

PutQueue::~PutQueue() {
    core_.loop.cancel(timer_);
    core_.loop.cancel(patience_);
}

void PutQueue::put(Bytes value, broker::StatusCallback done) {
    if (core_.waiting_bytes + value.size() > core_.options.max_waiting_bytes)
        return done(Error{Errc::kResourceExhausted,
                          "put: max_waiting_bytes wait for their leaders already"});
    core_.waiting_bytes += value.size();
    waiting_.push_back({std::string(as_text(value)), std::move(done),
                        core_.loop.now_ms() + core_.options.patience_ms});
    pump();
}

void PutQueue::changed() {
    if (flight_) {
        const cluster::Topic* topic = core_.topic(partition_.place().topic);
        const bool same = topic != nullptr && core_.leader_of(*topic) == flight_->sent_to;
        // Who was asked may be dead; a copy to the new leader does no harm.
        if (!same && flight_->sent_to != cluster::kNobody) {
            flight_->may_be_there = true;
            flight_->sent_to = cluster::kNobody;
        }
    }
    pump();
}

// A loop, because answers may come at once and lead to the next batch.
void PutQueue::pump() {
    if (pumping_) return;
    pumping_ = true;
    while (core_.member != nullptr) {
        if (!flight_ && !make_flight()) break;
        if (flight_->sent_to == cluster::kNobody) send();
        if (flight_) break;
    }
    pumping_ = false;
}

void PutQueue::drop_late() {
    const Error late{Errc::kResourceExhausted,
                     "put: no leader could be reached in time; nothing was appended"};
    while (!waiting_.empty() && waiting_.front().deadline_ms <= core_.loop.now_ms()) {
        const Put put = std::move(waiting_.front());
        waiting_.pop_front();
        core_.waiting_bytes -= put.value.size();
        put.done(late);
    }
}

bool PutQueue::make_flight() {
    drop_late();
    if (waiting_.empty()) return false;
    if (producer_ == 0) {
        ask_for_producer();
        return false;
    }
    protocol::RecordBatchBuilder builder;
    Flight flight;
    flight.deadline_ms = waiting_.front().deadline_ms;
    flight.first_attempt = attempts_ + 1;
    const auto now = static_cast<std::int64_t>(core_.loop.wall_ms());
    while (!waiting_.empty() && flight.done.size() < kMostRecords) {
        Put& put = waiting_.front();
        if (!flight.done.empty() && builder.size_bytes() + put.value.size() > kMostBytes) break;
        builder.add({.timestamp_ms = now, .value = as_bytes(put.value)});
        core_.waiting_bytes -= put.value.size();
        flight.done.push_back(std::move(put.done));
        waiting_.pop_front();
    }
    flight.batch.records = static_cast<std::uint32_t>(flight.done.size());
    flight.batch.producer = {producer_, 0, next_sequence_};
    flight.batch.data = cluster::Payload(std::move(builder).finish());
    patience_ = core_.loop.after_ms(flight.deadline_ms - core_.loop.now_ms(), [this] {
        patience_ = 0;
        give_up();
    });
    flight_ = std::move(flight);
    return true;
}

void PutQueue::ask_for_producer() {
    if (asking_) return;
    asking_ = true;
    producers_(needs_fresh_producer_, [this](const Result<cluster::ProducerId>& producer) {
        asking_ = false;
        if (!producer) return try_later();
        producer_ = *producer;
        next_sequence_ = 0;
        needs_fresh_producer_ = false;
        if (flight_) flight_->batch.producer = {producer_, 0, 0};
        pump();
    });
}

void PutQueue::send() {
    Flight& flight = *flight_;
    if (producer_ == 0) return ask_for_producer();
    const cluster::Topic* topic = core_.topic(partition_.place().topic);
    if (topic == nullptr) return finish(no_topic(partition_.place().name));
    flight.sent_to = core_.leader_of(*topic);
    if (flight.sent_to == cluster::kNobody) return try_later();
    const std::uint64_t attempt = ++attempts_;
    const auto answered = [this, attempt](const broker::AppendResult& result) {
        on_result(attempt, result);
    };
    if (flight.sent_to == core_.self()) return partition_.append_checked(flight.batch, answered);
    core_.member->call(
        flight.sent_to, encode_call(AppendCall{partition_.place().topic, flight.batch}),
        core_.options.call_timeout_ms,
        [answered](const Result<std::string>& bytes) { answered(append_answer(bytes)); });
}

// Of an attempt that was given up only good news count.
void PutQueue::on_result(std::uint64_t attempt, const broker::AppendResult& result) {
    if (!flight_ || attempt < flight_->first_attempt) return;
    const bool is_there = result.outcome == AppendOutcome::kAppended ||
                          result.outcome == AppendOutcome::kDuplicate ||
                          result.outcome == AppendOutcome::kForgottenDuplicate;
    const bool is_last = attempt == attempts_ && flight_->sent_to != cluster::kNobody;
    if (!is_there && !is_last) return;
    flight_->sent_to = cluster::kNobody;
    if (is_there) {
        next_sequence_ = (next_sequence_ + flight_->batch.records) % kSequences;
        return finish({});
    }
    if (result.outcome == AppendOutcome::kFailed)
        return on_failed(result.status ? Error{Errc::kTimeout, "put: no reason was given"}
                                       : result.status.error());
    // The leader does not know this producer, or not what it wrote last.
    if (flight_->may_be_there)
        return finish(Error{Errc::kTimeout, "put: the leader has forgotten this node's records"});
    start_anew();
}

void PutQueue::on_failed(const Error& error) {
    switch (error.code) {
        case Errc::kTimeout:
        case Errc::kClosed:
        case Errc::kCorruption: flight_->may_be_there = true; return try_later();
        case Errc::kNotLeader:
        case Errc::kFenced:
        case Errc::kBusy:
        case Errc::kResourceExhausted: return try_later();
        case Errc::kNotFound:
            // Here, too, or only over there, where the topic is not known yet?
            if (core_.topic(partition_.place().topic) != nullptr) return try_later();
            return finish(error);
        case Errc::kInvalidArgument:
        case Errc::kAlreadyExists:
        case Errc::kOutOfRange:
        case Errc::kTooLarge:
        case Errc::kNoSpace:
        case Errc::kIo:
        case Errc::kUnsupported:
        case Errc::kPoisoned: return finish(error);
    }
}

void PutQueue::start_anew() {
    producer_ = 0;
    needs_fresh_producer_ = true;
    try_later();
}

void PutQueue::give_up() {
    if (!flight_) return;
    if (flight_->sent_to != cluster::kNobody) flight_->may_be_there = true;
    finish(Error{Errc::kResourceExhausted, "put: the topic's leader did not answer in time"});
}

void PutQueue::finish(const Status& status) {
    core_.loop.cancel(std::exchange(patience_, 0));
    Flight flight = *std::exchange(flight_, std::nullopt);
    if (!status && flight.may_be_there) {
        producer_ = 0;  // Whether the next sequence is free is not known either.
        needs_fresh_producer_ = true;
    }
    const Status told =
        !status && flight.may_be_there
            ? Error{Errc::kTimeout, "put: it may or may not be there: " + status.error().message}
            : status;
    for (const broker::StatusCallback& done : flight.done) done(told);
    pump();
}

void PutQueue::try_later() {
    if (flight_) flight_->sent_to = cluster::kNobody;
    if (timer_ != 0) return;
    timer_ = core_.loop.after_ms(kPutRetryMs, [this] {
        timer_ = 0;
        pump();
    });
}

void PutQueue::close() {
    core_.loop.cancel(std::exchange(timer_, 0));
    core_.loop.cancel(std::exchange(patience_, 0));
    if (const auto flight = std::exchange(flight_, std::nullopt)) {
        for (const broker::StatusCallback& done : flight->done) done(broker_closed());
    }
    for (const Put& put : std::exchange(waiting_, {})) {
        core_.waiting_bytes -= put.value.size();
        put.done(broker_closed());
    }
}

}  // namespace walrus::cluster_broker

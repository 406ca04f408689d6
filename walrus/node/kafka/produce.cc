#include "walrus/node/kafka/produce.h"

#include <algorithm>

namespace walrus::node::kafka {

using namespace protocol::kafka;

namespace {

// Deadlines are looked at so often; a producer that waits in vain waits that much longer.
constexpr std::uint64_t kClockMs = 500;
constexpr std::int16_t kFirstVersion = 3;  // Of record batches as we store them.

enum : std::int16_t { kAcksAll = -1, kAcksNone = 0, kAcksLeader = 1 };

}  // namespace

struct Produces::Append {
    Pending* pending = nullptr;
    std::size_t topic = 0;
    std::size_t partition = 0;
    bool waits = false;
};

struct Produces::Pending {
    Produces* owner = nullptr;
    Call call;
    bool wants_answer = true;  // acks is not 0.
    ProduceResponse response;
    std::vector<Append> appends;  // Does not grow while one of them waits.
    std::size_t waiting = 0;      // Appends, and start() itself.
    std::uint64_t deadline_ms = 0;
    bool in_use = false;

    ProducePartitionResponse& part(const Append& append) {
        return response.topics[append.topic].partitions[append.partition];
    }
};

Produces::Produces(const Context& context) : context_(context) {}

Produces::~Produces() {
    context_.loop.cancel(clock_);
}

Status Produces::handle(const RequestFrame& frame, Call& call) {
    if (request_in_use_) {  // An answer led to the next request, within this one.
        ProduceRequest request;
        WALRUS_RETURN_IF_ERROR(
            decode_request_into(frame, context_.options.max_request_elements, request));
        Pending& pending = take();
        pending.call = std::move(call);
        start(pending, request);
        return {};
    }
    if (request_version_ != frame.version) request_ = {};
    request_version_ = frame.version;
    WALRUS_RETURN_IF_ERROR(
        decode_request_into(frame, context_.options.max_request_elements, request_));
    Pending& pending = take();
    pending.call = std::move(call);
    request_in_use_ = true;
    start(pending, request_);
    request_in_use_ = false;
    return {};
}

Produces::Pending& Produces::take() {
    if (free_.empty()) {
        all_.push_back(std::make_unique<Pending>());
        all_.back()->owner = this;
        free_.push_back(all_.back().get());
    }
    Pending& pending = *free_.back();
    free_.pop_back();
    pending.in_use = true;
    return pending;
}

void Produces::start(Pending& pending, const ProduceRequest& request) {
    pending.wants_answer = request.acks != kAcksNone;
    pending.deadline_ms =
        context_.loop.now_ms() + static_cast<std::uint64_t>(std::max(request.timeout_ms, 0));
    pending.appends.clear();
    pending.response.topics.resize(request.topics.size());
    for (std::size_t t = 0; t < request.topics.size(); ++t) {
        ProduceTopicResponse& topic = pending.response.topics[t];
        topic.name = request.topics[t].name;
        topic.partitions.resize(request.topics[t].partitions.size());
        for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
            topic.partitions[p] = {.index = request.topics[t].partitions[p].index};
            pending.appends.push_back({&pending, t, p});
        }
    }
    pending.waiting = pending.appends.size() + 1;
    for (Append& one : pending.appends)
        append(one, request.topics[one.topic].partitions[one.partition], request);
    done_one(pending);
    if (pending.in_use) watch_the_clock();
}

void Produces::append(Append& append, const ProducePartition& asked,
                      const ProduceRequest& request) {
    Pending& pending = *append.pending;
    const auto refuse = [&](ErrorCode error) {
        pending.part(append).error = error;
        done_one(pending);
    };
    if (pending.call.version < kFirstVersion) return refuse(ErrorCode::kUnsupportedVersion);
    if (request.acks < kAcksAll || request.acks > kAcksLeader)
        return refuse(ErrorCode::kInvalidRequiredAcks);
    // Who has transactions would take them for done.
    if (request.transactional_id) return refuse(ErrorCode::kTransactionalIdAuthorizationFailed);
    broker::Partition* partition =
        context_.broker.find(request.topics[append.topic].name, asked.index);
    if (partition == nullptr) return refuse(ErrorCode::kUnknownTopicOrPartition);
    if (!asked.records) return refuse(ErrorCode::kInvalidRecord);
    broker::Acks acks = broker::Acks::kAll;
    if (request.acks == kAcksNone) acks = broker::Acks::kNone;
    if (request.acks == kAcksLeader) acks = broker::Acks::kLeader;
    append.waits = true;
    partition->append(*asked.records, acks, {&Produces::on_append, &append});
}

void Produces::on_append(void* context, const broker::AppendResult& result) {
    Append& append = *static_cast<Append*>(context);
    Pending& pending = *append.pending;
    append.waits = false;
    if (pending.call.slot) {  // Else its time was over.
        ProducePartitionResponse& part = pending.part(append);
        part.error = append_error(result);
        if (part.error == ErrorCode::kNone) {
            part.base_offset = static_cast<std::int64_t>(result.base_offset.value);
            part.log_start_offset = static_cast<std::int64_t>(result.log_start_offset.value);
        }
    }
    pending.owner->done_one(pending);
}

void Produces::done_one(Pending& pending) {
    if (--pending.waiting > 0) return;
    if (pending.call.slot) answer(pending);
    pending.in_use = false;
    free_.push_back(&pending);
}

void Produces::answer(Pending& pending) {
    Call call = std::move(pending.call);
    if (pending.wants_answer) return call.answer(pending.response);
    // A producer that waits for nothing learns of an error by losing its connection, as with Kafka.
    for (const ProduceTopicResponse& topic : pending.response.topics)
        for (const ProducePartitionResponse& part : topic.partitions)
            if (part.error != ErrorCode::kNone) return call.slot.close();
    call.slot.skip();
}

void Produces::watch_the_clock() {
    if (clock_ == 0) clock_ = context_.loop.after_ms(kClockMs, [this] { on_clock(); });
}

void Produces::on_clock() {
    clock_ = 0;
    const std::uint64_t now = context_.loop.now_ms();
    bool more = false;
    for (std::size_t i = 0; i < all_.size(); ++i) {
        Pending& pending = *all_[i];
        if (!pending.in_use || !pending.call.slot) continue;
        more = true;
        if (now < pending.deadline_ms) continue;
        for (const Append& append : pending.appends)
            if (append.waits) pending.part(append).error = ErrorCode::kRequestTimedOut;
        answer(pending);
    }
    if (more) watch_the_clock();
}

}  // namespace walrus::node::kafka

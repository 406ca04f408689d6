#include "walrus/node/kafka/fetch.h"

#include <algorithm>

#include "walrus/base/assert.h"
#include "walrus/node/kafka/errors.h"
#include "walrus/node/kafka/fetch_reply.h"

namespace walrus::node::kafka {

using namespace protocol::kafka;

namespace {

constexpr std::int16_t kFirstVersion = 4;  // Of record batches as we store them.

std::uint64_t not_negative(std::int64_t value) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
}

}  // namespace

struct Fetches::Part {
    std::size_t topic = 0;
    std::size_t partition = 0;
    broker::Partition* source = nullptr;  // Null: there is none, or an error.
    broker::WatchId watch = 0;
};

struct Fetches::Pending {
    Call call;
    Source source = nullptr;
    FetchRequest request;
    std::int16_t request_version = 0;
    FetchResponse response;
    std::vector<Part> parts;
    std::vector<FetchPart> found;  // Of the same places.
    std::size_t next = 0;          // To be read.
    std::uint64_t bytes_left = 0;  // Of what the client wants at most.
    std::uint64_t bytes_found = 0;
    bool has_error = false;
    bool is_reading = false;  // read_on() runs further up; it goes on by itself.
    bool read_ended = false;  // The read of `next` was answered.
    bool in_use = false;
    bool hurry = false;        // Nobody waits any longer.
    bool is_watching = false;  // wait() runs further up.
    std::uint64_t deadline_ms = 0;
    net::TimerId timer = 0;
    std::shared_ptr<int> alive = {};  // Replaced with each use: callbacks of earlier ones end.

    const FetchPartition& asked(const Part& part) const {
        return request.topics[part.topic].partitions[part.partition];
    }
};

Fetches::Fetches(const Context& context, KafkaCounters& counters)
    : context_(context), counters_(counters) {}

Fetches::~Fetches() {
    while (!waiting_.empty()) stop_waiting(**waiting_.begin());
}

Fetches::Pending& Fetches::take() {
    if (free_.empty()) {
        all_.push_back(std::make_unique<Pending>());
        free_.push_back(all_.back().get());
    }
    Pending& pending = *free_.back();
    free_.pop_back();
    pending.in_use = true;
    return pending;
}

Status Fetches::handle(const RequestFrame& frame, Call& call, Source source) {
    Pending& pending = take();
    if (pending.request_version != frame.version) pending.request = {};
    pending.request_version = frame.version;
    const Status decoded =
        decode_request_into(frame, context_.options.max_request_elements, pending.request);
    if (!decoded) {
        release(pending);
        return decoded;
    }
    pending.call = std::move(call);
    pending.source = source;
    start(pending);
    return {};
}

void Fetches::start(Pending& pending) {
    const FetchRequest& request = pending.request;
    const std::uint64_t wait_ms =
        std::min(not_negative(request.max_wait_ms), context_.options.max_fetch_wait_ms);
    pending.deadline_ms = context_.loop.now_ms() + wait_ms;
    pending.hurry = false;
    pending.parts.clear();
    pending.response.error = ErrorCode::kNone;
    // We keep no sessions; one that was given out elsewhere is not known here.
    if (request.session_id != 0) {
        pending.response.error = ErrorCode::kFetchSessionIdNotFound;
        pending.response.topics.clear();
        pending.found.clear();
        return answer(pending);
    }
    pending.response.topics.resize(request.topics.size());
    for (std::size_t t = 0; t < request.topics.size(); ++t) {
        FetchTopicResponse& topic = pending.response.topics[t];
        topic.name = request.topics[t].name;
        topic.partitions.resize(request.topics[t].partitions.size());
        for (std::size_t p = 0; p < topic.partitions.size(); ++p) pending.parts.push_back({t, p});
    }
    read_all(pending);
}

void Fetches::read_all(Pending& pending) {
    pending.next = 0;
    pending.bytes_found = 0;
    pending.has_error = false;
    pending.bytes_left =
        std::min(not_negative(pending.request.max_bytes), context_.options.max_fetch_bytes);
    pending.found.clear();
    pending.found.resize(pending.parts.size());
    // Looked up each time: while it waited, a topic may have been deleted.
    for (Part& part : pending.parts)
        part.source = context_.broker.find(pending.request.topics[part.topic].name,
                                           pending.asked(part).index);
    read_on(pending);
}

// A loop and not a recursion, because most reads are answered at once and there may be thousands.
void Fetches::read_on(Pending& pending) {
    if (pending.is_reading) return;
    pending.is_reading = true;
    while (pending.next < pending.parts.size() && read_one(pending)) ++pending.next;
    pending.is_reading = false;
    if (pending.next < pending.parts.size()) return;  // on_read() comes back.
    const bool enough = pending.bytes_found >= not_negative(pending.request.min_bytes);
    const bool late = context_.loop.now_ms() >= pending.deadline_ms;
    if (enough || late || pending.has_error || pending.hurry || pending.parts.empty())
        return answer(pending);
    wait(pending);
}

// False: the answer comes later.
bool Fetches::read_one(Pending& pending) {
    Part& part = pending.parts[pending.next];
    const FetchPartition& asked = pending.asked(part);
    FetchPartitionResponse& head = pending.found[pending.next].head;
    head = {.index = asked.index, .high_watermark = -1};
    const auto refuse = [&](ErrorCode error) {
        head.error = error;
        pending.has_error = true;
        return true;
    };
    if (pending.call.version < kFirstVersion) return refuse(ErrorCode::kUnsupportedVersion);
    if (part.source == nullptr) return refuse(ErrorCode::kUnknownTopicOrPartition);
    if (asked.fetch_offset < 0) return refuse(ErrorCode::kOffsetOutOfRange);
    const auto from = Offset{static_cast<std::uint64_t>(asked.fetch_offset)};
    // The first batch is given however large it is, or its reader would never get on.
    const bool room = pending.bytes_left > 0 || pending.bytes_found == 0;
    if (asked.current_leader_epoch >= 0 || !room) {  // Rare, and info() allocates.
        const broker::PartitionInfo info = part.source->info();
        const ErrorCode epoch = epoch_error(asked.current_leader_epoch, info.leader_epoch);
        if (epoch != ErrorCode::kNone) return refuse(epoch);
        if (!room && from >= info.log_start_offset && from <= info.high_watermark) {
            head.high_watermark = static_cast<std::int64_t>(info.high_watermark.value);
            head.last_stable_offset = head.high_watermark;
            head.log_start_offset = static_cast<std::int64_t>(info.log_start_offset.value);
            return true;
        }
    }
    pending.read_ended = false;
    const std::uint64_t max_bytes = std::min(not_negative(asked.max_bytes), pending.bytes_left);
    if (!pending.alive) pending.alive = std::make_shared<int>();
    part.source->fetch(from, max_bytes,
                       [this, &pending,
                        alive = std::weak_ptr<int>(pending.alive)](broker::FetchedBatches batches) {
                           if (!alive.expired()) on_read(pending, std::move(batches));
                       });
    return pending.read_ended;
}

void Fetches::on_read(Pending& pending, broker::FetchedBatches batches) {
    WALRUS_ASSERT(!pending.read_ended);
    FetchPart& found = pending.found[pending.next];
    found.head.error = read_error(batches.status);
    if (batches.status) {
        found.head.high_watermark = static_cast<std::int64_t>(batches.high_watermark.value);
        found.head.last_stable_offset = found.head.high_watermark;
        found.head.log_start_offset = static_cast<std::int64_t>(batches.log_start_offset.value);
        found.pieces = std::move(batches.pieces);
        found.owner = std::move(batches.owner);
        found.size_bytes = batches.size_bytes;
        pending.bytes_found += batches.size_bytes;
        pending.bytes_left -= std::min(pending.bytes_left, batches.size_bytes);
    } else {
        pending.has_error = true;
    }
    pending.read_ended = true;
    if (pending.is_reading) return;
    ++pending.next;
    read_on(pending);
}

// --- waiting ---

void Fetches::wait(Pending& pending) {
    waiting_.insert(&pending);
    counters_.waiting_fetches = waiting_.size();
    pending.call.slot.reserve(
        std::min(not_negative(pending.request.max_bytes), context_.options.max_fetch_bytes));
    pending.timer =
        context_.loop.after_ms(pending.deadline_ms - context_.loop.now_ms(), [this, &pending] {
            pending.timer = 0;
            stop_waiting(pending);
            answer(pending);
        });
    if (!pending.alive) pending.alive = std::make_shared<int>();
    pending.is_watching = true;
    for (std::size_t i = 0; i < pending.parts.size(); ++i) {
        Part& part = pending.parts[i];
        const auto end = Offset{not_negative(pending.found[i].head.high_watermark)};
        const broker::WatchId watch =
            part.source->watch(end, [this, &pending, i, alive = std::weak_ptr<int>(pending.alive)] {
                if (alive.expired() || !waiting_.contains(&pending)) return;
                pending.parts[i].watch = 0;
                if (pending.is_watching) {  // Told at once; wait() looks at that.
                    pending.hurry = true;
                    return;
                }
                stop_waiting(pending);
                read_all(pending);
            });
        if (pending.hurry) break;
        part.watch = watch;
    }
    pending.is_watching = false;
    if (!pending.hurry) return;
    // What was read a moment ago is old; once more is enough.
    stop_waiting(pending);
    read_all(pending);
}

void Fetches::stop_waiting(Pending& pending) {
    waiting_.erase(&pending);
    counters_.waiting_fetches = waiting_.size();
    context_.loop.cancel(std::exchange(pending.timer, 0));
    for (Part& part : pending.parts)
        if (part.watch != 0) part.source->unwatch(std::exchange(part.watch, 0));
}

void Fetches::answer_now(Source source) {
    std::vector<Pending*> theirs;
    for (Pending* pending : waiting_)
        if (pending->source == source) theirs.push_back(pending);
    for (const auto& pending : all_)
        if (pending->in_use && pending->source == source) pending->hurry = true;
    for (Pending* pending : theirs) {
        stop_waiting(*pending);
        answer(*pending);
    }
}

void Fetches::forget(Source source) {
    for (const auto& pending : all_) {
        if (!pending->in_use || pending->source != source) continue;
        stop_waiting(*pending);
        release(*pending);
    }
}

void Fetches::answer(Pending& pending) {
    Call call = std::move(pending.call);
    net::Reply reply =
        encode_fetch_reply(call.version, call.correlation_id, pending.response, pending.found);
    release(pending);
    call.slot.send(std::move(reply));
}

void Fetches::release(Pending& pending) {
    pending.call = {};
    pending.source = nullptr;
    pending.parts.clear();
    pending.found.clear();
    pending.alive.reset();
    pending.in_use = false;
    free_.push_back(&pending);
}

}  // namespace walrus::node::kafka

// Fetch: batches out of partitions, at once or when there are enough.
//
// Partitions are read one after the other, so that the bytes a client asked for at most are given
// to those it named first.  What comes too short waits for the log to grow, max_wait_ms at most.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "walrus/node/kafka/context.h"
#include "walrus/protocol/kafka/fetch_messages.h"

namespace walrus::node::kafka {

class Fetches {
public:
    Fetches(const Context& context, KafkaCounters& counters);
    ~Fetches();

    // Names the connection whose requests wait.
    using Source = const void*;

    // kInvalidArgument: malformed; the call was not used.
    Status handle(const protocol::kafka::RequestFrame& frame, Call& call, Source source);
    // No request of this connection waits any longer: they are answered with what there is, or,
    // when the connection is gone, forgotten.
    void answer_now(Source source);
    void forget(Source source);

private:
    struct Pending;
    struct Part;

    void start(Pending& pending);
    void read_on(Pending& pending);
    bool read_one(Pending& pending);
    void on_read(Pending& pending, broker::FetchedBatches batches);
    void read_all(Pending& pending);
    void wait(Pending& pending);
    void stop_waiting(Pending& pending);
    void answer(Pending& pending);
    void release(Pending& pending);
    Pending& take();

    const Context context_;
    KafkaCounters& counters_;
    std::vector<std::unique_ptr<Pending>> all_;
    std::vector<Pending*> free_;
    std::set<Pending*> waiting_;
};

}  // namespace walrus::node::kafka

// Produce: batches into partitions, answered when all of them are.
#pragma once

#include <memory>
#include <vector>

#include "walrus/node/kafka/context.h"
#include "walrus/protocol/kafka/produce_messages.h"

namespace walrus::node::kafka {

// Requests and their answers are kept and used again, so that a request allocates only its reply.
class Produces {
public:
    explicit Produces(const Context& context);
    ~Produces();

    // kInvalidArgument: malformed; the call was not used.
    Status handle(const protocol::kafka::RequestFrame& frame, Call& call);

private:
    struct Pending;
    struct Append;

    void start(Pending& pending, const protocol::kafka::ProduceRequest& request);
    void append(Append& append, const protocol::kafka::ProducePartition& asked,
                const protocol::kafka::ProduceRequest& request);
    static void on_append(void* context, const broker::AppendResult& result);
    void done_one(Pending& pending);
    void answer(Pending& pending);
    Pending& take();
    void watch_the_clock();
    void on_clock();

    const Context context_;
    protocol::kafka::ProduceRequest request_;  // The last one; its memory is used again.
    std::int16_t request_version_ = 0;
    bool request_in_use_ = false;
    std::vector<std::unique_ptr<Pending>> all_;
    std::vector<Pending*> free_;
    net::TimerId clock_ = 0;
};

}  // namespace walrus::node::kafka

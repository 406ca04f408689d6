// SharedCursor: the one cursor of a topic that all GETs of the text protocol move, group "" of the
// offset store.
//
// A record is handed to one GET and never again: that it was read is durable before it is answered.
// GETs that come while a commit is under way share the next one.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "walrus/broker/broker.h"
#include "walrus/net/connection_handler.h"
#include "walrus/net/loop.h"
#include "walrus/node/batch_cursor.h"
#include "walrus/protocol/record_reader.h"

namespace walrus::node {

// Reads the records of a partition one after the other.  What was fetched and decompressed is kept
// until it is read, so that going through a large batch decompresses it once.
class RecordWalker {
public:
    // Where read() goes on without another fetch, if it can.
    bool is_at(const broker::Partition* partition, Offset offset) const {
        return partition_ == partition && next_ == offset && reader_.has_value();
    }
    Offset next() const { return next_; }  // One past the record that was read last.
    // The bytes to walk, beginning with the batch that holds `from`.
    Status start(const broker::Partition* partition, Offset from, broker::FetchedBatches fetched);
    // The next record's value; nothing: all were read.  Null values are empty.  The bytes live
    // until the walker is started or forgotten.
    Result<std::optional<Bytes>> read();
    void forget();

private:
    Status open_next_batch();

    const broker::Partition* partition_ = nullptr;
    Offset next_;
    BatchCursor batches_;
    std::optional<protocol::RecordReader> reader_;
};

// Used on the loop.  The partition, the store and everything else outlive it; it outlives its
// callbacks.
class SharedCursor {
public:
    SharedCursor(std::string topic, broker::Partition& partition, broker::OffsetStore& offsets,
                 const net::Loop& loop)
        : topic_(std::move(topic)), partition_(partition), offsets_(offsets), loop_(loop) {}

    // Answers `slot` with the next record, EMPTY or an error.
    void get(net::ReplySlot slot);

    broker::Partition& partition() const { return partition_; }
    bool is_busy() const { return is_busy_; }
    // Gives the memory for decoded records back.
    void forget_records() { walker_.forget(); }

private:
    // A GET that has its record and waits for the commit.
    struct Served {
        net::ReplySlot slot;
        std::string reply;
    };

    void serve();
    void fetch(Offset from);
    void on_fetched(Offset from, broker::FetchedBatches fetched);
    // Gives the records from `from` on to those who wait and commits; false: there is none at hand.
    bool hand_out(Offset from);
    void on_committed(const Status& status);
    void fail(const Error& error);
    void answer_waiting(const std::string& reply);

    const std::string topic_;
    broker::Partition& partition_;
    broker::OffsetStore& offsets_;
    const net::Loop& loop_;
    RecordWalker walker_;
    std::deque<net::ReplySlot> waiting_;
    std::vector<Served> served_;
    bool is_busy_ = false;     // A fetch or a commit is under way.
    bool is_serving_ = false;  // serve() is on the stack.
};

}  // namespace walrus::node

// SharedCursor: the one cursor of a topic that all readers of single records move, group "" of the
// offset store.
//
// A record is handed to one reader and never again: that it was read is durable before it is
// answered.  Those that come while a commit is under way share the next one.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/broker/batch_cursor.h"
#include "walrus/broker/broker.h"
#include "walrus/broker/record_service.h"
#include "walrus/net/loop.h"
#include "walrus/protocol/record_reader.h"

namespace walrus::broker {

// Reads the records of a partition one after the other.  What was fetched and decompressed is kept
// until it is read, so that going through a large batch decompresses it once.
class RecordWalker {
public:
    // Where read() goes on without another fetch, if it can.
    bool is_at(const Partition* partition, Offset offset) const {
        return partition_ == partition && next_ == offset && reader_.has_value();
    }
    Offset next() const { return next_; }  // One past the record that was read last.
    // The bytes to walk, beginning with the batch that holds `from`.
    Status start(const Partition* partition, Offset from, FetchedBatches fetched);
    // The next record's value; nothing: all were read.  Null values are empty.  The bytes live
    // until the walker is started or forgotten.
    Result<std::optional<Bytes>> read();
    void forget();

private:
    Status open_next_batch();

    const Partition* partition_ = nullptr;
    Offset next_;
    BatchCursor batches_;
    std::optional<protocol::RecordReader> reader_;
};

// Used on the loop.  The partition, the store and everything else outlive it; it outlives its
// callbacks.
class SharedCursor {
public:
    SharedCursor(std::string topic, Partition& partition, OffsetStore& offsets,
                 const net::Loop& loop)
        : topic_(std::move(topic)),
          partition_(partition),
          index_(partition.info().index),
          offsets_(offsets),
          loop_(loop) {}

    // The next record, or nothing when there is none at present.
    void get(RecordCallback done);

    Partition& partition() const { return partition_; }
    bool is_busy() const { return is_busy_; }
    // Gives the memory for decoded records back.
    void forget_records() { walker_.forget(); }

private:
    // A reader that has its record and waits for the commit.
    struct Served {
        RecordCallback done;
        std::string value;
    };

    void serve();
    // The cursor is this process's; goes on from where it stands.
    void go_on();
    void fetch(Offset from);
    void on_fetched(Offset from, FetchedBatches fetched);
    // Gives the records from `from` on to those who wait and commits; false: there is none at hand.
    bool hand_out(Offset from);
    void on_committed(const Status& status);
    void fail(const Error& error);
    void answer_first(std::size_t count, const Result<std::optional<std::string>>& answer);

    const std::string topic_;
    Partition& partition_;
    const std::int32_t index_;  // Of the partition.
    OffsetStore& offsets_;
    const net::Loop& loop_;
    RecordWalker walker_;
    std::deque<RecordCallback> waiting_;
    std::vector<Served> served_;
    bool is_busy_ = false;     // A fetch or a commit is under way.
    bool is_serving_ = false;  // serve() is on the stack.
};

// The cursors of all topics.  Store and loop outlive it.
class SharedCursors {
public:
    SharedCursors(OffsetStore& offsets, const net::Loop& loop) : offsets_(offsets), loop_(loop) {}

    // The cursor of a topic, whose partition outlives this.
    SharedCursor& of(std::string_view topic, Partition& partition);

private:
    // So many topics keep their decoded records between two reads.
    static constexpr std::size_t kWarmCursors = 16;

    OffsetStore& offsets_;
    const net::Loop& loop_;
    std::map<std::string, std::unique_ptr<SharedCursor>, std::less<>> cursors_;
    std::vector<SharedCursor*> warm_;  // The one used last is the last.
};

}  // namespace walrus::broker

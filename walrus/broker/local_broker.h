// LocalBroker: the Broker of one machine.  Every partition is a topic of a log (wal/wal.h) of its
// durability class; batches are stored as they came.
//
//   <data_dir>/meta/          catalogue, producers' snapshots: always durable
//   <data_dir>/disk/          partitions of topics of class disk
//   <data_dir>/process/       and of the other classes, from the first topic that asks for one
//   <data_dir>/os-interval/
//
// Topic configs, their names, values and defaults: topic_config.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "walrus/base/clock.h"
#include "walrus/base/random.h"
#include "walrus/base/result.h"
#include "walrus/broker/broker.h"
#include "walrus/broker/latency_histogram.h"
#include "walrus/env/env.h"
#include "walrus/net/loop.h"
#include "walrus/wal/wal.h"

namespace walrus::broker {

struct LocalBrokerOptions {
    std::string data_dir = "walrus_data";  // Created when absent.
    // This node as clients are told to reach it.
    BrokerAddress address = {.id = 0, .kafka_host = "127.0.0.1", .kafka_port = 9092};
    std::string cluster_id;  // Of a new cluster; "" draws one.  A stored one stays.

    // What a topic has that says nothing else, by config name: {"walrus.durability", "process"}.
    std::vector<ConfigEntry> topic_defaults = {};
    std::uint32_t max_topics = 10'000;
    std::uint32_t max_partitions = 20'000;  // Of all topics together.
    // Bytes of appends that wait for room in a log; beyond, kResourceExhausted.
    std::uint64_t max_waiting_bytes = 32 << 20;

    // Of every log but `meta`.  A ring is resident memory; a batch takes at most a quarter of it.
    std::uint64_t file_size = 64 << 20;
    std::uint64_t ring_size = 32 << 20;
    std::uint64_t sync_interval_ms = 200;  // Of class os-interval, for all its topics.
    wal::Backend backend = wal::Backend::kAuto;
    bool allow_uring = true;
    std::uint32_t workers = 2;  // Threads for cold reads and changes of topics.
    // A partition's producers are written down after so many appended bytes, so that a restart
    // need not read more than that of each partition.
    std::uint64_t producer_snapshot_bytes = 16 << 20;

    // The seams; null means the real one.  They must outlive the broker and be thread-safe.
    env::Env* env = nullptr;
    Clock* clock = nullptr;
    Random* random = nullptr;
};

// Since open().
struct BrokerCounters {
    std::uint64_t appends = 0;  // Acknowledged batches; the next two are of these.
    std::uint64_t append_records = 0;
    std::uint64_t append_bytes = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t refused = 0;         // Appends answered with any other outcome.
    std::uint64_t appends_waited = 0;  // Had to wait for room in the log.
    std::uint64_t fetches = 0;
    std::uint64_t fetched_bytes = 0;
    std::uint64_t cold_fetches = 0;   // Of them, read by a worker.
    std::uint64_t topics = 0;         // Now.
    std::uint64_t partitions = 0;     // Now.
    LatencyHistogram append_latency;  // From append() to its answer.
};

struct LogStats {
    std::string name;  // "meta" or a durability class.
    wal::Stats stats;
};

// Used on the loop, which must outlive it; only the Wal of meta_log() is for any thread.
//
// A log that fails is poisoned (wal.h): appends to its topics get kPoisoned, reads go on.
class LocalBroker : public Broker {
public:
    // Recovers what is there.  Errors are those of Wal::open and kInvalidArgument: an option or a
    // default that cannot be.
    static Result<std::unique_ptr<LocalBroker>> open(LocalBrokerOptions options, net::Loop& loop);

    // Answers what is in flight, syncs and closes the logs; it blocks until that is done.  Every
    // callback has run when it returns; later calls answer kClosed.  Without it the destructor
    // stops as a kill would: nothing is synced and no callback runs any more.
    virtual Status close() = 0;

    virtual BrokerCounters counters() const = 0;
    virtual std::vector<LogStats> logs() const = 0;

    // The log of class disk that keeps the broker's own state.  Others may keep theirs in topics
    // of it whose names do not begin with "walrus.".  Its batches are small: 256 KiB at most.
    virtual wal::Wal& meta_log() = 0;
};

}  // namespace walrus::broker

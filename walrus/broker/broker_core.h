// BrokerCore: what the partitions of a LocalBroker share.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "walrus/broker/inbox.h"
#include "walrus/broker/local_broker.h"
#include "walrus/broker/worker_pool.h"

namespace walrus::broker {

// An append that found no room, with a copy of its bytes.
struct WaitingAppend {
    LocalPartition* partition = nullptr;
    std::vector<std::byte> bytes;
    Acks acks = Acks::kAll;
    AppendCallback done;
    std::uint64_t began_ns = 0;
};

// A log with the appends that wait for room in it; while there are any, all that come later queue
// behind them.
struct BrokerLog {
    wal::DurabilityClass durability = wal::DurabilityClass::kDisk;
    std::unique_ptr<wal::Wal> wal;
    std::unique_ptr<wal::Driver> driver;  // Null: the log's own threads write.
    std::deque<WaitingAppend> waiting;
    net::TimerId retry = 0;
    bool draining = false;
};

struct BrokerCore {
    LocalBrokerOptions options;  // Seams resolved.
    net::Loop& loop;
    std::shared_ptr<Inbox> inbox;
    AppendPool appends;
    BrokerCounters counters;
    std::uint64_t waiting_bytes = 0;
    std::uint64_t unsaved_bytes = 0;  // Appended since the snapshots of all partitions.
    std::vector<std::byte> scratch;   // For a batch that is changed before it is stored.
    std::string snapshot_dir;
    std::function<void(BrokerLog&)> retry_soon;  // Tries what waits in a log again, later.
    bool closed = false;
    WorkerPool pool;  // Last: its threads use the rest.

    BrokerCore(LocalBrokerOptions given, net::Loop& on)
        : options(std::move(given)), loop(on), pool(options.workers) {}
};

inline Error broker_closed() {
    return {Errc::kClosed, "broker: closed"};
}

}  // namespace walrus::broker

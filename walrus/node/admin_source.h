// What the admin server shows: parts of a server that it asks, on the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "walrus/broker/broker.h"
#include "walrus/broker/local_broker.h"
#include "walrus/member/member.h"
#include "walrus/net/frame_server.h"
#include "walrus/net/loop.h"
#include "walrus/net/peer_transport.h"
#include "walrus/node/config.h"
#include "walrus/node/text_handler.h"
#include "walrus/node/timed_env.h"

namespace walrus::node {

// A listening port and what became of its connections.
struct Door {
    std::string name;  // "client", "kafka"
    std::string address;
    const net::FrameServer* server = nullptr;
};

// Everything belongs to the loop, and outlives what is asked.
struct AdminSource {
    net::Loop* loop = nullptr;
    broker::Broker* broker = nullptr;
    const broker::LocalBroker* local = nullptr;  // Null: in a cluster.
    member::ClusterMember* member = nullptr;     // These two are null: alone.
    const net::PeerTransport* transport = nullptr;
    std::function<std::string()> not_ready = {};  // The reason, or "".
    const broker::OffsetStore* offsets = nullptr;
    const TextService* text = nullptr;
    const SyncTimes* syncs = nullptr;
    std::vector<Door> doors;
    ResolvedConfig config;
    std::uint64_t started_ms = 0;  // By the loop's monotonic clock.
    bool is_draining = false;
};

// What /proc says about this process; 0 what it does not.
struct ProcessFacts {
    double cpu_seconds = 0;
    double start_time_seconds = 0;  // Since 1970.
    std::uint64_t resident_bytes = 0;
    std::uint64_t virtual_bytes = 0;
    std::uint64_t threads = 0;
    std::uint64_t open_fds = 0;
    std::uint64_t max_fds = 0;
};
ProcessFacts process_facts();

// Free bytes of the file system that holds `path`; 0: not known.
std::uint64_t free_disk_bytes(const std::string& path);

}  // namespace walrus::node

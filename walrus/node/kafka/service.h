// KafkaService: Kafka's protocol (protocol/kafka) over a broker.
//
//   frame -> Handler (one per connection) -> decode -> an api of this folder -> ReplySlot
//
// Which versions are offered: protocol/kafka/api.h; Produce before 3 and Fetch before 4 are
// answered with UNSUPPORTED_VERSION, because they carry other batches than we store.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/base/random.h"
#include "walrus/broker/broker.h"
#include "walrus/broker/groups.h"
#include "walrus/net/connection_handler.h"
#include "walrus/net/loop.h"

namespace walrus::node::kafka {

struct KafkaOptions {
    // A topic that somebody asks about, and that a producer may want, is made.
    bool auto_create_topics = true;
    std::uint32_t default_partitions = 1;
    // Of one Fetch; what a client asks for beyond is not given.
    std::uint64_t max_fetch_bytes = 16 << 20;
    std::uint64_t max_fetch_wait_ms = 60'000;
    std::size_t max_request_elements = 100'000;  // Topics, partitions, ... in one request.
    std::size_t max_offset_metadata_bytes = 4'096;
    broker::GroupOptions groups = {};
    // What DescribeConfigs tells about this broker.
    std::vector<broker::ConfigEntry> broker_configs = {};
};

// Since the start.
struct KafkaCounters {
    std::array<std::uint64_t, 64> requests = {};  // By api key.
    std::uint64_t malformed = 0;        // Connections that were closed for what they sent.
    std::uint64_t unsupported = 0;      // An api or version that we do not have.
    std::uint64_t waiting_fetches = 0;  // Now.
};

struct Context;
class Produces;
class Fetches;

// On the loop.  Broker, store, loop and random outlive it, and it outlives its handlers and the
// broker's callbacks: destroy it after the broker was closed.
class KafkaService {
public:
    struct Parts {
        broker::Broker& broker;
        broker::OffsetStore& offsets;
        net::Loop& loop;
        Random& random;
    };
    KafkaService(Parts parts, KafkaOptions options);
    ~KafkaService();

    // For a FrameServer with big-endian lengths.
    std::unique_ptr<net::ConnectionHandler> make_handler(std::string_view peer);

    broker::GroupCoordinator& groups() { return *groups_; }
    const KafkaCounters& counters() const { return counters_; }

private:
    class Handler;

    Context context() const;

    const Parts parts_;
    const KafkaOptions options_;
    KafkaCounters counters_;
    std::unique_ptr<broker::GroupCoordinator> groups_;
    std::unique_ptr<Produces> produces_;
    std::unique_ptr<Fetches> fetches_;
};

}  // namespace walrus::node::kafka

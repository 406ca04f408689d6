// A cluster in one process: members on disks and a network in memory, on a loop whose time the test
// moves, with a broker on every one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "walrus/base/random.h"
#include "walrus/cluster_broker/cluster_broker.h"
#include "walrus/protocol/record_batch_builder.h"
#include "walrus/testing/manual_loop.h"
#include "walrus/testing/memory_transport.h"
#include "walrus/testing/sim_clock.h"
#include "walrus/testing/sim_env.h"

namespace walrus::cluster_broker {

// A record as a consumer gets it.
struct Consumed {
    std::uint64_t offset = 0;
    std::string value;

    bool operator==(const Consumed&) const = default;
};

class World {
public:
    explicit World(std::uint64_t seed) : seed_(seed) {}
    ~World();

    // Nodes 1 to `count`, all live and voting.
    void make(std::size_t count);
    void start(cluster::NodeId id);
    // The process dies; callbacks that wait are told kClosed.
    void kill(cluster::NodeId id);

    ClusterBroker& operator[](cluster::NodeId id) { return *nodes_.at(id).broker; }
    member::ClusterMember& member(cluster::NodeId id) { return *nodes_.at(id).member; }
    testing::MemoryNetwork& network() { return network_; }
    std::vector<cluster::NodeId> running() const;
    // Lets time pass until `done`; false after `ms`.
    bool run_until(const std::function<bool()>& done, std::uint64_t ms = 60'000);
    void run_for(std::uint64_t ms);
    // Every running node says that so many are live and vote.
    bool wait_for_live(std::size_t count);

    // --- the usual questions; each lets time pass until it is answered ---
    Status create(cluster::NodeId at, broker::TopicSpec spec);
    Status drop(cluster::NodeId at, const std::string& topic);
    Status configure(cluster::NodeId at, const std::string& topic,
                     std::vector<broker::ConfigEntry> configs);
    Status put(cluster::NodeId at, const std::string& topic, const std::string& value);
    // Nothing: EMPTY.
    Result<std::optional<std::string>> get(cluster::NodeId at, const std::string& topic);
    broker::AppendResult produce(cluster::NodeId at, const std::string& topic,
                                 const std::vector<std::string>& values,
                                 protocol::BatchProducer producer = {}, std::int32_t partition = 0);
    broker::FetchedBatches fetch(cluster::NodeId at, const std::string& topic, Offset from);
    Status commit(cluster::NodeId at, const std::string& group, const std::string& topic,
                  std::uint64_t offset);
    Result<Offset> end_offset(cluster::NodeId at, const std::string& topic);
    Result<Offset> offset_at(cluster::NodeId at, const std::string& topic, std::int64_t time);

    // Which running node leads, waiting until one does.
    cluster::NodeId leader(const std::string& topic);
    // One that runs and does not.
    cluster::NodeId follower(const std::string& topic);
    cluster::NodeId controller();
    // Everything from the start to the end, from the leader.
    std::vector<Consumed> consume(const std::string& topic);

private:
    broker::Partition* partition(cluster::NodeId at, const std::string& topic,
                                 std::int32_t index = 0);
    template <class Answer>
    Answer wait_for(const std::function<void(std::function<void(Answer)>)>& ask);

    struct Node {
        member::MemberOptions options;
        testing::SimEnv disk;
        std::unique_ptr<Random> random;
        std::unique_ptr<net::Transport> transport;
        std::unique_ptr<ClusterBroker> broker;
        std::unique_ptr<member::ClusterMember> member;  // Null: it does not run.
    };

    static std::string address_of(cluster::NodeId id) { return "node" + std::to_string(id); }
    void enter(cluster::NodeId id);

    const std::uint64_t seed_;
    testing::ManualLoop loop_;
    testing::SimClock clock_;
    testing::MemoryNetwork network_{loop_};
    std::map<cluster::NodeId, Node> nodes_;
    std::vector<std::unique_ptr<ClusterBroker>> killed_;
};

}  // namespace walrus::cluster_broker

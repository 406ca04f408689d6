// Members in one process: a loop whose time the test moves, disks in memory, a network in memory.
//
// Everything is deterministic: the disks are flushed by posts on the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "walrus/member/member.h"
#include "walrus/testing/manual_loop.h"
#include "walrus/testing/memory_transport.h"
#include "walrus/testing/sim_clock.h"
#include "walrus/testing/sim_env.h"

namespace walrus::member {

// Writes down what it is told.
class RecordingWatcher final : public MemberWatcher {
public:
    void topic_changed(cluster::TopicId topic) override { topics.insert(topic); }
    void state_replaced() override { ++replaced; }
    void readable(const cluster::SegmentKey& key) override { ++readable_of[key]; }
    void controller_changed() override { ++controllers; }
    void failed(const Error& error) override { failure = error; }

    std::set<cluster::TopicId> topics;
    std::map<cluster::SegmentKey, int> readable_of;
    int replaced = 0;
    int controllers = 0;
    std::optional<Error> failure;
};

struct TestNode {
    MemberOptions options;
    std::unique_ptr<testing::SimEnv> disk = std::make_unique<testing::SimEnv>();
    std::unique_ptr<Random> random;
    std::unique_ptr<net::Transport> transport;
    std::unique_ptr<RecordingWatcher> watcher;
    std::unique_ptr<ClusterMember> member;  // Null: it does not run.
};

// What a test relies upon without asking is asserted.
class TestMembers {
public:
    explicit TestMembers(std::uint64_t seed);
    ~TestMembers();

    // Options of new nodes; change them before bootstrap() or join().
    MemberOptions& defaults() { return defaults_; }
    testing::ManualLoop& loop() { return loop_; }
    testing::MemoryNetwork& network() { return *network_; }

    TestNode& node(cluster::NodeId id);
    ClusterMember& operator[](cluster::NodeId id) { return *node(id).member; }
    static std::string address_of(cluster::NodeId id) { return "node" + std::to_string(id); }

    Status bootstrap(cluster::NodeId id);
    // Without start(); lets time pass until it is answered.
    Status join(cluster::NodeId id, const std::string& address);
    Status start(cluster::NodeId id);
    // Without a farewell: the process dies.
    void kill(cluster::NodeId id);
    // The machine dies: what no sync made durable is gone.
    void cut_power(cluster::NodeId id);
    Status stop(cluster::NodeId id);
    // Bootstraps node 1, joins the others and waits until all of them vote and are live.
    Status make_cluster(const std::vector<cluster::NodeId>& ids);
    // Until every running node says that so many nodes are live and vote.
    bool wait_for_live(std::size_t count);

    // Lets time pass until `done`; false after `ms`.
    bool run_until(const std::function<bool()>& done, std::uint64_t ms = 60'000);
    void run_for(std::uint64_t ms) { loop_.advance_ms(ms); }

    // --- the usual questions, asked to a running node ---
    Result<cluster::CommandResult> propose(cluster::NodeId at, cluster::CommandBody body);
    cluster::TopicId create_topic(cluster::NodeId at, const std::string& name,
                                  const cluster::TopicConfig& config);
    // Who leads the topic, says a running node; null: nobody running.
    ClusterMember* leader_of(cluster::TopicId topic);
    // To whoever leads, until it is acknowledged; nothing: it is not.
    std::optional<Offset> append(cluster::TopicId topic, const std::string& data,
                                 std::uint64_t ms = 60'000);
    Result<std::vector<ReadBatch>> read(cluster::NodeId at, cluster::TopicId topic, Offset from,
                                        std::uint64_t max_bytes = 1 << 20);
    // The data of all batches that this node can read.
    std::vector<std::string> read_all(cluster::NodeId at, cluster::TopicId topic);
    // The same of all running nodes together: nobody needs to have every segment.
    std::vector<std::string> read_anywhere(cluster::TopicId topic);
    // Everybody running has applied the same, and the same state came out.
    bool states_agree();

private:
    MemberOptions defaults_;
    testing::ManualLoop loop_;
    testing::SimClock clock_;
    std::unique_ptr<testing::MemoryNetwork> network_;
    std::uint64_t seed_;
    std::map<cluster::NodeId, TestNode> nodes_;
};

// One copy each; or three, two of which acknowledge.
cluster::TopicConfig single_config();
cluster::TopicConfig triple_config();

}  // namespace walrus::member

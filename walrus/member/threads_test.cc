// Members on the real disk, with the engine's threads, a real loop and jobs on other threads.
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "walrus/base/mutex.h"
#include "walrus/cluster/placement.h"
#include "walrus/member/member.h"
#include "walrus/member/test_members.h"
#include "walrus/testing/loop_thread.h"
#include "walrus/testing/memory_transport.h"

namespace walrus::member {
namespace {

namespace fs = std::filesystem;
using cluster::NodeId;

// A thread for each job; all have come to their end when it is destroyed.
class JobThreads {
public:
    ~JobThreads() {
        for (std::thread& thread : threads_) thread.join();
    }
    void run(std::function<void()> job) {
        const MutexLock lock(mutex_);
        threads_.emplace_back(std::move(job));
    }

private:
    Mutex mutex_;
    std::vector<std::thread> threads_;
};

class MemberThreadsTest : public ::testing::Test {
protected:
    struct Node {
        MemberOptions options;
        std::unique_ptr<net::Transport> transport;
        std::unique_ptr<RecordingWatcher> watcher;
        std::unique_ptr<ClusterMember> member;
    };

    template <class Work>
    auto on_loop(Work work) {
        return thread_.run(std::move(work));
    }

    MemberThreadsTest() : network_(thread_.loop()) {
        directory_ = "member_test_data/" +
                     std::string(::testing::UnitTest::GetInstance()->current_test_info()->name());
        fs::remove_all(directory_);
    }
    ~MemberThreadsTest() override {
        on_loop([&] { nodes_.clear(); });
        thread_.stop();
        fs::remove_all(directory_);
    }

    // On the loop, again and again, until it is true.
    void wait_until(const std::function<bool()>& done) {
        const auto reached = std::make_shared<std::promise<void>>();
        thread_.loop().post([=, this] { look(reached, done); });
        // Gives up the test rather than the machine.
        ASSERT_EQ(reached->get_future().wait_for(std::chrono::seconds(60)),
                  std::future_status::ready);
    }
    void look(const std::shared_ptr<std::promise<void>>& reached,
              const std::function<bool()>& done) {
        if (done()) return reached->set_value();
        thread_.loop().after_ms(5, [=, this] { look(reached, done); });
    }

    Node& node(NodeId id) {
        Node& node = nodes_[id];
        if (!node.options.directory.empty()) return node;
        node.options.directory = directory_ + "/" + std::to_string(id);
        node.options.id = id;
        node.options.peer_address = TestMembers::address_of(id);
        node.options.ring_size_bytes = node.options.log_file_bytes = 1 << 20;
        node.options.snapshot_entries = 20;
        // Sanitizers and busy machines are slow.
        node.options.election_ticks = node.options.suspect_ticks = 20;
        node.options.run_elsewhere = [this](std::function<void()> job) {
            jobs_.run(std::move(job));
        };
        return node;
    }
    Status open(NodeId id) {
        Node& it = node(id);
        it.transport = network_.attach(id, it.options.peer_address);
        it.watcher = std::make_unique<RecordingWatcher>();
        auto member = ClusterMember::open(it.options, thread_.loop(), *it.transport, *it.watcher);
        if (!member) return std::move(member).error();
        it.member = *std::move(member);
        return {};
    }
    void kill(NodeId id) {
        node(id).member.reset();
        node(id).transport.reset();
    }
    void join(NodeId id) {
        const auto joined = std::make_shared<std::promise<Status>>();
        on_loop([&] {
            Node& it = node(id);
            it.transport = network_.attach(id, it.options.peer_address);
            ClusterMember::join(it.options, TestMembers::address_of(1), thread_.loop(),
                                *it.transport,
                                [joined](Status status) { joined->set_value(std::move(status)); });
        });
        const Status status = joined->get_future().get();
        ASSERT_TRUE(status) << status.error().to_string();
        on_loop([&] {
            node(id).transport.reset();
            const Status opened = open(id);
            EXPECT_TRUE(opened) << opened.error().to_string();
        });
    }
    void make_cluster() {
        on_loop([&] {
            EXPECT_TRUE(ClusterMember::bootstrap(node(1).options));
            EXPECT_TRUE(open(1));
        });
        join(2);
        join(3);
        wait_until([&] { return all_live(); });
    }
    bool all_live() {
        for (auto& [id, node] : nodes_) {
            if (!node.member) continue;
            std::size_t live = 0;
            for (const auto& [other, known] : node.member->state().data().nodes) {
                live += known.state == cluster::NodeState::kLive;
            }
            if (live != 3 || node.member->metadata_facts().voters.size() != 3) return false;
        }
        return true;
    }
    ClusterMember* leader_of(cluster::TopicId id) {
        for (auto& [other, node] : nodes_) {
            if (!node.member) continue;
            const cluster::Topic* topic = node.member->state().topic(id);
            if (topic == nullptr || topic->last().state != cluster::SegmentState::kOpen) continue;
            if (topic->last().leader == node.member->self()) return node.member.get();
        }
        return nullptr;
    }
    cluster::TopicId create_topic() {
        const auto created = std::make_shared<std::promise<cluster::CommandResult>>();
        on_loop([&] {
            ClusterMember& member = *node(1).member;
            const auto next =
                cluster::place_segment(member.state().data(), {.config = {}, .wall_ms = 1});
            ASSERT_TRUE(next);
            member.propose(cluster::CreateTopic{.name = "t", .config = {}, .next = *next},
                           [created](const Result<cluster::CommandResult>& result) {
                               EXPECT_TRUE(result && result->applied());
                               created->set_value(result.value_or(cluster::CommandResult{}));
                           });
        });
        return created->get_future().get().topic;
    }
    // Many at once; counts those that were acknowledged.
    int append(cluster::TopicId topic, const std::string& data, int count) {
        int open = 0;
        int committed = 0;
        int asked = 0;
        wait_until([&] {
            ClusterMember* leader = leader_of(topic);
            while (leader != nullptr && open < 32 && asked < count) {
                ++open;
                ++asked;
                leader->append(topic, {.records = 1, .data = cluster::Payload(data)},
                               [&](const cluster::AppendDone& done) {
                                   --open;
                                   const bool stored =
                                       done.outcome == cluster::AppendOutcome::kCommitted;
                                   committed += stored;
                                   asked -= !stored;
                               });
            }
            return committed >= count;
        });
        return committed;
    }

    std::string directory_;
    JobThreads jobs_;
    testing::LoopThread thread_;
    testing::MemoryNetwork network_;
    std::map<NodeId, Node> nodes_;
};

TEST_F(MemberThreadsTest, ThreeMembersSurviveTheirLeader) {
    make_cluster();
    const cluster::TopicId topic = create_topic();
    append(topic, std::string(1000, 'a'), 300);
    NodeId killed = 0;
    on_loop([&] {
        killed = leader_of(topic)->identity().node;
        kill(killed);
    });
    append(topic, std::string(1000, 'b'), 300);
    on_loop([&] { EXPECT_TRUE(open(killed)); });
    wait_until([&] { return all_live(); });

    const auto read = std::make_shared<std::promise<std::vector<ReadBatch>>>();
    Offset end;
    on_loop([&] {
        ClusterMember& leader = *leader_of(topic);
        end = leader.readable_end(topic);
        leader.read(topic, Offset{0}, 1 << 20, [read](Result<std::vector<ReadBatch>> batches) {
            EXPECT_TRUE(batches);
            read->set_value(batches ? *std::move(batches) : std::vector<ReadBatch>(1));
        });
    });
    EXPECT_GE(end, Offset{600});
    EXPECT_EQ(read->get_future().get().front().data.text(), std::string(1000, 'a'));
    on_loop([&] {
        for (auto& [id, node] : nodes_) {
            const Status closed = node.member->close();
            EXPECT_TRUE(closed) << closed.error().to_string();
            EXPECT_FALSE(node.watcher->failure);
        }
    });
}

}  // namespace
}  // namespace walrus::member

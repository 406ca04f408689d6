// SegmentLoad: clients of whole nodes, and the checkers of what they and the nodes do.
//
//   producers   plain (one attempt) and idempotent (again until it is certain), of several topics
//   consumers   polls at random nodes, confirmed ends at leaders, a shared cursor as GET uses it
//   operators   create, update and delete topics
//
// Every outcome is three-valued: an answer that never comes is unknown.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "walrus/base/random.h"
#include "walrus/testing/history_checker.h"
#include "walrus/testing/linearizability.h"
#include "walrus/testing/segment_checker.h"
#include "walrus/testing/sim_load.h"
#include "walrus/testing/sim_segments.h"

namespace walrus::testing {

struct SegmentLoadResult {
    std::uint64_t acknowledged = 0;
    std::uint64_t appends = 0;
    std::uint64_t sealed = 0;
    std::uint64_t polled = 0;
    std::uint64_t ends = 0;
    std::uint64_t gets = 0;
    std::uint64_t topic_operations = 0;
};

class SegmentLoad final : public SimLoad, public SegmentWatcher {
public:
    explicit SegmentLoad(std::uint64_t seed);

    // SimLoad
    std::unique_ptr<SimStateMachine> make_state() override;
    void add_host(SimHost& host) override;
    void request(SimHost& host) override;
    bool may_lose_disk(SimAddress address) override;
    void lost_disk(SimAddress address) override;
    bool recovered() override;
    void finish() override;
    std::optional<std::string> violation() const override;

    // SegmentWatcher
    void restored(cluster::ReplicaId self,
                  const std::map<cluster::SegmentKey, cluster::RestoredReplica>& copies) override;
    void submitted(cluster::ReplicaId self, const cluster::DiskWrite& write) override;
    void durable(cluster::ReplicaId self, const replica_store::Done& done) override;
    void sent(const SimSegments& node, const cluster::Message& message) override;
    void applied(SimSegments& node, const cluster::CommandId& id,
                 const cluster::CommandResult& result) override;
    void append_done(const SimSegments& node, const cluster::AppendDone& done) override;
    void read_done(const SimSegments& node, const cluster::ReadDone& done) override;

    SegmentLoadResult result() const;
    // Why recovered() is false.
    std::string missing() const { return missing_; }

private:
    struct Producer {
        std::string topic;
        std::string name;
        cluster::ProducerId id = 0;  // 0: not given out yet.
        std::uint16_t epoch = 0;
        std::uint32_t sequence = 0;
        cluster::CommandId init = {};
        // The batch that is not certain yet.
        std::optional<cluster::Batch> batch = {};
        std::size_t event = 0;
        std::uint64_t request = 0;  // Of the last attempt; 0: it was answered.
        std::uint64_t asked_ns = 0;
    };
    struct Attempt {
        std::size_t event;
        Producer* producer;  // Null: plain.
    };
    struct EndAsked {
        std::string topic;
        std::uint64_t began_ns;
    };
    // A GET under way on one node.
    struct Get {
        cluster::CommandId command;
        std::optional<std::size_t> event;  // Nothing: it acquires the cursor.
        std::uint64_t began_ns;
    };

    // --- segment_load_clients.cc ---
    void create_data_topics(SimSegments& node);
    void remove_lost_nodes(SimSegments& node);
    void produce(SimSegments& node);
    void produce_again(SimSegments& node, Producer& producer);
    void append_plain(SimSegments& node);
    void poll(SimSegments& node);
    void ask_end(SimSegments& node);
    void get(SimSegments& node);
    void change_topic(SimSegments& node);
    void topic_changed(const cluster::CommandId& id, const cluster::CommandResult& result);
    cluster::Batch new_batch(std::string& value);
    const std::string& any_topic();
    // The leader of the topic as `node` knows it, if it runs; else `node`.
    SimSegments& leader_or(SimSegments& node, const std::string& topic);

    // --- segment_load.cc ---
    SimSegments* running(cluster::NodeId id);
    SimSegments* newest();
    std::string describe(const cluster::Topic* topic);
    bool topic_works(const cluster::Topic& topic);
    bool segment_is_whole(const cluster::Topic& topic, const cluster::Segment& segment);
    void read_final(const cluster::Topic& topic);
    bool read_copy(const cluster::Topic& topic, const cluster::Segment& segment,
                   std::size_t variant, FinalLog& log);
    std::uint64_t now_ns() const { return clock_->monotonic_ns(); }

    SimSegmentsOptions options_;
    SeededRandom random_;
    Clock* clock_ = nullptr;
    std::map<cluster::NodeId, SimHost*> hosts_;
    SegmentChecker checker_;
    HistoryChecker history_;
    cluster::TopicConfig configs_[2];
    std::vector<std::string> topics_;
    std::vector<Producer> producers_;
    std::vector<std::pair<std::string, std::uint64_t>> readers_;  // Topic and next offset.
    std::map<std::uint64_t, Attempt> attempts_;                   // By request.
    std::map<std::uint64_t, EndAsked> ends_;
    std::map<cluster::NodeId, Get> gets_;
    std::map<std::string, std::vector<TopicEvent>> topic_events_;
    std::map<cluster::CommandId, std::pair<std::string, std::size_t>> topic_commands_;
    std::map<std::string, std::uint64_t> last_ack_ns_;
    std::uint64_t requests_ = 0;
    std::uint64_t values_ = 0;
    std::uint64_t create_asked_ns_ = 0;
    std::uint64_t remove_asked_ns_ = 0;
    std::uint64_t last_request_ns_ = 0;
    std::optional<std::uint64_t> healed_ns_;
    std::string missing_;
    SegmentLoadResult result_;
};

}  // namespace walrus::testing

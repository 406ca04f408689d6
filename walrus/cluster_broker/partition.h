// ClusterPartition: a Partition that is a topic of the cluster.
//
// Only the node that leads the topic appends and fetches; elsewhere every call says kNotLeader, and
// clients go to the leader.  An append that finds the leader between two segments waits and goes on
// in the next, or is told kNotLeader when that is another node's.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "walrus/broker/broker.h"
#include "walrus/cluster_broker/core.h"

namespace walrus::cluster_broker {

using AppendDone = std::function<void(const broker::AppendResult&)>;

struct PartitionPlace {
    cluster::TopicId topic = 0;
    std::string name = {};  // As clients know the topic.
    std::int32_t index = 0;
};

// On the loop.  `core` outlives it.
class ClusterPartition final : public broker::Partition {
public:
    ClusterPartition(Core& core, PartitionPlace place);
    ~ClusterPartition() override;

    broker::PartitionInfo info() const override;
    void append(Bytes batch, broker::Acks acks, broker::AppendCallback done) override;
    void fetch(Offset from, std::uint64_t max_bytes, broker::FetchCallback done) override;
    broker::WatchId watch(Offset offset, std::function<void()> readable) override;
    void unwatch(broker::WatchId watch) override;
    void offset_at(std::int64_t timestamp_ms, broker::OffsetCallback done) override;
    void delete_records(Offset offset, broker::StatusCallback done) override;
    void end_offset(broker::OffsetCallback done) override;

    // info() with the segments.
    broker::PartitionInfo describe() const;
    // Appends a batch that was checked, by whoever sent it.
    void append_checked(cluster::Batch batch, AppendDone done);

    const PartitionPlace& place() const { return place_; }
    // Its segments, leader or configuration, or its existence.
    void changed();
    // There is more to be read.
    void grown() { notify(); }
    // Answers all that waits.
    void close();

private:
    struct Append {
        cluster::Batch batch;
        AppendDone done;
        std::uint64_t deadline_ms = 0;
    };
    struct Watch {
        broker::WatchId id = 0;
        Offset offset;
        std::function<void()> readable;
    };

    const cluster::Topic* topic() const { return core_.topic(place_.topic); }
    // kClosed, kNotFound, kNotLeader.
    Status usable() const;
    Status fetchable(Offset from, Offset end) const;
    Offset high_watermark(const cluster::Topic& topic) const;

    // An append is handed over, then answered or held back; in the order of their numbers.
    void submit(std::uint64_t number, Append append);
    void on_appended(std::uint64_t number, const cluster::AppendDone& done);
    void hold_back(std::uint64_t number, Append append);
    void release();
    void refuse_held(const Error& error);
    void refuse_late();
    void watch_the_clock();

    void answer_fetch(Result<std::vector<member::ReadBatch>> batches,
                      const broker::FetchCallback& done) const;
    void notify();

    Core& core_;
    const PartitionPlace place_;
    std::uint64_t last_number_ = 0;
    std::map<std::uint64_t, Append> in_flight_;
    std::map<std::uint64_t, Append> held_;  // Found the leader busy.
    bool releasing_ = false;
    net::TimerId clock_ = 0;
    std::vector<Watch> watches_;
    std::deque<Watch> due_;  // Being called.
    bool notifying_ = false;
    broker::WatchId last_watch_ = 0;
};

}  // namespace walrus::cluster_broker

// PutQueue: the single records that clients of this node put into one topic, on their way to the
// topic's leader.
//
// Records that come while a batch is on its way make up the next one.  A batch carries a producer's
// stamp, so it is sent again, to whoever leads then, until its outcome is known: the leader tells a
// copy from a new batch.  Only what is not known after all of the patience is told as unknown.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "walrus/cluster_broker/core.h"
#include "walrus/cluster_broker/partition.h"

namespace walrus::cluster_broker {

// Gives a producer id of this run of the node; a fresh one when what was written under the last one
// is not known.
using ProducerSource =
    std::function<void(bool fresh, std::function<void(Result<cluster::ProducerId>)> done)>;

// On the loop.  `core` outlives it, and it outlives its callbacks.
class PutQueue {
public:
    // `partition` of this node, for when it leads the topic.
    PutQueue(Core& core, ClusterPartition& partition, ProducerSource producers);
    ~PutQueue();

    void put(Bytes value, broker::StatusCallback done);
    // The topic has another leader perhaps, or is gone.
    void changed();
    void close();

private:
    struct Put {
        std::string value;
        broker::StatusCallback done;
        std::uint64_t deadline_ms = 0;
    };
    struct Flight {
        cluster::Batch batch;
        std::vector<broker::StatusCallback> done;
        std::uint64_t deadline_ms = 0;
        bool may_be_there = false;                   // An attempt has no known outcome.
        cluster::NodeId sent_to = cluster::kNobody;  // Whose answer is waited for.
        std::uint64_t first_attempt = 0;
    };

    void pump();
    bool make_flight();
    void drop_late();
    void ask_for_producer();
    void send();
    void on_result(std::uint64_t attempt, const broker::AppendResult& result);
    void on_failed(const Error& error);
    void start_anew();
    void finish(const Status& status);
    void give_up();
    void try_later();

    Core& core_;
    ClusterPartition& partition_;
    const ProducerSource producers_;
    std::deque<Put> waiting_;
    std::optional<Flight> flight_;
    std::uint64_t attempts_ = 0;
    cluster::ProducerId producer_ = 0;  // 0: none yet.
    std::uint32_t next_sequence_ = 0;
    bool needs_fresh_producer_ = false;
    bool asking_ = false;
    bool pumping_ = false;
    net::TimerId timer_ = 0;
    net::TimerId patience_ = 0;  // Of the flight: a leader that is cut off never answers.
};

}  // namespace walrus::cluster_broker

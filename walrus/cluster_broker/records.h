// ClusterRecords: PUT and GET from any node, and what other nodes ask of this one for them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/broker/record_service.h"
#include "walrus/broker/shared_cursor.h"
#include "walrus/cluster_broker/call_codec.h"
#include "walrus/cluster_broker/core.h"
#include "walrus/cluster_broker/partition.h"
#include "walrus/cluster_broker/put_queue.h"

namespace walrus::cluster_broker {

// This node's partition object of a topic, or null.
using FindPartition = std::function<ClusterPartition*(cluster::TopicId topic)>;

// On the loop.  `core`, `offsets` and the partitions outlive it.
class ClusterRecords final : public broker::RecordService {
public:
    ClusterRecords(Core& core, broker::OffsetStore& offsets, FindPartition find);

    void put(std::string_view topic, Bytes value, broker::StatusCallback done) override;
    void get(std::string_view topic, broker::RecordCallback done) override;

    // A request of another node, or of this one.
    void on_call(std::string_view request, std::function<void(std::string)> answer);
    void topic_changed(cluster::TopicId topic);
    void close();

private:
    struct Getting;
    using Known = std::function<void(Result<cluster::TopicId>)>;

    // Finds the topic, also one that was made on another node a moment ago.
    void with_topic(std::string_view name, Known done);
    const cluster::Topic* find(std::string_view name) const;
    PutQueue* queue_of(cluster::TopicId topic);
    void give_producer(bool fresh, std::function<void(Result<cluster::ProducerId>)> done);

    void try_get(const std::shared_ptr<Getting>& getting);
    void on_got(const std::shared_ptr<Getting>& getting, Result<std::optional<std::string>> record);
    void finish(const std::shared_ptr<Getting>& getting, Result<std::optional<std::string>> record);
    void get_here(cluster::TopicId topic, broker::RecordCallback done);

    // What a call asks, by its kind.
    void answer(const AppendCall& call, const std::function<void(std::string)>& done);
    void answer(const GetCall& call, const std::function<void(std::string)>& done);
    void answer(const ReadCall& call, const std::function<void(std::string)>& done);

    Core& core_;
    const FindPartition find_partition_;
    broker::SharedCursors cursors_;
    std::map<cluster::TopicId, std::unique_ptr<PutQueue>> queues_;
    std::vector<std::unique_ptr<PutQueue>> retired_;  // Of deleted topics; answers may be due.
    std::map<std::uint64_t, std::shared_ptr<Getting>> gettings_;
    std::uint64_t last_getting_ = 0;
    cluster::ProducerId producer_ = 0;  // Of this run; 0: none yet.
};

}  // namespace walrus::cluster_broker

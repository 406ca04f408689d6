// ClusterOffsets: what groups have read, as cursors of the metadata log; the group's name is the
// cursor's consumer.
//
// A cursor belongs to one incarnation of one node.  A group's commit takes it, whoever had it; the
// shared cursor (group "") is taken by acquire() alone and a commit fails when it is another's, so
// that a record is never given out twice.  Commits that come while one is being agreed on share the
// next one.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/broker/broker.h"
#include "walrus/cluster_broker/core.h"

namespace walrus::cluster_broker {

// On the loop.  `core` outlives it.
//
// Offsets of one commit() are agreed on together but stand alone: an error says that at least one
// of them was not moved.  Metadata and leader epochs of clients are not kept.
// kFenced: another node has the cursor; nothing was moved.  kTimeout: unknown.  kNotFound,
// kOutOfRange, kInvalidArgument, kResourceExhausted.
class ClusterOffsets final : public broker::OffsetStore {
public:
    explicit ClusterOffsets(Core& core) : core_(core) {}
    ~ClusterOffsets() override;

    void commit(std::string_view group, std::vector<broker::OffsetCommit> offsets,
                broker::StatusCallback done) override;
    std::optional<broker::CommittedOffset> committed(std::string_view group, std::string_view topic,
                                                     std::int32_t partition) const override;
    std::vector<broker::OffsetCommit> of_group(std::string_view group) const override;
    std::vector<std::string> groups() const override;
    void forget_group(std::string_view group, broker::StatusCallback done) override;
    // A topic's cursors go with it.
    void forget_topic(std::string_view topic, broker::StatusCallback done) override;
    void acquire(std::string_view group, std::string_view topic, std::int32_t partition,
                 broker::StatusCallback done) override;
    Status coordinates() const override;

    // This node leads the metadata log, or no longer.
    void controller_changed();
    void close();

private:
    // A commit() whose parts are under way; the last one answers it.
    struct Job;
    struct Part {
        std::shared_ptr<Job> job;
        cluster::TopicId topic = 0;
        Offset offset = {};
        int tries = 0;
    };

    const cluster::Topic* find(std::string_view topic, std::int32_t partition) const;
    void start(Part part);
    void take_over(Part part, const cluster::Cursor* found);
    void flush();
    void on_flushed(std::vector<Part> parts, const Result<cluster::CommandResult>& result);
    void load();

    Core& core_;
    std::deque<Part> waiting_;  // To be agreed on.
    bool flushing_ = false;
    std::uint64_t reign_ = 0;  // Counts changes of the controller.
    bool loaded_ = false;      // Everything that was committed before this reign is known.
    net::TimerId retry_ = 0;
};

}  // namespace walrus::cluster_broker

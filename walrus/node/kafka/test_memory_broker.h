// A Broker in memory, for what the real one cannot be made to do on demand: hold answers back, fail
// in a chosen way; and for the fuzzer, which wants millions of requests without a disk.
//
// Batches are checked and placed as the real one does; nothing survives, nobody is idempotent.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "walrus/broker/broker.h"
#include "walrus/node/kafka/requests.h"
#include "walrus/protocol/record_batch.h"

namespace walrus::node::kafka {

class MemoryPartition final : public broker::Partition {
public:
    explicit MemoryPartition(std::int32_t index) : index_(index) {}

    broker::PartitionInfo info() const override {
        broker::PartitionInfo info;
        info.index = index_;
        info.leader = leader;
        info.leader_epoch = epoch;
        info.replicas = info.in_sync = {1};
        info.log_start_offset = start_;
        info.high_watermark = info.log_end_offset = end_;
        return info;
    }

    void append(Bytes batch, broker::Acks acks, broker::AppendCallback done) override {
        broker::AppendResult result = check(batch);
        last_acks = acks;
        if (!hold_appends || acks == broker::Acks::kNone) return finish(result, done);
        held_.emplace_back([this, result, done] { finish(result, done); });
    }

    void fetch(Offset from, std::uint64_t max_bytes, broker::FetchCallback done) override {
        ++fetches;
        if (!hold_fetches) return done(read(from, max_bytes));
        held_.emplace_back([this, from, max_bytes, done] { done(read(from, max_bytes)); });
    }

    broker::WatchId watch(Offset offset, std::function<void()> readable) override {
        if (is_gone || end_ > offset) {
            readable();
            return 0;
        }
        watches_.emplace(++last_watch_, std::pair(offset, std::move(readable)));
        return last_watch_;
    }
    void unwatch(broker::WatchId watch) override { watches_.erase(watch); }

    void offset_at(std::int64_t timestamp_ms, broker::OffsetCallback done) override {
        for (const auto& [base, bytes] : batches_) {
            const auto batch = protocol::RecordBatchView::parse(as_bytes(*bytes));
            if (Offset{base} >= start_ && batch->max_timestamp() >= timestamp_ms)
                return done(Offset{base});
        }
        done(end_);
    }

    void delete_records(Offset offset, broker::StatusCallback done) override {
        if (offset > end_) return done(Error{Errc::kOutOfRange, "past the end"});
        start_ = std::max(start_, offset);
        done({});
    }

    // Answers what was held back, in order.
    void release() {
        for (std::deque<std::function<void()>> held = std::exchange(held_, {}); !held.empty();
             held.pop_front())
            held.front()();
    }
    void remove() {
        is_gone = true;
        wake();
    }
    std::size_t watches() const { return watches_.size(); }

    bool hold_appends = false;
    bool hold_fetches = false;
    bool is_gone = false;
    broker::Acks last_acks = broker::Acks::kAll;
    broker::AppendOutcome next_outcome = broker::AppendOutcome::kAppended;
    Status next_status = {};  // Of kFailed.
    std::int32_t epoch = 3;
    broker::BrokerId leader = 1;
    std::size_t fetches = 0;

private:
    broker::AppendResult check(Bytes bytes) {
        broker::AppendResult result;
        const auto batch = protocol::RecordBatchView::parse_only(bytes);
        result.status = is_gone ? Error{Errc::kNotFound, "deleted"}
                                : (batch ? batch->verify() : Status{batch.error()});
        if (!result.status) return result;
        result.outcome = next_outcome;
        result.status = next_status;
        if (result.outcome != broker::AppendOutcome::kAppended) return result;
        auto copy = std::make_shared<std::string>(as_text(bytes));
        protocol::place_batch(std::as_writable_bytes(std::span(*copy)),
                              static_cast<std::int64_t>(written_.value), epoch);
        result.base_offset = written_;
        result.log_start_offset = start_;
        batches_.emplace(written_.value, std::move(copy));
        written_ = written_ + static_cast<std::uint64_t>(batch->record_count());
        return result;
    }
    void finish(const broker::AppendResult& result, broker::AppendCallback done) {
        if (result.outcome == broker::AppendOutcome::kAppended) end_ = written_;
        if (done.function != nullptr) done.function(done.context, result);
        wake();
    }
    void wake() {
        for (auto at = watches_.begin(); at != watches_.end();) {
            if (!is_gone && at->second.first >= end_) {
                ++at;
                continue;
            }
            const auto readable = std::move(at->second.second);
            watches_.erase(at);
            readable();
            at = watches_.begin();  // It may have changed them.
        }
    }
    broker::FetchedBatches read(Offset from, std::uint64_t max_bytes) const {
        broker::FetchedBatches found;
        found.log_start_offset = start_;
        found.high_watermark = end_;
        if (is_gone) found.status = Error{Errc::kNotFound, "deleted"};
        if (from < start_ || from > end_) found.status = Error{Errc::kOutOfRange, "no such offset"};
        if (!found.status || from == end_) return found;
        auto owners = std::make_shared<std::vector<std::shared_ptr<std::string>>>();
        for (auto at = std::prev(batches_.upper_bound(from.value));
             at != batches_.end() && Offset{at->first} < end_; ++at) {
            if (!found.pieces.empty() && found.size_bytes + at->second->size() > max_bytes) break;
            found.pieces.push_back(as_bytes(*at->second));
            found.size_bytes += at->second->size();
            owners->push_back(at->second);
        }
        found.owner = std::move(owners);
        return found;
    }

    const std::int32_t index_;
    Offset start_;
    Offset end_;      // Readable.
    Offset written_;  // And what waits for its answer.
    std::map<std::uint64_t, std::shared_ptr<std::string>> batches_;
    std::map<broker::WatchId, std::pair<Offset, std::function<void()>>> watches_;
    broker::WatchId last_watch_ = 0;
    std::deque<std::function<void()>> held_;
};

class MemoryBroker final : public broker::Broker {
public:
    broker::ClusterDescription cluster() const override { return described; }
    broker::ClusterDescription described = {
        .cluster_id = "memory",
        .controller = 1,
        .self = 1,
        .brokers = {{.id = 1, .kafka_host = "walrus.test", .kafka_port = 9092}}};

    std::vector<std::string> topic_names() const override {
        std::vector<std::string> names;
        for (const auto& [name, topic] : topics_) names.push_back(name);
        return names;
    }
    Result<broker::TopicDescription> describe(std::string_view name) const override {
        const auto found = topics_.find(name);
        if (found == topics_.end()) return Error{Errc::kNotFound, "no such topic"};
        broker::TopicDescription description;
        description.spec = found->second.spec;
        for (const auto& partition : found->second.partitions)
            description.partitions.push_back(partition->info());
        return description;
    }
    MemoryPartition* find(std::string_view name, std::int32_t index) const override {
        const auto found = topics_.find(name);
        if (found == topics_.end() || index < 0) return nullptr;
        const auto& partitions = found->second.partitions;
        if (static_cast<std::size_t>(index) >= partitions.size()) return nullptr;
        return partitions[static_cast<std::size_t>(index)].get();
    }

    void create_topic(broker::TopicSpec spec, bool validate_only,
                      broker::StatusCallback done) override {
        if (!create_error) return done(create_error);
        if (!is_topic_name(spec.name) || spec.partitions == 0 || spec.partitions > 1000)
            return done(Error{Errc::kInvalidArgument, "a name or number that cannot be"});
        for (const broker::ConfigEntry& config : spec.configs)
            if (config.name != "retention.ms")
                return done(Error{Errc::kInvalidArgument, "unknown config " + config.name});
        if (topics_.contains(spec.name)) return done(Error{Errc::kAlreadyExists, "exists"});
        if (topics_.size() >= kMaxTopics)
            return done(Error{Errc::kResourceExhausted, "too many topics"});
        if (validate_only) return done({});
        Topic topic{.spec = spec};
        if (spec.configs.empty())
            topic.spec.configs = {{.name = "retention.ms", .value = "-1", .is_default = true}};
        for (std::uint32_t i = 0; i < spec.partitions; ++i)
            topic.partitions.push_back(
                std::make_unique<MemoryPartition>(static_cast<std::int32_t>(i)));
        topics_.emplace(spec.name, std::move(topic));
        done({});
    }
    void delete_topic(std::string_view name, broker::StatusCallback done) override {
        const auto found = topics_.find(name);
        if (found == topics_.end()) return done(Error{Errc::kNotFound, "no such topic"});
        // Partitions live as long as the broker.
        std::vector<std::unique_ptr<MemoryPartition>> gone = std::move(found->second.partitions);
        topics_.erase(found);
        for (auto& partition : gone) {
            partition->remove();
            removed_.push_back(std::move(partition));
        }
        done({});
    }
    void set_configs(std::string_view, std::vector<broker::ConfigEntry>,
                     broker::StatusCallback done) override {
        done(Error{Errc::kUnsupported, "not here"});
    }
    void new_producer_id(std::function<void(Result<std::int64_t>)> done) override {
        done(++last_producer_id_);
    }

    Status create_error = {};

private:
    struct Topic {
        broker::TopicSpec spec = {};
        std::vector<std::unique_ptr<MemoryPartition>> partitions = {};
    };
    static constexpr std::size_t kMaxTopics = 100;

    std::map<std::string, Topic, std::less<>> topics_;
    std::vector<std::unique_ptr<MemoryPartition>> removed_;
    std::int64_t last_producer_id_ = 999;
};

}  // namespace walrus::node::kafka

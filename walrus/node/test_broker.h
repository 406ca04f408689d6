// A broker and an offset store in memory that fail and wait when a test says so: for what the real
// ones do only when a disk is full or broken.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "walrus/broker/broker.h"
#include "walrus/protocol/record_batch.h"

namespace walrus::node {

// Holds callbacks back while it is closed.
class TestGate {
public:
    void pass(std::function<void()> work) {
        if (!is_closed_) return work();
        held_.push_back(std::move(work));
    }
    void close() { is_closed_ = true; }
    void open() {
        is_closed_ = false;
        for (const auto& work : std::exchange(held_, {})) work();
    }
    std::size_t held() const { return held_.size(); }

private:
    bool is_closed_ = false;
    std::vector<std::function<void()>> held_;
};

class TestPartition final : public broker::Partition {
public:
    broker::PartitionInfo info() const override {
        broker::PartitionInfo info;
        info.leader = 1;
        info.leader_epoch = 1;
        info.replicas = info.in_sync = {1};
        info.log_start_offset = log_start;
        info.high_watermark = info.log_end_offset = Offset{end_};
        return info;
    }
    void append(Bytes batch, broker::Acks /*acks*/, broker::AppendCallback done) override {
        broker::AppendResult result;
        result.status = next_status;
        if (result.status) {
            result.outcome = outcome;
            result.base_offset = add(std::string(as_text(batch)));
        }
        appends.pass([done, result] { done.function(done.context, result); });
    }
    void fetch(Offset from, std::uint64_t /*max_bytes*/, broker::FetchCallback done) override {
        ++fetches;
        broker::FetchedBatches fetched;
        fetched.status = next_status;
        for (const auto& [base, batch] : batches_) {
            const auto view = protocol::RecordBatchView::parse(as_bytes(*batch));
            if (view->last_offset() < static_cast<std::int64_t>(from.value)) continue;
            const Bytes whole = as_bytes(*batch);
            for (std::size_t at = 0; at < whole.size(); at += piece_bytes)
                fetched.pieces.push_back(
                    whole.subspan(at, std::min(piece_bytes, whole.size() - at)));
            fetched.owner = batch;  // The batches live as long as the partition anyhow.
            break;
        }
        reads.pass([done = std::move(done), fetched] { done(fetched); });
    }
    broker::WatchId watch(Offset /*offset*/, std::function<void()> /*readable*/) override {
        return 0;
    }
    void unwatch(broker::WatchId /*watch*/) override {}
    void offset_at(std::int64_t /*timestamp_ms*/, broker::OffsetCallback done) override {
        done(Offset{});
    }
    void delete_records(Offset offset, broker::StatusCallback done) override {
        log_start = offset;
        done({});
    }

    Offset add(std::string batch) {
        const Offset base{end_};
        protocol::place_batch({reinterpret_cast<std::byte*>(batch.data()), batch.size()},
                              static_cast<std::int64_t>(end_), 1);
        const auto view = protocol::RecordBatchView::parse(as_bytes(batch));
        end_ += static_cast<std::uint64_t>(view->record_count());
        batches_[base.value] = std::make_shared<const std::string>(std::move(batch));
        return base;
    }

    TestGate appends;
    TestGate reads;
    Status next_status;  // Of appends and fetches.
    broker::AppendOutcome outcome = broker::AppendOutcome::kAppended;
    Offset log_start;
    std::size_t piece_bytes = 1 << 30;  // Of what is fetched.
    int fetches = 0;

private:
    std::uint64_t end_ = 0;
    std::map<std::uint64_t, std::shared_ptr<const std::string>> batches_;
};

class TestBroker final : public broker::Broker {
public:
    broker::ClusterDescription cluster() const override {
        return {.cluster_id = "test",
                .controller = 1,
                .self = 1,
                .brokers = {{.id = 1, .kafka_host = "127.0.0.1", .kafka_port = 9092}}};
    }
    std::vector<std::string> topic_names() const override {
        std::vector<std::string> names;
        for (const auto& [name, partition] : topics) names.push_back(name);
        return names;
    }
    Result<broker::TopicDescription> describe(std::string_view topic) const override {
        const auto found = topics.find(topic);
        if (found == topics.end()) return Error{Errc::kNotFound, "no topic"};
        return broker::TopicDescription{.spec = {.name = found->first},
                                        .partitions = {found->second->info()}};
    }
    broker::Partition* find(std::string_view topic, std::int32_t partition) const override {
        const auto found = topics.find(topic);
        return found == topics.end() || partition != 0 ? nullptr : found->second.get();
    }
    void create_topic(broker::TopicSpec spec, bool /*validate_only*/,
                      broker::StatusCallback done) override {
        if (!create_status) return done(create_status);
        if (topics.contains(spec.name)) return done(Error{Errc::kAlreadyExists, "topic exists"});
        topics[spec.name] = std::make_unique<TestPartition>();
        done({});
    }
    void delete_topic(std::string_view topic, broker::StatusCallback done) override {
        const auto found = topics.find(topic);
        if (found != topics.end()) {
            deleted.push_back(std::move(found->second));
            topics.erase(found);
        }
        done({});
    }
    void set_configs(std::string_view /*topic*/, std::vector<broker::ConfigEntry> /*configs*/,
                     broker::StatusCallback done) override {
        done({});
    }
    void new_producer_id(std::function<void(Result<std::int64_t>)> done) override { done(1); }

    Status create_status;
    std::map<std::string, std::unique_ptr<TestPartition>, std::less<>> topics;
    std::vector<std::unique_ptr<TestPartition>> deleted;
};

class TestOffsets final : public broker::OffsetStore {
public:
    void commit(std::string_view group, std::vector<broker::OffsetCommit> offsets,
                broker::StatusCallback done) override {
        ++commit_calls;
        commits.pass([this, group = std::string(group), offsets = std::move(offsets),
                      done = std::move(done)] {
            if (status)
                for (const auto& one : offsets)
                    stored[{group, one.topic, one.partition}] = one.committed;
            done(status);
        });
    }
    std::optional<broker::CommittedOffset> committed(std::string_view group, std::string_view topic,
                                                     std::int32_t partition) const override {
        const auto found = stored.find({std::string(group), std::string(topic), partition});
        if (found == stored.end()) return std::nullopt;
        return found->second;
    }
    std::vector<broker::OffsetCommit> of_group(std::string_view /*group*/) const override {
        return {};
    }
    std::vector<std::string> groups() const override { return {}; }
    void forget_group(std::string_view /*group*/, broker::StatusCallback done) override {
        done({});
    }
    void forget_topic(std::string_view /*topic*/, broker::StatusCallback done) override {
        done({});
    }

    Status status;  // Of the next commits.
    TestGate commits;
    int commit_calls = 0;
    std::map<std::tuple<std::string, std::string, std::int32_t>, broker::CommittedOffset> stored;
};

}  // namespace walrus::node

// A LocalBroker on a loop that the test moves, and calls that wait for their answers.
#pragma once

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "walrus/broker/local_broker.h"
#include "walrus/protocol/record_batch.h"
#include "walrus/protocol/record_batch_builder.h"
#include "walrus/testing/manual_loop.h"
#include "walrus/testing/sim_env.h"

namespace walrus::broker {

// A batch of `records` records whose values begin with `text`.
inline std::string make_batch(const std::string& text, std::uint32_t records = 1,
                              protocol::BatchProducer producer = {},
                              std::int64_t timestamp_ms = 1000) {
    protocol::RecordBatchBuilder builder(producer);
    for (std::uint32_t i = 0; i < records; ++i) {
        const std::string value = text + std::to_string(i);
        protocol::Record record;
        record.timestamp_ms = timestamp_ms;
        record.value = as_bytes(value);
        builder.add(record);
    }
    return std::move(builder).finish();
}

// What an append was answered; `times` must become 1.
struct Answer {
    AppendResult result;
    int times = 0;

    AppendCallback callback() {
        return {[](void* context, const AppendResult& told) {
                    auto& answer = *static_cast<Answer*>(context);
                    answer.result = told;
                    ++answer.times;
                },
                this};
    }
};

// Ends the program with the error: what follows in the test could not be.
inline void must(const Status& status) {
    if (status) return;
    std::fprintf(stderr, "test: %s\n", status.error().to_string().c_str());
    WALRUS_ASSERT(status.has_value());
}

class TestBroker {
public:
    explicit TestBroker(std::unique_ptr<testing::SimEnv> env = std::make_unique<testing::SimEnv>())
        : env_(std::move(env)) {
        options_.data_dir = "broker";
        options_.backend = wal::Backend::kDirect;
        options_.file_size = options_.ring_size = 256 << 10;
        options_.random = &random_;
    }

    testing::SimEnv& env() { return *env_; }
    testing::ManualLoop& loop() { return loop_; }
    LocalBrokerOptions& options() { return options_; }
    LocalBroker& operator*() { return *broker_; }
    LocalBroker* operator->() { return broker_.get(); }

    Status try_open() {
        options_.env = env_.get();
        Result<std::unique_ptr<LocalBroker>> broker = LocalBroker::open(options_, loop_);
        if (!broker) return std::move(broker).error();
        broker_ = std::move(*broker);
        return {};
    }
    void open() {
        must(try_open());
        settle();
    }
    // Waits until changes of topics are done, also what they do after they were answered.
    void settle() {
        static_cast<void>(
            wait<Status>([&](auto done) { broker_->create_topic({"settled"}, true, done); }));
    }
    void drop() { broker_.reset(); }
    void close() {
        must(broker_->close());
        broker_.reset();
    }
    // The machine dies and starts again.
    void crash(testing::CrashOptions how) {
        settle();  // Nobody may write to a ring while it is copied.
        std::unique_ptr<testing::SimEnv> survivor = env_->after_crash(how);
        broker_.reset();
        env_ = std::move(survivor);
        open();
    }
    void kill() { crash({testing::CrashKind::kKill, testing::Unsynced::kKeep, 1}); }

    // Runs the loop until `call(done)` has called done(answer).
    template <class T, class Call>
    T wait(Call&& call) {
        std::optional<T> answer;
        call([&](T value) { answer = std::move(value); });
        loop_.run_until([&] { return answer.has_value(); });
        return std::move(*answer);
    }

    Status create(const std::string& topic, std::vector<ConfigEntry> configs = {},
                  std::uint32_t partitions = 1) {
        return wait<Status>([&](auto done) {
            broker_->create_topic({topic, partitions, 1, std::move(configs)}, false, done);
        });
    }
    Status remove(const std::string& topic) {
        return wait<Status>([&](auto done) { broker_->delete_topic(topic, done); });
    }
    Status configure(const std::string& topic, std::vector<ConfigEntry> configs) {
        return wait<Status>(
            [&](auto done) { broker_->set_configs(topic, std::move(configs), done); });
    }
    Result<std::int64_t> producer_id() {
        return wait<Result<std::int64_t>>([&](auto done) { broker_->new_producer_id(done); });
    }
    Partition& partition(const std::string& topic, std::int32_t index = 0) {
        Partition* found = broker_->find(topic, index);
        WALRUS_ASSERT(found != nullptr);
        return *found;
    }
    AppendResult append(const std::string& topic, const std::string& batch,
                        std::int32_t index = 0) {
        Answer answer;
        partition(topic, index).append(as_bytes(batch), Acks::kAll, answer.callback());
        // One that waits for room is tried again by a timer.
        while (answer.times == 0) loop_.advance_ms(1);
        WALRUS_ASSERT(answer.times == 1);
        return answer.result;
    }
    // The base offset of a batch that must be appended.
    std::uint64_t must_append(const std::string& topic, const std::string& batch,
                              std::int32_t index = 0) {
        const AppendResult result = append(topic, batch, index);
        must(result.status);
        WALRUS_ASSERT(result.outcome == AppendOutcome::kAppended);
        return result.base_offset.value;
    }
    FetchedBatches fetch(const std::string& topic, std::uint64_t from,
                         std::uint64_t max_bytes = 1 << 20, std::int32_t index = 0) {
        return wait<FetchedBatches>(
            [&](auto done) { partition(topic, index).fetch(Offset{from}, max_bytes, done); });
    }
    Result<Offset> offset_at(const std::string& topic, std::int64_t timestamp_ms) {
        return wait<Result<Offset>>(
            [&](auto done) { partition(topic).offset_at(timestamp_ms, done); });
    }

private:
    std::unique_ptr<testing::SimEnv> env_;
    SystemRandom random_;
    testing::ManualLoop loop_;
    LocalBrokerOptions options_;
    std::unique_ptr<LocalBroker> broker_;
};

// The bytes of what was fetched, in one piece.
inline std::string text_of(const FetchedBatches& fetched) {
    std::string text;
    for (const Bytes piece : fetched.pieces) text += as_text(piece);
    WALRUS_ASSERT(text.size() == fetched.size_bytes);
    return text;
}

struct FetchedBatch {
    std::uint64_t base_offset = 0;
    std::string bytes;
};

// What was fetched, batch by batch; each must be intact.
inline std::vector<FetchedBatch> split(const FetchedBatches& fetched) {
    must(fetched.status);
    const std::string text = text_of(fetched);
    std::vector<FetchedBatch> batches;
    for (Bytes left = as_bytes(text); !left.empty();) {
        const auto view = protocol::RecordBatchView::parse(left);
        WALRUS_ASSERT(view.has_value());
        must(view->verify());
        WALRUS_ASSERT(view->leader_epoch() == 0);
        batches.push_back(
            {static_cast<std::uint64_t>(view->base_offset()), std::string(as_text(view->bytes()))});
        left = left.subspan(view->size_bytes());
    }
    return batches;
}

// `batch` as the partition must serve it.
inline std::string placed(std::string batch, std::uint64_t base_offset) {
    protocol::place_batch({reinterpret_cast<std::byte*>(batch.data()), batch.size()},
                          static_cast<std::int64_t>(base_offset), 0);
    return batch;
}

}  // namespace walrus::broker

#include "compare/kafka/kafka_producer.h"

#include <atomic>
#include <thread>
#include <utility>

#include "compare/kafka/rdkafka_handle.h"

namespace walrus::compare {
namespace {

constexpr int kPollMs = 100;
// Longer than message.timeout.ms: every record has an outcome by then.
constexpr int kDrainMs = 60'000;
constexpr int kAbandonMs = 1'000;
// Below queue.buffering.max.messages (kafka_options.cc).
constexpr std::size_t kMostQueued = 1'900'000;

// One append of the harness; its records carry its address.  Whoever takes the last one away ends
// it: the thread that takes delivery reports, or the one that could not hand a record over.
struct Append {
    std::atomic<std::size_t> remaining{0};
    harness::Completion* completion = nullptr;  // Null: somebody waits, and owns this.
    bool single = false;                        // Of one record.
    std::atomic<rd_kafka_resp_err_t> refused{RD_KAFKA_RESP_ERR_NO_ERROR};  // Not handed over.
    // Only the thread that takes delivery reports writes these.
    std::size_t delivered = 0;
    Status failure;            // The first one.
    std::int64_t offset = -1;  // Of the last delivered record, where the server told it.

    Status outcome() const {
        Status status = failure;
        const rd_kafka_resp_err_t code = refused.load();
        if (status && code != RD_KAFKA_RESP_ERR_NO_ERROR) status = refusal(code);
        if (status || delivered == 0) return status;
        // A part of it is stored: that it failed as a whole would be a lie.
        return Error{Errc::kTimeout, "stored in part: " + status.error().message};
    }

    static Error refusal(rd_kafka_resp_err_t code) {
        Error error = rd_error("produce", code);
        error.code = code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? Errc::kTooLarge : Errc::kClosed;
        // After a fatal error a producer of librdkafka refuses everything.
        if (code == RD_KAFKA_RESP_ERR__FATAL) error.code = Errc::kPoisoned;
        return error;
    }
};

class KafkaProducer final : public harness::Producer {
public:
    ~KafkaProducer() override {
        abandoned_ = true;  // Nobody waits for completions any more.
        if (handle_ != nullptr && rd_kafka_outq_len(handle_.get()) > 0) {
            rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
            rd_kafka_flush(handle_.get(), kAbandonMs);
        }
        stopping_ = true;
        if (poller_.joinable()) poller_.join();
        topics_.clear();
    }

    Status open(const harness::Settings& properties, const std::vector<std::string>& topics) {
        auto handle =
            make_rd_handle(RD_KAFKA_PRODUCER, properties, &KafkaProducer::on_delivery, this);
        if (!handle) return std::move(handle).error();
        handle_ = std::move(*handle);
        for (const std::string& topic : topics) {
            topics_.emplace_back(rd_kafka_topic_new(handle_.get(), topic.c_str(), nullptr));
        }
        return {};
    }

    Status append(std::uint32_t topic, std::span<const Bytes> records) override {
        Append append;
        send(topic, records, append);
        while (append.remaining.load(std::memory_order_acquire) > 0) {
            rd_kafka_poll(handle_.get(), kPollMs);
        }
        return append.outcome();
    }

    Status append_async(std::uint32_t topic, std::span<const Bytes> records,
                        harness::Completion& completion) override {
        if (!poller_.joinable()) poller_ = std::thread([this] { poll_until_stopped(); });
        auto append = std::make_unique<Append>();
        append->completion = &completion;
        append->single = records.size() == 1;
        send(topic, records, *append.release());  // take_away() ends it.
        return {};
    }

    Status drain() override {
        const rd_kafka_resp_err_t code = rd_kafka_flush(handle_.get(), kDrainMs);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
        abandoned_ = true;
        return rd_error("wait for outstanding records", code);
    }

private:
    // Hands the records over, in order.  Afterwards `append` may be gone.
    void send(std::uint32_t topic, std::span<const Bytes> records, Append& append) {
        append.remaining.store(records.size(), std::memory_order_relaxed);
        // Checked first: a record that found no room must not be overtaken by its successors.
        while (static_cast<std::size_t>(rd_kafka_outq_len(handle_.get())) + records.size() >
               kMostQueued) {
            make_room();
        }
        rd_kafka_topic_t* to = topics_[topic].get();
        std::size_t refused = 0;
        if (records.size() == 1) {
            const Bytes record = records.front();
            if (rd_kafka_produce(to, 0, RD_KAFKA_MSG_F_COPY, const_cast<std::byte*>(record.data()),
                                 record.size(), nullptr, 0, &append) != 0) {
                append.refused = rd_kafka_last_error();
                refused = 1;
            }
        } else {
            refused = send_batch(to, records, append);
        }
        if (refused > 0) take_away(append, refused);
    }

    // How many were refused.
    std::size_t send_batch(rd_kafka_topic_t* to, std::span<const Bytes> records, Append& append) {
        messages_.assign(records.size(), {});
        for (std::size_t i = 0; i < records.size(); ++i) {
            messages_[i].payload = const_cast<std::byte*>(records[i].data());
            messages_[i].len = records[i].size();
            messages_[i]._private = &append;
        }
        const auto accepted = static_cast<std::size_t>(rd_kafka_produce_batch(
            to, 0, RD_KAFKA_MSG_F_COPY, messages_.data(), static_cast<int>(messages_.size())));
        if (accepted == records.size()) return 0;
        for (const rd_kafka_message_t& message : messages_) {
            if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) append.refused = message.err;
        }
        return records.size() - accepted;
    }

    // `count` records of it have their outcome.
    void take_away(Append& append, std::size_t count) const {
        harness::Completion* completion = append.completion;
        if (append.remaining.fetch_sub(count, std::memory_order_acq_rel) > count) return;
        if (completion == nullptr) return;
        const std::unique_ptr<Append> done(&append);
        if (abandoned_) return;
        const Status outcome = done->outcome();
        if (outcome && done->single && done->offset >= 0) {
            completion->placed_at(static_cast<std::uint64_t>(done->offset));
        }
        completion->done(outcome);
    }

    void make_room() {
        if (poller_.joinable()) {
            std::this_thread::yield();
        } else {
            rd_kafka_poll(handle_.get(), kPollMs);
        }
    }

    void poll_until_stopped() {
        while (!stopping_) rd_kafka_poll(handle_.get(), kPollMs);
    }

    static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
        Append& append = *static_cast<Append*>(message->_private);
        const Status outcome = delivery_status(*message);
        if (outcome) {
            ++append.delivered;
            append.offset = message->offset;
        } else if (append.failure) {
            append.failure = outcome;
        }
        static_cast<KafkaProducer*>(opaque)->take_away(append, 1);
    }

    RdHandle handle_;
    std::vector<RdTopic> topics_;
    std::vector<rd_kafka_message_t> messages_;  // Of one append; kept for its memory.
    std::thread poller_;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> abandoned_{false};
};

}  // namespace

Result<std::unique_ptr<harness::Producer>> make_kafka_producer(
    const harness::Settings& properties, const std::vector<std::string>& topics) {
    auto producer = std::make_unique<KafkaProducer>();
    WALRUS_RETURN_IF_ERROR(producer->open(properties, topics));
    return std::unique_ptr<harness::Producer>(std::move(producer));
}

}  // namespace walrus::compare

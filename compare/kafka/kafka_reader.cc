#include "compare/kafka/kafka_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "compare/kafka/rdkafka_handle.h"
#include "harness/metrics/paced_clock.h"

namespace walrus::compare {
namespace {

constexpr std::size_t kAtOnce = 1'000;
constexpr int kQueryMs = 5'000;
constexpr int kConsumeMs = 100;
constexpr std::uint64_t kPatienceNs = 30'000'000'000;  // Without a record before the end.
// For a topic that is not there: it may be about to be.
constexpr std::uint64_t kUnknownPatienceNs = 10'000'000'000;
constexpr std::uint64_t kPollAgainNs = 10'000'000;

bool is_passing(rd_kafka_resp_err_t code) {
    switch (code) {
        case RD_KAFKA_RESP_ERR__TIMED_OUT:
        case RD_KAFKA_RESP_ERR__TRANSPORT:
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
        case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION: return true;
        default: return false;
    }
}

bool is_unknown_topic(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
           code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
           code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

class KafkaReader final : public harness::Reader {
public:
    ~KafkaReader() override {
        destroy_messages();
        if (consuming_) rd_kafka_consume_stop(topic_.get(), 0);
        queue_.reset();
        topic_.reset();
    }

    Status open(const harness::Settings& properties, const std::string& topic) {
        auto handle = make_rd_handle(RD_KAFKA_CONSUMER, properties);
        if (!handle) return std::move(handle).error();
        handle_ = std::move(*handle);
        name_ = topic;
        topic_.reset(rd_kafka_topic_new(handle_.get(), topic.c_str(), nullptr));
        queue_.reset(rd_kafka_queue_new(handle_.get()));
        WALRUS_RETURN_IF_ERROR(ask_for_watermarks());
        if (rd_kafka_consume_start_queue(topic_.get(), 0, position_, queue_.get()) != 0) {
            return rd_error("consume " + name_, rd_kafka_last_error());
        }
        consuming_ = true;
        return {};
    }

    Result<std::uint64_t> read(const std::function<void(Bytes)>& visit) override {
        return read_some([&](std::uint64_t, Bytes record) { visit(record); });
    }

    Result<std::uint64_t> read_at(const std::function<void(std::uint64_t, Bytes)>& visit) override {
        return read_some(visit);
    }

    bool wait(std::uint64_t timeout_ms) override {
        if (count_ == 0) take(static_cast<int>(timeout_ms));
        return true;
    }

private:
    template <class Visit>
    Result<std::uint64_t> read_some(const Visit& visit) {
        harness::PacedClock& clock = harness::machine_clock();
        std::uint64_t deadline_ns = 0;
        for (;;) {
            if (count_ == 0) take(position_ >= end() ? 0 : kConsumeMs);
            std::uint64_t visited = 0;
            WALRUS_RETURN_IF_ERROR(visit_taken(visit, visited));
            if (visited > 0) return visited;
            if (position_ >= end()) return std::uint64_t{0};
            const std::uint64_t now_ns = clock.monotonic_ns();
            if (deadline_ns == 0) deadline_ns = now_ns + kPatienceNs;
            if (now_ns >= deadline_ns) {
                return Error{Errc::kTimeout, fmt::format("{}: no record at offset {}, and its end "
                                                         "is at {}",
                                                         name_, position_, end())};
            }
        }
    }

    Status ask_for_watermarks() {
        harness::PacedClock& clock = harness::machine_clock();
        const std::uint64_t begin_ns = clock.monotonic_ns();
        for (;;) {
            const rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
                handle_.get(), name_.c_str(), 0, &position_, &asked_end_, kQueryMs);
            if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
            const std::uint64_t patience_ns =
                is_unknown_topic(code) ? kUnknownPatienceNs : kPatienceNs;
            if (!is_passing(code) || clock.monotonic_ns() >= begin_ns + patience_ns) {
                Error error = rd_error("ask for the end of " + name_, code);
                if (is_unknown_topic(code)) error.code = Errc::kNotFound;
                return error;
            }
            clock.wait_until(clock.monotonic_ns() + kPollAgainNs);
        }
    }

    // One past the last record that is known to be there.
    std::int64_t end() const {
        std::int64_t low = 0;
        std::int64_t high = 0;
        rd_kafka_get_watermark_offsets(handle_.get(), name_.c_str(), 0, &low, &high);
        return std::max(asked_end_, high);
    }

    // Up to kAtOnce messages; waits for the first of them.
    void take(int timeout_ms) {
        ssize_t got = rd_kafka_consume_batch_queue(queue_.get(), 0, messages_.data(), kAtOnce);
        if (got == 0 && timeout_ms > 0) {
            // One at first: the call above waits for all of them until its time is over.
            got = rd_kafka_consume_batch_queue(queue_.get(), timeout_ms, messages_.data(), 1);
        }
        count_ = static_cast<std::size_t>(std::max<ssize_t>(0, got));
    }

    template <class Visit>
    Status visit_taken(const Visit& visit, std::uint64_t& visited) {
        Status status;
        for (std::size_t i = 0; i < count_ && status; ++i) {
            const rd_kafka_message_t& message = *messages_[i];
            if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                if (!is_passing(message.err)) status = rd_error("consume " + name_, message.err);
                continue;
            }
            visit(static_cast<std::uint64_t>(message.offset),
                  Bytes(static_cast<const std::byte*>(message.payload), message.len));
            position_ = message.offset + 1;
            ++visited;
        }
        destroy_messages();
        return status;
    }

    void destroy_messages() {
        for (std::size_t i = 0; i < count_; ++i) rd_kafka_message_destroy(messages_[i]);
        count_ = 0;
    }

    RdHandle handle_;
    std::string name_;
    RdTopic topic_;
    RdQueue queue_;
    bool consuming_ = false;
    std::int64_t position_ = 0;   // Of the next record.
    std::int64_t asked_end_ = 0;  // The end when this was made.
    std::array<rd_kafka_message_t*, kAtOnce> messages_{};
    std::size_t count_ = 0;  // Messages taken and not visited.
};

}  // namespace

Result<std::unique_ptr<harness::Reader>> make_kafka_reader(const harness::Settings& properties,
                                                           const std::string& topic) {
    auto reader = std::make_unique<KafkaReader>();
    WALRUS_RETURN_IF_ERROR(reader->open(properties, topic));
    return std::unique_ptr<harness::Reader>(std::move(reader));
}

}  // namespace walrus::compare

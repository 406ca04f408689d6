// What the tests of this folder share: a service over a broker in memory, asked in frames.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "walrus/base/assert.h"
#include "walrus/base/random.h"
#include "walrus/broker/offset_store.h"
#include "walrus/node/kafka/requests.h"
#include "walrus/node/kafka/test_memory_broker.h"
#include "walrus/protocol/record_batch_builder.h"
#include "walrus/testing/manual_loop.h"
#include "walrus/testing/sim_clock.h"
#include "walrus/testing/sim_env.h"

namespace walrus::node::kafka {

// A connection's end of the replies.
class Replies final : public net::ReplySink {
public:
    struct Sent {
        std::string bytes = {};
        net::AfterReply after = net::AfterReply::kGoOn;
    };

    void complete(std::uint64_t request, net::Reply reply, net::AfterReply after) override {
        std::string bytes = reply.head;
        for (const Bytes piece : reply.pieces) bytes += as_text(piece);
        sent.resize(std::max<std::size_t>(sent.size(), request + 1));
        WALRUS_ASSERT(!sent[request]);  // Answered twice.
        sent[request] = Sent{std::move(bytes), after};
        pieces += reply.pieces.size();
    }
    void reserve(std::uint64_t, std::uint64_t bytes) override { reserved += bytes; }

    std::vector<std::optional<Sent>> sent;
    std::size_t pieces = 0;
    std::uint64_t reserved = 0;
};

// A batch of one record for each value.
inline std::string batch_of(const std::vector<std::string>& values, std::int64_t time_ms = 1000) {
    protocol::RecordBatchBuilder builder;
    for (const std::string& value : values)
        builder.add({.timestamp_ms = time_ms++, .value = as_bytes(value)});
    return std::move(builder).finish();
}

struct KafkaFixture {
    explicit KafkaFixture(KafkaOptions options = {}) {
        broker::OffsetStoreOptions store_options;
        store_options.directory = "offsets";
        store_options.file_size_bytes = 64 << 10;
        store_options.backend = wal::Backend::kDirect;
        store_options.threading = wal::Threading::kInline;
        store_options.env = &env;
        store_options.clock = &clock;
        store_options.random = &random;
        auto opened = broker::LogOffsetStore::open(store_options, loop);
        WALRUS_ASSERT(opened.has_value());
        offsets = *std::move(opened);
        service = std::make_unique<KafkaService>(
            KafkaService::Parts{broker, *offsets, loop, random}, std::move(options));
        handler = service->make_handler("10.0.0.7:40312");
    }

    // --- frames ---
    // Sends a frame (without its length); returns its number.
    std::uint64_t send(Bytes frame) {
        const std::uint64_t number = next_++;
        replies->sent.resize(next_);
        // A copy of its own, gone afterwards: a view that is kept is seen by ASan.
        const std::vector<std::byte> copy(frame.begin(), frame.end());
        handler->on_frame(copy, net::ReplySlot(replies, number));
        return number;
    }
    template <class Request>
    std::uint64_t ask(std::int16_t version, const Request& request) {
        const std::string frame =
            protocol::kafka::encode_request({version, correlation(next_), "test-client"}, request);
        return send(as_bytes(frame).subspan(4));
    }
    static std::int32_t correlation(std::uint64_t number) {
        return static_cast<std::int32_t>(number * 7 + 3);
    }
    bool answered(std::uint64_t number) const { return replies->sent[number].has_value(); }
    bool closed(std::uint64_t number) const {
        return answered(number) && replies->sent[number]->after == net::AfterReply::kClose;
    }
    template <class Response>
    Response reply(std::int16_t version, std::uint64_t number) {
        WALRUS_ASSERT(answered(number));
        // Kept as long as the fixture, because records are views.
        const std::string& bytes = kept_.emplace_back(replies->sent[number]->bytes);
        WALRUS_ASSERT(bytes.size() >= 4);
        auto response = protocol::kafka::decode_response<Response>(
            as_bytes(bytes).subspan(4), {version, correlation(number), {}});
        return std::move(response).value();
    }
    template <class Response, class Request>
    Response call(std::int16_t version, const Request& request) {
        const std::uint64_t number = ask(version, request);
        loop.run();
        return reply<Response>(version, number);
    }

    // --- what most tests need ---
    void create(const std::string& name, std::uint32_t partitions = 1) {
        Status status = Error{Errc::kTimeout, "not answered"};
        broker.create_topic({.name = name, .partitions = partitions}, false,
                            [&](Status answered) { status = std::move(answered); });
        WALRUS_ASSERT(status.has_value());
    }
    static wire::ProduceRequest produce_request(const std::string& topic, std::int32_t partition,
                                                const std::string& batch) {
        wire::ProduceRequest request{.acks = -1, .timeout_ms = 5000};
        request.topics = {{topic, {{partition, as_bytes(batch)}}}};
        return request;
    }
    void produce(const std::string& topic, const std::vector<std::string>& values,
                 std::int64_t time_ms = 1000) {
        const std::string batch = batch_of(values, time_ms);
        const auto response = call<wire::ProduceResponse>(7, produce_request(topic, 0, batch));
        WALRUS_ASSERT(response.topics.at(0).partitions.at(0).error == ErrorCode::kNone);
    }
    static wire::FetchRequest fetch_request(const std::string& topic, std::int64_t offset) {
        wire::FetchRequest request{.max_wait_ms = 0, .min_bytes = 1};
        request.topics = {{topic, {{.fetch_offset = offset, .max_bytes = 1 << 20}}}};
        return request;
    }

    testing::ManualLoop loop;
    testing::SimEnv env;
    testing::SimClock clock;
    SeededRandom random{1};
    MemoryBroker broker;
    std::unique_ptr<broker::LogOffsetStore> offsets;
    std::shared_ptr<Replies> replies = std::make_shared<Replies>();
    std::unique_ptr<KafkaService> service;
    std::unique_ptr<net::ConnectionHandler> handler;

private:
    std::uint64_t next_ = 0;
    std::deque<std::string> kept_;
};

}  // namespace walrus::node::kafka

#include "walrus/client/kafka_producer.h"

#include <algorithm>

#include "walrus/base/clock.h"
#include "walrus/client/rdkafka.h"

namespace walrus::client {

struct KafkaProducer::Parts {
    KafkaOptions options;
    std::string topic;
    OnDelivery on_delivery;
    RdHandle handle = {};

    // librdkafka asks who leads the topic when the first record comes, which fails while there is
    // no connection yet, and again a second later.  Asked here it waits for the connection.
    static void warm_up(const Parts& parts) {
        rd_kafka_t* const handle = parts.handle.get();
        const std::unique_ptr<rd_kafka_topic_t, RdFree<rd_kafka_topic_destroy>> topic(
            rd_kafka_topic_new(handle, parts.topic.c_str(), nullptr));
        if (!topic) return;  // send() says why.
        const rd_kafka_metadata_t* metadata = nullptr;
        const auto timeout_ms = static_cast<int>(parts.options.timeout_ms);
        if (rd_kafka_metadata(handle, 0, topic.get(), &metadata, timeout_ms) ==
            RD_KAFKA_RESP_ERR_NO_ERROR)
            rd_kafka_metadata_destroy(metadata);
    }

    static void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
        const auto* parts = static_cast<const Parts*>(message->_private);
        Delivery delivery{.partition = message->partition,
                          .offset = message->offset,
                          .value_bytes = message->len,
                          .status = {}};
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            delivery.status = rd_error(message->err, "a record for topic " + parts->topic);
        parts->on_delivery(delivery);
    }
};

namespace {

constexpr int kQueueFullWaitMs = 20;

Status apply(rd_kafka_conf_t* conf, const ProducerSettings& settings, std::uint32_t timeout_ms) {
    WALRUS_RETURN_IF_ERROR(set_conf(conf, "acks", settings.acks));
    WALRUS_RETURN_IF_ERROR(set_conf(conf, "compression.codec", settings.compression));
    WALRUS_RETURN_IF_ERROR(
        set_conf(conf, "enable.idempotence", settings.idempotent ? "true" : "false"));
    WALRUS_RETURN_IF_ERROR(set_conf(conf, "linger.ms", std::to_string(settings.linger_ms)));
    // Never before what it waits for: librdkafka refuses that.
    const std::uint32_t patience = std::max(timeout_ms, settings.linger_ms + 1);
    return set_conf(conf, "message.timeout.ms", std::to_string(patience));
}

RdHeaders make_headers(const OutgoingRecord& record) {
    if (record.headers.empty()) return {};
    RdHeaders headers(rd_kafka_headers_new(record.headers.size()));
    for (const auto& [name, value] : record.headers)
        rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()),
                            value ? value->data() : nullptr,
                            value ? static_cast<ssize_t>(value->size()) : 0);
    return headers;
}

rd_kafka_vu_t argument(rd_kafka_vtype_t type) {
    rd_kafka_vu_t made{};
    made.vtype = type;
    return made;
}

rd_kafka_vu_t bytes_argument(rd_kafka_vtype_t type, const std::optional<std::string>& bytes) {
    rd_kafka_vu_t made = argument(type);
    // Null is not empty: librdkafka tells them apart by the pointer.
    made.u.mem.ptr = bytes ? const_cast<char*>(bytes->data()) : nullptr;
    made.u.mem.size = bytes ? bytes->size() : 0;
    return made;
}

}  // namespace

KafkaProducer::KafkaProducer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

KafkaProducer::~KafkaProducer() {
    if (parts_->handle)
        rd_kafka_purge(parts_->handle.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
}

Result<std::unique_ptr<KafkaProducer>> KafkaProducer::open(KafkaOptions options, std::string topic,
                                                           const ProducerSettings& settings,
                                                           OnDelivery on_delivery) {
    auto parts = std::unique_ptr<Parts>(new Parts{.options = std::move(options),
                                                  .topic = std::move(topic),
                                                  .on_delivery = std::move(on_delivery)});
    auto conf = make_conf(parts->options);
    if (!conf) return std::move(conf).error();
    WALRUS_RETURN_IF_ERROR(apply(conf->get(), settings, parts->options.timeout_ms));
    rd_kafka_conf_set_dr_msg_cb(conf->get(), &Parts::delivered);
    auto handle = open_handle(RD_KAFKA_PRODUCER, std::move(*conf), parts->options);
    if (!handle) return std::move(handle).error();
    parts->handle = std::move(*handle);
    Parts::warm_up(*parts);
    return std::unique_ptr<KafkaProducer>(new KafkaProducer(std::move(parts)));
}

Status KafkaProducer::send(const OutgoingRecord& record) {
    RdHeaders headers = make_headers(record);
    std::vector<rd_kafka_vu_t> arguments;
    const auto add = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
        return arguments.emplace_back(argument(type));
    };
    add(RD_KAFKA_VTYPE_TOPIC).u.cstr = parts_->topic.c_str();
    add(RD_KAFKA_VTYPE_PARTITION).u.i32 = record.partition;
    add(RD_KAFKA_VTYPE_MSGFLAGS).u.i = RD_KAFKA_MSG_F_COPY;
    add(RD_KAFKA_VTYPE_OPAQUE).u.ptr = parts_.get();
    arguments.push_back(bytes_argument(RD_KAFKA_VTYPE_KEY, record.key));
    arguments.push_back(bytes_argument(RD_KAFKA_VTYPE_VALUE, record.value));
    if (record.timestamp_ms) add(RD_KAFKA_VTYPE_TIMESTAMP).u.i64 = *record.timestamp_ms;
    if (headers) add(RD_KAFKA_VTYPE_HEADERS).u.headers = headers.get();

    const std::uint64_t give_up =
        system_clock().monotonic_ns() + parts_->options.timeout_ms * std::uint64_t{1'000'000};
    while (true) {
        const RdError error(
            rd_kafka_produceva(parts_->handle.get(), arguments.data(), arguments.size()));
        if (!error) {
            static_cast<void>(headers.release());  // Taken.
            rd_kafka_poll(parts_->handle.get(), 0);
            return {};
        }
        const auto code = rd_kafka_error_code(error.get());
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return rd_error(code, "a record for topic " + parts_->topic,
                            rd_kafka_error_string(error.get()));
        if (system_clock().monotonic_ns() >= give_up)
            return Error{Errc::kTimeout, "topic " + parts_->topic + ": the server takes nothing"};
        rd_kafka_poll(parts_->handle.get(), kQueueFullWaitMs);
    }
}

void KafkaProducer::poll(int wait_ms) {
    rd_kafka_poll(parts_->handle.get(), wait_ms);
}

Status KafkaProducer::flush() {
    // Longer than any record may take, so that each of them has its verdict.
    const int wait_ms = static_cast<int>(parts_->options.timeout_ms) + 1000;
    const auto code = rd_kafka_flush(parts_->handle.get(), wait_ms);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    return rd_error(code, "topic " + parts_->topic + ": not every record was delivered");
}

}  // namespace walrus::client

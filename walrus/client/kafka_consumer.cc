#include "walrus/client/kafka_consumer.h"

#include <span>

#include "walrus/client/rdkafka.h"

namespace walrus::client {

struct KafkaConsumer::Parts {
    KafkaOptions options;
    bool in_group = false;
    bool closed = false;
    RdHandle handle = {};
    RdMessage message = {};  // What the last record's views point into.
};

namespace {

std::optional<std::string_view> view(const void* bytes, std::size_t size) {
    if (bytes == nullptr) return std::nullopt;
    return std::string_view(static_cast<const char*>(bytes), size);
}

void read_headers(const rd_kafka_message_t& message, IncomingRecord& record) {
    rd_kafka_headers_t* headers = nullptr;  // The message keeps them.
    if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i)
        record.headers.emplace_back(name, view(value, size));
}

IncomingRecord read_record(const rd_kafka_message_t& message) {
    IncomingRecord record;
    record.topic = rd_kafka_topic_name(message.rkt);
    record.partition = message.partition;
    record.offset = message.offset;
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const std::int64_t timestamp = rd_kafka_message_timestamp(&message, &type);
    if (type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) record.timestamp_ms = timestamp;
    record.key = view(message.key, message.key_len);
    record.value = view(message.payload, message.len);
    read_headers(message, record);
    return record;
}

Status apply(rd_kafka_conf_t* conf, const GroupSettings& group) {
    const auto set = [&](const char* name, const std::string& value) {
        return set_conf(conf, name, value);
    };
    WALRUS_RETURN_IF_ERROR(set("enable.partition.eof", "true"));
    if (group.group.empty()) {
        // librdkafka assigns nothing without a group's name; nobody joins this one.
        WALRUS_RETURN_IF_ERROR(set("group.id", "walrus-alone"));
        WALRUS_RETURN_IF_ERROR(set("enable.auto.commit", "false"));
        return set("auto.offset.reset", "error");
    }
    WALRUS_RETURN_IF_ERROR(set("group.id", group.group));
    // Only what done_with() was told is committed.
    WALRUS_RETURN_IF_ERROR(set("enable.auto.offset.store", "false"));
    WALRUS_RETURN_IF_ERROR(set("enable.auto.commit", "true"));
    WALRUS_RETURN_IF_ERROR(set("auto.commit.interval.ms", "1000"));
    return set("auto.offset.reset", group.from_beginning ? "earliest" : "latest");
}

}  // namespace

KafkaConsumer::KafkaConsumer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

KafkaConsumer::~KafkaConsumer() {
    parts_->message.reset();
}

Result<std::unique_ptr<KafkaConsumer::Parts>> KafkaConsumer::make_parts(
    KafkaOptions options, const GroupSettings& group) {
    auto parts = std::unique_ptr<Parts>(
        new Parts{.options = std::move(options), .in_group = !group.group.empty()});
    auto conf = make_conf(parts->options);
    if (!conf) return std::move(conf).error();
    WALRUS_RETURN_IF_ERROR(apply(conf->get(), group));
    auto handle = open_handle(RD_KAFKA_CONSUMER, std::move(*conf), parts->options);
    if (!handle) return std::move(handle).error();
    parts->handle = std::move(*handle);
    rd_kafka_poll_set_consumer(parts->handle.get());
    return parts;
}

Result<std::unique_ptr<KafkaConsumer>> KafkaConsumer::open(
    KafkaOptions options, const std::string& topic,
    const std::vector<std::pair<std::int32_t, std::int64_t>>& starts) {
    auto parts = make_parts(std::move(options), {});
    if (!parts) return std::move(parts).error();
    const RdPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(starts.size())));
    for (const auto& [partition, offset] : starts)
        rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
    const auto code = rd_kafka_assign((*parts)->handle.get(), list.get());
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return rd_error(code, "cannot read topic " + topic);
    return std::unique_ptr<KafkaConsumer>(new KafkaConsumer(std::move(*parts)));
}

Result<std::unique_ptr<KafkaConsumer>> KafkaConsumer::join(KafkaOptions options,
                                                           const std::string& topic,
                                                           const GroupSettings& group) {
    if (group.group.empty()) return Error{Errc::kInvalidArgument, "the group's name is empty"};
    auto parts = make_parts(std::move(options), group);
    if (!parts) return std::move(parts).error();
    const RdPartitions list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    const auto code = rd_kafka_subscribe((*parts)->handle.get(), list.get());
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return rd_error(code, "cannot join group " + group.group);
    return std::unique_ptr<KafkaConsumer>(new KafkaConsumer(std::move(*parts)));
}

Result<ConsumerEvent> KafkaConsumer::poll(int wait_ms) {
    parts_->message.reset(rd_kafka_consumer_poll(parts_->handle.get(), wait_ms));
    const rd_kafka_message_t* message = parts_->message.get();
    ConsumerEvent event;
    if (message == nullptr) return event;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        event.kind = ConsumerEvent::Kind::kRecord;
        event.record = read_record(*message);
        return event;
    }
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        event.kind = ConsumerEvent::Kind::kEndOfPartition;
        event.partition = message->partition;
        return event;
    }
    return rd_error(message->err, "cannot read", rd_kafka_message_errstr(message));
}

Status KafkaConsumer::done_with(const IncomingRecord& record) {
    if (!parts_->in_group) return {};
    const RdPartitions list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), std::string(record.topic).c_str(),
                                      record.partition)
        ->offset = record.offset + 1;
    const auto code = rd_kafka_offsets_store(parts_->handle.get(), list.get());
    // Taken away by a rebalance: the next reader gets the record once more.
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__STATE) return {};
    return rd_error(code, "cannot note an offset");
}

std::size_t KafkaConsumer::assigned() const {
    rd_kafka_topic_partition_list_t* list = nullptr;
    if (rd_kafka_assignment(parts_->handle.get(), &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return 0;
    const RdPartitions owner(list);
    return static_cast<std::size_t>(list->cnt);
}

Status KafkaConsumer::close() {
    parts_->message.reset();
    if (parts_->in_group && !parts_->closed) {
        const auto code = rd_kafka_commit(parts_->handle.get(), nullptr, 0);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__NO_OFFSET)
            return rd_error(code, "cannot commit the group's offsets");
    }
    parts_->closed = true;
    const auto code = rd_kafka_consumer_close(parts_->handle.get());
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    return rd_error(code, "cannot leave the group");
}

}  // namespace walrus::client

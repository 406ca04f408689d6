#include "walrus/client/rdkafka.h"

#include <array>

#include "walrus/client/address.h"
#include "walrus/client/tcp_stream.h"

namespace walrus::client {
namespace {

using Message = std::array<char, 512>;

// Called by librdkafka's threads.
void on_log(const rd_kafka_t* handle, int, const char* facility, const char* text) {
    const auto* options = static_cast<const KafkaOptions*>(rd_kafka_opaque(handle));
    if (options->log) options->log(std::string(facility) + ": " + text);
}

Errc client_errc(rd_kafka_resp_err_t code) {
    switch (static_cast<int>(code)) {
        case RD_KAFKA_RESP_ERR__TIMED_OUT:
        case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
        case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
        case RD_KAFKA_RESP_ERR__WAIT_COORD: return Errc::kTimeout;
        case RD_KAFKA_RESP_ERR__TRANSPORT:
        case RD_KAFKA_RESP_ERR__RESOLVE:
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        case RD_KAFKA_RESP_ERR__DESTROY: return Errc::kClosed;
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        case RD_KAFKA_RESP_ERR__UNKNOWN_GROUP: return Errc::kNotFound;
        case RD_KAFKA_RESP_ERR__QUEUE_FULL: return Errc::kResourceExhausted;
        case RD_KAFKA_RESP_ERR__INVALID_ARG:
        case RD_KAFKA_RESP_ERR__CONFLICT: return Errc::kInvalidArgument;
        case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
        case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED: return Errc::kUnsupported;
        case RD_KAFKA_RESP_ERR__BAD_MSG:
        case RD_KAFKA_RESP_ERR__BAD_COMPRESSION: return Errc::kCorruption;
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET: return Errc::kOutOfRange;
        default: return Errc::kIo;
    }
}

Errc server_errc(rd_kafka_resp_err_t code) {
    switch (static_cast<int>(code)) {
        case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE: return Errc::kOutOfRange;
        case RD_KAFKA_RESP_ERR_INVALID_MSG: return Errc::kCorruption;
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        case RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND: return Errc::kNotFound;
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE: return Errc::kTooLarge;
        case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
        case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
        case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
        case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
        case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
        case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
        case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND: return Errc::kTimeout;
        case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
        case RD_KAFKA_RESP_ERR_NOT_COORDINATOR: return Errc::kNotLeader;
        case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS: return Errc::kAlreadyExists;
        case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
        case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
        case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
        case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
        case RD_KAFKA_RESP_ERR_INVALID_REQUEST:
        case RD_KAFKA_RESP_ERR_INVALID_GROUP_ID: return Errc::kInvalidArgument;
        case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION: return Errc::kUnsupported;
        case RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP: return Errc::kBusy;
        case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH: return Errc::kFenced;
        default: return Errc::kIo;
    }
}

Status reach_one(const KafkaOptions& options) {
    const auto addresses = parse_addresses(options.bootstrap, kDefaultKafkaPort);
    if (!addresses) return addresses.error();
    Status reached;
    for (const Address& address : *addresses) {
        auto stream = TcpStream::connect(address, options.timeout_ms);
        if (stream) return {};
        reached = std::move(stream).error();
    }
    return reached;
}

}  // namespace

std::string librdkafka_version() {
    return rd_kafka_version_str();
}

Error rd_error(rd_kafka_resp_err_t code, std::string_view what) {
    return rd_error(code, what, nullptr);
}

Error rd_error(rd_kafka_resp_err_t code, std::string_view what, const char* words) {
    const bool local = code < RD_KAFKA_RESP_ERR_UNKNOWN;
    return {local ? client_errc(code) : server_errc(code),
            std::string(what) + ": " +
                (words == nullptr || *words == '\0' ? rd_kafka_err2str(code) : words)};
}

Status set_conf(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
    Message message{};
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), message.data(), message.size()) ==
        RD_KAFKA_CONF_OK)
        return {};
    return Error{Errc::kInvalidArgument,
                 "property " + name + "=" + value + ": " + std::string(message.data())};
}

Result<RdConf> make_conf(const KafkaOptions& options) {
    RdConf conf(rd_kafka_conf_new());
    rd_kafka_conf_set_log_cb(conf.get(), on_log);
    WALRUS_RETURN_IF_ERROR(set_conf(conf.get(), "bootstrap.servers", options.bootstrap));
    WALRUS_RETURN_IF_ERROR(set_conf(conf.get(), "client.id", options.client_id));
    // A connection that broke is tried again soon: people wait in front of it.
    WALRUS_RETURN_IF_ERROR(set_conf(conf.get(), "reconnect.backoff.max.ms", "1000"));
    return conf;
}

Result<RdHandle> open_handle(rd_kafka_type_t type, RdConf conf, const KafkaOptions& options) {
    for (const auto& [name, value] : options.properties)
        WALRUS_RETURN_IF_ERROR(set_conf(conf.get(), name, value));
    WALRUS_RETURN_IF_ERROR(reach_one(options));
    // librdkafka promises not to change it: the log callback only reads it.
    rd_kafka_conf_set_opaque(conf.get(), const_cast<KafkaOptions*>(&options));
    Message message{};
    rd_kafka_t* handle = rd_kafka_new(type, conf.get(), message.data(), message.size());
    if (handle == nullptr) return Error{Errc::kInvalidArgument, message.data()};
    static_cast<void>(conf.release());  // Taken by rd_kafka_new().
    return RdHandle(handle);
}

}  // namespace walrus::client

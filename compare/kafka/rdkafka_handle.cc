#include "compare/kafka/rdkafka_handle.h"

#include <fmt/format.h>

#include <array>

namespace walrus::compare {
namespace {

bool is_timeout(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT ||
           code == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE ||
           code == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT;
}

struct ConfCloser {
    void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};

}  // namespace

Error rd_error(std::string_view what, rd_kafka_resp_err_t code) {
    return Error{is_timeout(code) ? Errc::kTimeout : Errc::kIo,
                 fmt::format("{}: {} ({})", what, rd_kafka_err2str(code), rd_kafka_err2name(code))};
}

Status delivery_status(const rd_kafka_message_t& message) {
    if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    Error error = rd_error("produce", message.err);
    error.code = Errc::kTimeout;
    if (rd_kafka_message_status(&message) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED) {
        error.code =
            message.err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? Errc::kTooLarge : Errc::kClosed;
    }
    return error;
}

Result<RdHandle> make_rd_handle(rd_kafka_type_t type, const harness::Settings& properties,
                                DeliveryCallback on_delivery, void* opaque) {
    std::array<char, 512> why{};
    std::unique_ptr<rd_kafka_conf_t, ConfCloser> conf(rd_kafka_conf_new());
    for (const auto& [name, value] : properties) {
        if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why.data(), why.size()) !=
            RD_KAFKA_CONF_OK) {
            return Error{Errc::kInvalidArgument, fmt::format("librdkafka: {}", why.data())};
        }
    }
    if (on_delivery != nullptr) rd_kafka_conf_set_dr_msg_cb(conf.get(), on_delivery);
    rd_kafka_conf_set_opaque(conf.get(), opaque);
    rd_kafka_t* handle = rd_kafka_new(type, conf.get(), why.data(), why.size());
    if (handle == nullptr) {
        return Error{Errc::kInvalidArgument, fmt::format("librdkafka: {}", why.data())};
    }
    static_cast<void>(conf.release());  // The handle owns it now.
    return RdHandle(handle);
}

harness::Settings live_properties(rd_kafka_t& handle, const harness::Settings& asked) {
    harness::Settings live;
    for (const auto& [name, value] : asked) {
        std::array<char, 256> text{};
        std::size_t size = text.size();
        if (rd_kafka_conf_get(rd_kafka_conf(&handle), name.c_str(), text.data(), &size) ==
            RD_KAFKA_CONF_OK) {
            live[name] = text.data();
        }
    }
    return live;
}

}  // namespace walrus::compare

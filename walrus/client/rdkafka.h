// librdkafka's objects with owners, and its errors as ours.  Private to the room.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <string_view>

#include "walrus/base/result.h"
#include "walrus/client/kafka_options.h"

namespace walrus::client {

template <auto destroy>
struct RdFree {
    template <class T>
    void operator()(T* object) const {
        destroy(object);
    }
};

using RdHandle = std::unique_ptr<rd_kafka_t, RdFree<rd_kafka_destroy>>;
using RdConf = std::unique_ptr<rd_kafka_conf_t, RdFree<rd_kafka_conf_destroy>>;
using RdQueue = std::unique_ptr<rd_kafka_queue_t, RdFree<rd_kafka_queue_destroy>>;
using RdEvent = std::unique_ptr<rd_kafka_event_t, RdFree<rd_kafka_event_destroy>>;
using RdMessage = std::unique_ptr<rd_kafka_message_t, RdFree<rd_kafka_message_destroy>>;
using RdHeaders = std::unique_ptr<rd_kafka_headers_t, RdFree<rd_kafka_headers_destroy>>;
using RdError = std::unique_ptr<rd_kafka_error_t, RdFree<rd_kafka_error_destroy>>;
using RdPartitions =
    std::unique_ptr<rd_kafka_topic_partition_list_t, RdFree<rd_kafka_topic_partition_list_destroy>>;

// "<what>: <librdkafka's words>", with what the caller can do about it.
Error rd_error(rd_kafka_resp_err_t code, std::string_view what);
// The same with the server's own words, where it sent any.
Error rd_error(rd_kafka_resp_err_t code, std::string_view what, const char* words);

// A configuration with the options of `options` in it.
Result<RdConf> make_conf(const KafkaOptions& options);
Status set_conf(rd_kafka_conf_t* conf, const std::string& name, const std::string& value);

// Takes the configuration.  `options` must outlive the handle (its log is called).
//
// kClosed, kTimeout: none of the bootstrap addresses takes a connection.  librdkafka would go on
// trying in silence; so the addresses are tried first.
Result<RdHandle> open_handle(rd_kafka_type_t type, RdConf conf, const KafkaOptions& options);

}  // namespace walrus::client

// Owners of librdkafka's objects, and its errors as ours.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <string_view>

#include "harness/driver/driver.h"

namespace walrus::compare {

template <auto close>
struct CloseWith {
    template <class Object>
    void operator()(Object* object) const {
        close(object);
    }
};

using RdHandle = std::unique_ptr<rd_kafka_t, CloseWith<rd_kafka_destroy>>;
using RdTopic = std::unique_ptr<rd_kafka_topic_t, CloseWith<rd_kafka_topic_destroy>>;
using RdQueue = std::unique_ptr<rd_kafka_queue_t, CloseWith<rd_kafka_queue_destroy>>;

// "what: librdkafka's text (its name)".  Errors of waiting are kTimeout.
Error rd_error(std::string_view what, rd_kafka_resp_err_t code);
// What a delivery report says: stored; certainly not stored (kTooLarge, kClosed); or may be
// (kTimeout).
Status delivery_status(const rd_kafka_message_t& message);

// Called for each delivery report, on the thread that polls.
using DeliveryCallback = void (*)(rd_kafka_t*, const rd_kafka_message_t*, void* opaque);

// kInvalidArgument: librdkafka refuses a property.
Result<RdHandle> make_rd_handle(rd_kafka_type_t type, const harness::Settings& properties,
                                DeliveryCallback on_delivery = nullptr, void* opaque = nullptr);

// The live values of the properties named in `asked`.
harness::Settings live_properties(rd_kafka_t& handle, const harness::Settings& asked);

}  // namespace walrus::compare

#include "walrus/client/cli/round_trip.h"

#include <unistd.h>

#include "walrus/base/clock.h"
#include "walrus/client/kafka_consumer.h"
#include "walrus/client/kafka_producer.h"

namespace walrus::client {
namespace {

double ms_since(std::uint64_t begin_ns) {
    return static_cast<double>(system_clock().monotonic_ns() - begin_ns) / 1e6;
}

Status store(const KafkaOptions& options, const std::string& topic, const std::string& value) {
    Status delivered = Error{Errc::kTimeout, "the record was not acknowledged"};
    const auto producer =
        KafkaProducer::open(options, topic, {.linger_ms = 0},
                            [&](const Delivery& delivery) { delivered = delivery.status; });
    if (!producer) return producer.error();
    WALRUS_RETURN_IF_ERROR((*producer)->send({.value = value}));
    WALRUS_RETURN_IF_ERROR((*producer)->flush());
    return delivered;
}

Status read_back(const KafkaOptions& options, const std::string& topic, const std::string& value) {
    const auto consumer = KafkaConsumer::open(options, topic, {{0, 0}});
    if (!consumer) return consumer.error();
    const std::uint64_t begin = system_clock().monotonic_ns();
    while (ms_since(begin) < options.timeout_ms) {
        const auto event = (*consumer)->poll(static_cast<int>(options.timeout_ms));
        if (!event) return event.error();
        if (event->kind != ConsumerEvent::Kind::kRecord) continue;
        const bool same = event->record.offset == 0 && event->record.value == value;
        return same ? Status{}
                    : Status{Error{Errc::kCorruption,
                                   "topic " + topic + ": what came back is not what was sent"}};
    }
    return Error{Errc::kTimeout, "topic " + topic + ": the record did not come back"};
}

Status there_and_back(const KafkaOptions& options, RoundTrip& trip) {
    const std::string value = "are you well, " + trip.topic + "?";
    const std::uint64_t begin = system_clock().monotonic_ns();
    WALRUS_RETURN_IF_ERROR(store(options, trip.topic, value));
    trip.produce_ms = ms_since(begin);
    const std::uint64_t stored = system_clock().monotonic_ns();
    WALRUS_RETURN_IF_ERROR(read_back(options, trip.topic, value));
    trip.consume_ms = ms_since(stored);
    return {};
}

}  // namespace

Result<RoundTrip> round_trip(KafkaAdmin& admin, const KafkaOptions& options) {
    RoundTrip trip;
    trip.topic = "walrus-doctor-" + std::to_string(system_clock().wall_ms()) + "-" +
                 std::to_string(::getpid());
    WALRUS_RETURN_IF_ERROR(admin.create_topic({.name = trip.topic, .partitions = 1}));
    const Status went = there_and_back(options, trip);
    const Status deleted = admin.delete_topic(trip.topic);
    if (!went) return went.error();
    if (!deleted) return deleted.error();
    return trip;
}

}  // namespace walrus::client

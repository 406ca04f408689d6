// KafkaProducer: records to one topic, and what became of each.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "walrus/base/result.h"
#include "walrus/client/kafka_options.h"

namespace walrus::client {

using RecordHeader = std::pair<std::string, std::optional<std::string>>;

// Of a producer; copied by send().
struct OutgoingRecord {
    std::optional<std::string> key = {};
    std::optional<std::string> value = {};  // Nothing: a tombstone.
    std::vector<RecordHeader> headers = {};
    std::int32_t partition = -1;                    // -1: by the key, or by turns.
    std::optional<std::int64_t> timestamp_ms = {};  // Nothing: now.
};

struct Delivery {
    std::int32_t partition = -1;
    std::int64_t offset = -1;  // -1: not known (acks=0).
    std::size_t value_bytes = 0;
    Status status;
};

struct ProducerSettings {
    std::string acks = "all";          // "0", "1" or "all".
    std::string compression = "none";  // "none", "gzip", "snappy", "lz4" or "zstd".
    bool idempotent = false;
    std::uint32_t linger_ms = 5;
};

// One thread at a time; deliveries are told inside of send(), poll() and flush().
class KafkaProducer {
public:
    using OnDelivery = std::function<void(const Delivery&)>;

    static Result<std::unique_ptr<KafkaProducer>> open(KafkaOptions options, std::string topic,
                                                       const ProducerSettings& settings,
                                                       OnDelivery on_delivery);
    // Records that were not delivered yet are given up; call flush() before.
    ~KafkaProducer();
    KafkaProducer(const KafkaProducer&) = delete;
    KafkaProducer& operator=(const KafkaProducer&) = delete;

    // Takes the record; waits while too many are on their way.
    // kTimeout: they did not move.  kTooLarge, kInvalidArgument: this record cannot be sent.
    Status send(const OutgoingRecord& record);
    // Tells what was delivered; waits at most this long for the first.
    void poll(int wait_ms);
    // Until every record was delivered or given up (each after the timeout at the latest).
    Status flush();

private:
    struct Parts;
    explicit KafkaProducer(std::unique_ptr<Parts> parts);

    std::unique_ptr<Parts> parts_;
};

}  // namespace walrus::client

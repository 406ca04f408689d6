// KafkaConsumer: records of one topic, alone or as a member of a group.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "walrus/base/result.h"
#include "walrus/client/kafka_options.h"

namespace walrus::client {

// The views are valid until the next poll().
struct IncomingRecord {
    std::string_view topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    std::optional<std::int64_t> timestamp_ms;
    std::optional<std::string_view> key;
    std::optional<std::string_view> value;
    std::vector<std::pair<std::string_view, std::optional<std::string_view>>> headers;
};

struct ConsumerEvent {
    enum class Kind { kNothing, kRecord, kEndOfPartition };
    Kind kind = Kind::kNothing;
    std::int32_t partition = 0;  // Of kEndOfPartition.
    IncomingRecord record;       // Of kRecord.
};

struct GroupSettings {
    std::string group;
    bool from_beginning = true;  // Where nothing is committed yet; else at the end.
};

// One thread at a time.
class KafkaConsumer {
public:
    // Reads partitions from offsets on (partition, offset).
    static Result<std::unique_ptr<KafkaConsumer>> open(
        KafkaOptions options, const std::string& topic,
        const std::vector<std::pair<std::int32_t, std::int64_t>>& starts);
    // Joins the group; what it reads is decided there.
    static Result<std::unique_ptr<KafkaConsumer>> join(KafkaOptions options,
                                                       const std::string& topic,
                                                       const GroupSettings& group);
    ~KafkaConsumer();
    KafkaConsumer(const KafkaConsumer&) = delete;
    KafkaConsumer& operator=(const KafkaConsumer&) = delete;

    // The next thing that happens, or kNothing after `wait_ms`.  Errors that librdkafka mends by
    // itself come as kClosed or kTimeout: polling goes on is fine.
    Result<ConsumerEvent> poll(int wait_ms);

    // Of a group: the record was dealt with; it is committed now and then, and by close().
    Status done_with(const IncomingRecord& record);
    // How many partitions are being read; 0 while a group is still deciding.
    std::size_t assigned() const;
    // Commits, and leaves the group.
    Status close();

private:
    struct Parts;
    explicit KafkaConsumer(std::unique_ptr<Parts> parts);
    static Result<std::unique_ptr<Parts>> make_parts(KafkaOptions options,
                                                     const GroupSettings& group);

    std::unique_ptr<Parts> parts_;
};

}  // namespace walrus::client

// KafkaAdmin: topics and configurations of a server that speaks Kafka's protocol.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "compare/kafka/rdkafka_handle.h"
#include "harness/driver/driver.h"

namespace walrus::compare {

// Used by one thread at a time.  Errors name the operation; kTimeout: no answer in time.
class KafkaAdmin {
public:
    static Result<std::unique_ptr<KafkaAdmin>> make(const std::string& address);

    // The server answers requests for metadata.
    Status ping(std::uint64_t timeout_ms);
    // Names of all topics.
    Result<std::vector<std::string>> topics();
    // With one partition and one replica each; returns when every one of them has a leader.  A
    // topic that exists already is an error.
    Status create_topics(const std::vector<std::string>& names, const harness::Settings& config);
    // Topics that do not exist are fine.
    Status delete_topics(const std::vector<std::string>& names);
    // The effective configuration as the server tells it.
    Result<harness::Settings> topic_config(const std::string& topic);
    // Of the broker that answers; what is not Kafka's default and what concerns durability.
    Result<harness::Settings> broker_config();

private:
    struct EventCloser {
        void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
    };
    using Event = std::unique_ptr<rd_kafka_event_t, EventCloser>;

    explicit KafkaAdmin(RdHandle handle);
    Result<Event> wait_for_result(const char* what);
    Status wait_for_leaders(const std::vector<std::string>& names);
    Result<harness::Settings> describe(rd_kafka_ResourceType_t type, const std::string& name,
                                       bool only_notable);

    RdHandle handle_;
    RdQueue queue_;
};

}  // namespace walrus::compare

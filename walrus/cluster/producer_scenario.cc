#include "walrus/cluster/producer_scenario.h"

#include <algorithm>

#include "walrus/cluster/test_nodes.h"

namespace walrus::cluster {

std::string retry_after_leader_change() {
    TestNodes nodes(4);
    const TopicId topic = nodes.create_topic(2);
    const Batch first{.records = 1, .producer = {7, 0, 0}, .data = Payload("first")};
    const Batch second{.records = 1, .producer = {7, 0, 1}, .data = Payload("second")};
    nodes.append(topic, first);
    // The acknowledgement of the second batch is lost with its leader; the followers have it.
    nodes.lose = [](const Message& message) {
        return message.to == 2 && std::holds_alternative<AppendReply>(message.body);
    };
    nodes.append(topic, second);
    nodes.stop(2);
    nodes.lose = nullptr;
    nodes.run(60);
    if (nodes.last(topic).number < 2) return "no new segment was opened";

    const auto retried = nodes.done(nodes.append(topic, second));
    if (!retried) return "the retry was not answered";
    if (retried->outcome != AppendOutcome::kDuplicate) return "the retry was not recognised";
    if (retried->offset != Offset{1}) return "the retry was answered with another offset";
    const auto records = nodes.read_all(topic);
    const auto copies = std::ranges::count(records, "second");
    return copies == 1 ? "" : "the batch is there " + std::to_string(copies) + " times";
}

}  // namespace walrus::cluster

// Catalogue: the topics there are, the producer ids that were given out, the cluster's name.  All
// of it in one topic of the broker's own log, as changes; now and then everything is written anew
// and what came before is given up.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "walrus/base/random.h"
#include "walrus/base/result.h"
#include "walrus/wal/wal.h"

namespace walrus::broker {

struct StoredConfig {
    std::string name;
    std::string value;

    bool operator==(const StoredConfig&) const = default;
};

struct StoredTopic {
    std::uint64_t id = 0;  // Never used again, so a topic never meets the data of a former one.
    std::string name;
    std::uint32_t partitions = 0;
    std::vector<StoredConfig> configs;

    bool operator==(const StoredTopic&) const = default;
};

// What the records of the topic are.
struct ClusterNamed {
    std::string id;
};
struct TopicRemoved {
    std::uint64_t id = 0;
};
struct IdsUsed {
    std::uint64_t next_topic_id = 1;
    std::uint64_t next_producer_id = 1;
};
using CatalogueChange = std::variant<ClusterNamed, StoredTopic, TopicRemoved, IdsUsed>;

// Used by one thread at a time.  Changes block until they are durable; one that fails has changed
// nothing, unless the log is poisoned, when only a new opening can tell.
class Catalogue {
public:
    // Recovers what `log` has, which outlives it.  A new cluster is named `cluster_id`, or at
    // random.  kCorruption: what is stored makes no sense.
    static Result<Catalogue> open(wal::Wal& log, std::string cluster_id, Random& random);

    const std::string& cluster_id() const { return cluster_id_; }
    const std::map<std::uint64_t, StoredTopic>& topics() const { return topics_; }
    // An id for a topic that is to be put.
    std::uint64_t next_topic_id() const { return next_topic_id_; }
    std::uint64_t next_producer_id() const { return next_producer_id_; }

    // Adds or replaces.
    Status put(const StoredTopic& topic);
    Status remove(std::uint64_t id);
    // Ids below `next` will not be given out again.
    Status reserve_producer_ids(std::uint64_t next);

private:
    explicit Catalogue(wal::Wal& log) : log_(&log) {}

    Status replay();
    Status append(const CatalogueChange& change);
    void apply(const CatalogueChange& change);
    std::vector<CatalogueChange> everything() const;
    Status rewrite();

    wal::Wal* log_;
    std::string cluster_id_;
    std::map<std::uint64_t, StoredTopic> topics_;
    std::uint64_t next_topic_id_ = 1;
    std::uint64_t next_producer_id_ = 1;  // 0 means none in producer tables.
    std::uint64_t changes_ = 0;           // Stored since everything was written.
};

}  // namespace walrus::broker

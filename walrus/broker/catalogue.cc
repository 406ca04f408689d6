#include "walrus/broker/catalogue.h"

#include <algorithm>
#include <utility>

#include "walrus/cluster/wire.h"

namespace walrus::broker {

// Found by the codec through the types' namespace.
template <class Io>
void fields(Io& io, cluster::wire::Like<Io, StoredConfig>& v) {
    io(v.name, v.value);
}
template <class Io>
void fields(Io& io, cluster::wire::Like<Io, StoredTopic>& v) {
    io(v.id, v.name, v.partitions, v.configs);
}
template <class Io>
void fields(Io& io, cluster::wire::Like<Io, ClusterNamed>& v) {
    io(v.id);
}
template <class Io>
void fields(Io& io, cluster::wire::Like<Io, TopicRemoved>& v) {
    io(v.id);
}
template <class Io>
void fields(Io& io, cluster::wire::Like<Io, IdsUsed>& v) {
    io(v.next_topic_id, v.next_producer_id);
}

namespace {

constexpr std::string_view kTopic = "walrus.catalogue";
constexpr std::uint8_t kVersion = 1;
constexpr std::uint64_t kReadBytes = 256 << 10;
// A batch of the log takes at most 256 KiB.
constexpr std::size_t kChunkRecords = 500;
constexpr std::size_t kChunkBytes = 128 << 10;
constexpr std::uint64_t kFewChanges = 1000;

std::string random_cluster_id(Random& random) {
    // As Kafka's: 22 characters of base64url.
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string id;
    for (int i = 0; i < 22; ++i) id.push_back(kDigits[random.below(kDigits.size())]);
    return id;
}

}  // namespace

Result<Catalogue> Catalogue::open(wal::Wal& log, std::string cluster_id, Random& random) {
    Catalogue catalogue(log);
    WALRUS_RETURN_IF_ERROR(log.create_topic(kTopic));
    WALRUS_RETURN_IF_ERROR(catalogue.replay());
    if (catalogue.cluster_id_.empty()) {
        if (cluster_id.empty()) cluster_id = random_cluster_id(random);
        WALRUS_RETURN_IF_ERROR(catalogue.append(ClusterNamed{std::move(cluster_id)}));
    }
    return catalogue;
}

Status Catalogue::replay() {
    const Result<wal::TopicInfo> info = log_->topic(kTopic);
    if (!info) return info.error();
    for (Offset at = info->log_start_offset; at < info->log_end_offset;) {
        const Result<wal::RecordBatch> batch = log_->read_at(kTopic, at, kReadBytes);
        if (!batch) return batch.error();
        for (const wal::Record& record : *batch) {
            const auto change =
                cluster::wire::decode<CatalogueChange>(kVersion, record.data, "catalogue record");
            if (!change) return change.error();
            apply(*change);
            ++changes_;
        }
        at = batch->end_offset();
    }
    return {};
}

void Catalogue::apply(const CatalogueChange& change) {
    if (const auto* named = std::get_if<ClusterNamed>(&change)) cluster_id_ = named->id;
    if (const auto* removed = std::get_if<TopicRemoved>(&change)) topics_.erase(removed->id);
    if (const auto* topic = std::get_if<StoredTopic>(&change)) {
        topics_[topic->id] = *topic;
        next_topic_id_ = std::max(next_topic_id_, topic->id + 1);
    }
    if (const auto* ids = std::get_if<IdsUsed>(&change)) {
        next_topic_id_ = std::max(next_topic_id_, ids->next_topic_id);
        next_producer_id_ = std::max(next_producer_id_, ids->next_producer_id);
    }
}

Status Catalogue::append(const CatalogueChange& change) {
    const std::string record = cluster::wire::encode(kVersion, change);
    const Result<Offset> offset = log_->append(kTopic, as_bytes(record));
    if (!offset) return offset.error();
    apply(change);
    if (++changes_ > kFewChanges + 4 * topics_.size()) return rewrite();
    return {};
}

std::vector<CatalogueChange> Catalogue::everything() const {
    std::vector<CatalogueChange> changes;
    changes.emplace_back(ClusterNamed{cluster_id_});
    changes.emplace_back(IdsUsed{next_topic_id_, next_producer_id_});
    for (const auto& [id, topic] : topics_) changes.emplace_back(topic);
    return changes;
}

// What is there, once more, changes nothing when it is replayed; so a crash at any point leaves the
// same catalogue.
Status Catalogue::rewrite() {
    const Result<wal::TopicInfo> info = log_->topic(kTopic);
    if (!info) return info.error();
    const std::vector<CatalogueChange> changes = everything();
    std::vector<std::string> texts;
    std::size_t size = 0;
    const auto flush = [&]() -> Status {
        std::vector<Bytes> batch;
        for (const std::string& text : texts) batch.push_back(as_bytes(text));
        const Result<Offset> offset = log_->append_batch(kTopic, batch);
        if (!offset) return offset.error();
        texts.clear();
        size = 0;
        return {};
    };
    for (const CatalogueChange& change : changes) {
        texts.push_back(cluster::wire::encode(kVersion, change));
        size += texts.back().size();
        if (texts.size() < kChunkRecords && size < kChunkBytes) continue;
        WALRUS_RETURN_IF_ERROR(flush());
    }
    WALRUS_RETURN_IF_ERROR(flush());
    changes_ = changes.size();
    return log_->truncate_head(kTopic, info->log_end_offset);
}

Status Catalogue::put(const StoredTopic& topic) {
    return append(topic);
}

Status Catalogue::remove(std::uint64_t id) {
    return append(TopicRemoved{id});
}

Status Catalogue::reserve_producer_ids(std::uint64_t next) {
    return append(IdsUsed{next_topic_id_, next});
}

}  // namespace walrus::broker

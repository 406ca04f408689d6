#include "walrus/cluster_broker/cluster_broker.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "walrus/cluster_broker/cluster_broker_impl.h"
#include "walrus/cluster_broker/topic_names.h"

namespace walrus::cluster_broker {

using broker::BrokerId;

namespace {

std::string hex(std::uint64_t value) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text(16, '0');
    for (std::size_t i = text.size(); i-- > 0; value >>= 4) text[i] = kDigits[value & 15];
    return text;
}

// "host:port" or "[::1]:port"; a port that cannot be read is 0.
broker::BrokerAddress address_of(cluster::NodeId id, std::string_view text) {
    broker::BrokerAddress address{.id = static_cast<BrokerId>(id)};
    const std::size_t colon = text.rfind(':');
    std::string_view host = text.substr(0, colon);
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    address.kafka_host = host;
    if (colon == std::string_view::npos) return address;
    const std::string_view port = text.substr(colon + 1);
    std::from_chars(port.data(), port.data() + port.size(), address.kafka_port);
    return address;
}

std::vector<BrokerId> broker_ids(const std::vector<cluster::NodeId>& nodes) {
    std::vector<BrokerId> ids;
    for (const cluster::NodeId node : nodes) ids.push_back(static_cast<BrokerId>(node));
    return ids;
}

}  // namespace

Result<std::unique_ptr<ClusterBroker>> ClusterBroker::open(ClusterBrokerOptions options,
                                                           net::Loop& loop) {
    auto configs = ClusterConfigs::make(options.max_batch_bytes, options.topic_defaults);
    if (!configs) return configs.error();
    return std::unique_ptr<ClusterBroker>(
        std::make_unique<ClusterBrokerImpl>(std::move(options), loop, *std::move(configs)));
}

ClusterBrokerImpl::ClusterBrokerImpl(ClusterBrokerOptions options, net::Loop& loop,
                                     ClusterConfigs configs)
    : core_{.options = std::move(options), .loop = loop, .configs = std::move(configs)},
      proposer_(core_),
      offsets_(core_),
      records_(core_, offsets_, [this](cluster::TopicId id) {
          const auto found = partitions_.find(id);
          return found == partitions_.end() ? nullptr : found->second.get();
      }) {}

ClusterBrokerImpl::~ClusterBrokerImpl() = default;

void ClusterBrokerImpl::start(member::ClusterMember& member) {
    core_.member = &member;
    spread_ = core_.self();  // Not all nodes begin with the same.
    member.set_call_handler(
        [this](cluster::NodeId, std::string_view request, std::function<void(std::string)> answer) {
            records_.on_call(request, std::move(answer));
        });
    state_replaced();
    controller_changed();
}

void ClusterBrokerImpl::close() {
    if (core_.member == nullptr) return;
    core_.member->set_call_handler(
        [](cluster::NodeId, std::string_view, const std::function<void(std::string)>&) {});
    core_.member = nullptr;
    proposer_.close();
    records_.close();
    offsets_.close();
    for (const auto& [id, partition] : partitions_) partition->close();
    for (const auto& partition : retired_) partition->close();
}

// --- what the member tells ---

void ClusterBrokerImpl::topic_changed(cluster::TopicId id) {
    if (core_.member == nullptr) return;
    const cluster::Topic* topic = core_.topic(id);
    const auto found = partitions_.find(id);
    if (topic != nullptr && found == partitions_.end()) add_partition(*topic);
    if (topic != nullptr && found != partitions_.end()) found->second->changed();
    if (topic == nullptr && found != partitions_.end()) remove_partition(id);
    records_.topic_changed(id);
}

void ClusterBrokerImpl::add_partition(const cluster::Topic& topic) {
    const auto place = parse_cluster_topic(topic.name);
    if (!place) return;  // Made by something else than a broker.
    const auto index = static_cast<std::size_t>(place->partition);
    Partitions& partitions = topics_[std::string(place->topic)];
    if (partitions.size() <= index) partitions.resize(index + 1);
    auto partition = std::make_unique<ClusterPartition>(
        core_, PartitionPlace{topic.id, std::string(place->topic), place->partition});
    partitions[index] = partition.get();
    partitions_.emplace(topic.id, std::move(partition));
}

void ClusterBrokerImpl::remove_partition(cluster::TopicId id) {
    auto removed = partitions_.extract(id);
    ClusterPartition* const partition = removed.mapped().get();
    retired_.push_back(std::move(removed.mapped()));
    const auto topic = topics_.find(partition->place().name);
    if (topic != topics_.end()) {
        Partitions& partitions = topic->second;
        std::ranges::replace(partitions, partition, static_cast<ClusterPartition*>(nullptr));
        while (!partitions.empty() && partitions.back() == nullptr) partitions.pop_back();
        if (partitions.empty()) topics_.erase(topic);
    }
    partition->changed();
}

void ClusterBrokerImpl::state_replaced() {
    if (core_.member == nullptr) return;
    std::vector<cluster::TopicId> ids;
    for (const auto& [id, partition] : partitions_) ids.push_back(id);
    for (const auto& [id, topic] : core_.state().data().topics)
        if (!partitions_.contains(id)) ids.push_back(id);
    for (const cluster::TopicId id : ids) topic_changed(id);
}

void ClusterBrokerImpl::readable(const cluster::SegmentKey& key) {
    const auto found = partitions_.find(key.topic);
    if (core_.member != nullptr && found != partitions_.end()) found->second->grown();
}

void ClusterBrokerImpl::controller_changed() {
    if (core_.member == nullptr) return;
    offsets_.controller_changed();
    if (core_.options.coordinator_changed) core_.options.coordinator_changed();
}

void ClusterBrokerImpl::failed(const Error& error) {
    if (core_.options.failed) core_.options.failed(error);
}

// --- looking ---

std::size_t ClusterBrokerImpl::count(const Partitions& partitions) {
    return static_cast<std::size_t>(
        std::ranges::find(partitions, static_cast<ClusterPartition*>(nullptr)) -
        partitions.begin());
}

broker::ClusterDescription ClusterBrokerImpl::cluster() const {
    broker::ClusterDescription cluster;
    if (core_.member == nullptr) return cluster;
    cluster.cluster_id = hex(core_.member->identity().cluster);
    cluster.self = static_cast<BrokerId>(core_.self());
    const cluster::NodeId controller = core_.member->controller();
    cluster.controller = controller == cluster::kNobody ? -1 : static_cast<BrokerId>(controller);
    const member::ClusterMember::MetadataFacts facts = core_.member->metadata_facts();
    broker::MetadataLogInfo log{.term = facts.term,
                                .commit_index = facts.commit_index,
                                .applied_index = facts.applied_index,
                                .voters = broker_ids(facts.voters),
                                .learners = broker_ids(facts.learners)};
    for (const auto& [id, node] : core_.state().data().nodes) {
        if (node.state == cluster::NodeState::kRemoved) continue;
        log.addresses.emplace_back(static_cast<BrokerId>(id), node.peer_address);
        if (node.serves()) cluster.brokers.push_back(address_of(id, node.kafka_address));
    }
    cluster.metadata = std::move(log);
    return cluster;
}

std::vector<std::string> ClusterBrokerImpl::topic_names() const {
    std::vector<std::string> names;
    for (const auto& [name, partitions] : topics_)
        if (count(partitions) > 0) names.push_back(name);
    return names;
}

Result<broker::TopicDescription> ClusterBrokerImpl::describe(std::string_view name) const {
    const auto found = topics_.find(name);
    if (found == topics_.end() || count(found->second) == 0) return no_topic(name);
    const Partitions& partitions = found->second;
    const cluster::Topic* first = core_.topic(partitions.front()->place().topic);
    if (first == nullptr) return no_topic(name);
    broker::TopicDescription description;
    description.spec.name = found->first;
    description.spec.partitions = static_cast<std::uint32_t>(count(partitions));
    description.spec.replication_factor = first->config.replication_factor;
    description.spec.configs = core_.configs.describe(first->config);
    for (std::size_t i = 0; i < count(partitions); ++i)
        description.partitions.push_back(partitions[i]->describe());
    return description;
}

broker::Partition* ClusterBrokerImpl::find(std::string_view name, std::int32_t partition) const {
    const auto found = topics_.find(name);
    if (found == topics_.end() || partition < 0) return nullptr;
    const auto index = static_cast<std::size_t>(partition);
    return index < count(found->second) ? found->second[index] : nullptr;
}

}  // namespace walrus::cluster_broker

#include "walrus/member/test_members.h"

#include <utility>

#include "walrus/base/assert.h"
#include "walrus/cluster/placement.h"

namespace walrus::member {

TestMembers::TestMembers(std::uint64_t seed)
    : network_(std::make_unique<testing::MemoryNetwork>(loop_)), seed_(seed) {
    defaults_.directory = "member";
    defaults_.ring_size_bytes = 1 << 20;
    defaults_.log_file_bytes = 1 << 20;
    defaults_.backend = wal::Backend::kDirect;
    defaults_.threading = wal::Threading::kInline;
    defaults_.clock = &clock_;
}

TestMembers::~TestMembers() {
    for (auto& [id, node] : nodes_) node.member.reset();
    loop_.run();
}

TestNode& TestMembers::node(cluster::NodeId id) {
    TestNode& node = nodes_[id];
    if (!node.options.directory.empty()) return node;
    node.random = std::make_unique<SeededRandom>(seed_ * 1000 + id);
    node.options = defaults_;
    node.options.id = id;
    node.options.peer_address = address_of(id);
    node.options.text_address = address_of(id) + "-text";
    node.options.kafka_address = address_of(id) + "-kafka";
    node.options.random = node.random.get();
    node.options.env = node.disk.get();
    return node;
}

Status TestMembers::bootstrap(cluster::NodeId id) {
    return ClusterMember::bootstrap(node(id).options);
}

Status TestMembers::join(cluster::NodeId id, const std::string& address) {
    TestNode& it = node(id);
    it.transport = network_->attach(id, it.options.peer_address);
    std::optional<Status> joined;
    ClusterMember::join(it.options, address, loop_, *it.transport,
                        [&](Status status) { joined = std::move(status); });
    WALRUS_ASSERT(run_until([&] { return joined.has_value(); }));
    it.transport.reset();
    return *joined;
}

Status TestMembers::start(cluster::NodeId id) {
    TestNode& it = node(id);
    it.transport = network_->attach(id, it.options.peer_address);
    it.watcher = std::make_unique<RecordingWatcher>();
    auto opened = ClusterMember::open(it.options, loop_, *it.transport, *it.watcher);
    if (!opened) {
        it.transport.reset();
        return std::move(opened).error();
    }
    it.member = *std::move(opened);
    return {};
}

void TestMembers::kill(cluster::NodeId id) {
    TestNode& it = node(id);
    it.member.reset();
    it.transport.reset();
}

void TestMembers::cut_power(cluster::NodeId id) {
    TestNode& it = node(id);
    auto survivor = it.disk->after_crash(
        {testing::CrashKind::kPower, testing::Unsynced::kTorn512, it.random->next()});
    kill(id);
    it.disk = std::move(survivor);
    it.options.env = it.disk.get();
}

Status TestMembers::stop(cluster::NodeId id) {
    TestNode& it = node(id);
    Status closed = it.member->close();
    kill(id);
    return closed;
}

bool TestMembers::run_until(const std::function<bool()>& done, std::uint64_t ms) {
    constexpr std::uint64_t kStepMs = 10;
    loop_.run();
    for (std::uint64_t passed = 0; !done(); passed += kStepMs) {
        if (passed >= ms) return false;
        clock_.advance_ms(kStepMs);
        loop_.advance_ms(kStepMs);
    }
    return true;
}

Status TestMembers::make_cluster(const std::vector<cluster::NodeId>& ids) {
    for (const cluster::NodeId id : ids) {
        const Status made = id == ids.front() ? bootstrap(id) : join(id, address_of(ids.front()));
        if (!made) return made;
        WALRUS_RETURN_IF_ERROR(start(id));
    }
    if (wait_for_live(ids.size())) return {};
    return Error{Errc::kTimeout, "not everybody became a live voter"};
}

bool TestMembers::wait_for_live(std::size_t count) {
    const auto ready = [&](const ClusterMember& member) {
        std::size_t live = 0;
        for (const auto& [id, node] : member.state().data().nodes) {
            live += node.state == cluster::NodeState::kLive;
        }
        const cluster::Node* self = member.state().node(member.identity().node);
        return live == count && member.metadata_facts().voters.size() == count && self != nullptr &&
               self->boot == member.self().boot;
    };
    return run_until([&] {
        for (const auto& [id, node] : nodes_) {
            if (node.member && !ready(*node.member)) return false;
        }
        return true;
    });
}

// --- questions ---

Result<cluster::CommandResult> TestMembers::propose(cluster::NodeId at, cluster::CommandBody body) {
    std::optional<Result<cluster::CommandResult>> answer;
    (*this)[at].propose(std::move(body),
                        [&](Result<cluster::CommandResult> result) { answer = std::move(result); });
    WALRUS_ASSERT(run_until([&] { return answer.has_value(); }));
    return *answer;
}

cluster::TopicId TestMembers::create_topic(cluster::NodeId at, const std::string& name,
                                           const cluster::TopicConfig& config) {
    const auto next = cluster::place_segment((*this)[at].state().data(),
                                             {.config = config, .wall_ms = loop_.wall_ms()});
    WALRUS_ASSERT(next);
    const auto result =
        propose(at, cluster::CreateTopic{.name = name, .config = config, .next = *next});
    WALRUS_ASSERT(result && result->applied());
    return result->topic;
}

ClusterMember* TestMembers::leader_of(cluster::TopicId id) {
    for (auto& [other, node] : nodes_) {
        if (!node.member) continue;
        const cluster::Topic* topic = node.member->state().topic(id);
        if (topic == nullptr || topic->last().state != cluster::SegmentState::kOpen) continue;
        if (topic->last().leader == node.member->self()) return node.member.get();
    }
    return nullptr;
}

std::optional<Offset> TestMembers::append(cluster::TopicId topic, const std::string& data,
                                          std::uint64_t ms) {
    std::optional<Offset> offset;
    bool open = false;
    const bool done = run_until(
        [&] {
            if (offset) return true;
            ClusterMember* leader = open ? nullptr : leader_of(topic);
            if (leader == nullptr) return false;
            open = true;
            leader->append(topic, {.records = 1, .data = cluster::Payload(data)},
                           [&](const cluster::AppendDone& answer) {
                               open = false;
                               if (answer.outcome == cluster::AppendOutcome::kCommitted) {
                                   offset = answer.offset;
                               }
                           });
            return false;
        },
        ms);
    WALRUS_ASSERT(done || !open);  // Its answer would come too late.
    return offset;
}

Result<std::vector<ReadBatch>> TestMembers::read(cluster::NodeId at, cluster::TopicId topic,
                                                 Offset from, std::uint64_t max_bytes) {
    std::optional<Result<std::vector<ReadBatch>>> answer;
    (*this)[at].read(topic, from, max_bytes,
                     [&](Result<std::vector<ReadBatch>> batches) { answer = std::move(batches); });
    WALRUS_ASSERT(run_until([&] { return answer.has_value(); }));
    return *std::move(answer);
}

std::vector<std::string> TestMembers::read_all(cluster::NodeId at, cluster::TopicId topic) {
    std::vector<std::string> data;
    Offset from;
    while (from < (*this)[at].readable_end(topic)) {
        const auto batches = read(at, topic, from);
        WALRUS_ASSERT(batches && !batches->empty());
        for (const ReadBatch& batch : *batches) {
            WALRUS_ASSERT(batch.offset == from);
            data.emplace_back(batch.data.text());
            from = batch.offset + batch.records;
        }
    }
    return data;
}

std::vector<std::string> TestMembers::read_anywhere(cluster::TopicId topic) {
    std::vector<std::string> data;
    Offset from;
    for (bool found = true; found;) {
        found = false;
        for (auto& [id, node] : nodes_) {
            if (!node.member || from >= node.member->readable_end(topic)) continue;
            const auto batches = read(id, topic, from);
            if (!batches) continue;
            for (const ReadBatch& batch : *batches) {
                data.emplace_back(batch.data.text());
                from = batch.offset + batch.records;
            }
            found = true;
        }
    }
    return data;
}

bool TestMembers::states_agree() {
    return run_until([&] {
        std::set<std::string> states;
        for (const auto& [id, node] : nodes_) {
            if (node.member) states.insert(node.member->state().snapshot());
        }
        return states.size() <= 1;
    });
}

cluster::TopicConfig single_config() {
    cluster::TopicConfig config;
    config.replication_factor = config.ack_quorum = config.min_ack = 1;
    return config;
}

cluster::TopicConfig triple_config() {
    return {};
}

}  // namespace walrus::member

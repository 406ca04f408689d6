// ClusterMember: a node of a cluster in a real process.
//
//   net::Transport <-> RaftHost    -> raft::Raft            -> raft_storage  (metadata)
//                  <-> SegmentHost -> cluster::SegmentNode  -> replica_store (records)
//                  <-> calls between nodes (forwarding)
//
// It drives the pure machines: persists, then sends, then applies; ticks; carries what was durable
// back to the loop.  What topics mean to clients is told elsewhere (broker/cluster_broker.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "walrus/base/result.h"
#include "walrus/cluster/cluster_state.h"
#include "walrus/cluster/output.h"
#include "walrus/net/loop.h"
#include "walrus/net/transport.h"
#include "walrus/wal/options.h"

namespace walrus::member {

struct MemberOptions {
    std::string directory;  // Of this node's part of the cluster alone.
    cluster::NodeId id = cluster::kNobody;
    // How others and clients reach it; registered with the cluster at every start.
    std::string peer_address;  // "host:port", of the transport.
    std::string text_address;
    std::string kafka_address;

    std::uint64_t tick_ms = 50;  // Of Raft and of the segments.
    std::uint32_t election_ticks = 10;
    std::uint32_t suspect_ticks = 10;   // A node that is silent for so long is taken for dead.
    std::uint32_t monitor_ticks = 200;  // Limits, repair, retention.
    std::uint64_t propose_timeout_ms = 5'000;
    std::uint64_t ring_size_bytes = 32 << 20;  // Of the records' log.
    std::uint64_t log_file_bytes = 64 << 20;
    wal::Backend backend = wal::Backend::kAuto;
    // With kInline everything that was submitted is made durable, on the loop, a post later: for
    // deterministic tests.
    wal::Threading threading = wal::Threading::kBackground;
    std::uint64_t snapshot_entries = 10'000;  // Of the metadata log, between two snapshots of it.
    std::uint64_t join_timeout_ms = 10'000;

    // Blocking reads run here and come back by themselves; null: in place.
    std::function<void(std::function<void()>)> run_elsewhere;
    // The seams; null means the real one.  They outlive the member.
    env::Env* env = nullptr;
    Clock* clock = nullptr;
    Random* random = nullptr;
};

// What a member knows that the directory did not say.
struct MemberIdentity {
    std::uint64_t cluster = 0;  // Drawn when the cluster was made.
    cluster::NodeId node = cluster::kNobody;
};

// A batch as a consumer gets it.
struct ReadBatch {
    Offset offset = {};
    std::uint32_t records = 0;
    cluster::SegmentNumber segment = 0;
    cluster::Payload data = {};
};

// What goes on in this node, for who builds upon it.  Called on the loop, between the machines'
// steps: they may be called back at once.
class MemberWatcher {
public:
    virtual ~MemberWatcher() = default;
    // The topic is new, gone, or changed (segments, leader, configuration).
    virtual void topic_changed(cluster::TopicId topic) = 0;
    // Everything may have changed: a snapshot came.
    virtual void state_replaced() = 0;
    // More of this segment can be read from this node's copy.
    virtual void readable(const cluster::SegmentKey& key) = 0;
    // This node leads the metadata log, or no longer.
    virtual void controller_changed() = 0;
    // The node cannot go on (a failed write); the process must end.
    virtual void failed(const Error& error) = 0;
};

using ProposeCallback = std::function<void(Result<cluster::CommandResult>)>;
using AppendCallback = std::function<void(const cluster::AppendDone&)>;
using ConfirmCallback = std::function<void(const cluster::ReadDone&)>;
using ReadCallback = std::function<void(Result<std::vector<ReadBatch>>)>;
using CallCallback = std::function<void(Result<std::string>)>;

// All on the loop.  Callbacks run once, on the loop, perhaps before the call returns; those of a
// member that is destroyed never do.
class ClusterMember {
public:
    // What is in the directory.  Nothing: no member was made there yet.
    static Result<std::optional<MemberIdentity>> identify(const MemberOptions& options);
    // Makes the first member of a new cluster.  kAlreadyExists: one is there.
    static Status bootstrap(const MemberOptions& options);
    // Asks the node at `address` (and whom it names) to take this one in, and makes the member.
    // kAlreadyExists: a member is there, or the id is taken; kTimeout, kIo: nobody took it in;
    // kUnsupported: it speaks another version.
    static void join(const MemberOptions& options, const std::string& address, net::Loop& loop,
                     net::Transport& transport, std::function<void(Status)> done);
    // Recovers and begins to take part.  Blocks for the recovery.  `loop`, `transport` and
    // `watcher` outlive the member.
    static Result<std::unique_ptr<ClusterMember>> open(const MemberOptions& options,
                                                       net::Loop& loop, net::Transport& transport,
                                                       MemberWatcher& watcher);
    ~ClusterMember();
    // Before close(), so that clients notice little: others take over what this node leads; it is
    // live again at its next start.  kTimeout: not all of it, and close() is safe all the same.
    void step_aside(std::uint64_t timeout_ms, std::function<void(Status)> done);
    // Makes everything durable and stops taking part.  Who leads the metadata says goodbye.
    Status close();

    // --- metadata ---
    MemberIdentity identity() const;
    cluster::LeaderId self() const;              // Node and boot id.
    const cluster::ClusterState& state() const;  // As far as applied here.
    cluster::NodeId controller() const;          // kNobody: none is known.
    // Commits a command and applies it here.  From any node.  kTimeout: the outcome is unknown;
    // commands are idempotent or compare, so the caller looks at state() and asks again.
    void propose(cluster::CommandBody body, ProposeCallback done);
    // state() then holds everything that was committed before this call.  kTimeout.
    void read_barrier(std::function<void(Status)> done);

    // --- records ---
    // The batch's data is kept, not copied.  Not the topic's leader: kNotLeader in the outcome.
    void append(cluster::TopicId topic, cluster::Batch batch, AppendCallback done);
    // The high watermark, confirmed by the ack quorum; leader only.
    void confirm_read(cluster::TopicId topic, ConfirmCallback done);
    // One past the last record that this node's own copies can serve.
    Offset readable_end(cluster::TopicId topic) const;
    // Whole batches of this node's own copies, from the one that holds `from`: at least one, at
    // most about `max_bytes`.  kOutOfRange: not here (below the start, beyond what is readable, or
    // no copy of that segment).  kCorruption, kIo.
    void read(cluster::TopicId topic, Offset from, std::uint64_t max_bytes, ReadCallback done);

    // --- between nodes ---
    // A request to another node's handler, or this one's.  kTimeout: the outcome is unknown.
    void call(cluster::NodeId to, std::string request, std::uint64_t timeout_ms, CallCallback done);
    using CallHandler = std::function<void(cluster::NodeId from, std::string_view request,
                                           std::function<void(std::string)> answer)>;
    void set_call_handler(CallHandler handler);

    // --- operators ---
    // Leader of the metadata only; others are told kNotLeader.  The node must hold no copies.
    void remove_member(cluster::NodeId node, std::function<void(Status)> done);
    // Voters and learners of the metadata log, for status pages.
    struct MetadataFacts {
        std::uint64_t term = 0;
        std::uint64_t commit_index = 0;
        std::uint64_t applied_index = 0;
        std::vector<cluster::NodeId> voters = {};
        std::vector<cluster::NodeId> learners = {};
    };
    MetadataFacts metadata_facts() const;

private:
    class Impl;
    explicit ClusterMember(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace walrus::member

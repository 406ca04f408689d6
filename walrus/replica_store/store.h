// ReplicaStore: the disk under a node's copies of segments, on the engine's log (class disk).
//
//   write(DiskWrite) -> records -> wal::Wal, one engine topic per copy -> take_done() ->
//   persisted() plan() + read()  <- the batches behind a boundary, for peers and consumers open()
//   -> restored(): every copy with its promises, after a restart
//
// Each copy is a stream of records (record.h) that a crash cuts to a prefix.  The stream is never
// rewritten: a cut is a record too, and readers pass over what it made void.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "walrus/base/mutex.h"
#include "walrus/base/result.h"
#include "walrus/cluster/output.h"
#include "walrus/cluster/replica.h"
#include "walrus/replica_store/record.h"
#include "walrus/wal/wal.h"

namespace walrus::replica_store {

struct Options {
    std::string directory;      // Of this store alone.
    std::uint64_t cluster = 0;  // Drawn when the cluster was made; never 0.
    cluster::NodeId node = cluster::kNobody;
    std::uint64_t file_size_bytes = 256 << 20;
    std::uint64_t ring_size_bytes = 64 << 20;  // A batch takes at most a quarter of it.
    wal::Backend backend = wal::Backend::kAuto;
    wal::Threading threading = wal::Threading::kBackground;
    // Called when take_done() has something or the store failed: by the engine's thread, or inside
    // the calls.  Must not block or call the store.
    std::function<void()> on_progress;

    // The seams; null means the real one.  They must outlive the store.
    env::Env* env = nullptr;
    Clock* clock = nullptr;
    Random* random = nullptr;
};

// A write that is durable, for SegmentNode::persisted().
struct Done {
    cluster::SegmentKey key = {};
    std::uint64_t ticket = 0;

    bool operator==(const Done&) const = default;
};

// Batches behind a boundary.
struct Found {
    std::uint64_t first = 0;             // Records before the first of them.
    cluster::ChainHash prev_chain = {};  // There.
    std::vector<cluster::Batch> batches = {};
};

// From this length of the copy on, what stands in its stream before offset `at` is void.
struct Cut {
    Offset at = {};
    std::uint64_t length = 0;
};

// Where to look for them.
struct ReadPlan {
    std::string topic;  // Of the engine.
    Offset from = {};
    std::uint64_t first = 0;
    std::uint64_t max_bytes = 0;
    std::vector<Cut> cuts = {};
    bool containing = false;  // `first` may be inside a batch, and then that one comes first.
};

// One thread, but for read().  Nothing waits for the disk but open(), flush(), close(), maintain()
// and read().
//
// Failure: after the first failed write status() is an error, nothing more becomes durable and the
// process must end; the next open() decides what survived.  A full disk is no such failure: writes
// wait for space, in order, and go on with retry().
class ReplicaStore {
public:
    // Recovers, or makes a new store under a new disk id where there is none.
    // kInvalidArgument: an option cannot be, or it belongs to another cluster or node.  kBusy: it
    // is open elsewhere.  kCorruption: what was promised is damaged; replace the node.
    static Result<std::unique_ptr<ReplicaStore>> open(Options options);

    // Stops; what take_done() has not reported may be lost, as in a crash.
    ~ReplicaStore();
    // Makes everything durable and stops.
    Status close();

    cluster::DiskId disk() const { return identity_.disk; }
    // What open() found, for SegmentNode; once.
    std::map<cluster::SegmentKey, cluster::RestoredReplica> take_restored();

    void write(const cluster::DiskWrite& write);
    // Writes that became durable since the last call, in the order of write().
    std::vector<Done> take_done();
    // Tries again what found no space.
    void retry() { submit_waiting(); }
    bool out_of_space() const { return !waiting_.empty(); }
    // Waits until everything submitted is durable.  With Threading::kInline nothing becomes durable
    // otherwise.
    Status flush();
    // Gives the space of removed copies back.
    Status maintain();
    Status status() const;

    // Batches of the copy from `first`, a boundary below its durable length: at least one, at most
    // `max_bytes` of data unless one alone is more.  kNotFound: there is no such copy.
    Result<ReadPlan> plan(const cluster::SegmentKey& key, std::uint64_t first,
                          std::uint64_t max_bytes) const;
    // Any thread.  kOutOfRange: `first` is no boundary of the copy, or beyond what is durable.
    Result<Found> read(const ReadPlan& plan) const;
    // Both at once, for SegmentNode::read_done().
    cluster::DiskReadDone read(const cluster::DiskRead& request) const;

private:
    struct Place {
        std::uint64_t length;  // The batch that begins here ...
        std::uint64_t bytes;
        Offset at;  // ... is this record of the stream.
    };
    struct Copy {
        std::vector<Place> places;  // Sparse, ascending.
        std::vector<Cut> cuts;
        bool removed = false;
    };
    struct Frame {
        Done done;                               // Ticket 0: more of the same write follows.
        std::vector<std::string> records = {};   // At least one.
        std::vector<cluster::Mark> before = {};  // Of each record, if they are batches.
        decltype(cluster::DiskWrite::operation) operation = {};  // Without batches.
    };
    struct Acks {
        mutable Mutex mutex;
        std::uint64_t frames = 0;
        Status status = {};
    };
    struct Garbage {
        std::uint64_t frame;
        cluster::SegmentKey key;
    };

    explicit ReplicaStore(Options options) : options_(std::move(options)) {}

    Status open_log();
    Status read_identity();
    Status write_identity(env::Env& env, const std::string& path) const;
    Status restore();
    Status restore_copy(const cluster::SegmentKey& key, const wal::TopicInfo& topic);
    Status replay(const cluster::SegmentKey& key, Offset at, Record record);
    void split(const cluster::DiskWrite& write, const cluster::StoreBatches& store);
    void submit_waiting();
    Status submit(const Frame& frame);
    // The copy's index after a frame went out (or was found) at `at`.
    static void note_batch(Copy& copy, const cluster::Mark& before, Offset at);
    static void note_cut(Copy& copy, std::uint64_t length, Offset at);
    static void on_ack(void* store, Offset first_offset, const Status& status);

    const Options options_;
    Identity identity_;
    Acks acks_;
    std::map<cluster::SegmentKey, Copy> copies_;
    std::map<cluster::SegmentKey, cluster::RestoredReplica> restored_;
    std::deque<Frame> waiting_;  // For space.
    std::deque<Done> sent_;      // Frames whose acknowledgement was not taken.
    std::uint64_t frames_sent_ = 0;
    std::uint64_t frames_taken_ = 0;
    std::deque<Garbage> garbage_;
    Status health_;
    std::unique_ptr<wal::Wal> wal_;  // Goes first: its threads use the rest.
};

}  // namespace walrus::replica_store

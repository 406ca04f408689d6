// Storage: what a server's protocols stand on: the log of this machine, or a member of a cluster.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "walrus/base/random.h"
#include "walrus/base/result.h"
#include "walrus/broker/broker.h"
#include "walrus/broker/record_service.h"
#include "walrus/env/env.h"
#include "walrus/net/asio_loop.h"
#include "walrus/node/admin_source.h"
#include "walrus/node/config.h"

namespace walrus::node {

// On the loop.
class Storage {
public:
    virtual ~Storage() = default;

    virtual broker::Broker& broker() = 0;
    virtual broker::OffsetStore& offsets() = 0;
    // Null: records go through the broker.
    virtual broker::RecordService* records() = 0;
    // Tells the admin server whom to ask.
    virtual void show(AdminSource& source) = 0;
    // Why clients should not come yet; "": they may.
    virtual std::string not_ready() const = 0;
    // Hands over what this node leads, for so long at most.  `done` runs later.
    virtual void step_aside(std::uint64_t timeout_ms, std::function<void()> done) = 0;
    // Answers what waits; for an end without close().
    virtual void abandon() = 0;
    // Answers what waits, makes everything durable and stops.
    virtual Status close() = 0;
};

// What a storage is made of; all of it outlives the storage.
struct StorageParts {
    const Config& config;
    net::AsioLoop& loop;
    env::Env& disk;
    Random& random;
    // Where clients find this node, "host:port"; "": nowhere.
    std::string text_address = {};
    std::string kafka_address = {};
    std::uint16_t kafka_port = 0;
    // This node begins or ends to coordinate groups.
    std::function<void()> coordinator_changed = {};
    // The process must end.
    std::function<void(const Error&)> failed = {};
};

// Both block until what is on the disk is recovered; nothing is half done after an error.
// kBusy, kIo, kNoSpace, kCorruption, kUnsupported.
Result<std::unique_ptr<Storage>> open_local_storage(StorageParts parts);
// Makes or joins the cluster first, if the configuration says so and it is not done.
// kInvalidArgument: the configuration asks for what cannot be; kAlreadyExists: the id or the
// directory is in use; kTimeout: nobody took this node in.
Result<std::unique_ptr<Storage>> open_cluster_storage(StorageParts parts);

enum class StorageMode : std::uint8_t { kLocal, kCluster };
// What the data directory is, and what the configuration wants it to be.  kAlreadyExists: these
// differ.
Result<StorageMode> storage_mode(const Config& config, env::Env& disk);

}  // namespace walrus::node

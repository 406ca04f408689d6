// Inbox: what other threads have for the loop.  One post() wakes it for all that has come.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "walrus/base/mutex.h"
#include "walrus/base/strong.h"
#include "walrus/broker/types.h"
#include "walrus/net/loop.h"

namespace walrus::broker {

class LocalPartition;
class Inbox;
struct BrokerLog;

// An append that the log has not acknowledged yet.  Lives in an AppendPool; while the log has it,
// nobody else touches it.
struct PendingAppend {
    PendingAppend* next = nullptr;
    LocalPartition* partition = nullptr;
    Inbox* inbox = nullptr;
    AppendCallback done;  // Null: it was answered already.
    std::uint64_t began_ns = 0;
    Offset first_offset;
    std::uint32_t records = 0;
    std::uint64_t size_bytes = 0;
    bool failed = false;
    bool inside_append = false;  // Acknowledged before the log's append returned.
};

// Reuses them, so that an append allocates nothing once there are enough.  On the loop.
class AppendPool {
public:
    PendingAppend& take();
    void give_back(PendingAppend& append);

private:
    std::vector<std::unique_ptr<PendingAppend>> all_;
    PendingAppend* free_ = nullptr;
};

// Who handles what came, on the loop.
class InboxOwner {
public:
    virtual ~InboxOwner() = default;
    // A list through `next`, in the order of acknowledgement.
    virtual void acknowledged(PendingAppend* first) = 0;
    // A log has something to do for its driver.
    virtual void drive(BrokerLog& log) = 0;
};

// Made by make(), because a wake that is under way keeps it alive.
class Inbox : public std::enable_shared_from_this<Inbox> {
public:
    static std::shared_ptr<Inbox> make(net::Loop& loop, InboxOwner& owner);

    // --- from any thread ---
    void put(PendingAppend& append);
    void put(std::function<void()> work);
    // The owner shall drive this log soon.
    void drive_later(BrokerLog& log);

    // --- on the loop ---
    // Until drain() nothing that comes posts, for drain() is about to be called.
    void hold();
    // Handles what has come.  False: there was nothing.
    bool drain();
    // The owner is gone: nothing is handled any more.
    void abandon();

private:
    Inbox(net::Loop& loop, InboxOwner& owner) : loop_(loop), owner_(&owner) {}
    void wake(MutexLock& lock);

    net::Loop& loop_;
    InboxOwner* owner_;  // Of the loop.
    Mutex mutex_;
    PendingAppend* first_ = nullptr;
    PendingAppend* last_ = nullptr;
    std::vector<std::function<void()>> work_;
    bool posted_ = false;
};

}  // namespace walrus::broker

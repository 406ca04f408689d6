#include "walrus/broker/inbox.h"

#include <utility>

namespace walrus::broker {

PendingAppend& AppendPool::take() {
    if (free_ == nullptr) return *all_.emplace_back(std::make_unique<PendingAppend>());
    PendingAppend& append = *free_;
    free_ = append.next;
    append = PendingAppend{};
    return append;
}

void AppendPool::give_back(PendingAppend& append) {
    append.next = free_;
    free_ = &append;
}

std::shared_ptr<Inbox> Inbox::make(net::Loop& loop, InboxOwner& owner) {
    return std::shared_ptr<Inbox>(new Inbox(loop, owner));
}

void Inbox::wake(MutexLock& lock) {
    const bool first = !std::exchange(posted_, true);
    lock.unlock();
    if (first) loop_.post([self = shared_from_this()] { self->drain(); });
}

void Inbox::put(PendingAppend& append) {
    MutexLock lock(mutex_);
    append.next = nullptr;
    (last_ == nullptr ? first_ : last_->next) = &append;
    last_ = &append;
    wake(lock);
}

void Inbox::put(std::function<void()> work) {
    MutexLock lock(mutex_);
    work_.push_back(std::move(work));
    wake(lock);
}

void Inbox::drive_later(BrokerLog& log) {
    loop_.post([self = shared_from_this(), &log] {
        if (self->owner_ != nullptr) self->owner_->drive(log);
    });
}

void Inbox::hold() {
    const MutexLock lock(mutex_);
    posted_ = true;
}

bool Inbox::drain() {
    PendingAppend* first = nullptr;
    std::vector<std::function<void()>> work;
    {
        const MutexLock lock(mutex_);
        posted_ = false;
        std::swap(first, first_);
        last_ = nullptr;
        work.swap(work_);
    }
    if (owner_ == nullptr || (first == nullptr && work.empty())) return false;
    if (first != nullptr) owner_->acknowledged(first);
    for (const std::function<void()>& each : work)
        if (owner_ != nullptr) each();
    return true;
}

void Inbox::abandon() {
    owner_ = nullptr;
    const MutexLock lock(mutex_);
    first_ = last_ = nullptr;
    work_.clear();
}

}  // namespace walrus::broker

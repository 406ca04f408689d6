// Mutex and CondVar: as std::mutex and std::condition_variable, for critical sections of well under
// a microsecond.  A contender spins shortly before it sleeps (PTHREAD_MUTEX_ADAPTIVE_NP), which
// spares two context switches per collision; measured in spec/decisions.md.
#pragma once

#include <pthread.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <mutex>

#include "walrus/base/assert.h"

namespace walrus {

class Mutex {
public:
    Mutex() {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
        pthread_mutex_init(&mutex_, &attributes);
        pthread_mutexattr_destroy(&attributes);
    }
    ~Mutex() { pthread_mutex_destroy(&mutex_); }
    Mutex(const Mutex&) = delete;
    Mutex& operator=(const Mutex&) = delete;

    void lock() { pthread_mutex_lock(&mutex_); }
    void unlock() { pthread_mutex_unlock(&mutex_); }
    bool try_lock() { return pthread_mutex_trylock(&mutex_) == 0; }
    pthread_mutex_t* native_handle() { return &mutex_; }

private:
    pthread_mutex_t mutex_;
};

using MutexLock = std::unique_lock<Mutex>;

class CondVar {
public:
    CondVar() {
        pthread_condattr_t attributes;
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&cond_, &attributes);
        pthread_condattr_destroy(&attributes);
    }
    ~CondVar() { pthread_cond_destroy(&cond_); }
    CondVar(const CondVar&) = delete;
    CondVar& operator=(const CondVar&) = delete;

    void wait(MutexLock& lock) { pthread_cond_wait(&cond_, lock.mutex()->native_handle()); }

    // False: `timeout_ms` of real time passed.  May return true without a notification.
    bool wait_for(MutexLock& lock, std::uint64_t timeout_ms) {
        timespec deadline{};
        clock_gettime(CLOCK_MONOTONIC, &deadline);
        deadline.tv_sec += static_cast<time_t>(timeout_ms / 1000);
        deadline.tv_nsec += static_cast<long>(timeout_ms % 1000) * 1'000'000;
        if (deadline.tv_nsec >= 1'000'000'000) {
            deadline.tv_nsec -= 1'000'000'000;
            ++deadline.tv_sec;
        }
        return pthread_cond_timedwait(&cond_, lock.mutex()->native_handle(), &deadline) !=
               ETIMEDOUT;
    }

    void notify_one() { pthread_cond_signal(&cond_); }
    void notify_all() { pthread_cond_broadcast(&cond_); }

private:
    pthread_cond_t cond_;
};

}  // namespace walrus

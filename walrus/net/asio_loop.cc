#include "walrus/net/asio_loop.h"

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "walrus/base/log.h"

namespace walrus::net {
namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kNsPerMs = 1'000'000;

}  // namespace

struct AsioLoop::Impl {
    explicit Impl(Clock& the_clock) : clock(the_clock) {}

    void run_posted();
    void arm(std::uint64_t now_ns);
    void run_due();
    void wait_for_signal();

    // A descriptor that somebody else owns.
    struct Watched {
        Watched(asio::io_context& on, std::function<void()> call)
            : descriptor(on), readable(std::move(call)) {}
        ~Watched() { descriptor.release(); }
        Watched(const Watched&) = delete;
        Watched& operator=(const Watched&) = delete;

        asio::posix::stream_descriptor descriptor;
        const std::function<void()> readable;
    };
    static void wait_readable(const std::shared_ptr<Watched>& one);

    struct Timer {
        TimerId id;
        std::function<void()> work;
    };

    Clock& clock;
    asio::io_context context{1};  // One thread runs it; any may post.
    asio::executor_work_guard<asio::io_context::executor_type> stay{context.get_executor()};

    std::mutex mutex;
    std::vector<std::function<void()>> posted;   // Under the mutex.
    std::vector<std::function<void()>> running;  // What is being run; keeps its memory.

    // The loop's own.
    std::multimap<std::uint64_t, Timer> timers;  // By the time when they are due.
    std::unordered_map<TimerId, std::multimap<std::uint64_t, Timer>::iterator> by_id;
    TimerId last_timer = 0;
    asio::steady_timer alarm{context};
    std::uint64_t alarm_ns = kNever;  // When it rings.
    std::map<int, std::shared_ptr<Watched>> watched;
    std::optional<asio::signal_set> signals;
    std::function<void(int)> on_signal;
};

AsioLoop::AsioLoop(Clock& clock) : impl_(std::make_unique<Impl>(clock)) {}

AsioLoop::~AsioLoop() = default;

void AsioLoop::run() {
    impl_->context.run();
}

void AsioLoop::stop() {
    impl_->context.stop();
}

asio::io_context& AsioLoop::context() {
    return impl_->context;
}

// --- posted work ---

// Work that comes while some waits costs one wake-up for all of it.
void AsioLoop::post(std::function<void()> work) {
    {
        const std::scoped_lock lock(impl_->mutex);
        impl_->posted.push_back(std::move(work));
        if (impl_->posted.size() > 1) return;
    }
    asio::post(impl_->context, [impl = impl_.get()] { impl->run_posted(); });
}

void AsioLoop::Impl::run_posted() {
    {
        const std::scoped_lock lock(mutex);
        std::swap(posted, running);
    }
    for (std::function<void()>& work : running) work();
    running.clear();
}

// --- timers ---

TimerId AsioLoop::after_ms(std::uint64_t delay_ms, std::function<void()> work) {
    const std::uint64_t now_ns = impl_->clock.monotonic_ns();
    const std::uint64_t most_ms = (kNever - 1 - now_ns) / kNsPerMs;
    const std::uint64_t due_ns = now_ns + std::min(delay_ms, most_ms) * kNsPerMs;
    const TimerId id = ++impl_->last_timer;
    impl_->by_id.emplace(id, impl_->timers.emplace(due_ns, Impl::Timer{id, std::move(work)}));
    impl_->arm(now_ns);
    return id;
}

void AsioLoop::cancel(TimerId timer) {
    const auto found = impl_->by_id.find(timer);
    if (found == impl_->by_id.end()) return;
    impl_->timers.erase(found->second);
    impl_->by_id.erase(found);  // The alarm may ring for nothing.
}

// Sets the alarm for the next timer, unless it rings early enough.
void AsioLoop::Impl::arm(std::uint64_t now_ns) {
    if (timers.empty() || timers.begin()->first >= alarm_ns) return;
    constexpr std::uint64_t kLongestNs = 3600ULL * 1000 * kNsPerMs;
    alarm_ns = std::min(timers.begin()->first, now_ns + kLongestNs);
    const std::uint64_t wait_ns = alarm_ns > now_ns ? alarm_ns - now_ns : 0;
    alarm.expires_after(std::chrono::nanoseconds(wait_ns));
    alarm.async_wait([this](const asio::error_code& error) {
        if (!error) run_due();  // Else it was set anew.
    });
}

void AsioLoop::Impl::run_due() {
    alarm_ns = kNever;
    // What this work sets runs in the next round, even when it is due at once.
    const TimerId last = last_timer;
    const std::uint64_t now_ns = clock.monotonic_ns();
    auto next = timers.begin();
    while (next != timers.end() && next->first <= now_ns) {
        if (next->second.id > last) {
            ++next;
            continue;
        }
        const std::function<void()> work = std::move(next->second.work);
        by_id.erase(next->second.id);
        timers.erase(next);
        work();
        next = timers.begin();  // It may have set and cancelled any.
    }
    arm(clock.monotonic_ns());
}

std::uint64_t AsioLoop::now_ms() const {
    return impl_->clock.monotonic_ns() / kNsPerMs;
}

std::uint64_t AsioLoop::wall_ms() const {
    return impl_->clock.wall_ms();
}

// --- descriptors ---

bool AsioLoop::watch(int fd, std::function<void()> readable) {
    auto one = std::make_shared<Impl::Watched>(impl_->context, std::move(readable));
    asio::error_code error = asio::error::bad_descriptor;
    if (fd >= 0) one->descriptor.assign(fd, error);
    if (error) return false;
    impl_->watched[fd] = one;
    Impl::wait_readable(one);
    return true;
}

void AsioLoop::unwatch(int fd) {
    const auto found = impl_->watched.find(fd);
    if (found == impl_->watched.end()) return;
    found->second->descriptor.release();
    impl_->watched.erase(found);
}

void AsioLoop::Impl::wait_readable(const std::shared_ptr<Watched>& one) {
    one->descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                               [weak = std::weak_ptr<Watched>(one)](const asio::error_code& error) {
                                   const std::shared_ptr<Watched> still = weak.lock();
                                   if (still == nullptr || error || !still->descriptor.is_open())
                                       return;
                                   still->readable();
                                   if (still->descriptor.is_open()) wait_readable(still);
                               });
}

// --- signals ---

void AsioLoop::watch_signals(const std::vector<int>& signals, std::function<void(int)> on_signal) {
    impl_->signals.emplace(impl_->context);
    impl_->on_signal = std::move(on_signal);
    for (const int signal : signals) {
        asio::error_code error;
        impl_->signals->add(signal, error);
        if (error)
            log(LogLevel::kError,
                "cannot watch signal " + std::to_string(signal) + ": " + error.message());
    }
    impl_->wait_for_signal();
}

void AsioLoop::Impl::wait_for_signal() {
    signals->async_wait([this](const asio::error_code& error, int signal) {
        if (error) return;
        wait_for_signal();
        on_signal(signal);
    });
}

}  // namespace walrus::net

#include "walrus/node/timed_env.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "walrus/base/assert.h"

namespace walrus::node {
namespace {

class Stopwatch {
public:
    Stopwatch(Clock& clock, SyncTimes& times) : clock_(clock), times_(times) {}

    std::uint64_t now_ns() { return clock_.monotonic_ns(); }
    void note(std::uint64_t begin_ns, const Status& status) {
        times_.add(now_ns() - begin_ns, !status);
    }

private:
    Clock& clock_;
    SyncTimes& times_;
};

class TimedFile final : public env::File {
public:
    TimedFile(std::unique_ptr<env::File> file, Stopwatch watch)
        : file_(std::move(file)), watch_(watch) {}

    env::File& inner() { return *file_; }

    Result<std::size_t> read_at(MutableBytes into, std::uint64_t position) override {
        return file_->read_at(into, position);
    }
    Status write_at(Bytes data, std::uint64_t position, env::Durability durability) override {
        if (durability == env::Durability::kNone)
            return file_->write_at(data, position, durability);
        const std::uint64_t begin_ns = watch_.now_ns();
        Status status = file_->write_at(data, position, durability);
        watch_.note(begin_ns, status);
        return status;
    }
    Status sync_data() override {
        const std::uint64_t begin_ns = watch_.now_ns();
        Status status = file_->sync_data();
        watch_.note(begin_ns, status);
        return status;
    }
    Status preallocate(std::uint64_t size) override { return file_->preallocate(size); }
    Status truncate(std::uint64_t size) override { return file_->truncate(size); }
    Result<std::uint64_t> size() override { return file_->size(); }

private:
    const std::unique_ptr<env::File> file_;
    Stopwatch watch_;
};

// The queue below knows its own files only, so a request has that one while it is in flight.
class TimedQueue final : public env::IoQueue {
public:
    TimedQueue(std::unique_ptr<env::IoQueue> queue, Stopwatch watch)
        : queue_(std::move(queue)), watch_(watch) {}

    std::size_t depth() const override { return queue_->depth(); }
    void submit(env::IoRequest& request) override {
        in_flight_.push_back({&request, request.file, watch_.now_ns()});
        request.file = &static_cast<TimedFile*>(request.file)->inner();
        queue_->submit(request);
    }
    env::IoRequest* complete(bool block) override {
        env::IoRequest* const request = queue_->complete(block);
        if (request == nullptr) return nullptr;
        const auto found = std::ranges::find(in_flight_, request, &Submitted::request);
        WALRUS_ASSERT(found != in_flight_.end());
        request->file = found->file;
        if (request->kind == env::IoRequest::Kind::kWrite &&
            request->durability != env::Durability::kNone)
            watch_.note(found->begin_ns, request->status);
        std::swap(*found, in_flight_.back());
        in_flight_.pop_back();
        return request;
    }
    void wake() override { queue_->wake(); }
    int event_fd() const override { return queue_->event_fd(); }

private:
    struct Submitted {
        env::IoRequest* request = nullptr;
        env::File* file = nullptr;
        std::uint64_t begin_ns = 0;
    };

    const std::unique_ptr<env::IoQueue> queue_;
    Stopwatch watch_;
    std::vector<Submitted> in_flight_;
};

class TimedEnv final : public env::Env {
public:
    TimedEnv(env::Env& disk, Stopwatch watch) : disk_(disk), watch_(watch) {}

    Result<std::unique_ptr<env::File>> open(const std::string& path,
                                            env::OpenFlags flags) override {
        auto file = disk_.open(path, flags);
        if (!file) return file.error();
        return std::unique_ptr<env::File>(std::make_unique<TimedFile>(*std::move(file), watch_));
    }
    Status rename(const std::string& from, const std::string& to) override {
        return disk_.rename(from, to);
    }
    Status remove(const std::string& path) override { return disk_.remove(path); }
    Result<std::vector<std::string>> list(const std::string& directory) override {
        return disk_.list(directory);
    }
    Status create_dirs(const std::string& directory) override {
        return disk_.create_dirs(directory);
    }
    Status sync_dir(const std::string& directory) override { return disk_.sync_dir(directory); }
    Result<std::unique_ptr<env::MappedRing>> map_ring(const std::string& path,
                                                      std::uint64_t size) override {
        return disk_.map_ring(path, size);
    }
    Result<std::unique_ptr<env::IoQueue>> open_queue(env::QueueKind kind,
                                                     std::size_t depth) override {
        auto queue = disk_.open_queue(kind, depth);
        if (!queue) return queue.error();
        return std::unique_ptr<env::IoQueue>(
            std::make_unique<TimedQueue>(*std::move(queue), watch_));
    }

private:
    env::Env& disk_;
    const Stopwatch watch_;
};

}  // namespace

void SyncTimes::add(std::uint64_t duration_ns, bool failed) {
    const MutexLock lock(mutex_);
    totals_.durations.add(duration_ns);
    if (failed) ++totals_.errors;
}

SyncTimes::Totals SyncTimes::totals() const {
    const MutexLock lock(mutex_);
    return totals_;
}

std::unique_ptr<env::Env> make_timed_env(env::Env& disk, Clock& clock, SyncTimes& times) {
    return std::make_unique<TimedEnv>(disk, Stopwatch(clock, times));
}

}  // namespace walrus::node

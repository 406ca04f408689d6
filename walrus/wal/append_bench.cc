// Appending: writers, windows, batches, sizes, classes, topics.
//
//   append_bench --benchmark_filter=disk --benchmark_repetitions=5
#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>

#include "walrus/base/mutex.h"
#include "walrus/wal/bench_log.h"

namespace walrus::wal {
namespace {

std::unique_ptr<BenchLog> log_under_test;

DurabilityClass durability_of(std::int64_t arg) {
    return arg == 0 ? DurabilityClass::kProcess : DurabilityClass::kDisk;
}

void open_log(const benchmark::State& state) {
    log_under_test = std::make_unique<BenchLog>(bench_options(durability_of(state.range(0))));
}

void drop_log(const benchmark::State&) {
    log_under_test.reset();
}

void label(benchmark::State& state) {
    state.SetLabel("class=" + std::string(durability_class_name(durability_of(state.range(0)))) +
                   " backend=" + log_under_test->wal().stats().backend);
}

// Closed loop: every writer waits for its own acknowledgement.
void append_single(benchmark::State& state) {
    const std::vector<std::byte> record = bench_bytes(static_cast<std::size_t>(state.range(1)));
    if (state.thread_index() == 0) log_under_test->mark();
    for (auto _ : state)
        if (!log_under_test->wal().append("topic", record)) state.SkipWithError("append failed");
    if (state.thread_index() == 0) {
        log_under_test->report(state);
        label(state);
    }
}

void append_batch(benchmark::State& state) {
    const std::vector<std::byte> record = bench_bytes(static_cast<std::size_t>(state.range(1)));
    const std::vector<Bytes> batch(static_cast<std::size_t>(state.range(2)), Bytes(record));
    if (state.thread_index() == 0) log_under_test->mark();
    for (auto _ : state)
        if (!log_under_test->wal().append_batch("topic", batch))
            state.SkipWithError("append failed");
    if (state.thread_index() == 0) {
        log_under_test->report(state);
        label(state);
    }
}

// The acknowledgements of one producer.
struct Window {
    Mutex mutex;
    CondVar moved;
    std::uint64_t acknowledged = 0;
    std::uint64_t awaited = 0;

    static void acknowledge(void* context, Offset, const Status& status) {
        auto* window = static_cast<Window*>(context);
        WALRUS_ASSERT(status.has_value());
        const MutexLock lock(window->mutex);
        // Acknowledgements come in bursts; a wake-up for each would cost two context switches each.
        if (++window->acknowledged == window->awaited) window->moved.notify_one();
    }
    void wait_for(std::uint64_t count) {
        MutexLock lock(mutex);
        awaited = count;
        while (acknowledged < count) moved.wait(lock);
    }
    bool reached(std::uint64_t count) {
        const MutexLock lock(mutex);
        return acknowledged >= count;
    }
};

// One producer with so many appends outstanding.
void append_window(benchmark::State& state) {
    const std::vector<std::byte> record = bench_bytes(static_cast<std::size_t>(state.range(1)));
    const auto outstanding = static_cast<std::uint64_t>(state.range(2));
    const Bytes bytes(record);
    Window window;
    std::uint64_t sent = 0;
    log_under_test->mark();
    for (auto _ : state) {
        // A full window is refilled by a quarter at once.
        if (sent >= outstanding && !window.reached(sent - outstanding + 1))
            window.wait_for(sent - outstanding + std::max<std::uint64_t>(1, outstanding / 4));
        if (!log_under_test->wal().append_async("topic", {&bytes, 1},
                                                {&Window::acknowledge, &window}))
            state.SkipWithError("append failed");
        ++sent;
    }
    window.wait_for(sent);
    log_under_test->report(state);
    label(state);
}

// Each writer goes round its share of the topics.
void append_topics(benchmark::State& state) {
    const std::vector<std::byte> record = bench_bytes(800);
    const auto topics = static_cast<std::size_t>(state.range(1));
    std::vector<std::string> names;
    for (std::size_t i = 0; i < topics; ++i) names.push_back("topic-" + std::to_string(i));
    auto at = static_cast<std::size_t>(state.thread_index());
    if (state.thread_index() == 0) log_under_test->mark();
    for (auto _ : state) {
        if (!log_under_test->wal().append(names[at % topics], record))
            state.SkipWithError("append failed");
        at += static_cast<std::size_t>(state.threads());
    }
    if (state.thread_index() == 0) {
        log_under_test->report(state);
        label(state);
    }
}

constexpr std::int64_t kProcessClass = 0;
constexpr std::int64_t kDiskClass = 1;

void writers(benchmark::internal::Benchmark* bench) {
    for (const int threads : {1, 2, 10, 64, 256}) bench->Threads(threads);
    bench->UseRealTime()->Setup(open_log)->Teardown(drop_log);
}

void once(benchmark::internal::Benchmark* bench) {
    bench->UseRealTime()->Setup(open_log)->Teardown(drop_log);
}

BENCHMARK(append_single)->ArgNames({"disk", "size"})->Args({kProcessClass, 800})->Apply(writers);
BENCHMARK(append_single)->ArgNames({"disk", "size"})->Args({kDiskClass, 800})->Apply(writers);
BENCHMARK(append_single)
    ->ArgNames({"disk", "size"})
    ->ArgsProduct({{kProcessClass, kDiskClass}, {100, 4 << 10, 64 << 10}})
    ->Apply(once);
BENCHMARK(append_batch)
    ->ArgNames({"disk", "size", "batch"})
    ->ArgsProduct({{kProcessClass, kDiskClass}, {800}, {1, 16, 256}})
    ->Apply(once);
BENCHMARK(append_window)
    ->ArgNames({"disk", "size", "window"})
    ->ArgsProduct({{kDiskClass}, {800}, {1, 64, 512}})
    ->Apply(once);
BENCHMARK(append_topics)
    ->ArgNames({"disk", "topics"})
    ->ArgsProduct({{kDiskClass}, {1, 100, 10'000}})
    ->Threads(64)
    ->Apply(once);
BENCHMARK(append_topics)
    ->ArgNames({"disk", "topics"})
    ->ArgsProduct({{kProcessClass}, {1, 100, 10'000}})
    ->Apply(once);

}  // namespace
}  // namespace walrus::wal

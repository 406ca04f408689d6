// What appending to and fetching from a LocalBroker costs, without sockets: batches of 1 KiB and
// 1 MiB, in the classes process and disk.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "walrus/broker/local_broker.h"
#include "walrus/protocol/record_batch.h"
#include "walrus/protocol/record_batch_builder.h"
#include "walrus/testing/manual_loop.h"

namespace walrus::broker {
namespace {

constexpr std::size_t kRecordBytes = 800;

// A broker in a directory of its own with one topic of that class.
class BenchBroker {
public:
    explicit BenchBroker(const std::string& durability) {
        std::filesystem::remove_all(kDirectory);
        LocalBrokerOptions options;
        options.data_dir = kDirectory;
        // The bench writes without end.
        options.topic_defaults = {{"retention.bytes", "268435456"},
                                  {"max.message.bytes", "2000000"}};
        broker_ = std::move(LocalBroker::open(std::move(options), loop_).value());
        bool created = false;
        broker_->create_topic({"t", 1, 1, {{"walrus.durability", durability}}}, false,
                              [&](const Status& status) { created = status.has_value(); });
        loop_.run_until([&] { return created; });
    }
    ~BenchBroker() {
        broker_.reset();
        std::filesystem::remove_all(kDirectory);
    }

    Partition& partition() { return *broker_->find("t", 0); }
    // Sleeps while there is nothing to do; moves time while something waits for it.
    void run_until(const std::function<bool()>& done) {
        while (!done()) {
            loop_.run_until([&] { return done() || loop_.timers() > 0; });
            if (!done()) loop_.advance_ms(1);
        }
    }
    LocalBroker& broker() { return *broker_; }

private:
    static constexpr const char* kDirectory = "broker_bench_data";

    testing::ManualLoop loop_;
    std::unique_ptr<LocalBroker> broker_;
};

std::string batch_of(std::size_t size) {
    protocol::RecordBatchBuilder builder;
    const std::string value(std::min(size, kRecordBytes), 'x');
    do {
        protocol::Record record;
        record.value = as_bytes(value);
        builder.add(record);
    } while (builder.size_bytes() + kRecordBytes < size);
    return std::move(builder).finish();
}

// Keeps `window` appends in flight.
void append(benchmark::State& state, const std::string& durability) {
    BenchBroker bench(durability);
    const std::string batch = batch_of(static_cast<std::size_t>(state.range(0)));
    const std::int64_t window = state.range(1);
    std::int64_t in_flight = 0;
    for (auto _ : state) {
        ++in_flight;
        bench.partition().append(as_bytes(batch), Acks::kAll,
                                 {[](void* context, const AppendResult& result) {
                                      if (result.outcome != AppendOutcome::kAppended) std::abort();
                                      --*static_cast<std::int64_t*>(context);
                                  },
                                  &in_flight});
        bench.run_until([&] { return in_flight < window; });
    }
    bench.run_until([&] { return in_flight == 0; });
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(batch.size()));
    state.SetItemsProcessed(state.iterations());
}

void AppendProcess(benchmark::State& state) {
    append(state, "process");
}
void AppendDisk(benchmark::State& state) {
    append(state, "disk");
}
BENCHMARK(AppendProcess)->ArgsProduct({{1 << 10, 1 << 20}, {8}})->UseRealTime();
BENCHMARK(AppendDisk)->ArgsProduct({{1 << 10, 1 << 20}, {1, 8}})->UseRealTime();
BENCHMARK(AppendDisk)->Args({1 << 10, 64})->UseRealTime();

// Reads what was written last, again and again: from memory, or (Cold) from the files.
void fetch(benchmark::State& state, std::uint64_t total) {
    BenchBroker bench("process");
    const std::string batch = batch_of(static_cast<std::size_t>(state.range(0)));
    std::int64_t in_flight = 0;
    for (std::uint64_t written = 0; written < total; written += batch.size()) {
        ++in_flight;
        bench.partition().append(
            as_bytes(batch), Acks::kAll,
            {[](void* context, const AppendResult&) { --*static_cast<std::int64_t*>(context); },
             &in_flight});
        bench.run_until([&] { return in_flight == 0; });
    }
    const Offset start = bench.partition().info().log_start_offset;
    const Offset end = bench.partition().info().high_watermark;
    const auto per_batch = static_cast<std::uint64_t>(
        protocol::RecordBatchView::parse(as_bytes(batch))->record_count());
    const std::uint64_t budget = 16 << 20;
    const Offset from =
        total > budget ? start : Offset{end.value - per_batch * (total / batch.size() / 2)};
    Offset at = from;
    std::int64_t bytes = 0;
    for (auto _ : state) {
        if (at >= end) at = from;
        std::uint64_t got = 0;
        bench.partition().fetch(at, 1 << 20, [&](FetchedBatches fetched) {
            if (!fetched.status) {
                state.SkipWithError(fetched.status.error().message.c_str());
                got = 1;
                return;
            }
            got = fetched.size_bytes;
        });
        bench.run_until([&] { return got > 0; });
        at = at + per_batch * (got / batch.size());
        bytes += static_cast<std::int64_t>(got);
    }
    state.SetBytesProcessed(bytes);
    state.counters["cold"] = static_cast<double>(bench.broker().counters().cold_fetches) /
                             static_cast<double>(bench.broker().counters().fetches);
}

void FetchRecent(benchmark::State& state) {
    fetch(state, 12 << 20);
}
void FetchCold(benchmark::State& state) {
    fetch(state, 160 << 20);
}
BENCHMARK(FetchRecent)->Arg(1 << 10)->Arg(1 << 20)->UseRealTime();
BENCHMARK(FetchCold)->Arg(1 << 10)->Arg(1 << 20)->UseRealTime();

}  // namespace
}  // namespace walrus::broker

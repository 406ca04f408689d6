// Reading hot (from the ring) and cold (from the files), and recovery.
//
//   read_bench --benchmark_filter=cold
//
// Cold reads use O_DIRECT, so the page cache has no part in them; plain_direct is the same size and
// depth without checksums, the floor to compare with.
#include <filesystem>
#include <memory>

#include "walrus/base/aligned_buffer.h"
#include "walrus/env/posix_env.h"
#include "walrus/wal/bench_log.h"
#include "walrus/wal/format.h"

namespace walrus::wal {
namespace {

constexpr std::size_t kRecordSize = 800;

void append_bytes(Wal& wal, std::uint64_t bytes) {
    const std::vector<std::byte> record = bench_bytes(kRecordSize);
    const std::vector<Bytes> batch(64, Bytes(record));
    for (std::uint64_t done = 0; done < bytes; done += 64 * kRecordSize)
        WALRUS_ASSERT(wal.append_batch("topic", batch).has_value());
}

void read_hot(benchmark::State& state) {
    BenchLog log(bench_options(DurabilityClass::kProcess));
    append_bytes(log.wal(), 32 << 20);
    const std::uint64_t end = log.wal().topic("topic")->log_end_offset.value;
    Offset at;
    std::int64_t bytes = 0;
    for (auto _ : state) {
        const Result<RecordBatch> batch =
            log.wal().read_at("topic", at, static_cast<std::uint64_t>(state.range(0)));
        WALRUS_ASSERT(batch.has_value() && !batch->empty());
        bytes += static_cast<std::int64_t>(batch->data_bytes());
        at = batch->back().offset + 1;
        if (at.value >= end) at = Offset{};
    }
    state.SetBytesProcessed(bytes);
}

void read_next_hot(benchmark::State& state) {
    BenchLog log(bench_options(DurabilityClass::kProcess));
    append_bytes(log.wal(), 32 << 20);
    std::int64_t records = 0;
    for (auto _ : state) {
        const Result<RecordBatch> batch = log.wal().read_next("topic");
        WALRUS_ASSERT(batch.has_value());
        if (batch->empty()) WALRUS_ASSERT(log.wal().seek("topic", "", Offset{}).has_value());
        ++records;
    }
    state.SetItemsProcessed(records);
}

void read_cold(benchmark::State& state) {
    BenchLog log(bench_options(DurabilityClass::kProcess));
    append_bytes(log.wal(), static_cast<std::uint64_t>(state.range(0)));
    log.close();
    std::int64_t bytes = 0;
    for (auto _ : state) {
        state.PauseTiming();
        log.reopen();
        state.ResumeTiming();
        Offset at;
        for (;;) {
            const Result<RecordBatch> batch = log.wal().read_at("topic", at, 1 << 20);
            WALRUS_ASSERT(batch.has_value());
            if (batch->empty()) break;
            bytes += static_cast<std::int64_t>(batch->data_bytes());
            at = batch->back().offset + 1;
        }
    }
    state.SetBytesProcessed(bytes);
    state.SetLabel("O_DIRECT, every checksum verified, read-ahead 4 x 1 MiB");
}

void plain_direct(benchmark::State& state) {
    BenchLog log(bench_options(DurabilityClass::kProcess));
    append_bytes(log.wal(), static_cast<std::uint64_t>(state.range(0)));
    log.close();
    env::Env& env = env::posix_env();
    Result<std::unique_ptr<env::IoQueue>> queue = env.open_queue(env::QueueKind::kUring, 5);
    if (!queue) return state.SkipWithError("no io_uring here");
    const std::string shard = env::join_path(log.directory(), shard_dir_name(0));
    std::int64_t bytes = 0;
    const std::uint64_t written_files =
        static_cast<std::uint64_t>(state.range(0)) / log.options().file_size;
    for (auto _ : state) {
        // Files that were made ready but hold nothing would be read at the speed of memory.
        for (std::uint64_t number = 0; number < written_files; ++number) {
            env::OpenFlags flags;
            flags.direct = true;
            const auto file = env.open(env::join_path(shard, log_file_name(number)), flags);
            WALRUS_ASSERT(file.has_value());
            constexpr std::uint64_t kSize = 1 << 20;
            std::vector<AlignedBuffer> buffers;
            std::vector<env::IoRequest> requests(5);
            for (std::size_t i = 0; i < requests.size(); ++i) buffers.emplace_back(kSize);
            std::uint64_t next = 0;
            const std::uint64_t size = (*file)->size().value();
            const auto submit = [&](env::IoRequest& request, std::size_t slot) {
                if (next >= size) return;
                request.kind = env::IoRequest::Kind::kRead;
                request.file = file->get();
                request.bytes = buffers[slot].span();
                request.position = next;
                next += kSize;
                (*queue)->submit(request);
            };
            for (std::size_t i = 0; i < requests.size(); ++i) submit(requests[i], i);
            while (env::IoRequest* done = (*queue)->complete(true)) {
                bytes += static_cast<std::int64_t>(done->transferred);
                submit(*done, static_cast<std::size_t>(done - requests.data()));
            }
        }
    }
    state.SetBytesProcessed(bytes);
    state.SetLabel("O_DIRECT, nothing verified, 5 x 1 MiB in flight");
}

// range(0): bytes in the log; range(1): 1 after close(), 0 as after kill -9.
void recovery(benchmark::State& state) {
    BenchLog log(bench_options(DurabilityClass::kProcess));
    append_bytes(log.wal(), static_cast<std::uint64_t>(state.range(0)));
    for (auto _ : state) {
        state.PauseTiming();
        if (state.range(1) != 0)
            log.close();
        else
            log.abandon();
        state.ResumeTiming();
        log.reopen();
        state.PauseTiming();
        append_bytes(log.wal(), 1 << 20);
        state.ResumeTiming();
    }
    const Stats stats = log.wal().stats();
    state.counters["recovery_ms"] = static_cast<double>(stats.recovery_us) / 1000;
    state.counters["scanned_MiB"] = static_cast<double>(stats.recovered_bytes) / (1 << 20);
}

BENCHMARK(read_hot)->ArgName("bytes")->Arg(64 << 10)->Arg(1 << 20)->UseRealTime();
BENCHMARK(read_next_hot)->UseRealTime();
BENCHMARK(read_cold)->ArgName("log")->Arg(64 << 20)->Arg(1LL << 30)->UseRealTime()->Unit(
    benchmark::kMillisecond);
BENCHMARK(plain_direct)
    ->ArgName("log")
    ->Arg(1LL << 30)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(recovery)
    ->ArgNames({"log", "clean"})
    ->ArgsProduct({{64 << 20, 1LL << 30, 8LL << 30}, {0, 1}})
    ->Iterations(3)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace walrus::wal

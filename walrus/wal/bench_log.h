// What the benches of this room share: a fresh log, its counters, counted allocations.
#pragma once

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "walrus/wal/wal.h"

namespace walrus::wal {

// Calls of operator new by this program so far.
std::uint64_t allocation_count();

// A log in ./walrus_bench_data, removed with the object.  The directory must be on a real disk:
// figures from a RAM disk say nothing about class disk.
class BenchLog {
public:
    // Opens a fresh log and waits until the first files are ready, which is not what is measured.
    explicit BenchLog(Options options);
    ~BenchLog();

    Wal& wal() { return *wal_; }
    // Opens the same directory again; aborts the program when that fails.
    void reopen();
    void close();
    // Drops the log object without closing it, as a dead process would.
    void abandon() { wal_.reset(); }
    const std::string& directory() const { return options_.data_dir; }
    const Options& options() const { return options_; }

    // Counters since the last call to mark(), as counters of the bench.
    void mark();
    void report(benchmark::State& state);

private:
    Options options_;
    std::unique_ptr<Wal> wal_;
    Stats marked_;
    std::uint64_t marked_allocations_ = 0;
};

// `count` records of `size` bytes that do not compress.
std::vector<std::byte> bench_bytes(std::size_t size);
Options bench_options(DurabilityClass durability);

}  // namespace walrus::wal

#include "walrus/wal/bench_log.h"

#include <cstdlib>
#include <filesystem>
#include <new>
#include <thread>

#include "walrus/base/random.h"

namespace {
std::atomic<std::uint64_t> allocations{0};

void* counted_alloc(std::size_t size) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}
}  // namespace

void* operator new(std::size_t size) {
    return counted_alloc(size);
}
void* operator new[](std::size_t size) {
    return counted_alloc(size);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace walrus::wal {

std::uint64_t allocation_count() {
    return allocations.load(std::memory_order_relaxed);
}

Options bench_options(DurabilityClass durability) {
    Options options;
    options.durability = durability;
    options.data_dir = "walrus_bench_data";
    options.prepared_files = 4;
    return options;
}

std::vector<std::byte> bench_bytes(std::size_t size) {
    SeededRandom random(size);
    std::vector<std::byte> bytes(size);
    for (std::byte& b : bytes) b = static_cast<std::byte>(random.next());
    return bytes;
}

BenchLog::BenchLog(Options options) : options_(std::move(options)) {
    std::filesystem::remove_all(options_.data_dir);
    reopen();
    while (wal_->stats().files_prepared < options_.prepared_files) std::this_thread::yield();
    mark();
}

BenchLog::~BenchLog() {
    wal_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(options_.data_dir, ignored);
}

void BenchLog::reopen() {
    wal_.reset();
    Result<std::unique_ptr<Wal>> wal = Wal::open(options_);
    if (!wal) {
        std::fprintf(stderr, "cannot open the log: %s\n", wal.error().to_string().c_str());
        std::abort();
    }
    wal_ = std::move(*wal);
}

void BenchLog::close() {
    WALRUS_ASSERT(wal_->close().has_value());
    wal_.reset();
}

void BenchLog::mark() {
    marked_ = wal_->stats();
    marked_allocations_ = allocation_count();
}

void BenchLog::report(benchmark::State& state) {
    const Stats now = wal_->stats();
    const auto appends = static_cast<double>(now.appends - marked_.appends);
    const auto payload = static_cast<double>(now.payload_bytes - marked_.payload_bytes);
    const auto since = [](std::uint64_t a, std::uint64_t b) { return static_cast<double>(a - b); };
    if (appends == 0) return;
    state.counters["flushes/append"] = since(now.syncs, marked_.syncs) / appends;
    state.counters["transfers/append"] = since(now.writes, marked_.writes) / appends;
    state.counters["written/payload"] =
        payload == 0 ? 0 : since(now.written_bytes, marked_.written_bytes) / payload;
    state.counters["framed/payload"] =
        payload == 0 ? 0 : since(now.frame_bytes, marked_.frame_bytes) / payload;
    state.counters["allocs/append"] = since(allocation_count(), marked_allocations_) / appends;
    state.counters["records"] =
        benchmark::Counter(since(now.records, marked_.records), benchmark::Counter::kIsRate);
}

}  // namespace walrus::wal

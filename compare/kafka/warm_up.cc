#include "compare/kafka/warm_up.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <utility>

#include "compare/kafka/kafka_admin.h"
#include "compare/kafka/kafka_producer.h"
#include "compare/kafka/kafka_reader.h"
#include "harness/metrics/histogram.h"
#include "harness/metrics/paced_clock.h"
#include "walrus/base/random.h"

namespace walrus::compare {
namespace {

using harness::Durability;

constexpr std::size_t kFlatSlices = 3;
constexpr double kRateSpread = 1.15;
constexpr double kP99Spread = 1.6;
constexpr std::uint64_t kFloodNs = 250'000'000;
constexpr std::uint64_t kSinglesNs = 250'000'000;
constexpr std::size_t kBatch = 100;
constexpr std::size_t kInFlight = 100;  // Batches.
constexpr std::size_t kRecordBytes = 800;

// Counts what is in flight; one for all appends of a flood.
class InFlight final : public harness::Completion {
public:
    void done(const Status& status) override {
        if (!status) failed_ = true;
        ++done_;
        done_.notify_one();
    }
    // Waits until fewer than `most` of `sent` are in flight; false after a failure.
    bool wait_for_room(std::size_t sent, std::size_t most) {
        for (std::size_t seen = done_; sent - seen >= most; seen = done_) done_.wait(seen);
        return !failed_;
    }

private:
    std::atomic<std::size_t> done_{0};
    std::atomic<bool> failed_{false};
};

// Two topics, so that the paths with and without a sync are both warm.
class WarmUp {
public:
    WarmUp(Brand brand, const KafkaOptions& options)
        : brand_(brand), options_(options), clock_(harness::machine_clock()) {}

    Result<WarmUpReport> run() {
        WALRUS_RETURN_IF_ERROR(prepare());
        const std::uint64_t deadline_ns = clock_.monotonic_ns() + options_.warm_up_ns;
        std::vector<WarmUpSlice> slices;
        while (!is_flat(slices) && clock_.monotonic_ns() < deadline_ns) {
            auto slice = run_slice(slices.size() % 2);
            if (!slice) return std::move(slice).error();
            slices.push_back(*slice);
        }
        producer_.reset();
        WALRUS_RETURN_IF_ERROR(admin_->delete_topics(topics_));
        return WarmUpReport{.slices = slices.size(), .flat = is_flat(slices)};
    }

private:
    Status prepare() {
        auto admin = KafkaAdmin::make(options_.address);
        if (!admin) return std::move(admin).error();
        admin_ = std::move(*admin);
        const std::array classes = {Durability::kProcess, Durability::kDisk};
        for (std::size_t i = 0; i < classes.size(); ++i) {
            WALRUS_RETURN_IF_ERROR(
                admin_->create_topics({topics_[i]}, topic_config(brand_, classes[i], options_)));
        }
        auto producer = make_kafka_producer(producer_properties(options_), topics_);
        if (!producer) return std::move(producer).error();
        producer_ = std::move(*producer);
        auto singles = make_kafka_producer(producer_properties(options_), topics_);
        if (!singles) return std::move(singles).error();
        singles_ = std::move(*singles);
        for (const std::string& topic : topics_) {
            auto reader = make_kafka_reader(consumer_properties(options_), topic);
            if (!reader) return std::move(reader).error();
            readers_.push_back(std::move(*reader));
        }
        SeededRandom random(1);
        for (std::size_t at = 0; at < record_.size(); at += sizeof(std::uint64_t)) {
            store_le(record_.data() + at, random.next());
        }
        return {};
    }

    Result<WarmUpSlice> run_slice(std::uint32_t topic) {
        WarmUpSlice slice;
        const std::vector<Bytes> batch(kBatch, Bytes(record_));
        InFlight in_flight;
        std::size_t sent = 0;
        const std::uint64_t begin_ns = clock_.monotonic_ns();
        while (clock_.monotonic_ns() < begin_ns + kFloodNs) {
            if (!in_flight.wait_for_room(sent, kInFlight)) {
                return Error{Errc::kIo, "warming up: an append failed"};
            }
            WALRUS_RETURN_IF_ERROR(producer_->append_async(topic, batch, in_flight));
            ++sent;
        }
        WALRUS_RETURN_IF_ERROR(producer_->drain());
        if (!in_flight.wait_for_room(sent, 1)) {
            return Error{Errc::kIo, "warming up: an append failed"};
        }
        slice.records_per_s = static_cast<double>(sent * kBatch) * 1e9 /
                              static_cast<double>(clock_.monotonic_ns() - begin_ns);
        WALRUS_RETURN_IF_ERROR(append_singles(topic, slice));
        for (;;) {
            const auto got = readers_[topic]->read([](Bytes) {});
            if (!got) return got.error();
            if (*got == 0) return slice;
        }
    }

    Status append_singles(std::uint32_t topic, WarmUpSlice& slice) {
        const std::array<Bytes, 1> single = {Bytes(record_)};
        harness::Histogram latency;
        std::uint64_t now_ns = clock_.monotonic_ns();
        for (const std::uint64_t end_ns = now_ns + kSinglesNs; now_ns < end_ns;) {
            WALRUS_RETURN_IF_ERROR(singles_->append(topic, single));
            const std::uint64_t begin_ns = std::exchange(now_ns, clock_.monotonic_ns());
            latency.record(now_ns - begin_ns);
        }
        slice.p99_ns = latency.quantile(0.99);
        return {};
    }

    const Brand brand_;
    const KafkaOptions& options_;
    harness::PacedClock& clock_;
    const std::vector<std::string> topics_ = {"warm-up-process", "warm-up-disk"};
    std::unique_ptr<KafkaAdmin> admin_;
    std::unique_ptr<harness::Producer> producer_;  // Of the flood.
    std::unique_ptr<harness::Producer> singles_;   // Takes its own delivery reports.
    std::vector<std::unique_ptr<harness::Reader>> readers_;
    std::array<std::byte, kRecordBytes> record_{};
};

// Largest over smallest of what `value` says of the slices from `first` on, every other one: the
// slices of the two topics take turns.
template <class Value>
double spread(const std::vector<WarmUpSlice>& slices, std::size_t first, Value value) {
    double least = value(slices[first]);
    double most = least;
    for (std::size_t i = first; i < slices.size(); i += 2) {
        least = std::min(least, value(slices[i]));
        most = std::max(most, value(slices[i]));
    }
    return least > 0 ? most / least : kP99Spread * kRateSpread;
}

}  // namespace

bool is_flat(const std::vector<WarmUpSlice>& slices) {
    if (slices.size() < 2 * kFlatSlices) return false;
    for (std::size_t topic = 0; topic < 2; ++topic) {
        const std::size_t first = slices.size() - 2 * kFlatSlices + topic;
        const auto rate = [](const WarmUpSlice& s) { return s.records_per_s; };
        const auto p99 = [](const WarmUpSlice& s) { return static_cast<double>(s.p99_ns); };
        if (spread(slices, first, rate) > kRateSpread) return false;
        if (spread(slices, first, p99) > kP99Spread) return false;
    }
    return true;
}

std::string WarmUpReport::text() const {
    return fmt::format("{} after {} slices of {} s", flat ? "flat" : "not flat", slices,
                       static_cast<double>(kFloodNs + kSinglesNs) / 1e9);
}

Result<WarmUpReport> warm_up(Brand brand, const KafkaOptions& options) {
    return WarmUp(brand, options).run();
}

}  // namespace walrus::compare

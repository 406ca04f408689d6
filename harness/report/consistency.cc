#include "harness/report/consistency.h"

#include <fmt/format.h>

#include <numeric>

namespace walrus::harness {
namespace {

class Finder {
public:
    void check(bool holds, const std::string& at, const std::string& what) {
        if (!holds) found_.push_back(at + ": " + what);
    }

    void check_histogram(const Histogram& histogram, const std::string& at) {
        const auto buckets = histogram.buckets();
        if (buckets.empty()) return;
        const auto first = Histogram::bucket_range(buckets.front().first);
        const auto last = Histogram::bucket_range(buckets.back().first);
        check(first.first <= histogram.min() && histogram.min() <= first.second, at + "/min",
              fmt::format("{} is not in the first bucket [{}, {}]", histogram.min(), first.first,
                          first.second));
        check(last.first <= histogram.max() && histogram.max() <= last.second, at + "/max",
              fmt::format("{} is not in the last bucket [{}, {}]", histogram.max(), last.first,
                          last.second));
        double least = 0;
        double most = 0;
        for (const auto& [index, count] : buckets) {
            const auto [low, high] = Histogram::bucket_range(index);
            least += static_cast<double>(low) * static_cast<double>(count);
            most += static_cast<double>(high) * static_cast<double>(count);
        }
        // Sums of many doubles lose their last bits.
        check(histogram.sum() >= least * (1 - 1e-9) && histogram.sum() <= most * (1 + 1e-9),
              at + "/sum",
              fmt::format("{} is not between {} and {}, as the buckets demand", histogram.sum(),
                          least, most));
    }

    void check_repetition(const Repetition& repetition, const std::string& at) {
        const WriteFigures& write = repetition.write;
        check(write.window_ns > 0, at + "/write/window_ns", "is 0");
        check(write.latency_ns.count() == write.appends, at + "/write/appends",
              fmt::format("{} appends, but {} latencies", write.appends, write.latency_ns.count()));
        check(write.records >= write.appends, at + "/write/records",
              fmt::format("{} records in {} appends", write.records, write.appends));
        check_histogram(write.latency_ns, at + "/write/latency_ns");
        const std::uint64_t in_series =
            std::accumulate(write.series.begin(), write.series.end(), std::uint64_t{0});
        check(write.series.empty() || in_series == write.records, at + "/write/series",
              fmt::format("adds up to {}, not to the {} records", in_series, write.records));
        for (const auto* quantiles :
             {&write.series_p50_ns, &write.series_p99_ns, &write.series_max_ns}) {
            check(quantiles->empty() || quantiles->size() == write.series.size(),
                  at + "/write/series",
                  fmt::format("has {} intervals, its latencies {}", write.series.size(),
                              quantiles->size()));
        }
        check_histogram(write.delay_ns, at + "/write/delay_ns");
        check_histogram(write.service_ns, at + "/write/service_ns");
        check_histogram(repetition.read.latency_ns, at + "/read/latency_ns");
        check_histogram(repetition.floor.overwrite_ns, at + "/floor/overwrite_ns");
        check_histogram(repetition.floor.append_ns, at + "/floor/append_ns");
        if (repetition.checked) check_read_back(repetition, at + "/read_back/verdict");
    }

    std::vector<std::string> take() { return std::move(found_); }

private:
    void check_read_back(const Repetition& repetition, const std::string& at) {
        const Verdict& verdict = repetition.read_back.verdict;
        check(verdict.acknowledged >= repetition.write.records, at + "/acknowledged",
              fmt::format("{}, but {} records were acknowledged within the window alone",
                          verdict.acknowledged, repetition.write.records));
        const std::uint64_t lost = verdict[AnomalyKind::kLostWrite].count;
        check(verdict.read + lost >= verdict.acknowledged, at + "/read",
              fmt::format("{} records read and {} lost of {} acknowledged", verdict.read, lost,
                          verdict.acknowledged));
    }

    std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> contradictions(const RunResult& result) {
    Finder finder;
    finder.check_histogram(result.floor.overwrite_ns, "/floor/overwrite_ns");
    finder.check_histogram(result.floor.append_ns, "/floor/append_ns");
    for (std::size_t row = 0; row < result.rows.size(); ++row) {
        const auto& systems = result.rows[row].systems;
        for (std::size_t system = 0; system < systems.size(); ++system) {
            const auto& repetitions = systems[system].repetitions;
            for (std::size_t i = 0; i < repetitions.size(); ++i) {
                if (!repetitions[i].error.empty()) continue;
                finder.check_repetition(
                    repetitions[i],
                    fmt::format("/rows/{}/systems/{}/repetitions/{}", row, system, i));
            }
        }
    }
    return finder.take();
}

}  // namespace walrus::harness

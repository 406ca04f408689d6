#include "harness/report/sample_result.h"

namespace walrus::harness {

Repetition sample_repetition(std::uint32_t round, std::uint64_t records, std::uint64_t flushes) {
    Repetition repetition;
    repetition.round = round;
    repetition.seed = 42 + round;
    repetition.checked = true;
    WriteFigures& write = repetition.write;
    write.open_ns = 1'000'000;
    write.window_ns = 1'000'000'000;
    write.appends = records;
    write.records = records;
    write.activity.elapsed_ns = write.window_ns;
    write.activity.total.user_us = 200'000;
    write.activity.total.device.flushes = flushes;
    write.effective_config = {{"sync", "every append"}};
    write.version = "1.0";
    for (std::uint64_t i = 0; i < records; ++i) write.latency_ns.record(100'000 + 100 * i);
    constexpr std::uint64_t kIntervals = 4;
    write.series_interval_ns = write.window_ns / kIntervals;
    write.series.assign(kIntervals, records / kIntervals);
    write.series.back() += records % kIntervals;
    repetition.read_back.open_ns = 5'000'000;
    repetition.read_back.verdict.acknowledged = records + 10;  // The warm-up counts as well.
    repetition.read_back.verdict.read = records + 10;
    return repetition;
}

RunResult sample_result(std::uint32_t rounds) {
    RunResult result;
    result.uuid = "00000000-0000-4000-8000-000000000000";
    result.started_at = "2026-01-02T03:04:05Z";
    result.finished_at = "2026-01-02T03:05:05Z";
    result.revision = "0123456789ab";
    result.command_line = "walrus-harness run small.toml";
    result.complete = true;
    result.host = {{"architecture", "x86_64"}, {"cpu_count", "2"},      {"cpu_model", "Sample CPU"},
                   {"device", "vdz"},          {"file_system", "ext4"}, {"kernel", "Linux 6.1"}};
    Scenario& scenario = result.scenario;
    scenario.name = "small";
    scenario.title = "Small <sample> & more";
    scenario.seed = 42;
    scenario.repetitions = rounds;
    scenario.systems = {{.name = "fast", .driver = "file", .settings = {}},
                        {.name = "slow", .driver = "file", .settings = {}}};
    for (int i = 0; i < 100; ++i) result.floor.overwrite_ns.record(50'000);
    Row row;
    row.name = "appends, \"quoted\"";
    row.durability = Durability::kDisk;
    row.systems = {"fast", "slow"};
    row.baseline = "slow";
    scenario.rows = {row};
    RowResult& measured = result.rows.emplace_back(RowResult{.row = row, .systems = {}});
    measured.systems.resize(2);
    measured.systems[0].system = "fast";
    measured.systems[1].system = "slow";
    for (std::uint32_t round = 0; round < rounds; ++round) {
        const std::uint64_t base = 1000 + 10 * round;
        measured.systems[0].repetitions.push_back(sample_repetition(round, 2 * base, 2 * base));
        measured.systems[1].repetitions.push_back(sample_repetition(round, base, base));
    }
    return result;
}

}  // namespace walrus::harness

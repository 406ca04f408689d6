// A result in the formats of other tools.
//
// Names are "<class>/<row>/<system>", so that no tool can mix durability classes.  Lines that were
// skipped, failed or withheld are left out: their numbers are not to be quoted.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "harness/report/summary.h"

namespace walrus::harness {

enum class ExportFormat {
    kOpenMessaging,    // TestResult JSON of openmessaging/benchmark; one file per line.
    kGoogleBenchmark,  // JSON of google/benchmark: for its compare.py; one entry per repetition.
    kGithubBigger,     // github-action-benchmark, customBiggerIsBetter: throughput.
    kGithubSmaller,    // ..., customSmallerIsBetter: latencies and restart times.
    kBencher,          // Bencher Metric Format.
    kCsv,              // One line per system and row, every figure a column.
    kHdr,              // HdrHistogram percentile tables (.hgrm); one file per line; milliseconds.
};
inline constexpr std::array kExportFormats = {ExportFormat::kOpenMessaging,
                                              ExportFormat::kGoogleBenchmark,
                                              ExportFormat::kGithubBigger,
                                              ExportFormat::kGithubSmaller,
                                              ExportFormat::kBencher,
                                              ExportFormat::kCsv,
                                              ExportFormat::kHdr};

// "omb", "gbench", "github-bigger", "github-smaller", "bmf", "csv", "hgrm".
std::string_view export_name(ExportFormat format);
// One line for --help.
std::string_view export_summary(ExportFormat format);

struct ExportFile {
    std::string name;  // Fit for a file system, with its extension.
    std::string text;
};

// Empty when no line has figures of that kind.
std::vector<ExportFile> export_result(ExportFormat format, const RunResult& result,
                                      const std::vector<Line>& lines);

}  // namespace walrus::harness

// What the exporters share.
#pragma once

#include <string>
#include <vector>

#include "harness/report/exports.h"

namespace walrus::harness {

// The line may be quoted: measured, and its class is believed.
bool quotable(const Line& line);
// "disk/closed loop, 1 writer/walrus".
std::string export_line_name(const Line& line);
// The same as a file name: letters, digits, '-' and '.'.
std::string export_file_name(const Line& line, std::string_view extension);
const SystemResult& system_of(const RunResult& result, const Line& line);

std::string export_open_messaging(const RunResult& result, const Line& line);
std::string export_google_benchmark(const RunResult& result, const std::vector<Line>& lines);
std::string export_hdr(const Histogram& latency_ns);

}  // namespace walrus::harness

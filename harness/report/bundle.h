// A bundle: the directory a run leaves behind, and what can be proved about it.
//
//   result.json     raw figures; written by the run
//   figures.json    computed figures; this and the next two by write_report, from result.json alone
//   report.md       tables
//   report.html     the page
//   manifest.json   SHA-256 of every file of the bundle
#pragma once

#include <string>
#include <vector>

#include "harness/report/result.h"

namespace walrus::harness {

inline constexpr const char* kManifestSchema = "walrus.manifest/v1";

// The result of a bundle.  kNotFound: no such bundle; kCorruption: not a result of this schema.
Result<RunResult> read_bundle(const std::string& bundle_directory);

// Computes everything that result.json implies and writes it beside it, then the manifest.  Files
// of an earlier report are replaced.
Status write_report(const std::string& bundle_directory);

struct Verification {
    std::vector<std::string> problems;  // Each names its file and place.
    std::size_t files = 0;              // Compared with the manifest.
    std::size_t figures = 0;            // Computed again.

    bool ok() const { return problems.empty(); }
};

// Hashes every file, looks for contradictions among the raw figures, computes everything else
// again and compares.  Hashes and computation are independent: a manifest made anew does not hide
// figures that do not follow from the raw ones.  An error means that nothing could be verified.
Result<Verification> verify_bundle(const std::string& bundle_directory);

// For bundles of other kinds, which compute their figures themselves: the manifest alone.
Status write_manifest(const std::string& bundle_directory);
Result<Verification> verify_manifest(const std::string& bundle_directory);

// Lower-case hexadecimal.
std::string sha256_hex(std::string_view data);

}  // namespace walrus::harness

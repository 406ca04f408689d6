#include "harness/cli/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "harness/cli/commands.h"
#include "harness/runner/child.h"
#include "walrus/base/version.h"

namespace walrus::harness {
namespace {

constexpr const char* kExamples = R"(
Examples:
  walrus-harness run scenarios/compare/engine-quick.toml
  walrus-harness run --quick --set 'row.*.workload.payload_bytes=100' FILE.toml
  walrus-harness run --out /tmp/bundle --repetitions 11 --seed 7 FILE.toml
  walrus-harness report bundles/20260101-120000-engine-quick-42
  walrus-harness validate scenarios/*/*.toml

Exit codes: 0 ok, 1 failure, 2 usage, 12 comparator missing (--require), 20 safety violation,
22 setup failed, 130/143 ended by a signal.)";

// The command line as typed, words with spaces in quotes.
std::string join_arguments(int argc, char** argv) {
    std::string line = "walrus-harness";
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        line += word.find(' ') == std::string::npos ? " " + word : " '" + word + "'";
    }
    return line;
}

void add_run(CLI::App& app, RunArguments& arguments) {
    CLI::App* run = app.add_subcommand("run", "Measure what scenario files describe");
    run->add_option("scenario", arguments.scenarios, "Scenario files (TOML)")->required();
    run->add_option("--set", arguments.overrides,
                    "Change one value: key=value, * for every element")
        ->allow_extra_args(false);
    run->add_option("--seed", arguments.seed, "Replaces the scenario's seed");
    run->add_option("--repetitions", arguments.repetitions, "Replaces the scenario's number")
        ->check(CLI::Range(1, 1000));
    run->add_option("--out", arguments.out,
                    "Bundle directory (default: bundles/<date>-<name>-<seed>)");
    run->add_option("--data", arguments.data,
                    "Where systems keep their data: on the disk to be measured");
    run->add_flag("--quick", arguments.quick, "Short windows, 3 repetitions: indicative only");
    run->add_flag("--require", arguments.require, "Fail (12) when a system is not in this build");
    run->add_flag("--keep-data", arguments.keep_data, "Keep the data of failed repetitions");
    run->add_flag("--quiet", arguments.quiet, "No progress line");
}

}  // namespace

int run_command_line(int argc, char** argv, const Registry& registry) {
    CLI::App app("Measures logs, breaks them on purpose, and proves what survived.",
                 "walrus-harness");
    app.footer(kExamples);
    app.require_subcommand(1);
    app.set_version_flag("--version",
                         fmt::format("walrus-harness {} ({})", kVersion, build_commit()));
    Output output = Output::kText;
    const std::map<std::string, Output> outputs = {{"text", Output::kText},
                                                   {"json", Output::kJson}};
    app.add_option("-o,--output", output, "text (default) or json")
        ->transform(CLI::CheckedTransformer(outputs));
    app.fallthrough();

    RunArguments run;
    run.command_line = join_arguments(argc, argv);
    add_run(app, run);
    app.add_subcommand("list", "The systems this build can measure");
    std::vector<std::string> paths;
    app.add_subcommand("validate", "Check scenario files without running them")
        ->add_option("scenario", paths, "Scenario files (TOML)")
        ->required();
    std::string bundle;
    app.add_subcommand("report", "The tables of a bundle, computed from its raw figures")
        ->add_option("bundle", bundle, "Bundle directory")
        ->required();
    app.add_subcommand("child", "")->group("");  // How a run starts its children.

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
    }
    if (app.got_subcommand("child")) return run_child(registry);
    if (app.got_subcommand("run")) return static_cast<int>(run_command(run, registry, output));
    if (app.got_subcommand("list")) return static_cast<int>(list_command(registry, output));
    if (app.got_subcommand("validate")) {
        return static_cast<int>(validate_command(paths, registry, output));
    }
    return static_cast<int>(report_command(bundle, output));
}

}  // namespace walrus::harness

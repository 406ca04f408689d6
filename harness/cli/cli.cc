#include "harness/cli/cli.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "harness/cli/bundle_commands.h"
#include "harness/cli/commands.h"
#include "harness/cli/doctor.h"
#include "harness/cli/proof_commands.h"
#include "harness/driver/settings.h"
#include "harness/runner/child.h"
#include "walrus/base/version.h"

namespace walrus::harness {
namespace {

constexpr const char* kExamples = R"(
Examples:
  walrus-harness doctor
  walrus-harness run scenarios/compare/engine-quick.toml
  walrus-harness report --format html --out page.html BUNDLE
  walrus-harness run scenarios/suites/quick.toml
  walrus-harness judge BUNDLE
  walrus-harness verify BUNDLE
  walrus-harness compare --threshold 5% OLD_BUNDLE NEW_BUNDLE
  walrus-harness VERB --help

Exit codes: 0 ok, 1 failure, 2 usage, 10 regression, 11 inconclusive (too noisy),
12 comparator missing (--require), 20 safety violation, 21 liveness violation, 22 setup failed,
130/143 ended by a signal.)";

constexpr const char* kRunExamples = R"(
Examples:
  walrus-harness run scenarios/compare/engine-quick.toml
  walrus-harness run --quick --set 'row.*.workload.payload_bytes=100' FILE.toml
  walrus-harness run --out /tmp/bundle --repetitions 11 --seed 7 FILE.toml
  walrus-harness run --data /mnt/disk/scratch --require FILE.toml
  walrus-harness -o json run --no-gate --quick FILE.toml >result.json

A repetition that other work on the machine disturbed is rejected and taken again; a system that
never had a quiet moment gets no verdict (exit code 11).)";

constexpr const char* kJudgeExamples = R"(
Examples:
  walrus-harness judge BUNDLE                          every history of a resilience run
  walrus-harness judge BUNDLE/histories/walrusd.jsonl  one, with nothing expected or allowed
  walrus-harness judge --scenario scenarios/recovery/wiped.toml HISTORY

Exit codes: 0 passed, 11 proves nothing, 20 safety violation, 21 liveness violation.)";

constexpr const char* kListExamples = R"(
Examples:
  walrus-harness list
  walrus-harness -o json list)";

constexpr const char* kValidateExamples = R"(
Examples:
  walrus-harness validate scenarios/*/*.toml
  walrus-harness -o json validate FILE.toml)";

constexpr const char* kDoctorExamples = R"(
Examples:
  walrus-harness doctor
  walrus-harness doctor --data /mnt/disk/scratch
  walrus-harness -o json doctor

Exit codes: 0 fit for measuring (perhaps with warnings), 22 not fit.)";

// The command line as typed, words with spaces in quotes.
std::string join_arguments(int argc, char** argv) {
    std::string line = "walrus-harness";
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        line += word.find(' ') == std::string::npos ? " " + word : " '" + word + "'";
    }
    return line;
}

CLI::App* add_run(CLI::App& app, RunArguments& arguments, bool& quiet) {
    CLI::App* run = app.add_subcommand("run", "Run scenario files and suites");
    run->footer(kRunExamples);
    run->add_option("scenario", arguments.scenarios, "Scenario or suite files (TOML)")->required();
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
    run->add_option("--gate-wait", arguments.gate_wait,
                    "How long to wait for a quiet machine before a retake (default: 20s)");
    run->add_option("--child-timeout", arguments.child_timeout,
                    "What a child process may take beyond its planned time (default: 2m)");
    run->add_flag("--quick", arguments.quick, "Short windows, 3 repetitions: indicative only");
    run->add_flag("--require", arguments.require, "Fail (12) when a system is not in this build");
    run->add_flag("--no-gate", arguments.no_gate,
                  "Count repetitions that other work disturbed: for smoke tests, marks the result");
    run->add_flag("--keep-data", arguments.keep_data, "Keep the data of failed repetitions");
    run->add_flag("--quiet", quiet, "No progress line");
    return run;
}

// For "walrus-harness dance": what was meant?
std::string unknown_verb(const CLI::App& app) {
    const std::vector<std::string> rest = app.remaining();
    const auto word =
        std::ranges::find_if(rest, [](const std::string& w) { return !w.starts_with('-'); });
    if (word == rest.end() || !app.get_subcommands().empty()) return "";
    std::vector<std::string> names;
    for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (!verb->get_group().empty()) names.push_back(verb->get_name());
    }
    const std::vector<std::string_view> known(names.begin(), names.end());
    return fmt::format("unknown verb \"{}\"{}", *word, did_you_mean(*word, known));
}

int explain(const CLI::App& app, const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
        if (const std::string what = unknown_verb(app); !what.empty()) {
            fmt::print(stderr, "walrus-harness: {}\nRun with --help for more information.\n", what);
            return static_cast<int>(ExitCode::kUsage);
        }
    }
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
}

}  // namespace

int run_command_line(int argc, char** argv, const Registry& registry,
                     const Environment& environment) {
    CLI::App app("Measures logs, breaks them on purpose, and proves what survived.",
                 "walrus-harness");
    app.footer(kExamples);
    app.require_subcommand(1);
    app.set_version_flag("--version",
                         fmt::format("walrus-harness {} ({})", kVersion, build_commit()));
    Terminal terminal;
    const std::map<std::string, Output> outputs = {{"text", Output::kText},
                                                   {"json", Output::kJson}};
    app.add_option("-o,--output", terminal.output, "text (default) or json")
        ->transform(CLI::CheckedTransformer(outputs));
    app.fallthrough();

    RunArguments run;
    run.command_line = join_arguments(argc, argv);
    bool quiet = false;
    add_run(app, run, quiet);
    app.add_subcommand("list", "The systems this build can measure")->footer(kListExamples);
    std::vector<std::string> paths;
    CLI::App* validate = app.add_subcommand("validate", "Check scenario files without running");
    validate->footer(kValidateExamples);
    validate->add_option("scenario", paths, "Scenario files (TOML)")->required();
    std::string history;
    std::string expectations;
    CLI::App* judge = app.add_subcommand("judge", "Judge what a resilience run left, again");
    judge->footer(kJudgeExamples);
    judge->add_option("path", history, "Bundle directory, or a history (.jsonl)")->required();
    judge->add_option("--scenario", expectations, "What to expect of a history alone");
    std::string data = ".";
    CLI::App* doctor = app.add_subcommand("doctor", "Is this machine fit for measuring?");
    doctor->footer(kDoctorExamples);
    doctor->add_option("--data", data, "Where systems would keep their data (default: here)");
    const BundleCommands bundles(app);
    app.add_subcommand("child", "")->group("");  // How a run starts its children.

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return explain(app, error);
    }
    terminal.progress = !quiet && !environment.dumb_terminal && ::isatty(STDERR_FILENO) == 1;
    terminal.colours =
        !environment.no_colour && !environment.dumb_terminal && ::isatty(STDOUT_FILENO) == 1;
    if (app.got_subcommand("child")) return run_child(registry);
    const auto code = [&] {
        if (app.got_subcommand("run")) return run_command(run, registry, terminal);
        if (app.got_subcommand("list")) return list_command(registry, terminal.output);
        if (app.got_subcommand("doctor")) return doctor_command(data, registry, terminal);
        if (app.got_subcommand("validate")) {
            return validate_command(paths, registry, terminal.output);
        }
        if (app.got_subcommand("judge")) {
            return judge_command(history, expectations, terminal.output);
        }
        return bundles.run(terminal.output);
    };
    return static_cast<int>(code());
}

}  // namespace walrus::harness

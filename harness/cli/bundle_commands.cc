#include "harness/cli/bundle_commands.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "harness/cli/proof_commands.h"
#include "harness/driver/file_descriptor.h"
#include "harness/driver/settings.h"
#include "harness/report/bundle.h"
#include "harness/report/compare.h"
#include "harness/report/exports.h"
#include "harness/report/figures.h"
#include "harness/report/html.h"
#include "harness/report/result_json.h"
#include "harness/report/schema.h"
#include "harness/report/tables.h"
#include "harness/runner/proof_bundle.h"

namespace walrus::harness {
namespace {

constexpr const char* kReportExamples = R"(
Examples:
  walrus-harness report BUNDLE                                 tables for the terminal
  walrus-harness report --format md BUNDLE >comment.md         for a pull request
  walrus-harness report --format hgrm --out histograms BUNDLE  one file a line, in a directory
  walrus-harness report --write BUNDLE                         renew the pages of the bundle
  walrus-harness report --format help                          all formats)";

constexpr const char* kVerifyExamples = R"(
Examples:
  walrus-harness verify results/reference/*-engine-quick
  walrus-harness -o json verify BUNDLE

Exit codes: 0 every file and figure is what the raw results say, 1 one is not, 2 no bundle.)";

constexpr const char* kCompareExamples = R"(
Examples:
  walrus-harness compare OLD_BUNDLE NEW_BUNDLE
  walrus-harness compare --threshold 10% --format md OLD_BUNDLE NEW_BUNDLE >comment.md
  walrus-harness -o json compare --allow-unlike-machines OLD_BUNDLE NEW_BUNDLE

Exit codes: 0 no regression, 10 regression, 11 inconclusive (too noisy), 20 records were lost.)";

// A format of `report` that is one text.
struct TextFormat {
    const char* name;
    const char* summary;
    std::string (*render)(const RunResult&, const std::vector<Line>&);
};

constexpr TextFormat kTextFormats[] = {
    {"text", "tables for the terminal (default)", render_tables},
    {"md", "Markdown tables, for a pull request", render_markdown},
    {"html", "one self-contained page with charts", render_html},
    {"figures", "every printed figure with its place in result.json, as JSON",
     [](const RunResult& result, const std::vector<Line>& lines) {
         return figures_json(result, lines).dump(1) + "\n";
     }},
    {"json", "the raw result",
     [](const RunResult& result, const std::vector<Line>&) {
         return nlohmann::json(result).dump(1) + "\n";
     }},
};

std::string list_formats() {
    std::vector<std::vector<std::string>> rows;
    for (const TextFormat& format : kTextFormats) rows.push_back({format.name, format.summary});
    for (const ExportFormat format : kExportFormats) {
        rows.push_back({std::string(export_name(format)), std::string(export_summary(format))});
    }
    rows.push_back({"schema", "the JSON Schema of result.json"});
    return align_columns(rows, 2);
}

std::vector<std::string> format_names() {
    std::vector<std::string> names = {"help", "schema"};
    for (const TextFormat& format : kTextFormats) names.emplace_back(format.name);
    for (const ExportFormat format : kExportFormats) names.emplace_back(export_name(format));
    return names;
}

// To stdout, to the file `out`, or into the directory `out` when there are several.
Status deliver(const std::vector<ExportFile>& files, const std::string& out) {
    if (files.empty()) {
        return Error{Errc::kNotFound, "no row of this bundle has figures for this format"};
    }
    if (out.empty() && files.size() > 1) {
        return Error{
            Errc::kInvalidArgument,
            fmt::format("this format gives {} files: name a directory with --out", files.size())};
    }
    if (out.empty()) {
        fmt::print("{}", files.front().text);
        return {};
    }
    if (files.size() == 1) return write_whole_file(out, files.front().text);
    std::error_code error;
    std::filesystem::create_directories(out, error);
    if (error) return os_error("create", out, error.value());
    for (const ExportFile& file : files) {
        WALRUS_RETURN_IF_ERROR(write_whole_file(out + "/" + file.name, file.text));
    }
    return {};
}

std::vector<ExportFile> render(const std::string& format, const RunResult& result) {
    const std::vector<Line> lines = summarise(result);
    for (const TextFormat& text : kTextFormats) {
        if (format == text.name) return {{"report", text.render(result, lines)}};
    }
    for (const ExportFormat known : kExportFormats) {
        if (format == export_name(known)) return export_result(known, result, lines);
    }
    return {};
}

// "5%", "0.05".
std::string share_problem(const std::string& text, double& share) {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    const std::string rest = end == nullptr ? "" : end;
    share = rest == "%" || rest == " %" ? value / 100 : value;
    const bool ok =
        end != text.c_str() && (rest.empty() || share != value) && share > 0 && share < 1;
    return ok ? "" : "must be a share between 0 and 1, such as 5% or 0.05";
}

}  // namespace

struct BundleCommands::Arguments {
    std::string bundle;
    std::string format = "text";
    std::string out;
    bool write = false;

    std::string before;
    std::string after;
    std::string compare_format = "text";
    std::string threshold = "5%";
    CompareRules rules;

    CLI::App* report = nullptr;
    CLI::App* verify = nullptr;
    CLI::App* compare = nullptr;

    ExitCode run_report(Output output) const;
    ExitCode run_verify(Output output) const;
    ExitCode run_compare(Output output) const;
};

BundleCommands::BundleCommands(CLI::App& app)
    : app_(app), arguments_(std::make_unique<Arguments>()) {
    Arguments& a = *arguments_;
    a.report = app.add_subcommand("report",
                                  "Tables, page and exports of a bundle, computed from "
                                  "its raw figures");
    a.report->footer(kReportExamples);
    a.report->add_option("bundle", a.bundle, "Bundle directory");
    a.report->add_option("--format", a.format, "What to print; `help` lists the formats")
        ->check(CLI::IsMember(format_names()));
    a.report->add_option("--out", a.out, "Write to this file (or directory) instead of stdout");
    a.report->add_flag("--write", a.write,
                       "Write figures.json, report.md, report.html and manifest.json into the "
                       "bundle");

    a.verify = app.add_subcommand("verify", "Compute every figure of a bundle again and compare");
    a.verify->footer(kVerifyExamples);
    a.verify->add_option("bundle", a.bundle, "Bundle directory")->required();

    a.compare = app.add_subcommand("compare", "Is the new run slower than the old one?");
    a.compare->footer(kCompareExamples);
    a.compare->add_option("old", a.before, "Bundle of the old run")->required();
    a.compare->add_option("new", a.after, "Bundle of the new run")->required();
    a.compare->add_option("--threshold", a.threshold, "A loss above this share is a regression")
        ->check([&a](const std::string& text) { return share_problem(text, a.rules.threshold); });
    a.compare->add_option("--format", a.compare_format, "text, md or json")
        ->check(CLI::IsMember({"text", "md", "json"}));
    a.compare->add_flag("--allow-unlike-classes", a.rules.allow_unlike_classes,
                        "Compare rows of different durability, labelled");
    a.compare->add_flag("--allow-unlike-workloads", a.rules.allow_unlike_workloads,
                        "Compare rows whose workload was changed, labelled");
    a.compare->add_flag("--allow-unlike-machines", a.rules.allow_unlike_machines,
                        "Compare runs of different machines, labelled");
}

BundleCommands::~BundleCommands() = default;

bool BundleCommands::selected() const {
    return app_.got_subcommand(arguments_->report) || app_.got_subcommand(arguments_->verify) ||
           app_.got_subcommand(arguments_->compare);
}

ExitCode BundleCommands::run(Output output) const {
    if (app_.got_subcommand(arguments_->report)) return arguments_->run_report(output);
    if (app_.got_subcommand(arguments_->verify)) return arguments_->run_verify(output);
    return arguments_->run_compare(output);
}

ExitCode BundleCommands::Arguments::run_report(Output output) const {
    if (format == "help" || format == "schema") {
        fmt::print("{}", format == "help" ? list_formats() : std::string(result_schema()));
        return ExitCode::kOk;
    }
    if (bundle.empty()) {
        complain({Errc::kInvalidArgument, "report: name a bundle directory"});
        return ExitCode::kUsage;
    }
    if (is_proof_bundle(bundle)) return judge_command(bundle, "", output);
    const auto result = read_bundle(bundle);
    if (!result) {
        complain(result.error());
        return result.error().code == Errc::kNotFound ? ExitCode::kUsage : ExitCode::kFailure;
    }
    Status status;
    if (write) {
        status = write_report(bundle);
        if (status) fmt::print("{}/report.html\n", bundle);
    } else {
        status = deliver(render(output == Output::kJson ? "json" : format, *result), out);
    }
    if (status) return ExitCode::kOk;
    complain(status.error());
    return status.error().code == Errc::kInvalidArgument ? ExitCode::kUsage : ExitCode::kFailure;
}

ExitCode BundleCommands::Arguments::run_verify(Output output) const {
    const auto found = is_proof_bundle(bundle) ? verify_proof(bundle) : verify_bundle(bundle);
    if (!found) {
        complain(found.error());
        return found.error().code == Errc::kNotFound ? ExitCode::kUsage : ExitCode::kFailure;
    }
    if (output == Output::kJson) {
        fmt::print("{}\n", nlohmann::json{{"ok", found->ok()},
                                          {"files", found->files},
                                          {"figures", found->figures},
                                          {"problems", found->problems}}
                               .dump(1));
    } else {
        for (const std::string& problem : found->problems) fmt::print("{}\n", problem);
        fmt::print("{}: {}: {} files hashed, {} figures computed again, {} problems\n", bundle,
                   found->ok() ? "verified" : "NOT VERIFIED", found->files, found->figures,
                   found->problems.size());
    }
    return found->ok() ? ExitCode::kOk : ExitCode::kFailure;
}

ExitCode BundleCommands::Arguments::run_compare(Output output) const {
    const auto old_result = read_bundle(before);
    const auto new_result = read_bundle(after);
    for (const auto* result : {&old_result, &new_result}) {
        if (*result) continue;
        complain(result->error());
        return result->error().code == Errc::kNotFound ? ExitCode::kUsage : ExitCode::kFailure;
    }
    const auto comparison = compare_results(*old_result, *new_result, rules);
    if (!comparison) {
        complain(comparison.error());
        return ExitCode::kUsage;
    }
    if (output == Output::kJson || compare_format == "json") {
        fmt::print("{}\n", comparison_json(*comparison).dump(1));
    } else if (compare_format == "md") {
        fmt::print("{}", render_comparison_markdown(*comparison));
    } else {
        fmt::print("{}", render_comparison(*comparison));
    }
    if (comparison->anomalies > 0) return ExitCode::kSafetyViolation;
    switch (comparison->gate) {
        case Gate::kRegression: return ExitCode::kRegression;
        case Gate::kInconclusive: return ExitCode::kInconclusive;
        case Gate::kOk:
        case Gate::kReference: break;
    }
    return ExitCode::kOk;
}

}  // namespace walrus::harness

#include "harness/runner/proof_bundle.h"

#include <fmt/format.h>

#include <utility>

#include "harness/driver/file_descriptor.h"
#include "harness/resilience/proof_page.h"

namespace walrus::harness {
namespace {

using nlohmann::json;

std::string history_path(const std::string& bundle, const std::string& system) {
    return fmt::format("{}/histories/{}.jsonl", bundle, system);
}

Result<json> read_document(const std::string& bundle) {
    const auto text = read_whole_file(bundle + "/result.json");
    if (!text) return text.error();
    json document = json::parse(*text, nullptr, false);
    const bool fits = document.is_object() && document.value("schema", "") == kResilienceSchema &&
                      document.contains("runs") && document.at("runs").is_array();
    if (fits) return document;
    return Error{Errc::kCorruption,
                 fmt::format("{}/result.json: is no {} document", bundle, kResilienceSchema)};
}

std::string markdown_of(const ProofResult& result) {
    return fmt::format("# {}\n\n```\n{}```\n", result.scenario, result_text(result));
}

std::string page_of(const ProofResult& result) {
    std::vector<ProofPagePart> parts;
    for (const ProofRun& run : result.runs) {
        parts.push_back({.system = run.system,
                         .error = run.error,
                         .history = run.history,
                         .judgement = run.judgement});
    }
    return render_proof_page(result.scenario, parts);
}

}  // namespace

ProofRun judge_run(const std::string& system, History history, const ResilienceCheck& check) {
    ProofRun run{.system = system, .error = {}, .history = std::move(history), .judgement = {}};
    run.judgement = judge(run.history, check);
    return run;
}

json runs_json(const ProofResult& result) {
    json runs = json::array();
    for (const ProofRun& run : result.runs) {
        json one = run.history.header.begin_ns == 0 ? json{{"system", run.system}}
                                                    : judgement_json(run.history, run.judgement);
        one["error"] = run.error;
        runs.push_back(std::move(one));
    }
    return runs;
}

std::string result_text(const ProofResult& result) {
    std::string text;
    for (const ProofRun& run : result.runs) {
        if (!run.error.empty()) {
            text += fmt::format("{} / {}: {}\n", result.scenario, run.system, run.error);
        }
        if (run.history.header.begin_ns != 0) text += judgement_text(run.history, run.judgement);
    }
    for (const std::string& skipped : result.skipped) text += "skipped: " + skipped + "\n";
    return text;
}

Status write_proof(const std::string& bundle, const ProofResult& result, const json& about) {
    json document = about;
    document["schema"] = kResilienceSchema;
    document["scenario"] = result.scenario;
    document["complete"] = !result.interrupted;
    document["skipped"] = result.skipped;
    document["runs"] = runs_json(result);
    WALRUS_RETURN_IF_ERROR(write_whole_file(bundle + "/result.json", document.dump(1) + "\n"));
    WALRUS_RETURN_IF_ERROR(write_whole_file(bundle + "/report.md", markdown_of(result)));
    WALRUS_RETURN_IF_ERROR(write_whole_file(bundle + "/report.html", page_of(result)));
    return write_manifest(bundle);
}

bool is_proof_bundle(const std::string& bundle) {
    return read_document(bundle).has_value();
}

Result<ProofResult> judge_bundle(const std::string& bundle) {
    const auto document = read_document(bundle);
    if (!document) return document.error();
    const auto text = read_whole_file(bundle + "/scenario.toml");
    if (!text) return text.error();
    try {
        const auto overrides = document->at("overrides").get<std::vector<Override>>();
        const auto scenario = parse_resilience(*text, bundle + "/scenario.toml", overrides);
        if (!scenario) return scenario.error();
        ProofResult result{.scenario = scenario->name,
                           .runs = {},
                           .skipped = document->at("skipped"),
                           .interrupted = !document->at("complete").get<bool>()};
        for (const json& run : document->at("runs")) {
            const std::string system = run.at("system");
            auto history = read_history(history_path(bundle, system));
            if (!history && history.error().code != Errc::kNotFound) return history.error();
            if (history) {
                result.runs.push_back(judge_run(system, std::move(*history), scenario->check));
            } else {
                result.runs.push_back(
                    {.system = system, .error = {}, .history = {}, .judgement = {}});
            }
            result.runs.back().error = run.at("error");
        }
        return result;
    } catch (const json::exception& error) {
        return Error{Errc::kCorruption, fmt::format("{}/result.json: {}", bundle, error.what())};
    }
}

Result<Verification> verify_proof(const std::string& bundle) {
    auto found = verify_manifest(bundle);
    if (!found) return found;
    const auto again = judge_bundle(bundle);
    if (!again) {
        found->problems.push_back(again.error().message);
        return found;
    }
    const auto document = read_document(bundle);
    if (!document) return document.error();
    const json computed = runs_json(*again);
    found->figures = computed.flatten().size();
    const json difference = json::diff(document->at("runs"), computed);
    for (const json& step : difference) {
        found->problems.push_back(fmt::format("result.json: /runs{}: is not what the history says",
                                              step.value("path", "")));
    }
    for (const auto& [name, text] :
         {std::pair{"report.md", markdown_of(*again)}, std::pair{"report.html", page_of(*again)}}) {
        if (read_whole_file(bundle + "/" + name).value_or("") == text) continue;
        found->problems.push_back(fmt::format("{}: is not what the history says", name));
    }
    return found;
}

}  // namespace walrus::harness

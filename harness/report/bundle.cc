#include "harness/report/bundle.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/driver/file_descriptor.h"
#include "harness/report/consistency.h"
#include "harness/report/figures.h"
#include "harness/report/html.h"
#include "harness/report/result_json.h"
#include "harness/report/tables.h"

namespace walrus::harness {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kResult = "result.json";
constexpr const char* kFigures = "figures.json";
constexpr const char* kMarkdown = "report.md";
constexpr const char* kPage = "report.html";
constexpr const char* kManifest = "manifest.json";
constexpr std::size_t kShownProblems = 10;  // Per file.

constexpr const char* kRewrite = "write it again with `walrus-harness report --write BUNDLE`";

// Regular files below the bundle, by relative path; without the manifest itself and without the
// data that a run may have been told to keep.
Result<std::vector<std::string>> files_of(const std::string& directory) {
    std::vector<std::string> names;
    std::error_code error;
    for (auto it = fs::recursive_directory_iterator(directory, error);
         !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
        const std::string name = fs::relative(it->path(), directory).generic_string();
        if (it->is_directory() && name == "data") it.disable_recursion_pending();
        if (it->is_regular_file() && name != kManifest) names.push_back(name);
    }
    if (error) return os_error("list", directory, error.value());
    std::ranges::sort(names);
    return names;
}

Result<json> make_manifest(const std::string& directory) {
    const auto names = files_of(directory);
    if (!names) return names.error();
    json files = json::object();
    for (const std::string& name : *names) {
        const auto text = read_whole_file(directory + "/" + name);
        if (!text) return text.error();
        files[name] = {{"size_bytes", text->size()}, {"sha256", sha256_hex(*text)}};
    }
    return json{{"schema", kManifestSchema}, {"page_format", kPageFormat}, {"files", files}};
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        lines.push_back(line);
        text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    return lines;
}

std::string excerpt(std::string_view line, std::size_t from) {
    constexpr std::size_t kBefore = 60;
    constexpr std::size_t kLength = 160;
    const std::size_t begin = from > kBefore ? from - kBefore : 0;
    return std::string(line.substr(begin, kLength));
}

// Everything that verification finds, and how it looks for it.
class Verifier {
public:
    explicit Verifier(const std::string& directory) : directory_(directory) {}

    Result<Verification> run() {
        const auto text = read_whole_file(directory_ + "/" + kResult);
        if (!text) return text.error();
        WALRUS_RETURN_IF_ERROR(check_manifest());
        const auto result = parse_result(*text);
        if (!result) {
            problem(kResult, result.error().message);
            return found_;
        }
        for (const std::string& what : contradictions(*result)) problem(kResult, what);
        check_scenario(json::parse(*text).at("scenario"));
        const std::vector<Line> lines = summarise(*result);
        check_figures(figures_json(*result, lines));
        check_text(kMarkdown, render_markdown(*result, lines));
        check_text(kPage, render_html(*result, lines));
        return found_;
    }

    Result<Verification> run_manifest() {
        WALRUS_RETURN_IF_ERROR(check_manifest());
        return found_;
    }

private:
    void problem(const std::string& file, const std::string& what) {
        found_.problems.push_back(file + ": " + what);
    }

    Status check_manifest() {
        const auto text = read_whole_file(directory_ + "/" + kManifest);
        if (!text) {
            problem(kManifest, fmt::format("there is none, so nothing says what the files were; {}",
                                           kRewrite));
            return {};
        }
        const json manifest = json::parse(*text, nullptr, false);
        if (!manifest.is_object() || manifest.value("schema", "") != kManifestSchema ||
            !manifest.contains("files") || !manifest.at("files").is_object()) {
            problem(kManifest, fmt::format("is no {} document", kManifestSchema));
            return {};
        }
        page_format_ = manifest.value("page_format", 0);
        const auto now = make_manifest(directory_);
        if (!now) return now.error();
        compare_hashes(manifest.at("files"), now->at("files"));
        return {};
    }

    void compare_hashes(const json& then, const json& now) {
        for (const auto& [name, entry] : then.items()) {
            ++found_.files;
            if (!now.contains(name)) {
                problem(name, "is in the manifest, but not in the bundle");
            } else if (now.at(name) != entry) {
                problem(name, fmt::format("was changed: its SHA-256 is {}, the manifest says {}",
                                          now.at(name).value("sha256", ""),
                                          entry.is_object() ? entry.value("sha256", "") : "none"));
            }
        }
        for (const auto& [name, entry] : now.items()) {
            if (!then.contains(name)) problem(name, "is in the bundle, but not in the manifest");
        }
    }

    void check_scenario(const json& ours) {
        const auto text = read_whole_file(directory_ + "/scenario.json");
        if (!text) return;  // The result holds it as well.
        const json document = json::parse(*text, nullptr, false);
        for (const std::string& what : json_differences(ours, document, kShownProblems)) {
            problem("scenario.json", what + " in result.json");
        }
    }

    void check_figures(const json& computed) {
        for (const json& line : computed.at("lines")) found_.figures += line.at("figures").size();
        found_.figures += computed.at("floor").size();
        const auto text = read_whole_file(directory_ + "/" + kFigures);
        if (!text) {
            problem(kFigures, fmt::format("there is none; {}", kRewrite));
            return;
        }
        const json stored = json::parse(*text, nullptr, false);
        if (stored.is_discarded()) {
            problem(kFigures, "is not JSON");
            return;
        }
        for (const std::string& what : json_differences(computed, stored, kShownProblems)) {
            problem(kFigures, what);
        }
    }

    void check_text(const std::string& name, const std::string& rendered) {
        const auto stored = read_whole_file(directory_ + "/" + name);
        if (!stored) {
            problem(name, fmt::format("there is none; {}", kRewrite));
            return;
        }
        if (*stored == rendered) return;
        if (page_format_ != 0 && page_format_ != kPageFormat) {
            problem(name, fmt::format("has page format {}, this program writes {}; verify with the "
                                      "program that wrote it, or {}",
                                      page_format_, kPageFormat, kRewrite));
            return;
        }
        const std::vector<std::string_view> found = lines_of(*stored);
        const std::vector<std::string_view> expected = lines_of(rendered);
        std::size_t shown = 0;
        for (std::size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
            if (found[i] == expected[i] || ++shown > kShownProblems) continue;
            const auto differ = std::ranges::mismatch(found[i], expected[i]);
            const auto at = static_cast<std::size_t>(differ.in1 - found[i].begin());
            problem(name, fmt::format("line {}: is '{}', computed again '{}'", i + 1,
                                      excerpt(found[i], at), excerpt(expected[i], at)));
        }
        if (found.size() != expected.size()) {
            problem(name,
                    fmt::format("has {} lines, computed again {}", found.size(), expected.size()));
        } else if (shown == 0) {
            problem(name, "differs in its last line break");
        }
    }

    const std::string directory_;
    int page_format_ = 0;
    Verification found_;
};

}  // namespace

std::string sha256_hex(std::string_view data) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    const int ok =
        EVP_Digest(data.data(), data.size(), digest.data(), &size, EVP_sha256(), nullptr);
    WALRUS_ASSERT(ok == 1);
    std::string text;
    for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
    return text;
}

Result<RunResult> read_bundle(const std::string& bundle_directory) {
    const auto text = read_whole_file(bundle_directory + "/" + kResult);
    if (!text) return text.error();
    auto result = parse_result(*text);
    if (!result) {
        return Error{result.error().code, bundle_directory + "/" + result.error().message};
    }
    return result;
}

Status write_report(const std::string& bundle_directory) {
    const auto result = read_bundle(bundle_directory);
    if (!result) return result.error();
    const std::vector<Line> lines = summarise(*result);
    const std::string base = bundle_directory + "/";
    WALRUS_RETURN_IF_ERROR(
        write_whole_file(base + kFigures, figures_json(*result, lines).dump(1) + "\n"));
    WALRUS_RETURN_IF_ERROR(write_whole_file(base + kMarkdown, render_markdown(*result, lines)));
    WALRUS_RETURN_IF_ERROR(write_whole_file(base + kPage, render_html(*result, lines)));
    return write_manifest(bundle_directory);
}

Status write_manifest(const std::string& bundle_directory) {
    const auto manifest = make_manifest(bundle_directory);
    if (!manifest) return manifest.error();
    return write_whole_file(bundle_directory + "/" + kManifest, manifest->dump(1) + "\n");
}

Result<Verification> verify_manifest(const std::string& bundle_directory) {
    return Verifier(bundle_directory).run_manifest();
}

Result<Verification> verify_bundle(const std::string& bundle_directory) {
    return Verifier(bundle_directory).run();
}

}  // namespace walrus::harness

// walrus-wal: looks at a log that nobody has open, and repairs it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "walrus/base/log.h"
#include "walrus/base/version.h"
#include "walrus/wal/options.h"
#include "walrus/wal_tool/wal_verbs.h"

namespace {

constexpr const char* kFooter = R"(
Examples:
  walrus-wal verify --data-dir wal_files
  walrus-wal verify --data-dir wal_files --key orders -o json
  walrus-wal dump --topic clicks --limit 20 --payload text
  walrus-wal dump --shard 0 --from-lsn 268435456 -o jsonl
  walrus-wal repair --yes --data-dir wal_files

The log must not be open.  WALRUS_DATA_DIR and WALRUS_INSTANCE_KEY give the defaults.
Exit codes: 0 ok, 1 failure or acknowledged damage, 2 usage, 3 no log there.)";

}  // namespace

int main(int argc, char** argv) {
    using namespace walrus;
    using wal_tool::Output;
    wal_tool::Choices choices{.program = "walrus-wal", .options = wal::Options::from_environment()};
    set_log_sink(stderr_log_sink(wal::quiet_in_environment() ? LogLevel::kWarn : LogLevel::kInfo));
    CLI::App app("Looks at a Walrus log that nobody has open, and repairs it.", "walrus-wal");
    app.footer(kFooter);
    app.require_subcommand(1);
    app.set_version_flag("--version", fmt::format("walrus-wal {} ({})", kVersion, build_commit()));
    app.add_option("--data-dir", choices.options.data_dir, "Directory of the log")
        ->capture_default_str();
    app.add_option("--key", choices.options.key, "Name of the log inside the directory");
    const std::map<std::string, Output> outputs = {
        {"text", Output::kText}, {"json", Output::kJson}, {"jsonl", Output::kJsonLines}};
    app.add_option("-o,--output", choices.output, "text (default), json, or jsonl: one per line")
        ->transform(CLI::CheckedTransformer(outputs));
    app.add_flag("-y,--yes", choices.yes, "repair: give up the damaged records without asking");
    app.fallthrough();
    std::function<int(const wal_tool::Choices&)> work;
    wal_tool::add_wal_verbs(app, [&](auto chosen) { work = std::move(chosen); });

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? wal_tool::kOk : wal_tool::kUsage;
    }
    return work(choices);
}

#include <CLI/CLI.hpp>
#include <memory>

#include "walrus/base/log.h"
#include "walrus/client/cli/verbs.h"
#include "walrus/wal_tool/wal_verbs.h"

namespace walrus::client {
namespace {

wal_tool::Output output_of(Output output) {
    switch (output) {
        case Output::kText: return wal_tool::Output::kText;
        case Output::kJson: return wal_tool::Output::kJson;
        case Output::kJsonLines: break;
    }
    return wal_tool::Output::kJsonLines;
}

}  // namespace

void add_wal(CLI::App& app, Context& context) {
    CLI::App* wal =
        app.add_subcommand("wal", "Look at a log that no server has open, or repair it");
    wal->require_subcommand(1);
    wal->footer(
        "\nExamples:\n  walrus-cli wal verify data/node_1/user_data/data_plane\n"
        "  walrus-cli wal dump DIR --topic orders --limit 20 --payload text\n"
        "  walrus-cli wal repair DIR --yes\n\n"
        "Exit codes: 0 ok, 1 failure or acknowledged damage, 2 usage, 3 no log there.");
    const auto options = std::make_shared<wal::Options>();
    wal_tool::add_wal_verbs(*wal, [&context, options](auto run) {
        context.work = [&context, options, run = std::move(run)] {
            set_log_sink(stderr_log_sink(context.quiet ? LogLevel::kWarn : LogLevel::kInfo));
            return static_cast<ExitCode>(run({.program = "walrus-cli wal",
                                              .options = *options,
                                              .output = output_of(context.output),
                                              .yes = context.yes}));
        };
    });
    for (CLI::App* verb : wal->get_subcommands([](const CLI::App*) { return true; })) {
        verb->add_option("directory", options->data_dir, "Directory of the log")->required();
        verb->add_option("--key", options->key, "Name of the log inside the directory");
        verb->footer("\nExamples:\n  walrus-cli wal " + verb->get_name() +
                     " DIR\n  walrus-cli -o json wal " + verb->get_name() + " DIR");
    }
}

}  // namespace walrus::client

#include "walrus/client/cli/cli.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "walrus/base/version.h"
#include "walrus/client/cli/verbs.h"

namespace walrus::client {
namespace {

constexpr const char* kFooter = R"(
Examples:
  walrus-cli                                   type commands (a REPL)
  walrus-cli put orders 'one apple' && walrus-cli get orders
  walrus-cli topics create clicks -p 4
  seq 100 | walrus-cli produce clicks
  walrus-cli consume clicks --from -10 -e
  walrus-cli -o json groups describe billing
  walrus-cli VERB --help

WALRUS_ADDR, WALRUS_KAFKA and WALRUS_ADMIN give the addresses; the options win over them.
Data goes to standard output, everything else to standard error.
Exit codes: 0 ok, 1 failure, 2 usage, 3 not found, 4 unavailable or too slow, 130 interrupted.)";

// What is parsed as text and becomes something else.
struct RawOptions {
    std::string output = "text";
    std::string timeout = "10s";
    bool no_colour = false;
};

void take_environment(const Environment& environment, Context& context) {
    const auto take = [](const std::string& value, std::string& address) {
        if (!value.empty()) address = value;
    };
    take(environment.text_address, context.text_address);
    take(environment.kafka_address, context.kafka_address);
    take(environment.admin_address, context.admin_address);
    const std::string state = !environment.state_home.empty() ? environment.state_home
                              : environment.home.empty()      ? ""
                                                              : environment.home + "/.local/state";
    if (!state.empty()) context.history_file = state + "/walrus/cli_history";
}

void add_global_options(CLI::App& app, Context& context, RawOptions& raw) {
    app.add_option("-a,--addr", context.text_address, "Text protocol: host:port")
        ->capture_default_str();
    app.add_option("--kafka", context.kafka_address, "Kafka protocol: host:port[,host:port]")
        ->capture_default_str();
    app.add_option("--admin", context.admin_address, "Admin HTTP: host:port")
        ->capture_default_str();
    app.add_option("-o,--output", raw.output, "Form of the data")
        ->check(CLI::IsMember({"text", "json", "jsonl"}))
        ->capture_default_str();
    app.add_option("--timeout", raw.timeout, "For each answer: 500ms, 10s, 2m")
        ->capture_default_str();
    app.add_option("-X,--property", context.properties, "librdkafka's setting: name=value")
        ->allow_extra_args(false);
    app.add_flag("-q,--quiet", context.quiet, "Data and errors only");
    app.add_flag("-y,--yes", context.yes, "Do not ask before something is deleted");
    app.add_flag("--verbose", context.verbose, "Show what librdkafka says");
    app.add_flag("--no-color", raw.no_colour, "No colours (as NO_COLOR in the environment)");
}

void add_verbs(CLI::App& app, Context& context) {
    add_text_verbs(app, context);
    add_repl(app, context);
    add_topics(app, context);
    add_produce(app, context);
    add_consume(app, context);
    add_groups(app, context);
    add_offsets(app, context);
    add_cluster(app, context);
    add_wal(app, context);
    add_doctor(app, context);
    add_health(app, context);
    add_completions(app, context);
}

// For "walrus-cli dance": what is there?
int explain(const CLI::App& app, const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    const CLI::App* deepest = &app;
    while (!deepest->get_subcommands().empty()) deepest = deepest->get_subcommands().front();
    const auto rest = app.remaining(true);
    const auto word =
        std::ranges::find_if(rest, [](const std::string& text) { return !text.starts_with('-'); });
    std::vector<std::string> names;
    for (const CLI::App* verb : deepest->get_subcommands([](const CLI::App*) { return true; }))
        names.push_back(verb->get_name());
    if (word != rest.end() && !names.empty())
        fmt::print(stderr, "walrus-cli: unknown verb \"{}\" (known: {})\n", *word,
                   fmt::join(names, ", "));
    else
        fmt::print(stderr, "walrus-cli: {}\n", error.what());
    fmt::print(stderr, "Run with --help for more information.\n");
    return static_cast<int>(ExitCode::kUsage);
}

Status finish_context(const RawOptions& raw, const Environment& environment, Context& context) {
    if (raw.output == "json") context.output = Output::kJson;
    if (raw.output == "jsonl") context.output = Output::kJsonLines;
    const auto timeout = parse_timeout_ms(raw.timeout);
    if (!timeout) return timeout.error();
    context.timeout_ms = *timeout;
    context.stdout_terminal = ::isatty(STDOUT_FILENO) == 1;
    context.colours = context.stdout_terminal && !raw.no_colour && !environment.no_colour &&
                      !environment.dumb_terminal;
    context.progress = !context.quiet && !environment.dumb_terminal && ::isatty(STDERR_FILENO) == 1;
    return {};
}

}  // namespace

int run_command_line(int argc, char** argv, const Environment& environment) {
    CLI::App app("Talks to walrusd: the text protocol, Kafka's, and its logs on disk.",
                 "walrus-cli");
    app.footer(kFooter);
    app.require_subcommand(0, 1);
    app.set_version_flag("-V,--version", fmt::format("walrus-cli {} ({}), librdkafka {}", kVersion,
                                                     build_commit(), librdkafka_version()));
    app.fallthrough();
    Context context;
    take_environment(environment, context);
    RawOptions raw;
    add_global_options(app, context, raw);
    add_verbs(app, context);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return explain(app, error);
    }
    const Status finished = finish_context(raw, environment, context);
    if (!finished) return static_cast<int>(context.fail(finished.error()));
    return static_cast<int>(context.work ? context.work() : run_repl(context));
}

}  // namespace walrus::client

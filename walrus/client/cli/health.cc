#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "walrus/client/cli/admin_http.h"
#include "walrus/client/cli/print.h"
#include "walrus/client/cli/verbs.h"

namespace walrus::client {
namespace {

struct Arguments {
    bool live = false;
};

ExitCode health(const Context& context, const Arguments& arguments) {
    const auto address = parse_address(context.admin_address, kDefaultAdminPort);
    if (!address) return context.fail(address.error());
    const char* path = arguments.live ? "/livez" : "/readyz?verbose";
    const auto answer = http_get(*address, path, context.timeout_ms);
    if (!answer) return context.fail(answer.error());
    const bool healthy = answer->status == 200;
    if (context.json()) {
        Json json = {{"healthy", healthy}, {"status", answer->status}, {"details", nullptr}};
        Json details = Json::parse(answer->body, nullptr, false);
        json["details"] = details.is_discarded() ? Json(answer->body) : std::move(details);
        print_json(context, json);
    } else if (!context.quiet) {
        const char* yes = arguments.live ? "live" : "ready";
        std::cout << (healthy ? yes : fmt::format("NOT {}", yes)) << '\n';
        if (!healthy) std::cout << answer->body << '\n';
    }
    return context.finish(healthy ? ExitCode::kOk : ExitCode::kFailure);
}

}  // namespace

void add_health(CLI::App& app, Context& context) {
    CLI::App* verb = app.add_subcommand("health", "Is the server ready to work?");
    verb->footer(
        "\nExamples:\n  walrus-cli health && echo ready\n"
        "  walrus-cli --admin 10.0.0.5:9090 -o json health\n\n"
        "Exit codes: 0 ready, 1 not ready, 4 no answer.");
    const auto arguments = std::make_shared<Arguments>();
    verb->add_flag("--live", arguments->live, "Only whether it is alive (/livez)");
    verb->callback([&context, arguments] {
        context.work = [&context, arguments] { return health(context, *arguments); };
    });
}

}  // namespace walrus::client

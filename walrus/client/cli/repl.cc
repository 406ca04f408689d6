#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <optional>

#include "walrus/base/version.h"
#include "walrus/client/cli/line_editor.h"
#include "walrus/client/cli/line_source.h"
#include "walrus/client/cli/print.h"
#include "walrus/client/cli/repl_session.h"
#include "walrus/client/cli/verbs.h"

namespace walrus::client {
namespace {

constexpr const char* kPrompt = "\U0001F9AD > ";
constexpr const char* kBanner = R"(walrus-cli {}: the text protocol, line by line.
  REGISTER topic | PUT topic payload | GET topic | STATE topic | METRICS
  Tab completes, the arrows bring back earlier lines; exit, quit, q or Ctrl-D leave.
)";

void print_answer(const Context& context, std::string_view line,
                  const ReplSession::Answer& answer) {
    if (!answer.status) {
        static_cast<void>(context.fail(answer.status.error()));
    } else if (answer.reply.empty()) {
        return;
    } else if (context.json()) {
        print_json(context, {{"command", line}, {"reply", answer.reply}, {"ok", !answer.refused}});
    } else {
        std::cout << answer.reply << '\n';
    }
    std::cout.flush();
}

ExitCode run_interactive(const Context& context, ReplSession& session) {
    catch_interrupts();
    if (!context.quiet) fmt::print(stdout, kBanner, kVersion);
    LineEditor editor(kPrompt, context.history_file,
                      [&](std::string_view before) { return session.completions(before); });
    while (const auto line = editor.read()) {
        const auto answer = session.line(*line);
        if (answer.next == ReplSession::Next::kQuit) return ExitCode::kOk;
        print_answer(context, *line, answer);
    }
    std::cout << '\n';
    return interrupted() ? ExitCode::kInterrupted : ExitCode::kOk;
}

// Lines from a pipe or a file: no banner and no prompt, and the exit code tells whether each
// command was done.
ExitCode run_piped(const Context& context, ReplSession& session) {
    catch_interrupts();
    auto lines = LineSource::open("-");
    if (!lines) return context.fail(lines.error());
    bool refused = false;
    while (true) {
        std::string_view line;
        const auto there = lines->next(line);
        if (!there) return context.fail(there.error());
        if (!*there) break;
        const auto answer = session.line(line);
        if (answer.next == ReplSession::Next::kQuit) break;
        // What follows may build on what was lost.
        if (!answer.status) return context.fail(answer.status.error());
        print_answer(context, line, answer);
        refused = refused || answer.refused;
    }
    if (interrupted()) return ExitCode::kInterrupted;
    return context.finish(refused ? ExitCode::kFailure : ExitCode::kOk);
}

}  // namespace

ExitCode run_repl(const Context& context) {
    ReplSession session([&context] { return context.connect_text(); });
    if (const Status opened = session.open(); !opened) return context.fail(opened.error());
    const bool terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
    return terminal ? run_interactive(context, session) : run_piped(context, session);
}

void add_repl(CLI::App& app, Context& context) {
    CLI::App* repl = app.add_subcommand("repl", "Type commands of the text protocol (the default)");
    repl->group("Text protocol");
    repl->footer(
        "\nExamples:\n  walrus-cli\n  walrus-cli --addr 10.0.0.5:8080 repl\n"
        "  printf 'REGISTER t\\nPUT t hello\\nGET t\\n' | walrus-cli\n\n"
        "Lines from a pipe are sent one by one; the exit code is 1 when a reply was an ERR.");
    repl->callback([&context] { context.work = [&context] { return run_repl(context); }; });
}

}  // namespace walrus::client

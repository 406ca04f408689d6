#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "walrus/client/cli/completion_script.h"
#include "walrus/client/cli/print.h"
#include "walrus/client/cli/verbs.h"

namespace walrus::client {

void add_completions(CLI::App& app, Context& context) {
    CLI::App* verb = app.add_subcommand("completions", "Print a completion script for a shell");
    verb->footer(
        "\nExamples:\n  source <(walrus-cli completions bash)\n"
        "  walrus-cli completions zsh >\"${fpath[1]}/_walrus-cli\"");
    const auto shell = std::make_shared<std::string>();
    verb->add_option("shell", *shell, "bash or zsh")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh"}));
    verb->callback([&app, &context, shell] {
        context.work = [&app, &context, shell] {
            const std::string script =
                *shell == "bash" ? bash_completion(app) : zsh_completion(app);
            if (context.json())
                print_json(context, {{"shell", *shell}, {"script", script}});
            else
                std::cout << script;
            return context.finish();
        };
    });
}

}  // namespace walrus::client

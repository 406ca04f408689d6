// The verbs of walrus-cli, by noun.  Each function adds its verbs to the command line; the one that
// was asked for leaves its work in `context`.
#pragma once

#include "walrus/client/cli/context.h"

namespace CLI {
class App;
}

namespace walrus::client {

void add_text_verbs(CLI::App& app, Context& context);  // register, put, get, state, metrics
void add_repl(CLI::App& app, Context& context);
void add_topics(CLI::App& app, Context& context);
void add_produce(CLI::App& app, Context& context);
void add_consume(CLI::App& app, Context& context);
void add_groups(CLI::App& app, Context& context);
void add_offsets(CLI::App& app, Context& context);
void add_cluster(CLI::App& app, Context& context);
void add_wal(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);
void add_health(CLI::App& app, Context& context);
void add_completions(CLI::App& app, Context& context);

// The lines of the text protocol, typed or piped.
ExitCode run_repl(const Context& context);

}  // namespace walrus::client

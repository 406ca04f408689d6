// The verbs verify, dump and repair, for every program that offers them.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "walrus/wal/options.h"

namespace CLI {
class App;
}

namespace walrus::wal_tool {

enum ExitCode : int { kOk = 0, kFailure = 1, kUsage = 2, kNotFound = 3 };
enum class Output { kText, kJson, kJsonLines };

// What the program has decided before it runs a verb.
struct Choices {
    std::string program;   // As people call it: "walrus-wal", "walrus-cli wal".
    wal::Options options;  // Where the log is.
    Output output = Output::kText;
    bool yes = false;  // repair: do not ask.
};

// Adds the verbs to `app`, with the options that each has of its own.  When one was asked for it
// calls `chosen` with its work, at the end of parsing; the work returns an ExitCode.  Data goes to
// standard output, everything else to standard error.
void add_wal_verbs(CLI::App& app,
                   const std::function<void(std::function<int(const Choices&)>)>& chosen);

}  // namespace walrus::wal_tool

// Verbs that work on bundles: report, verify, compare.
#pragma once

#include <memory>
#include <string>

#include "harness/cli/commands.h"

namespace CLI {
class App;
}

namespace walrus::harness {

// Adds the verbs to the command line.  Lives as long as the parser, whose options point into it.
class BundleCommands {
public:
    explicit BundleCommands(CLI::App& app);
    ~BundleCommands();

    // One of the verbs was given.
    bool selected() const;
    // Does what it says.
    ExitCode run(Output output) const;

private:
    struct Arguments;
    CLI::App& app_;
    std::unique_ptr<Arguments> arguments_;
};

}  // namespace walrus::harness

// Completion scripts for shells, written from the command line itself so that they stay true.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace walrus::client {

// Of the program `app` with all its verbs.
std::string bash_completion(const CLI::App& app);
std::string zsh_completion(const CLI::App& app);

}  // namespace walrus::client

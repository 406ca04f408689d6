// walrus-cli: the program.  The only file of the room that reads the environment.
#include <cstdlib>

#include "walrus/client/cli/cli.h"

namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

}  // namespace

int main(int argc, char** argv) {
    const walrus::client::Environment environment{.text_address = variable("WALRUS_ADDR"),
                                                  .kafka_address = variable("WALRUS_KAFKA"),
                                                  .admin_address = variable("WALRUS_ADMIN"),
                                                  .state_home = variable("XDG_STATE_HOME"),
                                                  .home = variable("HOME"),
                                                  .no_colour = !variable("NO_COLOR").empty(),
                                                  .dumb_terminal = variable("TERM") == "dumb"};
    return walrus::client::run_command_line(argc, argv, environment);
}

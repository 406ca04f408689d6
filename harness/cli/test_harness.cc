// The harness with drivers that misbehave on purpose: both sides of a run, in real processes.
#include "harness/cli/cli.h"
#include "harness/cli/test_drivers.h"
#include "harness/driver/file_driver.h"
#include "harness/driver/null_driver.h"

int main(int argc, char** argv) {
    using namespace walrus::harness;
    Registry registry;
    registry.add(make_null_driver());
    registry.add(make_file_driver());
    registry.add(make_bad_driver());
    registry.add_absent("ghost", "built without libghost");
    return run_command_line(argc, argv, registry);
}

// walrus-harness: the program.  The only file of the harness that knows the systems under test.
#include <cstdlib>
#include <string>
#include <string_view>

#include "harness/cli/cli.h"
#include "harness/driver/driver.h"
#include "harness/driver/file_driver.h"
#include "harness/driver/null_driver.h"

#ifdef WALRUS_HAVE_ENGINE
#include "compare/walrus/walrus_driver.h"
#endif
#ifdef WALRUS_HAVE_ROCKSDB
#include "compare/rocksdb/rocksdb_driver.h"
#endif
#ifdef WALRUS_HAVE_RDKAFKA
#include "compare/kafka/kafka_driver.h"
#endif
#ifdef WALRUS_HAVE_UPSTREAM
#include "compare/upstream/upstream_driver.h"
#endif

namespace {

std::string_view variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace walrus::harness;
    Registry registry;
    registry.add(make_null_driver());
    registry.add(make_file_driver());
#ifdef WALRUS_HAVE_ENGINE
    registry.add(walrus::compare::make_walrus_driver());
#else
    registry.add_absent("walrus", "the engine is not part of it");
#endif
#ifdef WALRUS_HAVE_ROCKSDB
    registry.add(walrus::compare::make_rocksdb_driver());
#else
    registry.add_absent("rocksdb", "built without RocksDB (librocksdb-dev)");
#endif
#ifdef WALRUS_HAVE_RDKAFKA
    const auto kafka_parts = walrus::compare::find_kafka_parts(std::string(variable("PATH")));
    registry.add(walrus::compare::make_kafka_driver(kafka_parts));
    registry.add(walrus::compare::make_walrusd_driver(kafka_parts));
#else
    registry.add_absent("kafka", "built without librdkafka (librdkafka-dev)");
    registry.add_absent("walrusd", "built without librdkafka (librdkafka-dev)");
#endif
#ifdef WALRUS_HAVE_UPSTREAM
    registry.add(walrus::compare::make_upstream_driver());
#else
    registry.add_absent("upstream", WALRUS_UPSTREAM_ABSENT);
#endif
    return run_command_line(
        argc, argv, registry,
        {.no_colour = !variable("NO_COLOR").empty(), .dumb_terminal = variable("TERM") == "dumb"});
}

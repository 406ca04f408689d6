// What the cluster's outcomes are to a broker's callers: the tables.
#pragma once

#include <string_view>

#include "walrus/base/result.h"
#include "walrus/broker/types.h"
#include "walrus/cluster/output.h"

namespace walrus::cluster_broker {

broker::AppendResult append_result(const cluster::AppendDone& done);
// Of a command of the metadata log that was not applied.
Error command_error(std::string_view what, cluster::Outcome outcome);

}  // namespace walrus::cluster_broker

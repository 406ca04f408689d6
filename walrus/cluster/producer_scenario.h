// A producer sends a batch again after its leader has died.
#pragma once

#include <string>

namespace walrus::cluster {

// Empty: the batch is there exactly once (I10).  Otherwise what is wrong.
std::string retry_after_leader_change();

}  // namespace walrus::cluster

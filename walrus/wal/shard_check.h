// check_shard: what verify and repair want to know about one shard.
#pragma once

#include "walrus/wal/log_walk.h"
#include "walrus/wal/verify.h"

namespace walrus::wal {

// Adds what is in the shard, what is wrong with it and the cut it needs, if any, to `report`.
Status check_shard(env::Env& env, OfflineShard& shard, VerifyReport& report);

}  // namespace walrus::wal

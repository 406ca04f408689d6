// Recovery: from what a shard's directory holds to where its log ends and what it means.
//
// The scan begins at the newest file that is known to begin below the durable mark (every file
// begins with the whole topic table) and ends at the first place that holds no valid frame, in the
// log files or in the ring.  If a later frame proves that this place had been durable, it is damage
// to acknowledged data and nothing is changed; otherwise it is a torn tail and the log ends there.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "walrus/base/clock.h"
#include "walrus/base/result.h"
#include "walrus/env/env.h"
#include "walrus/wal/log_files.h"
#include "walrus/wal/log_index.h"
#include "walrus/wal/log_reader.h"
#include "walrus/wal/topic_table.h"

namespace walrus::wal {

struct RecoveredLog {
    Lsn end;                  // Everything before it is in the log files and durable.
    std::uint32_t epoch = 0;  // That the next frame, which begins a new reign, must carry.
    // There was no log, or the file that `end` lies in does not begin with the whole table: the
    // first thing to write, behind the mark of the new reign, is a snapshot.
    bool needs_snapshot = false;
    TopicTable table;
    std::unique_ptr<IndexBuilder> builder;               // Of the file that `end` lies in.
    std::vector<std::shared_ptr<const FileIndex>> left;  // Of earlier files that were scanned.
    std::uint64_t scanned_bytes = 0;
};

// `ring` is the one of the last run, or null.  Writes what only the ring had into the log files,
// syncs it, and gives up files made ready behind the end.
// kCorruption: acknowledged data is damaged; the message says where; nothing was changed.
Result<RecoveredLog> recover(LogFiles& files, env::MappedRing* ring, Clock& clock);

// What was found wrong at the reader's place after Next::kEnd: where, and what proves it.
// Ok when nothing proves that it had been acknowledged.
Status check_tail(LogFiles& files, LogReader& reader);

// Scans one left file.  For an index that is absent or damaged.
Result<std::shared_ptr<const FileIndex>> rebuild_index(LogFiles& files, std::uint64_t number,
                                                       std::uint64_t left_wall_ms);

}  // namespace walrus::wal

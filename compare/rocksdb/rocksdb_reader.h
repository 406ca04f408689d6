// Reading back what the driver wrote: keys through an iterator, log records through
// GetUpdatesSince.
#pragma once

#include <rocksdb/db.h>

#include <cstdint>
#include <memory>

#include "harness/driver/driver.h"

namespace walrus::compare {

// The values of a topic's keys, in key order; a read past the end looks again for keys of writers
// [0, writers) that came meanwhile.  `db` must outlive the reader.
Result<std::unique_ptr<harness::Reader>> make_key_reader(rocksdb::DB& db, std::uint32_t topic,
                                                         std::uint32_t writers);

// The blobs of PutLogData, in log order.  Writes one key first: log records do not advance the
// sequence number, and the log iterator ends at the last sequence number it knows.
Result<std::unique_ptr<harness::Reader>> make_log_reader(rocksdb::DB& db);

// The first four bytes of a key.
void store_key_prefix(char* key, std::uint32_t topic);

}  // namespace walrus::compare

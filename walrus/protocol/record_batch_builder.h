// Makes record batches, uncompressed: what a text PUT stores, and what tests and the harness send.
#pragma once

#include <string>

#include "walrus/protocol/record.h"

namespace walrus::protocol {

// Who made the batch, for idempotent producers.
struct BatchProducer {
    std::int64_t id = -1;
    std::int16_t epoch = -1;
    std::int32_t base_sequence = -1;
    bool is_transactional = false;
};

// One thread at a time.  The batch has base offset 0 and leader epoch -1 until place_batch().
class RecordBatchBuilder {
public:
    explicit RecordBatchBuilder(BatchProducer producer = {});

    // Appends a record, which is copied; its offset is ignored: they are counted from 0.
    void add(const Record& record);

    std::int32_t record_count() const { return record_count_; }
    // The size of the batch were it finished now.
    std::size_t size_bytes() const { return bytes_.size(); }

    // The batch; at least one record was added.  Nothing is added afterwards.
    std::string finish() &&;

private:
    std::string bytes_;    // Space for the header, then the records.
    std::string scratch_;  // The record that is being added, which goes behind its length.
    std::int32_t record_count_ = 0;
    std::int64_t base_timestamp_ = 0;  // Of the first record.
    std::int64_t max_timestamp_ = 0;
};

// A batch of one record without key and headers: what a text PUT stores.
std::string one_record_batch(Bytes value, std::int64_t timestamp_ms);

}  // namespace walrus::protocol

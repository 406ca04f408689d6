// Record and RecordBatch: what reads return.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "walrus/base/bytes.h"
#include "walrus/base/strong.h"

namespace walrus::wal {

struct Record {
    Offset offset;
    Bytes data;  // Valid as long as the RecordBatch it came from, or a copy of that batch.
    // Offsets that it stands for, from `offset` on: 1, or those of an opaque batch.
    std::uint32_t count = 1;
};

// Records in offset order, without gaps inside one batch; the first may begin before the offset
// that was asked for, when that lies inside an opaque batch.  Cheap to copy: the bytes are shared
// and never change.
class RecordBatch {
public:
    RecordBatch() = default;

    bool empty() const { return records_.empty(); }
    std::size_t size() const { return records_.size(); }
    const Record& operator[](std::size_t i) const { return records_[i]; }
    const Record& front() const { return records_.front(); }
    const Record& back() const { return records_.back(); }
    // Where a reader goes on.  Not of an empty batch.
    Offset end_offset() const { return back().offset + back().count; }
    auto begin() const { return records_.begin(); }
    auto end() const { return records_.end(); }
    // Sum of the record sizes.
    std::uint64_t data_bytes() const { return data_bytes_; }

    // For readers that build one.  `owner` keeps the bytes of the records added next alive.
    void hold(std::shared_ptr<const void> owner) { owners_.push_back(std::move(owner)); }
    void add(Offset offset, Bytes data, std::uint32_t count = 1) {
        records_.push_back({offset, data, count});
        data_bytes_ += data.size();
    }
    // Drops what does not end at `end` or before it.
    void cut_at(Offset end) {
        while (!records_.empty() && end_offset() > end) {
            data_bytes_ -= records_.back().data.size();
            records_.pop_back();
        }
    }
    // Keeps the memory for reuse, drops the contents.
    void clear() {
        records_.clear();
        owners_.clear();
        data_bytes_ = 0;
    }

private:
    std::vector<Record> records_;
    std::vector<std::shared_ptr<const void>> owners_;
    std::uint64_t data_bytes_ = 0;
};

}  // namespace walrus::wal

#include "walrus/protocol/record_reader.h"

#include <utility>

#include "walrus/protocol/batch_layout.h"
#include "walrus/protocol/varint.h"

namespace walrus::protocol {
namespace {

// Takes fields; after the first fault every one is zero or null and ok() stays false.
class Fields {
public:
    explicit Fields(Bytes bytes) : left_(bytes) {}

    bool ok() const { return ok_; }
    bool done() const { return ok_ && left_.empty(); }
    Bytes rest() const { return left_; }
    void fail() { ok_ = false; }

    template <class T>
    T varint() {
        const std::optional<T> value = ok_ ? take_varint<T>(left_) : std::nullopt;
        ok_ = value.has_value();
        return value.value_or(0);
    }
    void skip(std::size_t count) {
        if (left_.size() < count) return fail();
        left_ = left_.subspan(count);
    }
    std::optional<Bytes> nullable() {
        const auto length = varint<std::int32_t>();
        if (length == -1) return std::nullopt;
        if (length < 0 || static_cast<std::size_t>(length) > left_.size()) fail();
        if (!ok_) return std::nullopt;
        return std::exchange(left_, left_.subspan(static_cast<std::size_t>(length)))
            .first(static_cast<std::size_t>(length));
    }

private:
    Bytes left_;
    bool ok_ = true;
};

void take_headers(Fields& fields, std::vector<RecordHeader>& headers) {
    headers.clear();
    const auto count = fields.varint<std::int32_t>();
    // Each takes two bytes or more, so a larger count is false: nothing is allocated for it.
    if (count < 0 || static_cast<std::size_t>(count) > fields.rest().size() / 2)
        return fields.fail();
    for (std::int32_t i = 0; i < count && fields.ok(); ++i) {
        const std::optional<Bytes> key = fields.nullable();
        if (!key) return fields.fail();
        headers.push_back({as_text(*key), fields.nullable()});
    }
}

Error corrupt(const RecordBatchView& batch, std::int32_t record) {
    return {Errc::kCorruption, "record batch: at offset " + std::to_string(batch.base_offset()) +
                                   ": record " + std::to_string(record) + " is malformed"};
}

}  // namespace

RecordReader::RecordReader(const RecordBatchView& batch) : batch_(batch), left_(batch.records()) {}

Result<RecordReader> RecordReader::open(const RecordBatchView& batch, std::size_t max_bytes) {
    RecordReader reader(batch);
    if (batch.compression() != Compression::kNone) {
        Result<std::string> plain = decompress(batch.compression(), batch.records(), max_bytes);
        if (!plain) return std::move(plain).error();
        reader.decompressed_ = std::make_unique<const std::string>(std::move(*plain));
        reader.left_ = as_bytes(*reader.decompressed_);
    }
    return reader;
}

Result<bool> RecordReader::next(Record& record) {
    if (read_ == batch_.record_count()) {
        if (left_.empty()) return false;
        left_ = {};
        return corrupt(batch_, read_);  // Bytes behind the last one.
    }
    const std::int32_t expected_delta = read_;
    read_ = batch_.record_count();  // The end, unless this one turns out well.

    Fields outer(std::exchange(left_, Bytes{}));
    const std::optional<Bytes> body = outer.nullable();
    if (!body) return corrupt(batch_, expected_delta);
    Fields fields(*body);
    fields.skip(1);  // Attributes: no bit of them is in use.
    const auto timestamp_delta = fields.varint<std::int64_t>();
    const auto offset_delta = fields.varint<std::int32_t>();
    record.key = fields.nullable();
    record.value = fields.nullable();
    take_headers(fields, record.headers);
    if (!fields.done() || offset_delta != expected_delta) return corrupt(batch_, expected_delta);

    record.offset = batch_layout::wrapping_add(batch_.base_offset(), offset_delta);
    record.timestamp_ms = batch_.has_append_time() ? batch_.max_timestamp()
                                                   : batch_layout::wrapping_add(
                                                         batch_.base_timestamp(), timestamp_delta);
    left_ = outer.rest();
    read_ = expected_delta + 1;
    return true;
}

Status check_records(const RecordBatchView& batch, std::size_t max_bytes) {
    Result<RecordReader> reader = RecordReader::open(batch, max_bytes);
    if (!reader) return std::move(reader).error();
    Record record;
    while (true) {
        const Result<bool> more = reader->next(record);
        if (!more) return more.error();
        if (!*more) return {};
    }
}

}  // namespace walrus::protocol

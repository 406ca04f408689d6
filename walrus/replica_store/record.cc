#include "walrus/replica_store/record.h"

#include <type_traits>
#include <utility>

namespace walrus::replica_store {
namespace {

enum Kind : std::uint8_t { kIdentity = 1, kPromise, kBatch, kCut, kRemoved };

template <class T>
void put(std::string& out, T value) {
    std::byte raw[sizeof(T)];
    store_le(raw, value);
    out.append(reinterpret_cast<const char*>(raw), sizeof raw);
}

void put(std::string& out, const cluster::Mark& mark) {
    put(out, mark.length);
    put(out, mark.bytes);
    put(out, mark.chain.value);
}

// After the first read beyond the end everything is zero and ok() false.
class Cursor {
public:
    explicit Cursor(Bytes bytes) : left_(bytes) {}

    bool ok() const { return ok_; }
    bool done() const { return ok_ && left_.empty(); }

    template <class T>
    T take() {
        const Bytes raw = take_bytes(sizeof(T));
        return ok_ ? load_le<T>(raw.data()) : T{};
    }
    Bytes take_bytes(std::size_t size) {
        ok_ = ok_ && size <= left_.size();
        if (!ok_) return {};
        const Bytes raw = left_.first(size);
        left_ = left_.subspan(size);
        return raw;
    }
    Bytes rest() { return take_bytes(left_.size()); }
    cluster::Mark take_mark() {
        cluster::Mark mark;
        mark.length = take<std::uint64_t>();
        mark.bytes = take<std::uint64_t>();
        mark.chain.value = take<std::uint64_t>();
        return mark;
    }

private:
    Bytes left_;
    bool ok_ = true;
};

Record take_batch(Cursor& from) {
    StoredBatch stored;
    stored.before = from.take_mark();
    stored.batch.records = from.take<std::uint32_t>();
    stored.batch.producer.id = from.take<std::uint64_t>();
    stored.batch.producer.epoch = from.take<std::uint16_t>();
    stored.batch.producer.first_sequence = from.take<std::uint32_t>();
    const auto preamble_size = from.take<std::uint32_t>();
    stored.batch.preamble = cluster::Payload(std::string(as_text(from.take_bytes(preamble_size))));
    stored.batch.data = cluster::Payload(std::string(as_text(from.rest())));
    return stored;
}

Record take_identity(Cursor& from, bool& known) {
    known = from.take<std::uint8_t>() == kFormatVersion;
    Identity identity;
    identity.cluster = from.take<std::uint64_t>();
    identity.node = from.take<std::uint64_t>();
    identity.disk = from.take<std::uint64_t>();
    return identity;
}

}  // namespace

std::string encode_batch(const cluster::Mark& before, const cluster::Batch& batch) {
    std::string out;
    out.reserve(kBatchHeaderBytes + batch.preamble.size() + batch.data.size());
    put(out, std::uint8_t{kBatch});
    put(out, before);
    put(out, batch.records);
    put(out, batch.producer.id);
    put(out, batch.producer.epoch);
    put(out, batch.producer.first_sequence);
    put(out, static_cast<std::uint32_t>(batch.preamble.size()));
    out.append(batch.preamble.text());
    out.append(batch.data.text());
    return out;
}

std::string encode(const Record& record) {
    std::string out;
    if (const auto* identity = std::get_if<Identity>(&record)) {
        put(out, std::uint8_t{kIdentity});
        put(out, kFormatVersion);
        put(out, identity->cluster);
        put(out, identity->node);
        put(out, identity->disk);
    } else if (const auto* promise = std::get_if<cluster::PromiseEpoch>(&record)) {
        put(out, std::uint8_t{kPromise});
        put(out, promise->epoch.value);
    } else if (const auto* stored = std::get_if<StoredBatch>(&record)) {
        return encode_batch(stored->before, stored->batch);
    } else if (const auto* cut = std::get_if<cluster::CutTo>(&record)) {
        put(out, std::uint8_t{kCut});
        put(out, cut->end);
    } else {
        put(out, std::uint8_t{kRemoved});
    }
    return out;
}

Result<Record> decode(Bytes bytes) {
    Cursor from(bytes);
    Record record;
    bool known = true;
    switch (from.take<std::uint8_t>()) {
        case kIdentity: record = take_identity(from, known); break;
        case kPromise:
            record = cluster::PromiseEpoch{cluster::Epoch{from.take<std::uint64_t>()}};
            break;
        case kBatch:
            record = take_batch(from);
            known = std::get<StoredBatch>(record).batch.records > 0;
            break;
        case kCut: record = cluster::CutTo{from.take_mark()}; break;
        case kRemoved: record = cluster::RemoveCopy{}; break;
        default: known = false;
    }
    if (!known || !from.done()) {
        return Error{Errc::kCorruption, "replica store: a record of no known kind or version"};
    }
    return record;
}

}  // namespace walrus::replica_store

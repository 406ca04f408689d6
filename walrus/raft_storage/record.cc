#include "walrus/raft_storage/record.h"

#include <type_traits>
#include <utility>

#include "walrus/raft/codec.h"

namespace walrus::raft_storage {
namespace {

Error bad_record(std::string what) {
    return {Errc::kCorruption, "raft store record: " + std::move(what)};
}

template <class T>
void put(std::string& out, T value) {
    std::byte raw[sizeof(T)];
    store_le(raw, value);
    out.append(as_text(raw));
}

// Takes numbers off the front; after a shortage everything is 0 and ok() stays false.
class Taker {
public:
    explicit Taker(Bytes bytes) : left_(bytes) {}

    template <class T>
    T take() {
        if (left_.size() < sizeof(T)) {
            ok_ = false;
            left_ = {};
            return 0;
        }
        const T value = load_le<T>(left_.data());
        left_ = left_.subspan(sizeof(T));
        return value;
    }
    std::uint64_t u64() { return take<std::uint64_t>(); }
    Bytes rest() const { return left_; }
    bool ok() const { return ok_; }
    bool done() const { return ok_ && left_.empty(); }

private:
    Bytes left_;
    bool ok_ = true;
};

// serial u64 | size u64 | CRC u32 | snapshot metadata to the end
void put_file(std::string& out, const SnapshotFile& file) {
    put(out, file.serial);
    put(out, file.size_bytes);
    put(out, file.crc);
    out += raft::encode(file.meta);
}

Result<SnapshotFile> take_file(Taker& from) {
    SnapshotFile file;
    file.serial = from.u64();
    file.size_bytes = from.u64();
    file.crc = from.take<std::uint32_t>();
    if (!from.ok()) return bad_record("a snapshot record is too short");
    Result<raft::SnapshotMeta> meta = raft::decode_snapshot_meta(from.rest());
    if (!meta) return std::move(meta).error();
    file.meta = *std::move(meta);
    return file;
}

void put_body(std::string& out, const CheckpointBegin& begin) {
    put(out, begin.format);
    put(out, begin.identity.cluster);
    put(out, begin.identity.node);
    put(out, begin.identity.disk);
    put(out, begin.boot);
}
void put_body(std::string& out, const CheckpointEnd& end) {
    put(out, end.entries);
}
void put_body(std::string& out, const raft::HardState& state) {
    out += raft::encode(state);
}
void put_body(std::string& out, const SnapshotSaved& saved) {
    put(out, saved.first_kept);
    put_file(out, saved.file);
}
void put_body(std::string& out, const SnapshotInstalled& installed) {
    put_file(out, installed.file);
}
void put_body(std::string& out, const Truncate& truncate) {
    put(out, truncate.from);
}
void put_body(std::string& out, const raft::Entry& entry) {
    out += raft::encode(entry);
}

Result<Record> take_begin(Taker from) {
    CheckpointBegin begin;
    begin.format = from.take<std::uint32_t>();
    // The rest of a later format may look different.
    if (from.ok() && begin.format != kFormatVersion) {
        return Error{Errc::kUnsupported, "raft store: written in format " +
                                             std::to_string(begin.format) + ", this build knows " +
                                             std::to_string(kFormatVersion)};
    }
    begin.identity.cluster = from.u64();
    begin.identity.node = from.u64();
    begin.identity.disk = from.u64();
    begin.boot = from.u64();
    if (!from.done()) return bad_record("the beginning of a checkpoint has another length");
    return Record(begin);
}

Result<Record> take_saved(Taker from) {
    SnapshotSaved saved;
    saved.first_kept = from.u64();
    Result<SnapshotFile> file = take_file(from);
    if (!file) return std::move(file).error();
    saved.file = *std::move(file);
    return Record(std::move(saved));
}

Result<Record> take_installed(Taker from) {
    Result<SnapshotFile> file = take_file(from);
    if (!file) return std::move(file).error();
    return Record(SnapshotInstalled{*std::move(file)});
}

// For a record that is one number.
template <class T>
Result<Record> take_number(Taker from) {
    const T record{from.u64()};
    if (!from.done()) return bad_record("a number has another length");
    return Record(record);
}

template <class T>
Result<Record> wrap(Result<T> decoded) {
    if (!decoded) return std::move(decoded).error();
    return Record(*std::move(decoded));
}

}  // namespace

std::string encode(const Record& record) {
    std::string out(1, static_cast<char>(record.index() + 1));
    std::visit([&](const auto& body) { put_body(out, body); }, record);
    return out;
}

Result<Record> decode(Bytes bytes) {
    if (bytes.empty()) return bad_record("it is empty");
    const Bytes body = bytes.subspan(1);
    switch (static_cast<unsigned>(bytes[0])) {
        case 1: return take_begin(Taker(body));
        case 2: return take_number<CheckpointEnd>(Taker(body));
        case 3: return wrap(raft::decode_hard_state(body));
        case 4: return take_saved(Taker(body));
        case 5: return take_installed(Taker(body));
        case 6: return take_number<Truncate>(Taker(body));
        case 7: return wrap(raft::decode_entry(body));
        default: return bad_record("type " + std::to_string(static_cast<unsigned>(bytes[0])));
    }
}

}  // namespace walrus::raft_storage

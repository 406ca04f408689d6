#include "walrus/raft_storage/snapshot_file.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "walrus/base/crc32c.h"
#include "walrus/raft/codec.h"

namespace walrus::raft_storage {
namespace {

constexpr std::string_view kMagic = "WALRSNP1";
constexpr std::uint64_t kFixedHeaderSize = 48;
constexpr std::uint64_t kMaxMetaSize = 64 << 10;
constexpr std::uint64_t kBodyPiece = 1 << 20;

// The fixed part of the header; its own checksum also covers the metadata behind it.
std::string encode_header(const SnapshotFile& file, std::uint64_t cluster,
                          std::string_view encoded_meta) {
    std::string header(kFixedHeaderSize, '\0');
    std::byte* to = reinterpret_cast<std::byte*>(header.data());
    std::memcpy(to, kMagic.data(), kMagic.size());
    store_le(to + 8, kFormatVersion);
    store_le(to + 12, static_cast<std::uint32_t>(encoded_meta.size()));
    store_le(to + 16, cluster);
    store_le(to + 24, file.size_bytes - kFixedHeaderSize - encoded_meta.size());
    store_le(to + 32, file.crc);
    store_le(to + 44, crc32c(as_bytes(encoded_meta), crc32c({to, 44})));
    return header;
}

std::string path_of(const SnapshotPlace& place, std::string_view suffix) {
    return env::join_path(place.directory, snapshot_name(place.serial, suffix));
}

Result<std::unique_ptr<env::File>> create_file(const SnapshotPlace& place) {
    env::OpenFlags flags;
    flags.create = true;
    flags.exclusive = true;
    return place.env->open(path_of(place, kUnfinishedSuffix), flags);
}

// From written to durable under its final name.
Status publish(const SnapshotPlace& place, std::unique_ptr<env::File>& file) {
    WALRUS_RETURN_IF_ERROR(file->sync_data());
    WALRUS_RETURN_IF_ERROR(
        place.env->rename(path_of(place, kUnfinishedSuffix), path_of(place, kSnapshotSuffix)));
    WALRUS_RETURN_IF_ERROR(place.env->sync_dir(place.directory));
    file.reset();
    return {};
}

// Best effort: the next opening removes what stays.
void give_up(const SnapshotPlace& place, std::unique_ptr<env::File>& file) {
    if (file == nullptr) return;
    file.reset();
    static_cast<void>(place.env->remove(path_of(place, kUnfinishedSuffix)).has_value());
}

}  // namespace

std::string snapshot_name(std::uint64_t serial, std::string_view suffix) {
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(serial));
    return std::string(digits).append(suffix);
}

// --- written here ---

SnapshotWriter::SnapshotWriter(SnapshotPlace place, raft::SnapshotMeta meta)
    : place_(std::move(place)), encoded_meta_(raft::encode(meta)) {
    written_.serial = place_.serial;
    written_.meta = std::move(meta);
    written_.size_bytes = kFixedHeaderSize + encoded_meta_.size();
}

Result<SnapshotWriter> SnapshotWriter::create(SnapshotPlace place, raft::SnapshotMeta meta) {
    SnapshotWriter writer(std::move(place), std::move(meta));
    Result<std::unique_ptr<env::File>> file = create_file(writer.place_);
    if (!file) return std::move(file).error();
    writer.file_ = *std::move(file);
    return writer;
}

SnapshotWriter::~SnapshotWriter() {
    give_up(place_, file_);
}

Status SnapshotWriter::append(Bytes body) {
    if (file_ == nullptr) return Error{Errc::kClosed, "snapshot: finished or failed already"};
    const Status wrote = file_->write_at(body, written_.size_bytes, env::Durability::kNone);
    if (!wrote) {
        give_up(place_, file_);
        return wrote;
    }
    written_.crc = crc32c(body, written_.crc);
    written_.size_bytes += body.size();
    return {};
}

Result<SnapshotFile> SnapshotWriter::finish() {
    if (file_ == nullptr) return Error{Errc::kClosed, "snapshot: finished or failed already"};
    const std::string header =
        encode_header(written_, place_.cluster, encoded_meta_) + encoded_meta_;
    Status done = file_->write_at(as_bytes(header), 0, env::Durability::kNone);
    if (done) done = publish(place_, file_);
    if (done) return written_;
    give_up(place_, file_);
    return done.error();
}

// --- received ---

SnapshotReceiver::SnapshotReceiver(SnapshotPlace place, raft::SnapshotMeta meta)
    : place_(std::move(place)), meta_(std::move(meta)) {}

Result<SnapshotReceiver> SnapshotReceiver::create(SnapshotPlace place, raft::SnapshotMeta meta) {
    SnapshotReceiver receiver(std::move(place), std::move(meta));
    Result<std::unique_ptr<env::File>> file = create_file(receiver.place_);
    if (!file) return std::move(file).error();
    receiver.file_ = *std::move(file);
    return receiver;
}

SnapshotReceiver::~SnapshotReceiver() {
    give_up(place_, file_);
}

Status SnapshotReceiver::append(Bytes bytes) {
    if (file_ == nullptr) return Error{Errc::kClosed, "snapshot: finished or failed already"};
    const Status wrote = file_->write_at(bytes, size_bytes_, env::Durability::kNone);
    if (!wrote) {
        give_up(place_, file_);
        return wrote;
    }
    size_bytes_ += bytes.size();
    return {};
}

Result<SnapshotFile> SnapshotReceiver::finish() {
    if (file_ == nullptr) return Error{Errc::kClosed, "snapshot: finished or failed already"};
    const std::string path = path_of(place_, kUnfinishedSuffix);
    SnapshotFile info;
    Status done;
    if (const auto reader = SnapshotReader::open(*place_.env, path, place_.cluster)) {
        info = reader->info();
        if (info.meta != meta_) {
            done = Error{Errc::kCorruption, path + ": holds another snapshot than announced"};
        }
    } else {
        done = reader.error();
    }
    if (done) done = publish(place_, file_);
    if (!done) {
        give_up(place_, file_);
        return done.error();
    }
    info.serial = place_.serial;
    return info;
}

// --- reading ---

Error SnapshotReader::damaged(const std::string& cause) const {
    return {Errc::kCorruption, "snapshot " + path_ + ": " + cause};
}

Result<SnapshotReader> SnapshotReader::open(env::Env& env, const std::string& path,
                                            std::uint64_t cluster) {
    SnapshotReader reader;
    reader.path_ = path;
    env::OpenFlags flags;
    flags.read_only = true;
    Result<std::unique_ptr<env::File>> file = env.open(path, flags);
    if (!file) return std::move(file).error();
    reader.file_ = *std::move(file);
    WALRUS_RETURN_IF_ERROR(reader.read_header(cluster));
    WALRUS_RETURN_IF_ERROR(reader.check_body());
    return reader;
}

Status SnapshotReader::read_header(std::uint64_t cluster) {
    const Result<std::uint64_t> size = file_->size();
    if (!size) return size.error();
    info_.size_bytes = *size;
    const Result<std::string> head = read_file(0, kFixedHeaderSize);
    if (!head) return head.error();
    const Bytes bytes = as_bytes(*head);
    if (bytes.size() < kFixedHeaderSize || !head->starts_with(kMagic)) {
        return damaged("not a snapshot file");
    }
    const auto version = load_le<std::uint32_t>(bytes.data() + 8);
    if (version != kFormatVersion) {
        return Error{Errc::kUnsupported, "snapshot " + path_ + ": written in format " +
                                             std::to_string(version) + ", this build knows " +
                                             std::to_string(kFormatVersion)};
    }
    const std::uint64_t meta_size = load_le<std::uint32_t>(bytes.data() + 12);
    if (meta_size > kMaxMetaSize || kFixedHeaderSize + meta_size > *size) {
        return damaged("its header does not fit the file");
    }
    const Result<std::string> meta = read_file(kFixedHeaderSize, meta_size);
    if (!meta) return meta.error();
    const std::uint32_t crc = crc32c(as_bytes(*meta), crc32c(bytes.first(44)));
    if (crc != load_le<std::uint32_t>(bytes.data() + 44)) return damaged("header checksum differs");
    if (load_le<std::uint64_t>(bytes.data() + 16) != cluster) {
        return damaged("it belongs to another cluster");
    }
    body_at_ = kFixedHeaderSize + meta_size;
    if (load_le<std::uint64_t>(bytes.data() + 24) != body_size()) return damaged("it is cut short");
    info_.crc = load_le<std::uint32_t>(bytes.data() + 32);
    Result<raft::SnapshotMeta> decoded = raft::decode_snapshot_meta(as_bytes(*meta));
    if (!decoded) return damaged(decoded.error().message);
    info_.meta = *std::move(decoded);
    return {};
}

Status SnapshotReader::check_body() const {
    std::uint32_t crc = 0;
    for (std::uint64_t at = 0; at < body_size(); at += kBodyPiece) {
        const Result<std::string> piece = read_body(at, kBodyPiece);
        if (!piece) return piece.error();
        crc = crc32c(as_bytes(*piece), crc);
    }
    if (crc != info_.crc) return damaged("body checksum differs");
    return {};
}

Result<std::string> SnapshotReader::read_body(std::uint64_t position,
                                              std::uint64_t max_bytes) const {
    return read_file(body_at_ + std::min(position, body_size()), max_bytes);
}

Result<std::string> SnapshotReader::read_file(std::uint64_t position,
                                              std::uint64_t max_bytes) const {
    const std::uint64_t left = info_.size_bytes - std::min(position, info_.size_bytes);
    std::string bytes(std::min(max_bytes, left), '\0');
    const Result<std::size_t> got =
        file_->read_at({reinterpret_cast<std::byte*>(bytes.data()), bytes.size()}, position);
    if (!got) return got.error();
    if (*got != bytes.size()) return damaged("it became shorter");
    return bytes;
}

}  // namespace walrus::raft_storage

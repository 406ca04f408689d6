#include "walrus/broker/producer_snapshot.h"

#include <charconv>
#include <optional>
#include <vector>

#include "walrus/base/crc32c.h"
#include "walrus/base/log.h"

namespace walrus::broker {
namespace {

constexpr std::uint64_t kMagic = 0x3144525052'4C4157;  // "WALRPRD1" in file order.
constexpr std::size_t kHeader = 32;
constexpr std::uint64_t kMaxFile = 64 << 20;
constexpr char kTurns[] = {'a', 'b'};

std::string path_of(const SnapshotPlace& place, char turn) {
    return env::join_path(place.directory, std::to_string(place.topic_id) + "." +
                                               std::to_string(place.partition) + "." + turn);
}

std::optional<ProducerSnapshot> decode(Bytes bytes) {
    if (bytes.size() < kHeader || load_le<std::uint64_t>(bytes.data()) != kMagic)
        return std::nullopt;
    const std::size_t length = load_le<std::uint32_t>(bytes.data() + 12);
    if (length > bytes.size() - kHeader) return std::nullopt;
    const Bytes covered = bytes.subspan(12, kHeader - 12 + length);
    if (load_le<std::uint32_t>(bytes.data() + 8) != crc32c(covered)) return std::nullopt;
    Result<cluster::ProducerTable> table =
        cluster::ProducerTable::decode(bytes.subspan(kHeader, length));
    if (!table) return std::nullopt;
    return ProducerSnapshot{load_le<std::uint64_t>(bytes.data() + 16),
                            Offset{load_le<std::uint64_t>(bytes.data() + 24)}, std::move(*table)};
}

std::optional<ProducerSnapshot> read(env::Env& env, const std::string& path) {
    env::OpenFlags flags;
    flags.read_only = true;
    const Result<std::unique_ptr<env::File>> file = env.open(path, flags);
    if (!file) return std::nullopt;
    const Result<std::uint64_t> size = (*file)->size();
    if (!size || *size > kMaxFile) return std::nullopt;
    std::vector<std::byte> bytes(*size);
    const Result<std::size_t> got = (*file)->read_at(bytes, 0);
    if (!got) return std::nullopt;
    return decode(Bytes{bytes}.first(*got));
}

}  // namespace

Result<ProducerSnapshot> load_snapshot(const SnapshotPlace& place, Offset log_end) {
    ProducerSnapshot newest;
    for (const char turn : kTurns) {
        const std::string path = path_of(place, turn);
        std::optional<ProducerSnapshot> found = read(*place.env, path);
        if (!found) continue;
        if (found->upto > log_end) {
            log(LogLevel::kWarn, path + ": is ahead of the log, which lost its end; not used");
            WALRUS_RETURN_IF_ERROR(place.env->remove(path));
            WALRUS_RETURN_IF_ERROR(place.env->sync_dir(place.directory));
        } else if (found->sequence > newest.sequence) {
            newest = std::move(*found);
        }
    }
    return newest;
}

Status store_snapshot(const SnapshotPlace& place, std::uint64_t sequence, Offset upto,
                      std::string_view encoded) {
    std::vector<std::byte> bytes(kHeader + encoded.size());
    store_le(bytes.data(), kMagic);
    store_le(bytes.data() + 12, static_cast<std::uint32_t>(encoded.size()));
    store_le(bytes.data() + 16, sequence);
    store_le(bytes.data() + 24, upto.value);
    std::memcpy(bytes.data() + kHeader, encoded.data(), encoded.size());
    store_le(bytes.data() + 8, crc32c(Bytes{bytes}.subspan(12)));
    env::OpenFlags flags;
    flags.create = true;
    const Result<std::unique_ptr<env::File>> file =
        place.env->open(path_of(place, kTurns[sequence % 2]), flags);
    if (!file) return file.error();
    return (*file)->write_at(bytes, 0, env::Durability::kNone);
}

void remove_stray_snapshots(env::Env& env, const std::string& directory,
                            const std::function<bool(std::uint64_t topic_id)>& known) {
    const Result<std::vector<std::string>> names = env.list(directory);
    if (!names) return;
    for (const std::string& name : *names) {
        std::uint64_t id = 0;
        const auto [end, trouble] = std::from_chars(name.data(), name.data() + name.size(), id);
        const bool ours = trouble == std::errc{} && end != name.data() + name.size() && *end == '.';
        if (ours && !known(id)) static_cast<void>(env.remove(env::join_path(directory, name)));
    }
}

}  // namespace walrus::broker

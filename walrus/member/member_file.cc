#include "walrus/member/member_file.h"

#include "walrus/base/crc32c.h"
#include "walrus/member/field_codec.h"

namespace walrus::member {
namespace {

constexpr std::string_view kMagic = "WMBR";
constexpr std::uint8_t kVersion = 1;
constexpr const char* kFileName = "member";

Error damaged(const std::string& cause) {
    return {Errc::kCorruption, "member file: " + cause};
}

}  // namespace

std::string encode(const MemberFile& file) {
    std::string out(kMagic);
    put(out, kVersion);
    put(out, static_cast<std::uint8_t>(file.phase));
    put(out, static_cast<std::uint8_t>(file.drained));
    put(out, file.cluster);
    put(out, file.node);
    put(out, static_cast<std::uint32_t>(file.peers.size()));
    for (const auto& [node, address] : file.peers) {
        put(out, node);
        put(out, address);
    }
    put(out, crc32c(as_bytes(out)));
    return out;
}

Result<MemberFile> decode_member_file(std::string_view bytes) {
    constexpr std::size_t kSum = sizeof(std::uint32_t);
    if (bytes.size() < kSum) return damaged("too short");
    const std::string_view body = bytes.substr(0, bytes.size() - kSum);
    const auto sum = load_le<std::uint32_t>(as_bytes(bytes).data() + body.size());
    if (sum != crc32c(as_bytes(body))) return damaged("its checksum differs");
    Fields fields(body);
    if (fields.take_bytes(kMagic.size()) != kMagic) return damaged("another kind of file");
    if (fields.take<std::uint8_t>() != kVersion) return damaged("of another version");
    MemberFile file;
    const auto phase = fields.take<std::uint8_t>();
    if (phase > static_cast<std::uint8_t>(MemberPhase::kMade)) return damaged("an unknown phase");
    file.phase = static_cast<MemberPhase>(phase);
    const auto drained = fields.take<std::uint8_t>();
    if (drained > 1) return damaged("an unknown flag");
    file.drained = drained == 1;
    file.cluster = fields.take<std::uint64_t>();
    file.node = fields.take<std::uint64_t>();
    const auto count = fields.take<std::uint32_t>();
    for (std::uint32_t i = 0; i < count && fields.ok(); ++i) {
        const auto node = fields.take<std::uint64_t>();
        file.peers[node] = fields.take_string();
    }
    if (!fields.done()) return damaged("its length is wrong");
    return file;
}

Result<std::optional<MemberFile>> read_member_file(env::Env& env, const std::string& directory) {
    env::OpenFlags flags;
    flags.read_only = true;
    const std::string path = env::join_path(directory, kFileName);
    const auto opened = env.open(path, flags);
    if (!opened && opened.error().code == Errc::kNotFound) return std::optional<MemberFile>();
    if (!opened) return opened.error();
    const Result<std::uint64_t> size = (*opened)->size();
    if (!size) return size.error();
    std::string bytes(*size, ' ');
    const auto got =
        (*opened)->read_at({reinterpret_cast<std::byte*>(bytes.data()), bytes.size()}, 0);
    if (!got) return got.error();
    bytes.resize(*got);
    Result<MemberFile> file = decode_member_file(bytes);
    if (file) return std::optional(*std::move(file));
    return Error{file.error().code, path + ": " + file.error().message};
}

Status write_member_file(env::Env& env, const std::string& directory, const MemberFile& file) {
    WALRUS_RETURN_IF_ERROR(env.create_dirs(directory));
    const std::string path = env::join_path(directory, kFileName);
    const std::string unfinished = path + ".new";
    env::OpenFlags flags;
    flags.create = true;
    const auto opened = env.open(unfinished, flags);
    if (!opened) return opened.error();
    const std::string bytes = encode(file);
    WALRUS_RETURN_IF_ERROR((*opened)->truncate(0));
    WALRUS_RETURN_IF_ERROR((*opened)->write_at(as_bytes(bytes), 0, env::Durability::kNone));
    WALRUS_RETURN_IF_ERROR((*opened)->sync_data());
    WALRUS_RETURN_IF_ERROR(env.rename(unfinished, path));
    return env.sync_dir(directory);
}

}  // namespace walrus::member

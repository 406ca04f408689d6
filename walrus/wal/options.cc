#include "walrus/wal/options.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "walrus/env/posix_env.h"
#include "walrus/wal/format.h"

namespace walrus::wal {
namespace {

constexpr std::array<std::pair<std::string_view, DurabilityClass>, 4> kClasses{{
    {"none", DurabilityClass::kNone},
    {"process", DurabilityClass::kProcess},
    {"os-interval", DurabilityClass::kOsInterval},
    {"disk", DurabilityClass::kDisk},
}};

constexpr std::array<std::pair<std::string_view, Backend>, 5> kBackends{{
    {"auto", Backend::kAuto},
    {"uring", Backend::kUring},
    {"direct", Backend::kDirect},
    {"buffered", Backend::kBuffered},
    {"mmap", Backend::kMmap},
}};

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) {
    for (const auto& [name, known] : table)
        if (known == value) return name;
    return "unknown";
}

template <class Table>
auto parse_in(const Table& table, std::string_view what, std::string_view name)
    -> Result<typename Table::value_type::second_type> {
    std::string known_names;
    for (const auto& [known_name, value] : table) {
        if (known_name == name) return value;
        known_names.append(known_names.empty() ? "" : ", ").append(known_name);
    }
    return Error{Errc::kInvalidArgument, std::string(what) + " '" + std::string(name) +
                                             "': unknown; one of " + known_names};
}

// FNV-1a, 64 bits.
std::uint64_t hash_of(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

bool is_alphanumeric(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

std::string_view durability_class_name(DurabilityClass durability) {
    return name_in(kClasses, durability);
}

Result<DurabilityClass> parse_durability_class(std::string_view name) {
    return parse_in(kClasses, "durability class", name);
}

std::string_view backend_name(Backend backend) {
    return name_in(kBackends, backend);
}

Result<Backend> parse_backend(std::string_view name) {
    return parse_in(kBackends, "backend", name);
}

Options Options::from_environment() {
    Options options;
    if (const char* dir = std::getenv("WALRUS_DATA_DIR"); dir != nullptr && *dir != '\0')
        options.data_dir = dir;
    if (const char* key = std::getenv("WALRUS_INSTANCE_KEY")) options.key = key;
    if (std::getenv("WALRUS_DISABLE_IO_URING") != nullptr) options.allow_uring = false;
    return options;
}

Options with_real_seams(Options options) {
    static SystemRandom system_random;
    if (options.env == nullptr) options.env = &env::posix_env();
    if (options.clock == nullptr) options.clock = &system_clock();
    if (options.random == nullptr) options.random = &system_random;
    return options;
}

bool quiet_in_environment() {
    return std::getenv("WALRUS_QUIET") != nullptr;
}

Status Options::validate() const {
    const auto bad = [](const std::string& what) {
        return Error{Errc::kInvalidArgument, "options: " + what};
    };
    if (data_dir.empty()) return bad("data_dir is empty");
    if (file_size % env::kBlockSize != 0 || file_size < 16 * env::kBlockSize)
        return bad("file_size must be a multiple of 4096, and 65536 at least");
    if (ring_size % env::kBlockSize != 0 || ring_size < 16 * env::kBlockSize)
        return bad("ring_size must be a multiple of 4096, and 65536 at least");
    if (shards > 256) return bad("shards must be 256 at most");
    if (prepared_files == 0) return bad("prepared_files must be 1 at least");
    const std::uint64_t largest = std::min(file_size, ring_size) / 4;
    if (limits.max_batch_bytes > largest || limits.max_batch_bytes > 0xFFFF'FFFF)
        return bad(
            "limits.max_batch_bytes must be a quarter of ring_size and of file_size at most (" +
            std::to_string(largest) + "), and below 4 GiB");
    if (limits.max_record_bytes > limits.max_batch_bytes)
        return bad("limits.max_record_bytes is above limits.max_batch_bytes");
    if (limits.max_batch_records == 0) return bad("limits.max_batch_records must be 1 at least");
    if (limits.max_opaque_records == 0) return bad("limits.max_opaque_records must be 1 at least");
    if (limits.max_topic_name_bytes == 0 || limits.max_topic_name_bytes > 255)
        return bad("limits.max_topic_name_bytes must be in 1..255");
    if (limits.max_topics == 0) return bad("limits.max_topics must be 1 at least");
    if (limits.max_consumers_per_topic > 65'535)
        return bad("limits.max_consumers_per_topic must be 65535 at most");
    if (consistency.persist_every == 0) return bad("consistency.persist_every must be 1 at least");
    if (backend == Backend::kUring && !allow_uring)
        return Error{Errc::kUnsupported,
                     "backend uring: forbidden by allow_uring = false "
                     "(WALRUS_DISABLE_IO_URING); use auto or direct"};
    return {};
}

std::string sanitise_key(std::string_view key) {
    std::string name;
    bool meaningful = false;
    for (const char c : key) {
        const bool kept = is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
        name.push_back(kept ? c : '_');
        meaningful = meaningful || is_alphanumeric(c) || c == '-';
    }
    const bool reserved =
        name == kLockFileName || name == kFormatFileName || name.starts_with("shard-");
    if (meaningful && !reserved && name.size() <= 200) return name;
    char hashed[32];
    std::snprintf(hashed, sizeof hashed, "ns_%016llx",
                  static_cast<unsigned long long>(hash_of(key)));
    return hashed;
}

}  // namespace walrus::wal

#include "harness/fault/data_fault.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <vector>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/settings.h"
#include "harness/workload/payload.h"

namespace walrus::harness {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPieceBytes = 1 << 20;
constexpr std::uint64_t kLargestDisk = std::uint64_t{8} << 30;
// The part of a record's header that says which one it is: all but the send time and the checksums.
constexpr std::size_t kIdentityAt = 4;
constexpr std::size_t kIdentityBytes = 20;
// The bit that is flipped: in the middle of the body's first bytes.
constexpr std::size_t kFlippedAt = kPayloadHeaderBytes + 3;

std::array<std::byte, kIdentityBytes> identity_bytes(const RecordBytes& record) {
    std::array<std::byte, kIdentityBytes> bytes;
    store_le(bytes.data(), record.writer);
    store_le(bytes.data() + 4, record.sequence);
    store_le(bytes.data() + 12, record.run_id);
    return bytes;
}

// Flips the bit in one file; returns where, one position per copy.
Result<std::vector<std::uint64_t>> flip_in_file(const std::string& path,
                                                const RecordBytes& record) {
    const auto text = read_whole_file(path);
    if (!text) return text.error();
    const Bytes all = as_bytes(*text);
    const auto wanted = identity_bytes(record);
    std::vector<std::uint64_t> places;
    for (auto at = all.begin();;) {
        at = std::search(at, all.end(), wanted.begin(), wanted.end());
        if (at == all.end()) break;
        const auto position = static_cast<std::uint64_t>(at - all.begin());
        if (position >= kIdentityAt && position - kIdentityAt + kFlippedAt < all.size()) {
            places.push_back(position - kIdentityAt + kFlippedAt);
        }
        ++at;
    }
    if (places.empty()) return places;
    const auto file = open_file(path, O_RDWR);
    if (!file) return file.error();
    for (const std::uint64_t place : places) {
        const std::array<std::byte, 1> flipped = {all[place] ^ std::byte{0x10}};
        WALRUS_RETURN_IF_ERROR(write_all_at(file->get(), flipped, place, path));
    }
    if (::fsync(file->get()) != 0) return os_error("sync", path, errno);
    // Witness: the bytes on file are the others now.
    const auto after = read_whole_file(path);
    if (!after) return after.error();
    for (const std::uint64_t place : places) {
        if ((*after)[place] == (*text)[place]) {
            return Error{Errc::kIo,
                         fmt::format("{}: the bit at {} did not stay flipped", path, place)};
        }
    }
    return places;
}

}  // namespace

Result<std::string> wipe_directory(const std::string& directory) {
    std::error_code error;
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(directory, error)) {
        if (!entry.is_regular_file(error)) continue;
        ++files;
        bytes += entry.file_size(error);
    }
    if (files == 0) return Error{Errc::kNotFound, directory + ": nothing is in it"};
    for (const auto& entry : fs::directory_iterator(directory, error)) {
        fs::remove_all(entry.path(), error);
        if (error) return os_error("remove", entry.path(), error.value());
    }
    if (!fs::is_empty(directory, error) || error) {
        return os_error("empty", directory, error.value());
    }
    return fmt::format("{} files with {} are gone", files, format_bytes(bytes));
}

Result<std::string> flip_bit_of_record(const std::string& directory, const RecordBytes& record) {
    std::error_code error;
    std::vector<std::string> where;
    for (const auto& entry : fs::recursive_directory_iterator(directory, error)) {
        if (!entry.is_regular_file(error)) continue;
        const auto places = flip_in_file(entry.path(), record);
        if (!places) return places.error();
        for (const std::uint64_t place : *places) {
            where.push_back(
                fmt::format("{}:{}", fs::relative(entry.path(), directory).string(), place));
        }
    }
    const std::string name = fmt::format("writer {} record {}", record.writer, record.sequence);
    if (where.empty()) {
        return Error{Errc::kNotFound, fmt::format("{}: no file holds {}", directory, name)};
    }
    return fmt::format("a bit of {} is flipped at {}", name, fmt::join(where, ", "));
}

Result<Ballast> Ballast::fill(const std::string& directory) {
    struct statvfs before {};
    if (::statvfs(directory.c_str(), &before) != 0) return os_error("look at", directory, errno);
    if (before.f_blocks * before.f_frsize > kLargestDisk) {
        return Error{Errc::kUnsupported,
                     directory + ": is on a large disk, which is not filled up: set disk = ..."};
    }
    const std::string path = directory + "/walrus-harness-ballast";
    auto file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file) return std::move(file).error();
    Ballast ballast(path);
    const std::vector<std::byte> piece(kPieceBytes, std::byte{0x5a});
    std::uint64_t size = 0;
    for (std::size_t bytes = piece.size(); bytes >= 1024;) {
        const Status written = write_all_at(file->get(), Bytes(piece).first(bytes), size, path);
        if (written) {
            size += bytes;
        } else if (written.error().code == Errc::kNoSpace) {
            bytes /= 4;  // The last corner, too.
        } else {
            return written.error();
        }
    }
    struct statvfs after {};
    if (::statvfs(directory.c_str(), &after) != 0) return os_error("look at", directory, errno);
    ballast.what_ = fmt::format("{} of ballast, {} left", format_bytes(size),
                                format_bytes(after.f_bavail * after.f_frsize));
    return ballast;
}

Result<std::string> Ballast::release() {
    if (path_.empty()) return std::string("it was released before");
    const std::string path = std::exchange(path_, "");
    if (::unlink(path.c_str()) != 0) return os_error("remove", path, errno);
    struct statvfs now {};
    const std::string directory = fs::path(path).parent_path();
    if (::statvfs(directory.c_str(), &now) != 0) return os_error("look at", directory, errno);
    return fmt::format("{} are free again", format_bytes(now.f_bavail * now.f_frsize));
}

Status mount_private_disk(const std::string& directory, std::uint64_t size_bytes) {
    const auto refused = [&](const char* what) {
        return Error{Errc::kUnsupported,
                     fmt::format("{}: a disk of the run's own cannot be made here: {}: {} (run as "
                                 "root, or allow user namespaces)",
                                 directory, what, os_error("do", directory, errno).message)};
    };
    if (::unshare(CLONE_NEWNS) != 0) {
        // Not root: root of a user namespace, with this user's files as they are.
        const auto uid = ::geteuid();
        const auto gid = ::getegid();
        if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return refused("unshare");
        for (const auto& [name, text] : {std::pair{"setgroups", std::string("deny")},
                                         std::pair{"uid_map", fmt::format("0 {} 1", uid)},
                                         std::pair{"gid_map", fmt::format("0 {} 1", gid)}}) {
            const std::string path = fmt::format("/proc/self/{}", name);
            const auto file = open_file(path, O_WRONLY);
            if (!file) return file.error();
            if (::write(file->get(), text.data(), text.size()) < 0) return refused(name);
        }
    }
    // Whatever is mounted from here on stays here.
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return refused("mount /");
    const std::string options = fmt::format("size={},mode=0700", size_bytes);
    if (::mount("walrus-harness", directory.c_str(), "tmpfs", MS_NOSUID | MS_NODEV,
                options.c_str()) != 0) {
        return refused("mount");
    }
    return {};
}

}  // namespace walrus::harness

#include "walrus/wal/log_files.h"

#include <cstring>

#include "walrus/base/aligned_buffer.h"
#include "walrus/wal/format.h"

namespace walrus::wal {
namespace {

constexpr std::size_t kMaxHandles = 64;
constexpr std::uint64_t kFillChunk = 128 << 10;
constexpr const char* kTemporaryName = "next.tmp";

}  // namespace

Result<std::unique_ptr<LogFiles>> LogFiles::open(LogFilesConfig config) {
    std::unique_ptr<LogFiles> files(new LogFiles(std::move(config)));
    const LogFilesConfig& c = files->config_;
    Result<std::vector<std::string>> names = c.env->list(c.directory);
    if (!names) return std::move(names).error();
    for (const std::string& name : *names) {
        if (const auto number = parse_numbered_name(name, ".log")) files->live_.insert(*number);
        if (const auto number = parse_numbered_name(name, ".spare")) {
            files->spares_.insert(*number);
            files->next_spare_ = *number + 1;
        }
        if (name.ends_with(".tmp") && !c.offline)
            WALRUS_RETURN_IF_ERROR(c.env->remove(env::join_path(c.directory, name)));
    }
    if (!c.offline && !files->live_.empty() &&
        *files->live_.rbegin() - *files->live_.begin() + 1 != files->live_.size()) {
        std::uint64_t missing = *files->live_.begin();
        while (files->live_.contains(missing)) ++missing;
        return Error{Errc::kCorruption, c.directory + ": log file " + log_file_name(missing) +
                                            " is missing between others"};
    }
    return files;
}

bool LogFiles::empty() const {
    const std::lock_guard lock(mutex_);
    return live_.empty();
}

std::uint64_t LogFiles::first() const {
    const std::lock_guard lock(mutex_);
    WALRUS_ASSERT(!live_.empty());
    return *live_.begin();
}

std::uint64_t LogFiles::last() const {
    const std::lock_guard lock(mutex_);
    WALRUS_ASSERT(!live_.empty());
    return *live_.rbegin();
}

std::vector<std::uint64_t> LogFiles::numbers() const {
    const std::lock_guard lock(mutex_);
    return {live_.begin(), live_.end()};
}

std::string LogFiles::path(const std::string& name) const {
    return env::join_path(config_.directory, name);
}

Result<std::unique_ptr<env::File>> LogFiles::open_env_file(const std::string& name,
                                                           bool create) const {
    env::OpenFlags flags;
    flags.create = create;
    flags.direct = config_.direct;
    flags.mapped = config_.mapped;
    flags.read_only = config_.offline;
    return config_.env->open(path(name), flags);
}

Result<std::shared_ptr<LogFile>> LogFiles::open_file(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    for (auto it = handles_.begin(); it != handles_.end(); ++it) {
        if ((*it)->number != number) continue;
        handles_.splice(handles_.begin(), handles_, it);
        return handles_.front();
    }
    if (std::shared_ptr<LogFile> held = opened_[number].lock()) return held;
    if (!live_.contains(number))
        return Error{Errc::kNotFound, path(log_file_name(number)) + ": not a live log file"};

    Result<std::unique_ptr<env::File>> file = open_env_file(log_file_name(number), false);
    if (!file) return std::move(file).error();
    const AlignedBuffer head(kFileHeaderSize);
    const Result<std::size_t> got = (*file)->read_at(head.span(), 0);
    if (!got) return got.error();
    const Result<FileHeader> header = decode_file_header({head.data(), *got});
    const auto damaged = [&](const std::string& cause) {
        return Error{Errc::kCorruption, path(log_file_name(number)) + " at 0: " + cause};
    };
    if (!header) return Error{header.error().code, damaged(header.error().message).message};
    if (header->number != number || header->shard != config_.shard ||
        header->file_size != config_.file_size)
        return damaged("its header belongs to another file");

    auto opened = std::make_shared<LogFile>();
    opened->number = number;
    opened->epoch = header->epoch;
    opened->file = std::move(*file);
    opened_[number] = opened;
    handles_.push_front(opened);
    if (handles_.size() > kMaxHandles) handles_.pop_back();
    return opened;
}

Result<bool> LogFiles::take_spare(const std::string& as) {
    std::uint64_t spare = 0;
    {
        const std::lock_guard lock(mutex_);
        if (spares_.empty()) return false;
        spare = *spares_.begin();
        spares_.erase(spares_.begin());
    }
    WALRUS_RETURN_IF_ERROR(config_.env->rename(path(spare_file_name(spare)), path(as)));
    return true;
}

Status LogFiles::prepare(std::uint64_t number, const std::function<bool()>& proceed) {
    const Result<bool> reused = take_spare(kTemporaryName);
    if (!reused) return reused.error();
    Result<std::unique_ptr<env::File>> opened = open_env_file(kTemporaryName, true);
    if (!opened) return std::move(opened).error();
    std::unique_ptr<env::File> file = std::move(*opened);

    const auto make_ready = [&]() -> Status {
        WALRUS_RETURN_IF_ERROR(file->preallocate(config_.file_size));
        if (!*reused && config_.zero_fill) WALRUS_RETURN_IF_ERROR(fill(*file, proceed));
        const AlignedBuffer head(kFileHeaderSize);
        const auto epoch = static_cast<std::uint32_t>(config_.random->next());
        encode_file_header({number, config_.file_size, config_.shard, epoch}, head.data());
        WALRUS_RETURN_IF_ERROR(file->write_at(head.span(), 0, env::Durability::kData));
        return file->sync_data();
    };
    if (const Status ready = make_ready(); !ready) {
        file.reset();
        static_cast<void>(config_.env->remove(path(kTemporaryName)));
        return ready;
    }
    file.reset();
    WALRUS_RETURN_IF_ERROR(config_.env->rename(path(kTemporaryName), path(log_file_name(number))));
    WALRUS_RETURN_IF_ERROR(config_.env->sync_dir(config_.directory));
    const std::lock_guard lock(mutex_);
    WALRUS_ASSERT(live_.empty() || *live_.rbegin() + 1 == number);
    live_.insert(number);
    return {};
}

Status LogFiles::fill(env::File& file, const std::function<bool()>& proceed) const {
    const std::uint64_t chunk = std::min(kFillChunk, config_.file_size);
    const AlignedBuffer zeros(chunk);
    std::memset(zeros.data(), 0, zeros.size());
    for (std::uint64_t at = 0; at < config_.file_size; at += chunk) {
        if (!proceed()) return Error{Errc::kClosed, "preparing a log file: closing"};
        const std::uint64_t length = std::min(chunk, config_.file_size - at);
        WALRUS_RETURN_IF_ERROR(
            file.write_at(Bytes{zeros.data(), length}, at, env::Durability::kNone));
    }
    return {};
}

bool LogFiles::forget_handle(std::uint64_t number) {
    std::erase_if(handles_, [&](const auto& handle) { return handle->number == number; });
    const auto opened = opened_.find(number);
    const bool alone = opened == opened_.end() || opened->second.expired();
    if (opened != opened_.end()) opened_.erase(opened);
    return alone;
}

Status LogFiles::give_up(std::uint64_t number, bool reusable) {
    const std::string index = path(index_file_name(number));
    if (const Status removed = config_.env->remove(index);
        !removed && removed.error().code != Errc::kNotFound)
        return removed;
    if (!reusable) return config_.env->remove(path(log_file_name(number)));
    const std::uint64_t spare = next_spare_++;
    WALRUS_RETURN_IF_ERROR(
        config_.env->rename(path(log_file_name(number)), path(spare_file_name(spare))));
    spares_.insert(spare);
    return {};
}

Status LogFiles::recycle_first() {
    {
        const std::lock_guard lock(mutex_);
        WALRUS_ASSERT(live_.size() > 1);
        const std::uint64_t number = *live_.begin();
        // Open it once so that a use count of one means that no reader has it.
        const bool alone = forget_handle(number);
        WALRUS_RETURN_IF_ERROR(give_up(number, alone && spares_.size() < config_.spare_files));
        // Not before: a file that kept its name must stay the first, or there would be a gap.
        live_.erase(number);
    }
    return config_.env->sync_dir(config_.directory);
}

Status LogFiles::discard_from(std::uint64_t number) {
    {
        const std::lock_guard lock(mutex_);
        while (!live_.empty() && *live_.rbegin() >= number) {
            const std::uint64_t last = *live_.rbegin();
            forget_handle(last);
            live_.erase(last);
            WALRUS_RETURN_IF_ERROR(give_up(last, true));
        }
    }
    return config_.env->sync_dir(config_.directory);
}

}  // namespace walrus::wal

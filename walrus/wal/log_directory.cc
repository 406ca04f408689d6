#include "walrus/wal/log_directory.h"

#include "walrus/base/log.h"

namespace walrus::wal {
namespace {

// nullopt: there is no log here.
Result<std::optional<LogFormat>> read_format(env::Env& env, const std::string& directory) {
    const std::string path = env::join_path(directory, kFormatFileName);
    env::OpenFlags flags;
    flags.read_only = true;
    Result<std::unique_ptr<env::File>> file = env.open(path, flags);
    if (!file && file.error().code == Errc::kNotFound) return std::optional<LogFormat>{};
    if (!file) return std::move(file).error();
    std::byte bytes[512];
    const Result<std::size_t> got = (*file)->read_at(bytes, 0);
    if (!got) return got.error();
    Result<LogFormat> format = decode_log_format(as_text({bytes, *got}));
    if (!format) return Error{format.error().code, directory + ": " + format.error().message};
    return std::optional<LogFormat>(*format);
}

Status write_format(env::Env& env, const std::string& directory, const LogFormat& format) {
    const std::string temporary = env::join_path(directory, "FORMAT.tmp");
    const std::string text = encode_log_format(format);
    env::OpenFlags flags;
    flags.create = true;
    Result<std::unique_ptr<env::File>> file = env.open(temporary, flags);
    if (!file) return std::move(file).error();
    WALRUS_RETURN_IF_ERROR((*file)->truncate(0));
    WALRUS_RETURN_IF_ERROR((*file)->write_at(as_bytes(text), 0, env::Durability::kNone));
    WALRUS_RETURN_IF_ERROR((*file)->sync_data());
    file->reset();
    WALRUS_RETURN_IF_ERROR(env.rename(temporary, env::join_path(directory, kFormatFileName)));
    return env.sync_dir(directory);
}

Status check_format(const Options& options, const LogFormat& format, const std::string& path) {
    if (options.shards != 0 && options.shards != format.shards)
        return Error{Errc::kInvalidArgument,
                     path + ": has " + std::to_string(format.shards) + " shards, asked for " +
                         std::to_string(options.shards) + "; the number is fixed at creation"};
    if (options.limits.max_batch_bytes > format.file_size / 4)
        return Error{Errc::kInvalidArgument,
                     path + ": limits.max_batch_bytes is above a quarter of the stored file_size " +
                         std::to_string(format.file_size)};
    return {};
}

Result<bool> direct_works(env::Env& env, const std::string& directory) {
    const std::string path = env::join_path(directory, "probe.tmp");
    env::OpenFlags flags;
    flags.create = true;
    flags.direct = true;
    Result<std::unique_ptr<env::File>> file = env.open(path, flags);
    const bool works = file.has_value();
    if (!works && file.error().code != Errc::kUnsupported) return std::move(file).error();
    if (works) file->reset();
    if (const Status removed = env.remove(path);
        !removed && removed.error().code != Errc::kNotFound)
        return removed.error();
    return works;
}

}  // namespace

std::string LogDirectory::path_of(const Options& options) {
    return options.key.empty() ? options.data_dir
                               : env::join_path(options.data_dir, sanitise_key(options.key));
}

std::string LogDirectory::shard_path(std::uint32_t shard) const {
    return env::join_path(path_, shard_dir_name(shard));
}

Result<std::unique_ptr<LogDirectory>> LogDirectory::open(const Options& options, bool create) {
    env::Env& env = *options.env;
    const std::string path = path_of(options);
    // Looked at before anything is touched, and again under the lock.
    Result<std::optional<LogFormat>> stored = read_format(env, path);
    if (!stored) return std::move(stored).error();
    if (!*stored && !create) return Error{Errc::kNotFound, path + ": no walrus log here"};
    if (*stored) WALRUS_RETURN_IF_ERROR(check_format(options, **stored, path));
    if (!*stored) WALRUS_RETURN_IF_ERROR(env.create_dirs(path));

    env::OpenFlags flags;
    flags.create = true;
    flags.lock = true;
    Result<std::unique_ptr<env::File>> lock = env.open(env::join_path(path, kLockFileName), flags);
    if (!lock && lock.error().code == Errc::kBusy)
        return Error{Errc::kBusy, path + ": in use by another process or another Wal"};
    if (!lock) return std::move(lock).error();

    stored = read_format(env, path);
    if (!stored) return std::move(stored).error();
    LogFormat format;
    if (*stored) {
        format = **stored;
        WALRUS_RETURN_IF_ERROR(check_format(options, format, path));
        // Whoever made it may have been killed before the name was durable.
        if (create) WALRUS_RETURN_IF_ERROR(env.sync_dir(path));
    } else {
        format.shards = options.shards == 0 ? 1 : options.shards;
        format.file_size = options.file_size;
        WALRUS_RETURN_IF_ERROR(write_format(env, path, format));
    }
    std::unique_ptr<LogDirectory> directory(new LogDirectory(path, format, std::move(*lock)));
    if (create)
        for (std::uint32_t shard = 0; shard < format.shards; ++shard)
            WALRUS_RETURN_IF_ERROR(env.create_dirs(directory->shard_path(shard)));
    return directory;
}

Result<ChosenBackend> choose_backend(const Options& options, const std::string& directory) {
    switch (options.backend) {
        case Backend::kBuffered: return ChosenBackend{Backend::kBuffered, false, false, false};
        case Backend::kMmap: return ChosenBackend{Backend::kMmap, false, true, false};
        case Backend::kAuto:
        case Backend::kUring:
        case Backend::kDirect: break;
    }
    const Result<bool> direct = direct_works(*options.env, directory);
    if (!direct) return direct.error();
    Status uring;
    if (!options.allow_uring)
        uring = Error{Errc::kUnsupported, "io_uring is forbidden by the options"};
    else if (auto queue = options.env->open_queue(env::QueueKind::kUring, 1); !queue)
        uring = std::move(queue).error();

    if (options.backend != Backend::kAuto) {
        const std::string name(backend_name(options.backend));
        if (!*direct)
            return Error{Errc::kUnsupported, "backend " + name + ": the file system of " +
                                                 directory + " has no O_DIRECT; use buffered"};
        if (options.backend == Backend::kUring && !uring)
            return Error{Errc::kUnsupported,
                         "backend uring: " + uring.error().message + "; use direct or auto"};
    }
    ChosenBackend chosen;
    chosen.direct = *direct;
    chosen.uring = *direct && uring && options.backend != Backend::kDirect;
    chosen.backend = chosen.uring    ? Backend::kUring
                     : chosen.direct ? Backend::kDirect
                                     : Backend::kBuffered;
    if (options.backend == Backend::kAuto) {
        std::string line = "backend=" + std::string(backend_name(chosen.backend));
        if (!*direct) line += " reason=\"no O_DIRECT here\"";
        if (!uring) line += " reason=\"" + uring.error().message + "\"";
        log(LogLevel::kInfo, line);
    }
    return chosen;
}

}  // namespace walrus::wal

// repair.  The order of its steps is what makes it safe to interrupt: until the last file that
// proves the damage is gone, the log still reads as damaged at the same place.
#include <algorithm>

#include "walrus/base/aligned_buffer.h"
#include "walrus/wal/shard_check.h"
#include "walrus/wal/verify.h"

namespace walrus::wal {
namespace {

constexpr std::uint64_t kChunk = 1 << 20;

Result<std::unique_ptr<env::File>> open_to_write(env::Env& env, const std::string& path) {
    env::OpenFlags flags;
    return env.open(path, flags);
}

// Writes the frames before the cut that only the ring has into the log files.
class RingSaver final : public WalkVisitor {
public:
    RingSaver(env::Env& env, const OfflineShard& shard, Lsn upto)
        : env_(env), shard_(shard), upto_(upto) {}

    bool frame(const Frame& frame, const LogReader& reader, const TopicTable&) override {
        if (frame.header.lsn >= upto_) return false;
        if (!reader.from_ring()) return true;
        status_ = save(frame, reader);
        return status_.has_value();
    }
    void damage(const Damage&, bool, const TopicTable&) override {}
    void left(const FileIndex&) override {}
    void end(const TopicTable&) override {}

    Status finish() {
        WALRUS_RETURN_IF_ERROR(status_);
        return file_ == nullptr ? Status{} : file_->sync_data();
    }

private:
    Status save(const Frame& frame, const LogReader& reader) {
        const std::uint64_t number = shard_.files->number_of(frame.header.lsn);
        if (file_ == nullptr || number != number_) {
            if (file_ != nullptr) WALRUS_RETURN_IF_ERROR(file_->sync_data());
            Result<std::unique_ptr<env::File>> file = open_to_write(env_, shard_.path_of(number));
            if (!file) return std::move(file).error();
            file_ = std::move(*file);
            number_ = number;
        }
        const Bytes bytes = frame.header.type == FrameType::kSeal
                                ? reader.raw().first(kFullHeaderSize)
                                : reader.raw();
        return file_->write_at(bytes, frame.header.lsn.value % shard_.files->config().file_size,
                               env::Durability::kNone);
    }

    env::Env& env_;
    const OfflineShard& shard_;
    const Lsn upto_;
    Status status_;
    std::uint64_t number_ = 0;
    std::unique_ptr<env::File> file_;
};

Status zero_from(env::File& file, std::uint64_t position, std::uint64_t size) {
    const AlignedBuffer zeros(kChunk);
    std::fill_n(zeros.data(), kChunk, std::byte{0});
    while (position < size) {
        const std::uint64_t length = std::min(kChunk, size - position);
        WALRUS_RETURN_IF_ERROR(
            file.write_at(Bytes{zeros.data(), length}, position, env::Durability::kNone));
        position += length;
    }
    return file.sync_data();
}

Status remove_present(env::Env& env, const std::string& path) {
    const Status removed = env.remove(path);
    return !removed && removed.error().code == Errc::kNotFound ? Status{} : removed;
}

// What could bring bytes from behind the cut back: the ring, former log files, indexes.
Status remove_copies(env::Env& env, const OfflineShard& shard, std::uint64_t first_index) {
    const Result<std::vector<std::string>> names = env.list(shard.directory);
    if (!names) return names.error();
    for (const std::string& name : *names) {
        const auto index = parse_numbered_name(name, ".idx");
        const bool gone = name == kRingFileName || name.ends_with(".tmp") ||
                          parse_numbered_name(name, ".spare").has_value() ||
                          (index && *index >= first_index);
        if (gone) WALRUS_RETURN_IF_ERROR(env.remove(env::join_path(shard.directory, name)));
    }
    return env.sync_dir(shard.directory);
}

Status cut_shard(env::Env& env, OfflineShard& shard, const Cut& cut) {
    LogFiles& files = *shard.files;
    const std::uint64_t number = files.number_of(cut.lsn);
    if (cut.lsn > files.base(files.first())) {
        RingSaver saver(env, shard, cut.lsn);
        WALRUS_RETURN_IF_ERROR(LogWalk(shard, saver).run(files.first()));
        WALRUS_RETURN_IF_ERROR(saver.finish());
    }
    WALRUS_RETURN_IF_ERROR(remove_copies(env, shard, number));
    if (cut.position > 0) {
        const Result<std::unique_ptr<env::File>> file = open_to_write(env, cut.file);
        if (!file) return file.error();
        WALRUS_RETURN_IF_ERROR(zero_from(**file, cut.position, files.config().file_size));
    }
    // From the last one on, so that no file is missing between others.
    const std::vector<std::uint64_t> live = files.numbers();
    for (auto it = live.rbegin(); it != live.rend(); ++it)
        if (*it > number || (*it == number && cut.position == 0))
            WALRUS_RETURN_IF_ERROR(remove_present(env, shard.path_of(*it)));
    return env.sync_dir(shard.directory);
}

}  // namespace

Result<VerifyReport> repair(const Options& options) {
    const Result<std::unique_ptr<OfflineLog>> log = OfflineLog::open(options);
    if (!log) return log.error();
    VerifyReport report;
    report.directory = (*log)->directory().path();
    report.shards = (*log)->shards();
    for (std::uint32_t number = 0; number < report.shards; ++number) {
        Result<OfflineShard> shard = OfflineShard::open(**log, number);
        if (!shard) return std::move(shard).error();
        const std::size_t cuts_before = report.cuts.size();
        WALRUS_RETURN_IF_ERROR(check_shard((*log)->env(), *shard, report));
        if (report.cuts.size() > cuts_before)
            WALRUS_RETURN_IF_ERROR(cut_shard((*log)->env(), *shard, report.cuts.back()));
    }
    return report;
}

}  // namespace walrus::wal

#include "walrus/wal/log_walk.h"

#include <algorithm>

namespace walrus::wal {
namespace {

// The ring's bytes, read once: a mapping could be written by accident.
class RingCopy final : public env::MappedRing {
public:
    explicit RingCopy(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {
        const std::size_t once = bytes_.size();
        bytes_.resize(2 * once);
        std::copy_n(bytes_.begin(), once, bytes_.begin() + static_cast<long>(once));
    }
    std::byte* data() override { return bytes_.data(); }
    std::uint64_t size() const override { return bytes_.size() / 2; }
    bool failed() const override { return false; }

private:
    std::vector<std::byte> bytes_;
};

// Null when there is no ring, or one that no log can have had.
Result<std::unique_ptr<env::MappedRing>> copy_ring(env::Env& env, const std::string& path) {
    env::OpenFlags flags;
    flags.read_only = true;
    const Result<std::unique_ptr<env::File>> file = env.open(path, flags);
    if (!file && file.error().code == Errc::kNotFound) return std::unique_ptr<env::MappedRing>{};
    if (!file) return file.error();
    const Result<std::uint64_t> size = (*file)->size();
    if (!size) return size.error();
    if (*size == 0 || *size % env::kBlockSize != 0) return std::unique_ptr<env::MappedRing>{};
    std::vector<std::byte> bytes(*size);
    const Result<std::size_t> got = (*file)->read_at(bytes, 0);
    if (!got) return got.error();
    return std::unique_ptr<env::MappedRing>(std::make_unique<RingCopy>(std::move(bytes)));
}

// True for what says that a log file cannot be had, as opposed to not read this time.
bool is_damage(Errc code) {
    return code == Errc::kCorruption || code == Errc::kUnsupported || code == Errc::kNotFound;
}

bool same_totals(const std::vector<IndexTopic>& a, const std::vector<IndexTopic>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const IndexTopic& x, const IndexTopic& y) {
                          return x.topic_id == y.topic_id && x.end_offset == y.end_offset &&
                                 x.end_bytes == y.end_bytes;
                      });
}

}  // namespace

Result<std::unique_ptr<OfflineLog>> OfflineLog::open(const Options& options) {
    Options own = with_real_seams(options);
    own.shards = 0;                  // As stored.
    own.limits.max_batch_bytes = 0;  // Nothing will be appended.
    std::unique_ptr<OfflineLog> log(new OfflineLog(std::move(own)));
    Result<std::unique_ptr<LogDirectory>> directory = LogDirectory::open(log->options_, false);
    if (!directory) return std::move(directory).error();
    log->directory_ = std::move(*directory);
    return log;
}

Result<OfflineShard> OfflineShard::open(const OfflineLog& log, std::uint32_t number) {
    OfflineShard shard;
    shard.number = number;
    shard.directory = log.directory().shard_path(number);
    LogFilesConfig config;
    config.env = &log.env();
    config.directory = shard.directory;
    config.shard = number;
    config.file_size = log.directory().format().file_size;
    config.offline = true;
    Result<std::unique_ptr<LogFiles>> files = LogFiles::open(std::move(config));
    if (!files) return std::move(files).error();
    shard.files = std::move(*files);
    Result<std::unique_ptr<env::MappedRing>> ring =
        copy_ring(log.env(), env::join_path(shard.directory, kRingFileName));
    if (!ring) return std::move(ring).error();
    shard.ring = std::move(*ring);
    return shard;
}

std::string OfflineShard::path_of(std::uint64_t file) const {
    return env::join_path(directory, log_file_name(file));
}

std::string OfflineShard::index_path_of(std::uint64_t file) const {
    return env::join_path(directory, index_file_name(file));
}

Status LogWalk::run(std::uint64_t number) {
    const std::vector<std::uint64_t> numbers = files_.numbers();
    for (;;) {
        reader_.seek_file(number);
        table_ = TopicTable{};
        builder_.reset();
        snapshot_file_.reset();
        Step step = Step::kFrame;
        while (step == Step::kFrame) {
            const Result<Step> taken = this->step();
            if (!taken) return taken.error();
            step = *taken;
        }
        if (step == Step::kStop) return {};
        const auto next =
            std::upper_bound(numbers.begin(), numbers.end(), files_.number_of(damaged_));
        if (next == numbers.end()) return {};
        number = *next;
    }
}

LogWalk::Step LogWalk::report(Lsn at, bool acknowledged, const std::string& what) {
    const std::uint64_t number = files_.number_of(at);
    Damage damage;
    damage.shard = shard_.number;
    damage.file = shard_.path_of(number);
    damage.position = at.value % files_.config().file_size;
    damage.lsn = at;
    damage.acknowledged = acknowledged;
    damage.what = what;
    visitor_.damage(damage, snapshot_file_ != number, table_);
    damaged_ = at;
    return Step::kDamage;
}

Result<LogWalk::Step> LogWalk::step() {
    if (reader_.lsn().value % files_.config().file_size == 0) {
        const Result<Step> entered = enter_file();
        if (!entered || *entered != Step::kFrame) return entered;
    }
    Frame frame;
    const Result<LogReader::Next> next = reader_.next(frame);
    if (!next) return next.error();
    return *next == LogReader::Next::kFrame ? take(frame) : tail();
}

Result<LogWalk::Step> LogWalk::enter_file() {
    const std::uint64_t number = files_.number_of(reader_.lsn());
    if (builder_ != nullptr) {
        const Result<std::shared_ptr<LogFile>> file = files_.open_file(builder_->number());
        if (!file) return file.error();
        visitor_.left(*std::move(*builder_).finish((*file)->epoch, 0, table_.index_topics()));
        builder_.reset();
    }
    if (number > files_.last()) return Step::kFrame;
    const Result<std::shared_ptr<LogFile>> file = files_.open_file(number);
    if (!file && file.error().code == Errc::kNotFound)
        return report(reader_.lsn(), true, "the file is missing");
    if (!file && is_damage(file.error().code))
        return report(reader_.lsn(), true, file.error().message);
    if (!file) return file.error();
    builder_ = std::make_unique<IndexBuilder>(number);
    return Step::kFrame;
}

Result<LogWalk::Step> LogWalk::tail() {
    const Result<std::optional<Lsn>> proof = reader_.find_proof();
    if (!proof && is_damage(proof.error().code))
        return report(reader_.lsn(), true,
                      "the log ends here as far as can be seen, but a later file that could prove "
                      "more is damaged: " +
                          proof.error().message);
    if (!proof) return proof.error();
    if (*proof)
        return report(reader_.lsn(), true,
                      "no valid frame, but the frame at lsn " + std::to_string((*proof)->value) +
                          " proves that acknowledged data was here");
    const Result<std::optional<Lsn>> trace = reader_.find_trace();
    if (!trace) return trace.error();
    if (*trace)
        report(reader_.lsn(), false,
               "torn tail: a frame at lsn " + std::to_string((*trace)->value) +
                   " was under way when the log was cut off; nothing acknowledged is behind here");
    visitor_.end(table_);
    return Step::kStop;
}

Result<LogWalk::Step> LogWalk::take(const Frame& frame) {
    if (!visitor_.frame(frame, reader_, table_)) return Step::kStop;
    if (const Status applied = apply(frame); !applied)
        return report(frame.header.lsn, true, applied.error().message);
    if (frame.header.type == FrameType::kBatch && !frame.is_short) {
        const TopicPtr topic = table_.find(frame.header.topic_id);
        builder_->add(topic->chain, topic->id, frame.header.first_offset, frame.header.lsn);
    }
    return Step::kFrame;
}

Status LogWalk::apply(const Frame& frame) {
    if (frame.header.type == FrameType::kBatch)
        if (const Result<BatchBody> body = BatchBody::parse(frame); !body) return body.error();
    const bool snapshot_end = frame.header.type == FrameType::kControl &&
                              frame.header.control == ControlKind::kSnapshot &&
                              (frame.header.flags & kSnapshotLast) != 0;
    const bool known = table_.complete();
    const std::vector<IndexTopic> before =
        snapshot_end && known ? table_.index_topics() : std::vector<IndexTopic>{};
    WALRUS_RETURN_IF_ERROR(table_.apply(frame));
    if (!snapshot_end) return {};
    if (known && !same_totals(before, table_.index_topics()))
        return Error{Errc::kCorruption, "frame at lsn " + std::to_string(frame.header.lsn.value) +
                                            ": the snapshot differs from the log before it"};
    snapshot_file_ = files_.number_of(frame.header.lsn);
    return {};
}

}  // namespace walrus::wal

// verify and dump.  What both walk over: log_walk.h.  repair: repair.cc.
#include "walrus/wal/verify.h"

#include <algorithm>
#include <map>

#include "walrus/wal/log_walk.h"
#include "walrus/wal/shard_check.h"

namespace walrus::wal {
namespace {

std::string control_name(ControlKind kind) {
    switch (kind) {
        case ControlKind::kNone: return "none";
        case ControlKind::kCreateTopic: return "create-topic";
        case ControlKind::kDeleteTopic: return "delete-topic";
        case ControlKind::kCommitCursor: return "commit-cursor";
        case ControlKind::kDeleteCursor: return "delete-cursor";
        case ControlKind::kTruncateHead: return "truncate-head";
        case ControlKind::kMark: return "mark";
        case ControlKind::kSetRetention: return "set-retention";
        case ControlKind::kReign: return "reign";
        case ControlKind::kSnapshot: return "snapshot";
        case ControlKind::kClose: return "close";
    }
    return "control-" + std::to_string(static_cast<std::uint32_t>(kind));
}

std::string type_name(const FrameHeader& header) {
    switch (header.type) {
        case FrameType::kBatch: return "batch";
        case FrameType::kControl: return control_name(header.control);
        case FrameType::kPad: return "pad";
        case FrameType::kSeal: return "seal";
    }
    return "unknown";
}

std::string topic_name(const Frame& frame, const TopicTable& table) {
    if (frame.header.topic_id == 0) return {};
    if (frame.header.type == FrameType::kControl &&
        frame.header.control == ControlKind::kCreateTopic)
        return std::string(as_text(frame.body));
    if (const TopicPtr topic = table.find(frame.header.topic_id)) return topic->name;
    return "#" + std::to_string(frame.header.topic_id);
}

// Hands every frame to a function.
class Dumper final : public WalkVisitor {
public:
    Dumper(const OfflineShard& shard, Lsn from,
           const std::function<bool(const DumpedFrame&)>& visit)
        : shard_(shard), from_(from), visit_(visit) {}

    bool stopped() const { return stopped_; }
    const std::optional<Damage>& first_damage() const { return first_damage_; }

    bool frame(const Frame& frame, const LogReader& reader, const TopicTable& table) override {
        const FrameHeader& header = frame.header;
        if (header.lsn < from_) return true;
        DumpedFrame dumped;
        dumped.shard = shard_.number;
        dumped.file = shard_.path_of(shard_.files->number_of(header.lsn));
        dumped.position = header.lsn.value % shard_.files->config().file_size;
        dumped.lsn = header.lsn;
        dumped.size_bytes = frame.size;
        dumped.type = type_name(header);
        dumped.short_form = frame.is_short;
        dumped.opaque = is_opaque(header);
        dumped.from_ring = reader.from_ring();
        dumped.topic = topic_name(frame, table);
        dumped.epoch = header.epoch;
        dumped.first_offset = header.first_offset;
        dumped.record_count = header.record_count;
        dumped.body_bytes = header.body_length;
        dumped.durable_upto = header.durable_upto;
        if (header.type == FrameType::kControl) dumped.body = frame.body;
        if (header.type == FrameType::kBatch)
            if (const Result<BatchBody> body = BatchBody::parse(frame))
                body->for_each(0, [&](std::uint32_t, Bytes record) {
                    dumped.records.push_back(record);
                    return true;
                });
        stopped_ = !visit_(dumped);
        return !stopped_;
    }

    void damage(const Damage& damage, bool, const TopicTable&) override {
        if (damage.acknowledged && !first_damage_) first_damage_ = damage;
    }
    void left(const FileIndex&) override {}
    void end(const TopicTable&) override {}

private:
    const OfflineShard& shard_;
    const Lsn from_;
    const std::function<bool(const DumpedFrame&)>& visit_;
    bool stopped_ = false;
    std::optional<Damage> first_damage_;
};

}  // namespace

Result<VerifyReport> verify(const Options& options) {
    const Result<std::unique_ptr<OfflineLog>> log = OfflineLog::open(options);
    if (!log) return log.error();
    VerifyReport report;
    report.directory = (*log)->directory().path();
    report.shards = (*log)->shards();
    for (std::uint32_t number = 0; number < report.shards; ++number) {
        Result<OfflineShard> shard = OfflineShard::open(**log, number);
        if (!shard) return std::move(shard).error();
        WALRUS_RETURN_IF_ERROR(check_shard((*log)->env(), *shard, report));
    }
    return report;
}

Status dump(const Options& options, const DumpRange& range,
            const std::function<bool(const DumpedFrame&)>& visit) {
    const Result<std::unique_ptr<OfflineLog>> log = OfflineLog::open(options);
    if (!log) return log.error();
    if (range.shard && *range.shard >= (*log)->shards())
        return Error{Errc::kNotFound,
                     (*log)->directory().path() + ": has no shard " + std::to_string(*range.shard)};
    std::optional<Damage> first;
    for (std::uint32_t number = 0; number < (*log)->shards(); ++number) {
        if (range.shard && *range.shard != number) continue;
        Result<OfflineShard> shard = OfflineShard::open(**log, number);
        if (!shard) return std::move(shard).error();
        LogFiles& files = *shard->files;
        if (files.empty()) continue;
        Dumper dumper(*shard, range.from, visit);
        // Every file begins with the table, so what is before the first one asked for can be left.
        const std::vector<std::uint64_t> numbers = files.numbers();
        auto start = std::upper_bound(numbers.begin(), numbers.end(), files.number_of(range.from));
        if (start != numbers.begin()) --start;
        WALRUS_RETURN_IF_ERROR(LogWalk(*shard, dumper).run(*start));
        if (dumper.stopped()) return {};
        if (!first) first = dumper.first_damage();
    }
    if (!first) return {};
    return Error{Errc::kCorruption,
                 first->file + " at " + std::to_string(first->position) + ": " + first->what};
}

}  // namespace walrus::wal

#include "walrus/wal/shard_check.h"

#include <algorithm>
#include <map>

namespace walrus::wal {
namespace {

class ShardCheck final : public WalkVisitor {
public:
    ShardCheck(env::Env& env, OfflineShard& shard, VerifyReport& report)
        : env_(env), shard_(shard), report_(report) {}

    bool frame(const Frame& frame, const LogReader&, const TopicTable&) override {
        ++report_.frames;
        report_.bytes += frame.size;
        if (frame.header.type == FrameType::kBatch) report_.records += frame.header.record_count;
        return true;
    }

    void damage(const Damage& damage, bool head, const TopicTable& table) override {
        report_.damage.push_back(damage);
        if (!damage.acknowledged) return;
        if (!cut_) begin_cut(damage, head, table);
        end(table);
    }

    void left(const FileIndex& index) override {
        left_.insert(index.number());
        if (Status checked = check_index(index); !checked) trouble_ = std::move(checked);
    }

    void end(const TopicTable& table) override {
        if (table.complete()) topics_ = table.size();
        if (!cut_) return;
        for (const auto& [id, topic] : table.all()) {
            Offset& known = lost_[topic->name];
            known = std::max(known, topic->log_end);
        }
    }

    // After the walk.
    Status finish() {
        WALRUS_RETURN_IF_ERROR(trouble_);
        WALRUS_RETURN_IF_ERROR(look_for_stray_indexes());
        report_.topics += topics_;
        if (!cut_) return {};
        for (const auto& [topic, lost_end] : lost_) {
            const auto kept = kept_.find(topic);
            const Offset end = kept == kept_.end() ? Offset{} : kept->second;
            if (lost_end > end) cut_->topics.push_back({topic, end, lost_end});
        }
        report_.cuts.push_back(*cut_);
        return {};
    }

private:
    void begin_cut(const Damage& damage, bool head, const TopicTable& table) {
        const std::uint64_t number = shard_.files->number_of(damage.lsn);
        cut_.emplace();
        cut_->shard = shard_.number;
        cut_->file = damage.file;
        // A file without its table is of no use to anybody.
        cut_->position = head ? 0 : damage.position;
        cut_->lsn = head ? shard_.files->base(number) : damage.lsn;
        for (const std::uint64_t live : shard_.files->numbers())
            if (live > number || (live == number && head)) ++cut_->files_removed;
        if (table.complete())
            for (const auto& [id, topic] : table.all()) kept_[topic->name] = topic->log_end;
    }

    void report_index(std::uint64_t number, const std::string& what) {
        report_.damage.push_back({shard_.number, shard_.index_path_of(number), 0,
                                  shard_.files->base(number), false, what});
    }

    // The stored index against the one the log gives.
    Status check_index(const FileIndex& rebuilt) {
        const std::string path = shard_.index_path_of(rebuilt.number());
        env::OpenFlags flags;
        flags.read_only = true;
        const Result<std::unique_ptr<env::File>> file = env_.open(path, flags);
        if (!file && file.error().code == Errc::kNotFound) return {};
        if (!file) return file.error();
        const Result<std::uint64_t> size = (*file)->size();
        if (!size) return size.error();
        std::vector<std::byte> bytes(*size);
        const Result<std::size_t> got = (*file)->read_at(bytes, 0);
        if (!got) return got.error();
        const auto stored =
            FileIndex::decode(Bytes{bytes}.first(*got), rebuilt.number(), rebuilt.epoch());
        if (!stored) {
            report_index(rebuilt.number(), stored.error().message + "; it will be rebuilt");
        } else if (!(*stored)->same_content(rebuilt)) {
            report_index(rebuilt.number(), "index differs from the log; remove it to rebuild it");
        }
        return {};
    }

    // Indexes of files that were not left, or are not there.
    Status look_for_stray_indexes() {
        const Result<std::vector<std::string>> names = env_.list(shard_.directory);
        if (!names) return names.error();
        for (const std::string& name : *names) {
            const auto number = parse_numbered_name(name, ".idx");
            if (!number || left_.contains(*number)) continue;
            // Next to damage it cannot be judged.
            const bool judged = !cut_ || *number < shard_.files->number_of(cut_->lsn);
            if (judged) report_index(*number, "index of a file that was not left");
        }
        return {};
    }

    env::Env& env_;
    OfflineShard& shard_;
    VerifyReport& report_;
    Status trouble_;
    std::set<std::uint64_t> left_;
    std::uint64_t topics_ = 0;
    std::optional<Cut> cut_;
    std::map<std::string, Offset> kept_;  // Ends at the cut,
    std::map<std::string, Offset> lost_;  // and behind it.
};

}  // namespace

Status check_shard(env::Env& env, OfflineShard& shard, VerifyReport& report) {
    report.files += shard.files->numbers().size();
    if (shard.files->empty()) return {};
    ShardCheck check(env, shard, report);
    WALRUS_RETURN_IF_ERROR(LogWalk(shard, check).run(shard.files->first()));
    return check.finish();
}

}  // namespace walrus::wal

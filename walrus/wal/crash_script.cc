#include "walrus/wal/crash_script.h"

#include <algorithm>

namespace walrus::wal {
namespace {

constexpr const char* kTopics[] = {"orders", "events", "b"};
constexpr const char* kConsumers[] = {"", "audit"};
constexpr std::uint64_t kReadBytes = 64 << 10;

std::uint64_t mix(std::uint64_t value) {
    return SeededRandom(value).next();
}

std::string describe(const LogModel& log) {
    std::string text;
    for (const auto& [name, topic] : log) {
        text += " " + name + "#" + std::to_string(topic.generation) + "[" +
                std::to_string(topic.start) + "," + std::to_string(topic.end) + ")" +
                (topic.clean ? "c" : "d");
        for (const auto& [consumer, offset] : topic.cursors)
            text += " '" + consumer + "'=" + std::to_string(offset);
    }
    return text;
}

bool same_but_for_start(const TopicModel& found, const TopicModel& wanted) {
    if (found.end != wanted.end || found.clean != wanted.clean) return false;
    const auto passed = [&](const TopicModel& topic) {
        std::map<std::string, std::uint64_t> cursors;
        for (const auto& [consumer, offset] : topic.cursors)
            if (offset > std::max(found.start, wanted.start)) cursors[consumer] = offset;
        return cursors;
    };
    return passed(found) == passed(wanted);
}

// `later` bounds how far retention may have come since `wanted`; null: not at all.
bool matches(const LogModel& found, const LogModel& wanted, const LogModel* later) {
    if (found.size() != wanted.size()) return false;
    for (const auto& [name, topic] : found) {
        const auto it = wanted.find(name);
        if (it == wanted.end() || !same_but_for_start(topic, it->second)) return false;
        std::uint64_t most = it->second.start;
        if (later != nullptr)
            if (const auto after = later->find(name); after != later->end())
                most = std::max(most, after->second.start);
        if (topic.start < it->second.start || topic.start > most) return false;
    }
    return true;
}

}  // namespace

TopicModel::Unit TopicModel::unit_at(std::uint64_t offset) const {
    const auto after = blobs.upper_bound(offset);
    if (after == blobs.begin()) return {offset, 1};
    const auto& [first, count] = *std::prev(after);
    return offset < first + count ? Unit{first, count} : Unit{offset, 1};
}

LogModel observe(Wal& wal) {
    LogModel log;
    for (const TopicInfo& info : wal.topics()) {
        TopicModel& topic = log[info.name];
        topic.start = info.log_start_offset.value;
        topic.end = info.log_end_offset.value;
        topic.clean = info.clean;
        if (const auto cursors = wal.cursors(info.name))
            for (const auto& [consumer, offset] : *cursors) topic.cursors[consumer] = offset.value;
    }
    return log;
}

CrashScript::CrashScript(CrashScriptConfig config)
    : config_(config),
      dice_(mix(config.seed)),
      seams_(new Seams{{}, SeededRandom(mix(config.seed + 1))}) {
    states_.emplace_back();
}

Options CrashScript::options(testing::SimEnv& env) const {
    Options options;
    options.data_dir = "log";
    options.durability = config_.durability;
    options.sync_interval_ms = 5;
    options.backend = config_.backend;
    options.file_size = 64 << 10;
    options.ring_size = 64 << 10;
    options.spare_files = 1;
    options.limits.max_record_bytes = options.limits.max_batch_bytes = 12 << 10;
    options.threading = Threading::kInline;
    options.env = &env;
    options.clock = &seams_->clock;
    options.random = &seams_->random;
    return options;
}

std::string CrashScript::record(const std::string& topic, std::uint64_t generation,
                                std::uint64_t offset, std::uint64_t count) const {
    std::string text = topic + "/" + std::to_string(generation) + "/" + std::to_string(offset);
    if (count > 1) text += "+" + std::to_string(count);
    SeededRandom random(mix(config_.seed) ^ mix(generation * 1'000'003 + offset));
    const std::uint64_t kind = random.below(16);
    const std::uint64_t size = kind == 0 ? 0 : random.below(kind < 12 ? 300 : 3000);
    while (text.size() < size) text.push_back(static_cast<char>(random.next()));
    text.resize(kind == 0 ? 0 : std::max(size, text.size()));
    return text;
}

// --- running ---

std::string CrashScript::run(testing::SimEnv& env) {
    env_ = &env;
    Status status = open();
    for (std::uint32_t i = 0; i < config_.steps && status && problem_.empty(); ++i) {
        seams_->clock.advance_ms(1);
        status = step();
    }
    if (status && problem_.empty()) {
        status = wal_->close();
        if (status) became_durable();
    }
    if (!status && !env.dead()) return "the script failed: " + status.error().to_string();
    return problem_;
}

Status CrashScript::open() {
    Result<std::unique_ptr<Wal>> wal = Wal::open(options(*env_));
    if (!wal) return std::move(wal).error();
    wal_ = std::move(*wal);
    became_durable();  // Recovery leaves nothing that is not on stable storage.
    problem_ = compare(*wal_, now(), nullptr);
    return {};
}

Status CrashScript::step() {
    const std::uint64_t dice = dice_.below(100);
    if (dice < 34) return append(1, false);
    if (dice < 42) return append_opaque();
    if (dice < 54) return append(2 + dice_.below(6), false);
    if (dice < 64) return append(1 + dice_.below(3), true);
    if (dice < 74) return read_next();
    if (dice < 80) return move_cursor();
    if (dice < 84) return truncate();
    if (dice < 88) return change_topics();
    if (dice < 91) return mark();
    if (dice < 94) return retain();
    if (dice < 97) {
        ++taken_["sync"];
        const Status synced = wal_->sync();
        if (synced) became_durable();
        return synced;
    }
    return reopen();
}

std::string CrashScript::pick_topic() {
    return kTopics[dice_.below(std::size(kTopics))];
}

std::string CrashScript::pick_consumer() {
    return kConsumers[dice_.below(std::size(kConsumers))];
}

std::uint64_t CrashScript::readable(const std::string& topic) {
    const Result<TopicInfo> info = wal_->topic(topic);
    return info ? info->high_watermark.value : 0;
}

Status CrashScript::append(std::size_t records, bool async) {
    ++taken_[async ? "async" : records == 1 ? "append" : "batch"];
    const std::string name = pick_topic();
    if (!now().contains(name)) {
        next_state()[name].generation = generations_[name]++;
    }
    TopicModel& topic = next_state()[name];
    std::vector<std::string> texts;
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < records && bytes < (9 << 10); ++i) {
        texts.push_back(record(name, topic.generation, topic.end++));
        bytes += texts.back().size();
    }
    topic.clean = false;
    const Offset wanted{topic.end - texts.size()};
    std::vector<Bytes> batch;
    for (const std::string& text : texts) batch.push_back(as_bytes(text));
    if (async) {
        const Result<Ticket> ticket = wal_->append_async(name, batch);
        if (!ticket) return ticket.error();
        if (ticket->first_offset != wanted) problem_ = "append_async to " + name + ": bad offset";
        // Half of them are left to whatever comes later.
        if (config_.durability == DurabilityClass::kDisk) {
            if (dice_.chance(1, 2)) return {};
            WALRUS_RETURN_IF_ERROR(wal_->wait(*ticket));
        }
    } else {
        const Result<Offset> offset = wal_->append_batch(name, batch);
        if (!offset) return offset.error();
        if (*offset != wanted) problem_ = "append to " + name + ": bad offset";
    }
    acknowledge();
    return {};
}

Status CrashScript::append_opaque() {
    ++taken_["opaque"];
    const std::string name = pick_topic();
    if (!now().contains(name)) next_state()[name].generation = generations_[name]++;
    TopicModel& topic = next_state()[name];
    const std::uint64_t first = topic.end;
    const std::uint64_t count = 1 + dice_.below(dice_.chance(1, 3) ? 40 : 4);
    topic.end += count;
    topic.clean = false;
    topic.blobs[first] = count;
    const std::string blob = record(name, topic.generation, first, count);
    const OpaqueBatch batch{as_bytes(blob), static_cast<std::uint32_t>(count)};
    if (dice_.chance(1, 2)) {
        const Result<Offset> offset = wal_->append_opaque(name, batch);
        if (!offset) return offset.error();
        if (offset->value != first) problem_ = "append_opaque to " + name + ": bad offset";
    } else {
        const Result<Ticket> ticket = wal_->append_opaque_async(name, batch);
        if (!ticket) return ticket.error();
        if (ticket->first_offset.value != first)
            problem_ = "append_opaque_async to " + name + ": bad offset";
        if (config_.durability == DurabilityClass::kDisk) {
            if (dice_.chance(1, 2)) return {};
            WALRUS_RETURN_IF_ERROR(wal_->wait(*ticket));
        }
    }
    acknowledge();
    return {};
}

Status CrashScript::read_next() {
    ++taken_["read"];
    const std::string name = pick_topic();
    const std::string consumer = pick_consumer();
    const auto it = now().find(name);
    if (it == now().end()) return {};
    const TopicModel topic = it->second;
    const auto cursor = topic.cursors.find(consumer);
    const std::uint64_t from =
        std::max(cursor == topic.cursors.end() ? 0 : cursor->second, topic.start);
    const bool any = from < readable(name);
    const TopicModel::Unit unit = topic.unit_at(from);
    if (any) next_state()[name].cursors[consumer] = unit.end();
    const Result<RecordBatch> batch = wal_->read_next(name, {.consumer = consumer});
    if (!batch) return batch.error();
    if (batch->empty() == any) problem_ = "read_next of " + name + ": empty or not";
    if (!any || !problem_.empty()) return {};
    if (batch->front().offset.value != unit.first || batch->front().count != unit.count ||
        as_text(batch->front().data) != record(name, topic.generation, unit.first, unit.count))
        problem_ = "read_next of " + name + ": not the record at " + std::to_string(from);
    acknowledge();
    return {};
}

Status CrashScript::move_cursor() {
    const std::string name = pick_topic();
    const std::string consumer = pick_consumer();
    const auto it = now().find(name);
    if (it == now().end()) return {};
    if (dice_.chance(1, 6) && it->second.cursors.contains(consumer)) {
        ++taken_["delete cursor"];
        next_state()[name].cursors.erase(consumer);
        WALRUS_RETURN_IF_ERROR(wal_->delete_cursor(name, consumer));
    } else {
        ++taken_["commit"];
        const std::uint64_t start = it->second.start;
        const std::uint64_t to = start + dice_.below(readable(name) - start + 1);
        next_state()[name].cursors[consumer] = to;
        WALRUS_RETURN_IF_ERROR(wal_->commit(name, consumer, Offset{to}));
    }
    acknowledge();
    return {};
}

Status CrashScript::truncate() {
    const std::string name = pick_topic();
    const auto it = now().find(name);
    if (it == now().end()) return {};
    const std::uint64_t start = it->second.start;
    const std::uint64_t most = readable(name) - start;
    if (most == 0) return {};
    ++taken_["truncate"];
    const std::uint64_t to = start + 1 + (most > 1 ? most / 2 + dice_.below(most / 2) : 0);
    next_state()[name].start = to;
    WALRUS_RETURN_IF_ERROR(wal_->truncate_head(name, Offset{to}));
    acknowledge();
    return {};
}

Status CrashScript::change_topics() {
    const std::string name = pick_topic();
    if (now().contains(name)) {
        ++taken_["delete topic"];
        next_state().erase(name);
        WALRUS_RETURN_IF_ERROR(wal_->delete_topic(name));
    } else {
        ++taken_["create topic"];
        next_state()[name].generation = generations_[name]++;
        WALRUS_RETURN_IF_ERROR(wal_->create_topic(name));
    }
    acknowledge();
    return {};
}

Status CrashScript::mark() {
    const std::string name = pick_topic();
    if (!now().contains(name)) return {};
    ++taken_["mark"];
    const bool clean = dice_.chance(1, 2);
    next_state()[name].clean = clean;
    WALRUS_RETURN_IF_ERROR(clean ? wal_->mark_clean(name) : wal_->mark_dirty(name));
    // Marking what is marked so already waits for nothing.
    if (states_[states_.size() - 2].at(name).clean != clean) acknowledge();
    return {};
}

Status CrashScript::retain() {
    ++taken_["retention"];
    const std::string name = pick_topic();
    if (now().contains(name)) {
        Retention retention;
        retention.max_records = 1 + dice_.below(60);
        retention.reclaim_read = dice_.chance(1, 3);
        next_state();
        WALRUS_RETURN_IF_ERROR(wal_->set_retention(name, retention));
        acknowledge();
    }
    for (auto& [each, topic] : next_state()) topic.start = topic.end;
    const Result<std::uint64_t> recycled = wal_->run_retention();
    if (!recycled) return recycled.error();
    if (*recycled > 0) ++taken_["recycled"];
    for (auto& [each, topic] : states_.back()) {
        const Result<TopicInfo> info = wal_->topic(each);
        if (!info) return info.error();
        topic.start = info->log_start_offset.value;
        if (topic.start > info->high_watermark.value) problem_ = each + ": start behind readable";
    }
    return {};
}

Status CrashScript::reopen() {
    if (dice_.chance(2, 3)) {
        ++taken_["close"];
        WALRUS_RETURN_IF_ERROR(wal_->close());
        became_durable();
    } else {
        ++taken_["drop"];
    }
    wal_.reset();
    return open();
}

// --- checking ---

std::size_t CrashScript::promised(testing::CrashKind kind) const {
    const bool promised_all =
        config_.durability == DurabilityClass::kDisk ||
        (kind == testing::CrashKind::kKill && config_.durability != DurabilityClass::kNone);
    return promised_all ? acknowledged_ : durable_;
}

std::string CrashScript::compare_records(Wal& wal, const std::string& name, const TopicModel& topic,
                                         std::uint64_t start) const {
    std::uint64_t at = start;
    while (at < topic.end) {
        const Result<RecordBatch> batch = wal.read_at(name, Offset{at}, kReadBytes);
        if (!batch) return "reading " + name + ": " + batch.error().to_string();
        if (batch->empty()) return name + ": nothing to read at " + std::to_string(at);
        for (const Record& read : *batch) {
            const TopicModel::Unit unit = topic.unit_at(at);
            if (read.offset.value != unit.first || read.count != unit.count ||
                as_text(read.data) != record(name, topic.generation, unit.first, unit.count))
                return name + ": wrong record at " + std::to_string(at);
            at = unit.end();
        }
    }
    return "";
}

std::string CrashScript::compare(Wal& wal, const LogModel& wanted, const LogModel* later) const {
    const LogModel found = observe(wal);
    if (!matches(found, wanted, later))
        return "wanted" + describe(wanted) + "\nfound " + describe(found);
    for (const TopicInfo& info : wal.topics()) {
        if (info.high_watermark != info.log_end_offset ||
            info.durable_offset != info.log_end_offset ||
            info.entry_count != info.log_end_offset - info.log_start_offset ||
            info.size_bytes > (64U << 20))
            return info.name + ": its numbers do not fit together";
        const TopicModel& topic = wanted.at(info.name);
        if (std::string wrong = compare_records(wal, info.name, topic, info.log_start_offset.value);
            !wrong.empty())
            return wrong;
    }
    return "";
}

// Compares with every state that may be there; the newest that fits is `found`.  Offsets alone do
// not tell a topic from one of the same name before it, so a state whose records are not there is
// passed over.
std::string CrashScript::find_state(Wal& wal, testing::CrashKind kind, LogModel& found) const {
    const LogModel there = observe(wal);
    std::string wrong;
    for (std::size_t at = states_.size(); at-- > promised(kind);) {
        const LogModel* later = at + 1 < states_.size() ? &states_[at + 1] : nullptr;
        if (!matches(there, states_[at], later)) continue;
        found = states_[at];
        for (auto& [name, topic] : found) topic.start = there.at(name).start;
        wrong = compare(wal, found, nullptr);
        if (wrong.empty()) return "";
    }
    if (!wrong.empty()) return wrong;
    std::string text = "promised" + describe(states_[promised(kind)]) + "\ntried   " +
                       describe(now()) + "\nfound   " + describe(there);
    for (std::size_t at = 0; at < promised(kind); ++at)
        if (matches(there, states_[at], &states_[at + 1]))
            text += "\nwhich is state " + std::to_string(at) + " of " +
                    std::to_string(states_.size()) + ", promised " + std::to_string(promised(kind));
    return text;
}

std::string CrashScript::go_on(testing::SimEnv& survivor, std::unique_ptr<Wal> wal, LogModel state,
                               After after) const {
    if (!state.contains("orders")) state["orders"].generation = 99;
    TopicModel& topic = state["orders"];
    const std::uint64_t more =
        after == After::kFillFiles ? (130 << 10) / 640 : 4;  // The mean size.
    for (std::uint64_t i = 0; i < more; ++i) {
        const std::string text = record("orders", topic.generation, topic.end);
        const Result<Offset> offset = wal->append("orders", as_bytes(text));
        if (!offset) return "appending after recovery: " + offset.error().to_string();
        if (offset->value != topic.end++) return "appending after recovery: bad offset";
        topic.clean = false;
    }
    const std::string blob = record("orders", topic.generation, topic.end, 3);
    const Result<Offset> whole = wal->append_opaque("orders", {as_bytes(blob), 3});
    if (!whole) return "appending after recovery: " + whole.error().to_string();
    topic.blobs[topic.end] = 3;
    topic.end += 3;
    if (after != After::kAppend) {
        if (const Status synced = wal->sync(); !synced)
            return "syncing after recovery: " + synced.error().to_string();
        for (auto& [name, each] : state) {
            each.start = each.end;
            if (const Status cut = wal->truncate_head(name, Offset{each.start}); !cut)
                return "truncating after recovery: " + cut.error().to_string();
        }
        if (const Result<std::uint64_t> recycled = wal->run_retention(); !recycled)
            return "recycling after recovery: " + recycled.error().to_string();
    }
    if (const Status moved = wal->commit("orders", "later", Offset{topic.end}); !moved)
        return "committing after recovery: " + moved.error().to_string();
    topic.cursors["later"] = topic.end;
    if (std::string wrong = compare(*wal, state, nullptr);
        !wrong.empty() && config_.durability == DurabilityClass::kDisk)
        return "after appending: " + wrong;
    if (const Status closed = wal->close(); !closed)
        return "closing after recovery: " + closed.error().to_string();
    wal.reset();
    Result<std::unique_ptr<Wal>> again = Wal::open(options(survivor));
    if (!again) return "the second opening: " + again.error().to_string();
    const std::string wrong = compare(**again, state, nullptr);
    return wrong.empty() ? "" : "after the second opening: " + wrong;
}

std::string CrashScript::check(testing::SimEnv& survivor, testing::CrashKind kind,
                               After after) const {
    Result<std::unique_ptr<Wal>> wal = Wal::open(options(survivor));
    if (!wal) return "open: " + wal.error().to_string();
    LogModel found;
    if (std::string wrong = find_state(**wal, kind, found); !wrong.empty()) return wrong;
    return go_on(survivor, std::move(*wal), std::move(found), after);
}

}  // namespace walrus::wal

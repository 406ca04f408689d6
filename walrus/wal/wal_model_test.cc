// Random operations against a model that is nothing but vectors and maps, over every backend.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "walrus/base/random.h"
#include "walrus/testing/seed.h"
#include "walrus/testing/sim_clock.h"
#include "walrus/testing/sim_env.h"
#include "walrus/wal/wal.h"

namespace walrus::wal {
namespace {

struct ModelCursor {
    std::uint64_t committed = 0;
    std::uint64_t position = 0;
    std::uint64_t unpersisted = 0;
};

struct ModelTopic {
    std::vector<std::string> records;              // From offset 0 on; a blob is at its first.
    std::map<std::uint64_t, std::uint64_t> blobs;  // First offset -> offsets taken.
    std::uint64_t start = 0;
    bool clean = true;
    Retention retention;
    std::map<std::string, ModelCursor> cursors;

    std::uint64_t end() const { return records.size(); }
    // Of what holds `offset`: the first offset, and how many.
    std::pair<std::uint64_t, std::uint64_t> unit_at(std::uint64_t offset) const {
        const auto after = blobs.upper_bound(offset);
        if (after == blobs.begin()) return {offset, 1};
        const auto& [first, count] = *std::prev(after);
        return offset < first + count ? std::pair{first, count}
                                      : std::pair{offset, std::uint64_t{1}};
    }
};

// Runs random operations on a log and on the model, and expects the same of both.
class ModelRun {
public:
    ModelRun(Options options, std::uint64_t seed)
        : options_(std::move(options)), dice_(seed), payload_(seed + 1) {
        options_.consistency = {static_cast<std::uint32_t>(dice_.chance(1, 2) ? 1 : 3)};
        options_.retention_interval_ms = 3'600'000;  // Only when the run says so.
    }

    // False: this machine cannot run the backend.
    bool open() {
        Result<std::unique_ptr<Wal>> wal = Wal::open(options_);
        if (!wal && wal.error().code == Errc::kUnsupported) return false;
        EXPECT_TRUE(wal) << wal.error().to_string();
        if (!wal) return false;
        wal_ = std::move(*wal);
        return true;
    }

    void run(int operations) {
        for (int i = 0; i < operations && !::testing::Test::HasFailure(); ++i) {
            SCOPED_TRACE("operation " + std::to_string(i));
            step();
        }
        if (!::testing::Test::HasFailure()) compare_all();
    }
    // How many reads found what they asked for in memory.
    std::uint64_t recent_reads() const { return recent_reads_; }

private:
    void step() {
        const std::uint64_t dice = dice_.below(1000);
        if (dice < 380) return append();
        if (dice < 450) return append_async();
        if (dice < 480) return append_opaque();
        settle();
        if (dice < 570) return read_by_cursor();
        if (dice < 650) return read_at();
        if (dice < 690) return seek();
        if (dice < 750) return commit();
        if (dice < 770) return delete_cursor();
        if (dice < 810) return truncate();
        if (dice < 840) return retain();
        if (dice < 870) return change_topics();
        if (dice < 900) return mark();
        if (dice < 920) return sync();
        if (dice < 980) return ask();
        reopen();
    }

    std::string pick_topic() { return "topic " + std::to_string(dice_.below(5)); }
    std::string pick_consumer() { return std::string(dice_.below(3), 'c'); }
    // A topic that exists, or null after checking that the log says the same.
    ModelTopic* existing(const std::string& name) {
        const auto it = model_.find(name);
        if (it != model_.end()) return &it->second;
        const Result<TopicInfo> info = wal_->topic(name);
        EXPECT_FALSE(info);
        if (!info) {
            EXPECT_EQ(info.error().code, Errc::kNotFound);
        }
        return nullptr;
    }

    std::string make_record() {
        const std::uint64_t kind = dice_.below(20);
        std::uint64_t size = payload_.below(kind < 15 ? 200 : kind < 19 ? 4000 : 15'000);
        if (kind == 0) size = 0;
        std::string text(size, '\0');
        const std::uint64_t salt = payload_.next();
        for (std::uint64_t i = 0; i < size; ++i)
            text[i] = static_cast<char>(salt >> (i % 8 * 8) ^ (i * 31));
        return text;
    }

    std::vector<std::string> make_batch(std::uint64_t most) {
        std::vector<std::string> texts;
        std::uint64_t bytes = 0;
        for (std::uint64_t i = 1 + dice_.below(most); i > 0 && bytes < 15'000; --i) {
            texts.push_back(make_record());
            bytes += texts.back().size();
        }
        if (dice_.chance(1, 50)) texts.clear();
        return texts;
    }

    // Remembers an append and returns the offset that it must get.
    std::uint64_t note(const std::string& name, const std::vector<std::string>& texts) {
        if (texts.empty()) return model_.contains(name) ? model_[name].end() : 0;
        ModelTopic& topic = model_[name];
        const std::uint64_t first = topic.end();
        topic.records.insert(topic.records.end(), texts.begin(), texts.end());
        topic.clean = false;
        return first;
    }

    static std::vector<Bytes> spans(const std::vector<std::string>& texts) {
        std::vector<Bytes> batch;
        for (const std::string& text : texts) batch.push_back(as_bytes(text));
        return batch;
    }

    void append() {
        const std::string name = pick_topic();
        const std::vector<std::string> texts = make_batch(dice_.chance(1, 4) ? 12 : 1);
        const Result<Offset> offset = wal_->append_batch(name, spans(texts));
        ASSERT_TRUE(offset) << offset.error().to_string();
        ASSERT_EQ(offset->value, note(name, texts));
    }

    void append_async() {
        const std::string name = pick_topic();
        const std::vector<std::string> texts = make_batch(3);
        const Result<Ticket> ticket = wal_->append_async(name, spans(texts));
        ASSERT_TRUE(ticket) << ticket.error().to_string();
        ASSERT_EQ(ticket->first_offset.value, note(name, texts));
        unsettled_.push_back(*ticket);
    }

    void append_opaque() {
        const std::string name = pick_topic();
        const std::string blob = make_record();
        ModelTopic& topic = model_[name];
        const std::uint64_t first = topic.end();
        const std::uint64_t count = 1 + dice_.below(dice_.chance(1, 4) ? 3000 : 5);
        topic.records.push_back(blob);
        topic.records.resize(first + count);
        topic.blobs[first] = count;
        topic.clean = false;
        const OpaqueBatch batch{as_bytes(blob), static_cast<std::uint32_t>(count)};
        if (dice_.chance(1, 2)) {
            const Result<Offset> offset = wal_->append_opaque(name, batch);
            ASSERT_TRUE(offset) << offset.error().to_string();
            ASSERT_EQ(offset->value, first);
            return;
        }
        const WhenFull when_full = dice_.chance(1, 2) ? WhenFull::kWait : WhenFull::kRefuse;
        Result<Ticket> ticket = wal_->append_opaque_async(name, batch, {}, when_full);
        if (!ticket && ticket.error().code == Errc::kBusy) {
            settle();
            ticket = wal_->append_opaque_async(name, batch);
        }
        ASSERT_TRUE(ticket) << ticket.error().to_string();
        ASSERT_EQ(ticket->first_offset.value, first);
        unsettled_.push_back(*ticket);
    }

    // What was appended asynchronously can be read once it is acknowledged.
    void settle() {
        for (const Ticket& ticket : unsettled_) ASSERT_TRUE(wal_->wait(ticket));
        unsettled_.clear();
    }

    // `got` must be the records from `from` on that a limit lets through.
    void expect_records(const RecordBatch& got, const ModelTopic& topic, std::uint64_t from,
                        std::uint64_t max_bytes, std::uint64_t max_records) {
        std::uint64_t at = from;
        std::uint64_t bytes = 0;
        std::size_t units = 0;
        while (at < topic.end() && units < max_records) {
            const auto [first, count] = topic.unit_at(at);
            bytes += topic.records[first].size();
            if (units > 0 && bytes > max_bytes) break;
            ++units;
            at = first + count;
        }
        ASSERT_EQ(got.size(), units);
        expect_bytes(got, topic, from);
    }

    // `got` must be what follows from `from` on, however far.
    void expect_bytes(const RecordBatch& got, const ModelTopic& topic, std::uint64_t from) {
        std::uint64_t at = from;
        for (const Record& record : got) {
            const auto [first, count] = topic.unit_at(at);
            ASSERT_EQ(record.offset.value, first);
            ASSERT_EQ(record.count, count);
            ASSERT_TRUE(as_text(record.data) == topic.records[first]) << "offset " << first;
            at = first + count;
        }
    }

    void read_by_cursor() {
        const std::string name = pick_topic();
        const std::string consumer = pick_consumer();
        const bool checkpoint = dice_.chance(3, 4);
        const bool one = dice_.chance(1, 2);
        const std::uint64_t max_bytes = one ? ~std::uint64_t{0} : dice_.below(20'000);
        const ReadOptions options{.consumer = consumer, .checkpoint = checkpoint};
        const Result<RecordBatch> got =
            one ? wal_->read_next(name, options) : wal_->read_batch(name, max_bytes, options);
        ASSERT_TRUE(got) << got.error().to_string();
        const auto it = model_.find(name);
        if (it == model_.end() || it->second.start == it->second.end()) {
            ASSERT_TRUE(got->empty());
            return;
        }
        ModelTopic& topic = it->second;
        const bool known = topic.cursors.contains(consumer);
        if (!known && checkpoint) topic.cursors[consumer] = {topic.start, topic.start, 0};
        const std::uint64_t from =
            std::max(known || checkpoint ? topic.cursors[consumer].position : 0, topic.start);
        expect_records(*got, topic, from, max_bytes, one ? 1 : ~std::uint64_t{0});
        if (!checkpoint || got->empty()) return;
        ModelCursor& cursor = topic.cursors[consumer];
        cursor.position = got->end_offset().value;
        cursor.unpersisted += cursor.position - from;
        if (cursor.unpersisted < options_.consistency.persist_every) return;
        cursor.committed = cursor.position;
        cursor.unpersisted = 0;
    }

    void read_at() {
        const std::string name = pick_topic();
        const ModelTopic* topic = existing(name);
        const std::uint64_t offset = dice_.below((topic == nullptr ? 0 : topic->end()) + 3);
        const std::uint64_t max_bytes = dice_.below(40'000);
        const Result<RecordBatch> got = wal_->read_at(name, Offset{offset}, max_bytes);
        if (topic == nullptr || offset < topic->start || offset > topic->end()) {
            ASSERT_FALSE(got);
            ASSERT_EQ(got.error().code, topic == nullptr ? Errc::kNotFound : Errc::kOutOfRange);
            return;
        }
        ASSERT_TRUE(got) << got.error().to_string();
        expect_records(*got, *topic, offset, max_bytes, ~std::uint64_t{0});
        const Result<RecordBatch> recent = wal_->read_recent(name, Offset{offset}, max_bytes);
        if (recent) {
            ++recent_reads_;
            ASSERT_LE(recent->size(), got->size());
            ASSERT_EQ(recent->empty(), got->empty());
            expect_bytes(*recent, *topic, offset);
        } else {
            ASSERT_EQ(recent.error().code, Errc::kBusy);
        }
    }

    // An offset for cursors: mostly one that can be.
    std::uint64_t pick_offset(const ModelTopic& topic) {
        if (dice_.chance(1, 10)) return dice_.below(topic.end() + 3);
        return topic.start + dice_.below(topic.end() - topic.start + 1);
    }
    void expect_moved(const Status& status, const ModelTopic& topic, std::uint64_t to) {
        const bool can_be = to >= topic.start && to <= topic.end();
        ASSERT_EQ(status.has_value(), can_be);
        if (!can_be) {
            ASSERT_EQ(status.error().code, Errc::kOutOfRange);
        }
    }

    void seek() {
        const std::string name = pick_topic();
        const std::string consumer = pick_consumer();
        ModelTopic* topic = existing(name);
        if (topic == nullptr) return;
        const std::uint64_t to = pick_offset(*topic);
        const Status status = wal_->seek(name, consumer, Offset{to});
        expect_moved(status, *topic, to);
        if (!status) return;
        if (!topic->cursors.contains(consumer))
            topic->cursors[consumer] = {topic->start, topic->start, 0};
        topic->cursors[consumer].position = to;
    }

    void commit() {
        const std::string name = pick_topic();
        const std::string consumer = pick_consumer();
        ModelTopic* topic = existing(name);
        if (topic == nullptr) return;
        const std::uint64_t to = pick_offset(*topic);
        const Status status = wal_->commit(name, consumer, Offset{to});
        expect_moved(status, *topic, to);
        if (status) topic->cursors[consumer] = {to, to, 0};
    }

    void delete_cursor() {
        const std::string name = pick_topic();
        const std::string consumer = pick_consumer();
        ModelTopic* topic = existing(name);
        if (topic == nullptr) return;
        const Status status = wal_->delete_cursor(name, consumer);
        const auto it = topic->cursors.find(consumer);
        // One that never moved past the start may be forgotten by a reopening.
        const bool sure = it != topic->cursors.end() && it->second.committed > topic->start;
        if (sure) {
            ASSERT_TRUE(status);
        }
        if (!status) {
            ASSERT_EQ(status.error().code, Errc::kNotFound);
        }
        topic->cursors.erase(consumer);
    }

    void truncate() {
        const std::string name = pick_topic();
        ModelTopic* topic = existing(name);
        if (topic == nullptr) return;
        const std::uint64_t to = dice_.below(topic->end() + 2);
        const Status status = wal_->truncate_head(name, Offset{to});
        ASSERT_EQ(status.has_value(), to <= topic->end());
        if (!status) {
            ASSERT_EQ(status.error().code, Errc::kOutOfRange);
            return;
        }
        topic->start = std::max(topic->start, to);
    }

    // The model does not know where files end; it knows what may not be given up.
    std::uint64_t may_give_up_to(const ModelTopic& topic) const {
        std::uint64_t to = topic.start;
        const std::uint64_t kept = topic.retention.max_records;
        if (kept > 0 && topic.end() - topic.start > kept) to = topic.end() - kept;
        if (topic.retention.reclaim_read && !topic.cursors.empty()) {
            std::uint64_t slowest = topic.end();
            for (const auto& [consumer, cursor] : topic.cursors)
                slowest = std::min(slowest, cursor.committed);
            to = std::max(to, slowest);
        }
        return to;
    }

    void retain() {
        const std::string name = pick_topic();
        if (ModelTopic* topic = existing(name)) {
            topic->retention = {};
            if (dice_.chance(1, 2)) topic->retention.max_records = 1 + dice_.below(100);
            topic->retention.reclaim_read = dice_.chance(1, 2);
            ASSERT_TRUE(wal_->set_retention(name, topic->retention));
        }
        const Result<std::uint64_t> recycled = wal_->run_retention();
        ASSERT_TRUE(recycled) << recycled.error().to_string();
        for (auto& [each, topic] : model_) {
            const Result<TopicInfo> info = wal_->topic(each);
            ASSERT_TRUE(info);
            ASSERT_GE(info->log_start_offset.value, topic.start);
            ASSERT_LE(info->log_start_offset.value, may_give_up_to(topic)) << each;
            topic.start = info->log_start_offset.value;
        }
        // A thread that applies it by itself does so at a moment that the model cannot know.
        if (options_.threading == Threading::kInline || !model_.contains(name)) return;
        model_[name].retention = {};
        ASSERT_TRUE(wal_->set_retention(name, {}));
    }

    void change_topics() {
        const std::string name = pick_topic();
        const bool known = model_.contains(name);
        if (dice_.chance(1, 2)) {
            ASSERT_TRUE(wal_->create_topic(name));
            model_[name];
            return;
        }
        const Status status = wal_->delete_topic(name);
        ASSERT_EQ(status.has_value(), known);
        model_.erase(name);
    }

    void mark() {
        const std::string name = pick_topic();
        const bool clean = dice_.chance(1, 2);
        const Status status = clean ? wal_->mark_clean(name) : wal_->mark_dirty(name);
        ASSERT_EQ(status.has_value(), model_.contains(name));
        if (status) model_[name].clean = clean;
    }

    void sync() {
        ASSERT_TRUE(wal_->sync());
        for (const TopicInfo& info : wal_->topics()) {
            ASSERT_EQ(info.durable_offset, info.log_end_offset);
            ASSERT_EQ(info.high_watermark, info.log_end_offset);
        }
    }

    void ask() {
        const std::string name = pick_topic();
        const ModelTopic* topic = existing(name);
        if (topic == nullptr) return;
        compare_topic(name, *topic);
        const std::string consumer = pick_consumer();
        const auto it = topic->cursors.find(consumer);
        const std::uint64_t position = it == topic->cursors.end() ? 0 : it->second.position;
        ASSERT_EQ(wal_->position(name, consumer).value().value, std::max(position, topic->start));
        const std::uint64_t offset = dice_.below(topic->end() + 1);
        ASSERT_EQ(wal_->wait_for(name, Offset{offset}, 0).value(), offset < topic->end());
    }

    void reopen() {
        if (dice_.chance(1, 2)) {
            ASSERT_TRUE(wal_->close());
            ASSERT_EQ(wal_->append("topic 0", {}).error().code, Errc::kClosed);
        }
        wal_.reset();
        ASSERT_TRUE(open());
        for (auto& [name, topic] : model_) {
            for (auto& [consumer, cursor] : topic.cursors) {
                cursor.position = cursor.committed;
                cursor.unpersisted = 0;
            }
            std::erase_if(topic.cursors,
                          [&](const auto& entry) { return entry.second.committed <= topic.start; });
        }
        compare_all();
    }

    void compare_topic(const std::string& name, const ModelTopic& topic) {
        const Result<TopicInfo> info = wal_->topic(name);
        ASSERT_TRUE(info);
        ASSERT_EQ(info->log_start_offset.value, topic.start);
        ASSERT_EQ(info->log_end_offset.value, topic.end());
        ASSERT_EQ(info->high_watermark.value, topic.end());
        ASSERT_LE(info->durable_offset, info->log_end_offset);
        ASSERT_EQ(info->entry_count, topic.end() - topic.start);
        ASSERT_EQ(info->clean, topic.clean);
        const auto shared = topic.cursors.find("");
        const std::uint64_t position = shared == topic.cursors.end() ? 0 : shared->second.position;
        ASSERT_EQ(info->unread_count, topic.end() - std::max(position, topic.start));
        std::uint64_t bytes = 0;
        for (std::uint64_t at = topic.start; at < topic.end(); ++at)
            bytes += topic.records[at].size();
        ASSERT_GE(info->size_bytes, bytes);
        std::map<std::string, std::uint64_t> wanted;
        for (const auto& [consumer, cursor] : topic.cursors)
            if (cursor.committed > topic.start) wanted[consumer] = cursor.committed;
        std::map<std::string, std::uint64_t> found;
        const Result<std::map<std::string, Offset>> cursors = wal_->cursors(name);
        ASSERT_TRUE(cursors);
        for (const auto& [consumer, offset] : *cursors)
            if (offset.value > topic.start) found[consumer] = offset.value;
        ASSERT_EQ(found, wanted);
    }

    void compare_all() {
        settle();
        std::vector<std::string> wanted;
        for (const auto& [name, topic] : model_) wanted.push_back(name);
        std::vector<std::string> found;
        for (const TopicInfo& info : wal_->topics()) found.push_back(info.name);
        ASSERT_EQ(found, wanted);
        for (const auto& [name, topic] : model_) {
            SCOPED_TRACE(name);
            compare_topic(name, topic);
            for (std::uint64_t at = topic.start; at < topic.end();) {
                const Result<RecordBatch> got = wal_->read_at(name, Offset{at}, 100'000);
                ASSERT_TRUE(got) << got.error().to_string();
                ASSERT_NO_FATAL_FAILURE(
                    expect_records(*got, topic, at, 100'000, ~std::uint64_t{0}));
                at = got->end_offset().value;
            }
        }
    }

    Options options_;
    SeededRandom dice_;
    SeededRandom payload_;
    std::unique_ptr<Wal> wal_;
    std::map<std::string, ModelTopic> model_;
    std::vector<Ticket> unsettled_;
    std::uint64_t recent_reads_ = 0;
};

Options small_options() {
    Options options;
    options.file_size = options.ring_size = 128 << 10;
    options.limits.max_record_bytes = options.limits.max_batch_bytes = 32 << 10;
    options.spare_files = 1;
    return options;
}

struct Case {
    Backend backend;
    DurabilityClass durability;
    std::uint32_t shards;
};

class WalModelTest : public ::testing::TestWithParam<Case> {};

TEST_P(WalModelTest, TheLogDoesWhatVectorsAndMapsDo) {
    Options options = small_options();
    options.backend = GetParam().backend;
    options.durability = GetParam().durability;
    options.shards = GetParam().shards;
    options.data_dir = "wal_model_test_data/" + std::string(backend_name(options.backend)) + "-" +
                       std::string(durability_class_name(options.durability));
    std::filesystem::remove_all(options.data_dir);
    SCOPED_TRACE("WALRUS_SEED=" + std::to_string(testing::test_seed()));
    {
        ModelRun run(options, testing::test_seed());
        if (!run.open()) GTEST_SKIP();
        run.run(1200);
        EXPECT_GT(run.recent_reads(), 0U);
    }
    if (!HasFailure()) std::filesystem::remove_all(options.data_dir);
}

constexpr Case kCases[] = {
    {Backend::kUring, DurabilityClass::kDisk, 1},
    {Backend::kUring, DurabilityClass::kProcess, 2},
    {Backend::kDirect, DurabilityClass::kDisk, 2},
    {Backend::kDirect, DurabilityClass::kProcess, 1},
    {Backend::kBuffered, DurabilityClass::kDisk, 1},
    {Backend::kBuffered, DurabilityClass::kOsInterval, 3},
    {Backend::kMmap, DurabilityClass::kDisk, 1},
    {Backend::kMmap, DurabilityClass::kProcess, 1},
};

INSTANTIATE_TEST_SUITE_P(EveryBackend, WalModelTest, ::testing::ValuesIn(kCases),
                         [](const ::testing::TestParamInfo<Case>& tested) {
                             std::string name(durability_class_name(tested.param.durability));
                             std::replace(name.begin(), name.end(), '-', '_');
                             return std::string(backend_name(tested.param.backend)) + "_" + name;
                         });

TEST(WalModel, TheSimulatedLogDoesWhatVectorsAndMapsDo) {
    constexpr DurabilityClass kClasses[] = {DurabilityClass::kDisk, DurabilityClass::kProcess,
                                            DurabilityClass::kOsInterval, DurabilityClass::kNone};
    constexpr Backend kBackends[] = {Backend::kDirect, Backend::kUring, Backend::kBuffered,
                                     Backend::kMmap};
    for (std::uint64_t i = 0; i < 16 && !HasFailure(); ++i) {
        const std::uint64_t seed = testing::test_seed() + i;
        SCOPED_TRACE("seed " + std::to_string(seed));
        testing::SimEnv env(seed);
        testing::SimClock clock;
        SeededRandom random(seed);
        Options options = small_options();
        options.data_dir = "log";
        options.backend = kBackends[i % 4];
        options.durability = kClasses[i / 4 % 4];
        options.shards = 1 + i % 2;
        options.threading = Threading::kInline;
        options.env = &env;
        options.clock = &clock;
        options.random = &random;
        ModelRun run(options, seed);
        ASSERT_TRUE(run.open());
        run.run(1500);
    }
}

}  // namespace
}  // namespace walrus::wal

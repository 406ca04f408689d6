#include "compare/rocksdb/rocksdb_driver.h"

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/version.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <utility>

#include "compare/rocksdb/rocksdb_options.h"
#include "compare/rocksdb/rocksdb_reader.h"

namespace walrus::compare {
namespace {

using harness::Durability;
using harness::Settings;

rocksdb::Slice as_slice(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class RocksProducer final : public harness::Producer {
public:
    RocksProducer(rocksdb::DB& db, Profile profile, bool sync, std::uint32_t writer)
        : db_(db), profile_(profile), writer_(writer) {
        options_.sync = sync;
    }

    Status append(std::uint32_t topic, std::span<const Bytes> records) override {
        batch_.Clear();
        for (const Bytes record : records) {
            const rocksdb::Status added = profile_ == Profile::kWalOnly
                                              ? batch_.PutLogData(as_slice(record))
                                              : batch_.Put(next_key(topic), as_slice(record));
            if (!added.ok()) return to_error("add to a batch", added);
        }
        const rocksdb::Status status = db_.Write(options_, &batch_);
        if (!status.ok()) return to_error("write", status);
        return {};
    }

    Status append_async(std::uint32_t, std::span<const Bytes>, harness::Completion&) override {
        return Error{Errc::kUnsupported, "RocksDB has no asynchronous write"};
    }
    Status drain() override { return {}; }

private:
    rocksdb::Slice next_key(std::uint32_t topic) {
        store_key_prefix(key_.data(), topic);
        store_key_prefix(key_.data() + 4, writer_);
        store_key_prefix(key_.data() + 8, static_cast<std::uint32_t>(count_ >> 32));
        store_key_prefix(key_.data() + 12, static_cast<std::uint32_t>(count_));
        ++count_;
        return {key_.data(), key_.size()};
    }

    rocksdb::DB& db_;
    const Profile profile_;
    const std::uint32_t writer_;
    rocksdb::WriteOptions options_;
    rocksdb::WriteBatch batch_;
    std::array<char, kKeyBytes> key_{};
    std::uint64_t count_ = 0;
};

class RocksSystem final : public harness::System {
public:
    RocksSystem(std::unique_ptr<rocksdb::DB> db, ProfileSettings settings, bool sync,
                std::uint32_t writers)
        : db_(std::move(db)), settings_(settings), sync_(sync), writers_(writers) {}

    Settings effective_config() override {
        Settings live = live_options(*db_, settings_);
        live["write_options.sync"] = sync_ ? "true" : "false";
        return live;
    }

    Settings counters() override {
        std::uint64_t table_bytes = 0;
        db_->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &table_bytes);
        return {{"sst_bytes", fmt::format("{}", table_bytes)}};
    }

    Status create_topics(std::uint32_t) override { return {}; }  // A prefix of the key.

    Result<std::unique_ptr<harness::Producer>> producer(std::uint32_t writer) override {
        return std::unique_ptr<harness::Producer>(
            std::make_unique<RocksProducer>(*db_, settings_.profile, sync_, writer));
    }

    Result<std::unique_ptr<harness::Reader>> reader(std::uint32_t topic) override {
        if (settings_.profile == Profile::kWalOnly) return make_log_reader(*db_);
        return make_key_reader(*db_, topic, writers_);
    }

    Status stop() override {
        const rocksdb::Status status = db_->Close();
        if (!status.ok()) return to_error("close", status);
        return {};
    }

private:
    std::unique_ptr<rocksdb::DB> db_;
    const ProfileSettings settings_;
    const bool sync_;
    const std::uint32_t writers_;
};

class RocksDriver final : public harness::Driver {
public:
    harness::Description describe() const override {
        return {.name = "rocksdb",
                .version = rocksdb::GetRocksVersionAsString(),
                .summary = "RocksDB's log: profile = default | tuned | wal-only",
                .level = harness::Level::kEngine};
    }

    Result<harness::Capabilities> capabilities(const Settings& settings) const override {
        const auto parsed = parse_profile(settings);
        if (!parsed) return parsed.error();
        return harness::Capabilities{
            .async_append = false,
            .read_back = true,
            // The log iterator ends at the last sequence number, which log records do not advance.
            .live_read = parsed->profile != Profile::kWalOnly,
            .max_topics = parsed->profile == Profile::kWalOnly ? 1u : 1'000'000u,
            .durabilities = {Durability::kProcess, Durability::kDisk}};
    }

    Result<std::unique_ptr<harness::System>> open(
        const harness::OpenRequest& request) const override {
        const auto settings = parse_profile(request.settings);
        if (!settings) return settings.error();
        rocksdb::DB* raw = nullptr;
        const rocksdb::Status status =
            rocksdb::DB::Open(make_options(*settings), request.directory, &raw);
        if (!status.ok()) return to_error("open " + request.directory, status);
        return std::unique_ptr<harness::System>(std::make_unique<RocksSystem>(
            std::unique_ptr<rocksdb::DB>(raw), *settings, request.durability == Durability::kDisk,
            std::max(1u, request.writers)));
    }
};

}  // namespace

std::unique_ptr<harness::Driver> make_rocksdb_driver() {
    return std::make_unique<RocksDriver>();
}

}  // namespace walrus::compare

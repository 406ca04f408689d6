#include "compare/rocksdb/rocksdb_reader.h"

#include <rocksdb/transaction_log.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <utility>
#include <vector>

#include "compare/rocksdb/rocksdb_options.h"

namespace walrus::compare {
namespace {

constexpr std::uint64_t kReadAtOnce = 256;
constexpr std::size_t kReadAhead = 4 << 20;
// A key is topic, writer, count: 4, 4 and 8 bytes, big-endian.
constexpr std::size_t kWriterAt = 4;
constexpr std::size_t kCountAt = 8;

Bytes as_bytes(const rocksdb::Slice& slice) {
    return {reinterpret_cast<const std::byte*>(slice.data()), slice.size()};
}

std::uint64_t load_key_count(const rocksdb::Slice& key) {
    std::uint64_t count = 0;
    for (std::size_t i = kCountAt; i < kKeyBytes; ++i) {
        count = count << 8 | static_cast<unsigned char>(key[i]);
    }
    return count;
}

// Goes through the keys of one writer after the other, from where it stopped the last time; after
// the last writer it takes a new view of the database, so that later keys are found.
class KeyReader final : public harness::Reader {
public:
    KeyReader(std::unique_ptr<rocksdb::Iterator> iterator, std::uint32_t topic,
              std::uint32_t writers)
        : iterator_(std::move(iterator)), next_(writers, 0) {
        store_key_prefix(key_.data(), topic);
    }

    Result<std::uint64_t> read(const std::function<void(Bytes)>& visit) override {
        if (at_end_) {
            const rocksdb::Status refreshed = iterator_->Refresh();
            if (!refreshed.ok()) return to_error("refresh an iterator", refreshed);
            at_end_ = false;
            seek(0);
        }
        std::uint64_t count = 0;
        while (count < kReadAtOnce && !at_end_) {
            if (iterator_->Valid() && iterator_->key().starts_with({key_.data(), kCountAt})) {
                next_[writer_] = load_key_count(iterator_->key()) + 1;
                visit(as_bytes(iterator_->value()));
                iterator_->Next();
                ++count;
                continue;
            }
            if (!iterator_->status().ok()) return to_error("iterate", iterator_->status());
            at_end_ = writer_ + 1 == next_.size();
            if (!at_end_) seek(writer_ + 1);
        }
        return count;
    }

private:
    void seek(std::uint32_t writer) {
        writer_ = writer;
        store_key_prefix(key_.data() + kWriterAt, writer);
        store_key_prefix(key_.data() + kCountAt, static_cast<std::uint32_t>(next_[writer] >> 32));
        store_key_prefix(key_.data() + kCountAt + 4, static_cast<std::uint32_t>(next_[writer]));
        iterator_->Seek({key_.data(), key_.size()});
    }

    std::unique_ptr<rocksdb::Iterator> iterator_;
    std::vector<std::uint64_t> next_;  // By writer: the count in its next key.
    std::array<char, kKeyBytes> key_{};
    std::uint32_t writer_ = 0;
    bool at_end_ = true;  // The next read takes a new view.
};

// Hands the blobs of a write batch on and passes over everything else in it.
class BlobHandler final : public rocksdb::WriteBatch::Handler {
public:
    explicit BlobHandler(const std::function<void(Bytes)>& visit) : visit_(visit) {}

    void LogData(const rocksdb::Slice& blob) override {
        visit_(as_bytes(blob));
        ++count_;
    }
    rocksdb::Status PutCF(std::uint32_t, const rocksdb::Slice&, const rocksdb::Slice&) override {
        return rocksdb::Status::OK();
    }
    std::uint64_t count() const { return count_; }

private:
    const std::function<void(Bytes)>& visit_;
    std::uint64_t count_ = 0;
};

class LogReader final : public harness::Reader {
public:
    explicit LogReader(std::unique_ptr<rocksdb::TransactionLogIterator> iterator)
        : iterator_(std::move(iterator)) {}

    Result<std::uint64_t> read(const std::function<void(Bytes)>& visit) override {
        BlobHandler handler(visit);
        while (handler.count() == 0 && iterator_->Valid()) {
            const rocksdb::BatchResult batch = iterator_->GetBatch();
            const rocksdb::Status status = batch.writeBatchPtr->Iterate(&handler);
            if (!status.ok()) return to_error("read a batch of the log", status);
            iterator_->Next();
        }
        if (!iterator_->status().ok()) return to_error("read the log", iterator_->status());
        return handler.count();
    }

private:
    std::unique_ptr<rocksdb::TransactionLogIterator> iterator_;
};

}  // namespace

void store_key_prefix(char* key, std::uint32_t topic) {
    for (int byte = 0; byte < 4; ++byte) key[byte] = static_cast<char>(topic >> (24 - 8 * byte));
}

Result<std::unique_ptr<harness::Reader>> make_key_reader(rocksdb::DB& db, std::uint32_t topic,
                                                         std::uint32_t writers) {
    rocksdb::ReadOptions options;
    options.readahead_size = kReadAhead;
    options.fill_cache = false;
    std::unique_ptr<rocksdb::Iterator> iterator(db.NewIterator(options));
    return std::unique_ptr<harness::Reader>(
        std::make_unique<KeyReader>(std::move(iterator), topic, writers));
}

Result<std::unique_ptr<harness::Reader>> make_log_reader(rocksdb::DB& db) {
    const rocksdb::Status written = db.Put(rocksdb::WriteOptions(), "end of log", "");
    if (!written.ok()) return to_error("mark the end of the log", written);
    std::unique_ptr<rocksdb::TransactionLogIterator> iterator;
    const rocksdb::Status status = db.GetUpdatesSince(0, &iterator);
    if (!status.ok()) return to_error("open the log", status);
    return std::unique_ptr<harness::Reader>(std::make_unique<LogReader>(std::move(iterator)));
}

}  // namespace walrus::compare

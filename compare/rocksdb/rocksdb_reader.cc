#include "compare/rocksdb/rocksdb_reader.h"

#include <rocksdb/transaction_log.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <utility>

#include "compare/rocksdb/rocksdb_options.h"

namespace walrus::compare {
namespace {

constexpr std::uint64_t kReadAtOnce = 256;
constexpr std::size_t kReadAhead = 4 << 20;

Bytes as_bytes(const rocksdb::Slice& slice) {
    return {reinterpret_cast<const std::byte*>(slice.data()), slice.size()};
}

class KeyReader final : public harness::Reader {
public:
    KeyReader(std::unique_ptr<rocksdb::Iterator> iterator, std::uint32_t topic)
        : iterator_(std::move(iterator)) {
        store_key_prefix(prefix_.data(), topic);
        iterator_->Seek({prefix_.data(), prefix_.size()});
    }

    Result<std::uint64_t> read(const std::function<void(Bytes)>& visit) override {
        std::uint64_t count = 0;
        const rocksdb::Slice prefix(prefix_.data(), prefix_.size());
        while (count < kReadAtOnce && iterator_->Valid() && iterator_->key().starts_with(prefix)) {
            visit(as_bytes(iterator_->value()));
            iterator_->Next();
            ++count;
        }
        if (!iterator_->status().ok()) return to_error("iterate", iterator_->status());
        return count;
    }

private:
    std::unique_ptr<rocksdb::Iterator> iterator_;
    std::array<char, 4> prefix_{};
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

Result<std::unique_ptr<harness::Reader>> make_key_reader(rocksdb::DB& db, std::uint32_t topic) {
    rocksdb::ReadOptions options;
    options.readahead_size = kReadAhead;
    options.fill_cache = false;
    std::unique_ptr<rocksdb::Iterator> iterator(db.NewIterator(options));
    return std::unique_ptr<harness::Reader>(
        std::make_unique<KeyReader>(std::move(iterator), topic));
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

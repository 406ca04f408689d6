#include "harness/driver/file_driver.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <utility>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/settings.h"

namespace walrus::harness {
namespace {

enum class Misbehaviour { kNone, kAckEarly, kDrop, kDuplicate, kReorder, kCorrupt, kNoSync };

constexpr std::array<std::string_view, 7> kMisbehaviours = {
    "none", "ack-early", "drop", "duplicate", "reorder", "corrupt", "no-sync"};
constexpr std::uint64_t kLieEvery = 97;
constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kReadAtOnce = 1 << 20;

Result<Misbehaviour> parse_settings(const Settings& settings) {
    SettingsReader reader(settings);
    const std::string name = reader.text("misbehave", "none");
    WALRUS_RETURN_IF_ERROR(reader.finish());
    for (std::size_t i = 0; i < kMisbehaviours.size(); ++i) {
        if (kMisbehaviours[i] == name) return static_cast<Misbehaviour>(i);
    }
    return Error{Errc::kInvalidArgument, fmt::format("setting misbehave: unknown value \"{}\"{}",
                                                     name, did_you_mean(name, kMisbehaviours))};
}

// One topic's file: records as u32 length and bytes.  Thread-safe.
class TopicFile {
public:
    TopicFile(FileDescriptor fd, std::string path, Misbehaviour misbehaviour, bool sync)
        : fd_(std::move(fd)), path_(std::move(path)), misbehaviour_(misbehaviour), sync_(sync) {}

    Status append(std::span<const Bytes> records) {
        const std::lock_guard lock(mutex_);
        for (const Bytes record : records) put(record);
        if (misbehaviour_ == Misbehaviour::kAckEarly) return {};
        return write_out();
    }

    Status finish() {
        const std::lock_guard lock(mutex_);
        put_held_back();
        return write_out();
    }

private:
    void put(Bytes record) {
        const bool lie = ++records_ % kLieEvery == 0;
        if (!lie || misbehaviour_ == Misbehaviour::kNone) {
            frame(record);
            put_held_back();
            return;
        }
        switch (misbehaviour_) {
            case Misbehaviour::kDrop: return;
            case Misbehaviour::kReorder: held_back_.assign(record.begin(), record.end()); return;
            case Misbehaviour::kDuplicate: frame(record); break;
            case Misbehaviour::kCorrupt:
                frame(record);
                pending_.back() ^= std::byte{1};
                return;
            case Misbehaviour::kNone:
            case Misbehaviour::kAckEarly:
            case Misbehaviour::kNoSync: break;
        }
        frame(record);
    }

    void put_held_back() {
        if (held_back_.empty()) return;
        frame(held_back_);
        held_back_.clear();
    }

    void frame(Bytes record) {
        std::array<std::byte, kLengthBytes> length;
        store_le(length.data(), static_cast<std::uint32_t>(record.size()));
        pending_.insert(pending_.end(), length.begin(), length.end());
        pending_.insert(pending_.end(), record.begin(), record.end());
    }

    Status write_out() {
        if (pending_.empty()) return {};
        WALRUS_RETURN_IF_ERROR(write_all_at(fd_.get(), pending_, size_, path_));
        size_ += pending_.size();
        pending_.clear();
        if (!sync_ || misbehaviour_ == Misbehaviour::kNoSync) return {};
        if (::fdatasync(fd_.get()) != 0) return os_error("sync", path_, errno);
        return {};
    }

    std::mutex mutex_;
    FileDescriptor fd_;
    const std::string path_;
    const Misbehaviour misbehaviour_;
    const bool sync_;
    std::vector<std::byte> pending_;
    std::vector<std::byte> held_back_;
    std::uint64_t size_ = 0;
    std::uint64_t records_ = 0;
};

class FileProducer final : public Producer {
public:
    explicit FileProducer(std::vector<std::unique_ptr<TopicFile>>& topics) : topics_(topics) {}

    Status append(std::uint32_t topic, std::span<const Bytes> records) override {
        return topics_.at(topic)->append(records);
    }
    Status append_async(std::uint32_t topic, std::span<const Bytes> records,
                        Completion& completion) override {
        const Status status = append(topic, records);
        if (status) completion.done(status);
        return status;
    }
    Status drain() override { return {}; }

private:
    std::vector<std::unique_ptr<TopicFile>>& topics_;
};

// Follows the file: what is appended later is found by a later read.
class FileReader final : public Reader {
public:
    FileReader(FileDescriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

    Result<std::uint64_t> read(const std::function<void(Bytes)>& visit) override {
        WALRUS_RETURN_IF_ERROR(fill(kReadAtOnce));
        std::uint64_t count = 0;
        for (;;) {
            const Bytes rest = Bytes(buffer_).subspan(used_);
            if (rest.size() < kLengthBytes) break;
            const std::uint64_t length = load_le<std::uint32_t>(rest.data());
            if (rest.size() - kLengthBytes < length) {
                // A record that is larger than the buffer needs more; a torn tail is the end.
                if (count > 0 || rest.size() < kReadAtOnce) break;
                WALRUS_RETURN_IF_ERROR(fill(kLengthBytes + length));
                if (buffer_.size() < kLengthBytes + length) break;
                continue;
            }
            visit(rest.subspan(kLengthBytes, length));
            used_ += kLengthBytes + length;
            ++count;
        }
        return count;
    }

private:
    // Drops what was visited and reads until `bytes` are there or the file ends.
    Status fill(std::size_t bytes) {
        buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(used_));
        used_ = 0;
        while (buffer_.size() < bytes) {
            // In steps: a damaged length must not decide how much memory is taken.
            const std::size_t had = buffer_.size();
            const std::size_t step = std::min(bytes - had, kReadAtOnce);
            buffer_.resize(had + step);
            const ssize_t got =
                ::pread(fd_.get(), buffer_.data() + had, step, static_cast<off_t>(position_));
            buffer_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(0, got)));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return os_error("read", path_, errno);
            if (got == 0) break;
            position_ += static_cast<std::uint64_t>(got);
        }
        return {};
    }

    FileDescriptor fd_;
    const std::string path_;
    std::vector<std::byte> buffer_;
    std::size_t used_ = 0;        // Of the buffer: visited.
    std::uint64_t position_ = 0;  // In the file, of the buffer's end.
};

class FileSystem final : public System {
public:
    FileSystem(OpenRequest request, Misbehaviour misbehaviour)
        : request_(std::move(request)), misbehaviour_(misbehaviour) {}

    Settings effective_config() override {
        return {{"misbehave", std::string(kMisbehaviours[static_cast<std::size_t>(misbehaviour_)])},
                {"preallocation", "none: the file grows with every append"},
                {"sync", request_.durability == Durability::kDisk ? "fdatasync per append" : "no"}};
    }

    Status create_topics(std::uint32_t count) override {
        while (topics_.size() < count) {
            const std::string path = topic_path(static_cast<std::uint32_t>(topics_.size()));
            auto fd = open_file(path, O_RDWR | O_CREAT);
            if (!fd) return std::move(fd).error();
            topics_.push_back(std::make_unique<TopicFile>(
                std::move(*fd), path, misbehaviour_, request_.durability == Durability::kDisk));
        }
        return {};
    }

    Result<std::unique_ptr<Producer>> producer(std::uint32_t) override {
        return std::unique_ptr<Producer>(std::make_unique<FileProducer>(topics_));
    }

    Result<std::unique_ptr<Reader>> reader(std::uint32_t topic) override {
        const std::string path = topic_path(topic);
        auto fd = open_file(path, O_RDONLY);
        if (!fd) return std::move(fd).error();
        return std::unique_ptr<Reader>(std::make_unique<FileReader>(std::move(*fd), path));
    }

    Status stop() override {
        for (const auto& topic : topics_) WALRUS_RETURN_IF_ERROR(topic->finish());
        return {};
    }

private:
    std::string topic_path(std::uint32_t topic) const {
        return fmt::format("{}/topic-{:06}.log", request_.directory, topic);
    }

    const OpenRequest request_;
    const Misbehaviour misbehaviour_;
    std::vector<std::unique_ptr<TopicFile>> topics_;
};

class FileDriver final : public Driver {
public:
    Description describe() const override {
        return {.name = "file",
                .version = "1",
                .summary = "plain file, one write (and fdatasync) per append: a yardstick",
                .level = Level::kEngine};
    }
    Result<Capabilities> capabilities(const Settings& settings) const override {
        WALRUS_RETURN_IF_ERROR(parse_settings(settings));
        return Capabilities{.async_append = true,
                            .read_back = true,
                            .live_read = true,
                            .max_topics = 512,
                            .durabilities = {Durability::kProcess, Durability::kDisk}};
    }
    Result<std::unique_ptr<System>> open(const OpenRequest& request) const override {
        const auto misbehaviour = parse_settings(request.settings);
        if (!misbehaviour) return misbehaviour.error();
        return std::unique_ptr<System>(std::make_unique<FileSystem>(request, *misbehaviour));
    }
};

}  // namespace

std::unique_ptr<Driver> make_file_driver() {
    return std::make_unique<FileDriver>();
}

}  // namespace walrus::harness

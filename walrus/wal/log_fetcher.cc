#include "walrus/wal/log_fetcher.h"

#include <algorithm>
#include <cstring>

namespace walrus::wal {
namespace {

constexpr std::uint64_t kFirstWindow = 16 << 10;
constexpr std::uint64_t kRingCopy = 256 << 10;

Error not_in_memory() {
    return {Errc::kBusy, "log: not in memory any more"};
}

}  // namespace

LogFetcher::LogFetcher(FetchConfig config, LogFiles& files, LogWriter& writer,
                       std::shared_ptr<BufferPool> pool)
    : config_(config),
      files_(files),
      writer_(writer),
      pool_(std::move(pool)),
      next_length_(kFirstWindow) {}

bool LogFetcher::loading() const {
    return std::any_of(windows_.begin(), windows_.end(),
                       [](const std::unique_ptr<Window>& window) { return window->loading; });
}

void LogFetcher::jump() {
    for (const std::unique_ptr<Window>& window : windows_)
        static_cast<void>(finish_loading(*window));
    windows_.clear();
    next_length_ = kFirstWindow;
}

void LogFetcher::grow() {
    next_length_ = std::min<std::uint64_t>(next_length_ * 4, pool_->buffer_size());
}

Result<bool> LogFetcher::fetch_from_ring(Lsn lsn, std::uint64_t least) {
    std::uint64_t length = 0;
    const std::byte* from = nullptr;
    {
        const MutexLock lock(writer_.mutex());
        const Lsn file_end = files_.base(files_.number_of(lsn) + 1);
        const Lsn end = std::min(writer_.staging().end(), file_end);
        if (lsn >= end || !writer_.pin(lsn)) return false;
        length = std::min(end - lsn, std::max(kRingCopy, least));
        from = writer_.staging().at(lsn);
    }
    auto window = std::make_unique<Window>();
    window->begin = lsn;
    window->length = length;
    window->bytes = pool_->take(length);
    std::memcpy(window->bytes->data(), from, length);
    windows_.push_back(std::move(window));
    const MutexLock lock(writer_.mutex());
    writer_.unpin(lsn);
    return true;
}

// A window of file bytes that begins at the block of `begin`; null when nothing is written there.
Result<std::unique_ptr<LogFetcher::Window>> LogFetcher::plan(Lsn begin, std::uint64_t length) {
    const Lsn block{align_down(begin.value, env::kBlockSize)};
    const std::uint64_t number = files_.number_of(block);
    Lsn end = files_.base(number + 1);
    {
        const MutexLock lock(writer_.mutex());
        end = std::min(end, writer_.written());
    }
    std::unique_ptr<Window> window;
    if (end <= begin) return window;
    Result<std::shared_ptr<LogFile>> file = files_.open_file(number);
    if (!file) return std::move(file).error();
    window = std::make_unique<Window>();
    window->begin = block;
    window->length = std::min(align_up(length, env::kBlockSize), end - block);
    window->bytes = pool_->take(window->length);
    window->file = std::move(*file);
    env::IoRequest& request = window->request;
    request.kind = env::IoRequest::Kind::kRead;
    request.file = window->file->file.get();
    // Direct reads are whole blocks; what lies behind length is not looked at.
    request.bytes = window->bytes->span().first(align_up(window->length, env::kBlockSize));
    request.position = block.value % files_.config().file_size;
    return window;
}

Status LogFetcher::load(Window& window) {
    const Result<std::size_t> got =
        window.file->file->read_at(window.request.bytes, window.request.position);
    if (!got) return got.error();
    window.request.transferred = *got;
    return finish_loading(window);
}

Status LogFetcher::finish_loading(Window& window) {
    while (window.loading) {
        env::IoRequest* done = queue_->complete(true);
        if (done == nullptr) continue;  // Woken for nothing.
        for (const std::unique_ptr<Window>& other : windows_)
            if (&other->request == done) other->loading = false;
    }
    if (!window.request.status) return window.request.status;
    if (window.request.file != nullptr && window.request.transferred < window.request.bytes.size())
        return Error{Errc::kCorruption, "log file: shorter than it was made"};
    return {};
}

void LogFetcher::read_ahead() {
    if (memory_only_) return;
    const std::uint64_t size = pool_->buffer_size();
    // Only once the demand has grown to whole buffers, and only what is in the files already.
    if (next_length_ < size || config_.read_ahead_bytes < size) return;
    if (queue_ == nullptr) {
        Result<std::unique_ptr<env::IoQueue>> queue =
            config_.env->open_queue(config_.queue, config_.read_ahead_bytes / size + 1);
        if (!queue) return;
        queue_ = std::move(*queue);
    }
    while (windows_.size() < config_.read_ahead_bytes / size + 1) {
        Result<std::unique_ptr<Window>> next = plan(windows_.back()->end(), size);
        if (!next || *next == nullptr) return;
        Window& window = **next;
        // A window that ends early would make the ones behind it misaligned.
        if (window.begin != windows_.back()->end()) return;
        window.loading = true;
        windows_.push_back(std::move(*next));
        queue_->submit(window.request);
    }
}

// Makes the first window one that contains `lsn`, unless the log ends there.
Status LogFetcher::cover(Lsn lsn) {
    if (memory_only_ && loading()) return not_in_memory();  // It would have to be waited for.
    while (!windows_.empty() && windows_.front()->end() <= lsn) {
        static_cast<void>(finish_loading(*windows_.front()));
        windows_.pop_front();
    }
    if (!windows_.empty() && windows_.front()->begin <= lsn) {
        WALRUS_RETURN_IF_ERROR(finish_loading(*windows_.front()));
        return {};
    }
    const bool sequential = lsn == expected_;
    const std::uint64_t length = sequential ? next_length_ : kFirstWindow;
    jump();
    Result<bool> in_ring = fetch_from_ring(lsn, 0);
    if (!in_ring) return in_ring.error();
    if (*in_ring) {
        next_length_ = length;
        return {};
    }
    if (memory_only_) return not_in_memory();
    Result<std::unique_ptr<Window>> window = plan(lsn, length);
    if (!window) return std::move(window).error();
    if (*window == nullptr) return {};
    next_length_ = length;
    grow();
    WALRUS_RETURN_IF_ERROR(load(**window));
    windows_.push_back(std::move(*window));
    return {};
}

FetchedBytes LogFetcher::assemble(Lsn lsn, std::uint64_t least) const {
    const std::shared_ptr<AlignedBuffer> whole = pool_->take(least);
    std::uint64_t done = 0;
    for (const std::unique_ptr<Window>& window : windows_) {
        if (done == least || window->end() <= lsn + done) continue;
        const std::uint64_t skip = lsn + done - window->begin;
        const std::uint64_t n = std::min(least - done, window->length - skip);
        std::memcpy(whole->data() + done, window->bytes->data() + skip, n);
        done += n;
    }
    return {{whole->data(), done}, whole};
}

Result<FetchedBytes> LogFetcher::fetch(Lsn lsn, std::uint64_t least) {
    WALRUS_RETURN_IF_ERROR(cover(lsn));
    if (windows_.empty() || windows_.front()->begin > lsn) return FetchedBytes{};
    read_ahead();
    // A frame that goes on in later windows.
    const Lsn file_end = files_.base(files_.number_of(lsn) + 1);
    const Lsn wanted = std::min(lsn + least, file_end);
    for (std::size_t i = 0; windows_[i]->end() < wanted;) {
        if (i + 1 < windows_.size()) {
            WALRUS_RETURN_IF_ERROR(finish_loading(*windows_[++i]));
            continue;
        }
        const Lsn next = windows_.back()->end();
        const std::size_t before = windows_.size();
        const Result<bool> in_ring = fetch_from_ring(next, wanted - next);
        if (!in_ring) return in_ring.error();
        if (!*in_ring && memory_only_) return not_in_memory();
        if (!*in_ring) {
            Result<std::unique_ptr<Window>> more =
                plan(next, std::max(wanted - next, next_length_));
            if (!more) return std::move(more).error();
            if (*more == nullptr || (*more)->begin != next) break;
            grow();
            WALRUS_RETURN_IF_ERROR(load(**more));
            windows_.push_back(std::move(*more));
        }
        if (windows_.size() == before) break;
    }
    const Window& first = *windows_.front();
    expected_ = windows_.back()->end();
    if (first.end() >= wanted) {
        const std::uint64_t skip = lsn - first.begin;
        return FetchedBytes{{first.bytes->data() + skip, first.length - skip}, first.bytes};
    }
    return assemble(lsn, wanted - lsn);
}

}  // namespace walrus::wal

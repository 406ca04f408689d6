#include "harness/cli/test_drivers.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <utility>

#include "harness/driver/file_descriptor.h"
#include "harness/driver/file_driver.h"
#include "harness/driver/settings.h"
#include "harness/runner/job.h"
#include "harness/workload/payload.h"

namespace walrus::harness {
namespace {

enum class Trouble {
    kCrash,
    kExit,
    kHang,
    kLeaveProcess,
    kHangOnStop,
    kRefuseOpen,
    kBadAnswer,
    kPhantom,
    kFailVisible,
    kLoseAndFail,
};

constexpr std::array<std::string_view, 10> kTroubles = {
    "crash",       "exit",       "hang",    "leave-process", "hang-on-stop",
    "refuse-open", "bad-answer", "phantom", "fail-visible",  "lose-and-fail"};
constexpr std::uint64_t kGoodAppends = 20;  // Before the trouble begins.

Result<Trouble> parse_trouble(const Settings& settings) {
    SettingsReader reader(settings);
    const std::string name = reader.text("trouble", "crash");
    WALRUS_RETURN_IF_ERROR(reader.finish());
    for (std::size_t i = 0; i < kTroubles.size(); ++i) {
        if (kTroubles[i] == name) return static_cast<Trouble>(i);
    }
    return Error{Errc::kInvalidArgument, "setting trouble: unknown value " + name};
}

[[noreturn]] void hang() {
    for (;;) ::pause();
}

// A process of the child's group that has a file of the data directory open.
void leave_process(const std::string& directory) {
    if (::fork() != 0) return;
    const int fd = ::open((directory + "/held-open").c_str(), O_RDWR | O_CREAT, 0644);
    if (fd < 0) ::_exit(1);
    hang();
}

class BadProducer final : public Producer {
public:
    BadProducer(std::unique_ptr<Producer> inner, Trouble trouble, std::string directory)
        : inner_(std::move(inner)), trouble_(trouble), directory_(std::move(directory)) {}

    Status append(std::uint32_t topic, std::span<const Bytes> records) override {
        if (++appends_ <= kGoodAppends) return inner_->append(topic, records);
        switch (trouble_) {
            case Trouble::kCrash:
                ::signal(SIGSEGV, SIG_DFL);  // Also where a sanitizer has a handler of its own.
                ::raise(SIGSEGV);
                break;
            case Trouble::kExit: ::_exit(3);
            case Trouble::kHang: hang();
            case Trouble::kLeaveProcess: leave_process(directory_); hang();
            case Trouble::kFailVisible:
                WALRUS_RETURN_IF_ERROR(inner_->append(topic, records));
                return Error{Errc::kInvalidArgument, "refused (and yet stored)"};
            case Trouble::kLoseAndFail:
                if (appends_ == kGoodAppends + 1) return {};
                return Error{Errc::kIo, "the disk went away"};
            case Trouble::kHangOnStop:
            case Trouble::kRefuseOpen:
            case Trouble::kBadAnswer:
            case Trouble::kPhantom: break;
        }
        return inner_->append(topic, records);
    }

    Status append_async(std::uint32_t topic, std::span<const Bytes> records,
                        Completion& completion) override {
        return inner_->append_async(topic, records, completion);
    }
    Status drain() override { return inner_->drain(); }

private:
    const std::unique_ptr<Producer> inner_;
    const Trouble trouble_;
    const std::string directory_;
    std::uint64_t appends_ = 0;
};

// Returns one intact record of another run before the real ones.
class PhantomReader final : public Reader {
public:
    explicit PhantomReader(std::unique_ptr<Reader> inner) : inner_(std::move(inner)) {}

    Result<std::uint64_t> read(const std::function<void(Bytes)>& visit) override {
        if (std::exchange(done_, true)) return inner_->read(visit);
        PayloadStream stranger({.seed = 1, .run_id = 1, .bytes = 100});
        visit(stranger.next(1, 0).front());
        return std::uint64_t{1};
    }

private:
    const std::unique_ptr<Reader> inner_;
    bool done_ = false;
};

class BadSystem final : public System {
public:
    BadSystem(std::unique_ptr<System> inner, Trouble trouble, std::string directory)
        : inner_(std::move(inner)), trouble_(trouble), directory_(std::move(directory)) {}

    Settings effective_config() override { return inner_->effective_config(); }
    Status create_topics(std::uint32_t count) override { return inner_->create_topics(count); }

    Result<std::unique_ptr<Producer>> producer(std::uint32_t writer) override {
        auto inner = inner_->producer(writer);
        if (!inner) return inner;
        return std::unique_ptr<Producer>(
            std::make_unique<BadProducer>(std::move(*inner), trouble_, directory_));
    }

    Result<std::unique_ptr<Reader>> reader(std::uint32_t topic) override {
        auto inner = inner_->reader(topic);
        if (!inner || trouble_ != Trouble::kPhantom) return inner;
        return std::unique_ptr<Reader>(std::make_unique<PhantomReader>(std::move(*inner)));
    }

    Status stop() override {
        if (trouble_ == Trouble::kHangOnStop) hang();
        return inner_->stop();
    }

private:
    const std::unique_ptr<System> inner_;
    const Trouble trouble_;
    const std::string directory_;
};

class BadDriver final : public Driver {
public:
    Description describe() const override {
        return {.name = "bad",
                .version = "1",
                .summary = "misbehaves on purpose: for tests of the harness",
                .level = Level::kEngine};
    }
    Result<Capabilities> capabilities(const Settings& settings) const override {
        WALRUS_RETURN_IF_ERROR(parse_trouble(settings));
        return file_->capabilities({});
    }
    Result<std::unique_ptr<System>> open(const OpenRequest& request) const override {
        const auto trouble = parse_trouble(request.settings);
        if (!trouble) return trouble.error();
        if (*trouble == Trouble::kRefuseOpen) {
            fmt::print(stderr, "no licence found\n");
            return Error{Errc::kIo, "the system refused to start"};
        }
        if (*trouble == Trouble::kBadAnswer) {
            constexpr std::string_view kRubbish = "not json\n";
            if (::write(kAnswerDescriptor, kRubbish.data(), kRubbish.size()) < 0) ::_exit(1);
        }
        OpenRequest inner_request = request;
        inner_request.settings.clear();
        auto inner = file_->open(inner_request);
        if (!inner) return inner;
        return std::unique_ptr<System>(
            std::make_unique<BadSystem>(std::move(*inner), *trouble, request.directory));
    }

private:
    const std::unique_ptr<Driver> file_ = make_file_driver();
};

}  // namespace

std::unique_ptr<Driver> make_bad_driver() {
    return std::make_unique<BadDriver>();
}

}  // namespace walrus::harness

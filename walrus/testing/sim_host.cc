#include "walrus/testing/sim_host.h"

#include <utility>

#include "walrus/base/assert.h"

namespace walrus::testing {

SimHost::SimHost(const SimHostOptions& options, SimSchedule& schedule, SimNetwork& network,
                 Random& random)
    : options_(options),
      schedule_(schedule),
      network_(network),
      random_(random),
      disk_(std::make_unique<SimEnv>(random.next())) {}

Status SimHost::start() {
    WALRUS_ASSERT(!up());
    ++starts_;
    failed_ = false;
    failure_.reset();
    for (std::size_t i = 0; i < factories_.size(); ++i) {
        auto machine = factories_[i](*this, static_cast<std::uint8_t>(i));
        if (machine) {
            machines_.push_back(*std::move(machine));
            continue;
        }
        const CrashOptions killed{CrashKind::kKill, Unsynced::kKeep, random_.next()};
        crash(disk_->dead() ? crash_options_ : killed);
        return std::move(machine).error();
    }
    network_.attach(address(),
                    [this](SimAddress from, const std::string& frame) { receive(from, frame); });
    schedule_tick();
    settle();
    return {};
}

void SimHost::crash(const CrashOptions& options) {
    // Before the machines go: their destructors must not look like something that was written.
    std::unique_ptr<SimEnv> survivor = disk_->after_crash(options);
    stop_machines();
    disk_ = std::move(survivor);
    ++starts_;
    paused_ = false;
    waiting_.clear();
    network_.detach(address());
    network_.release(address());
}

// Later ones know earlier ones.
void SimHost::stop_machines() {
    while (!machines_.empty()) machines_.pop_back();
}

void SimHost::cut_power_after(std::uint64_t operations, const CrashOptions& options) {
    crash_options_ = options;
    disk_->cut_after(disk_->operation_count() + operations);
}

void SimHost::pause() {
    if (!up()) return;
    paused_ = true;
    network_.hold(address());
}

void SimHost::resume() {
    if (!paused_) return;
    paused_ = false;
    const std::uint64_t life = starts_;
    std::vector<SimSchedule::Action> waiting = std::exchange(waiting_, {});
    for (const SimSchedule::Action& action : waiting) {
        if (life != starts_) return;
        run(action);
    }
    if (life == starts_) network_.release(address());
}

void SimHost::wipe() {
    WALRUS_ASSERT(!up());
    disk_ = std::make_unique<SimEnv>(random_.next());
}

void SimHost::run(const SimSchedule::Action& action) {
    WALRUS_ASSERT(running());
    action();
    settle();
}

// What an event led to: something to observe, and perhaps the end of the process.
void SimHost::settle() {
    if (observer_) observer_();
    if (disk_->dead()) {
        crash(crash_options_);
    } else if (failed_) {
        crash({CrashKind::kKill, Unsynced::kKeep, random_.next()});
    }
}

void SimHost::send(std::uint8_t channel, SimAddress to, std::string_view frame) {
    std::string bytes;
    bytes.reserve(frame.size() + 1);
    bytes.push_back(static_cast<char>(channel));
    bytes.append(frame);
    network_.send(address(), to, std::move(bytes));
}

void SimHost::receive(SimAddress from, const std::string& frame) {
    if (!running() || frame.empty()) return;
    const auto channel = static_cast<std::uint8_t>(frame[0]);
    if (channel >= machines_.size()) return;
    run([&] { machines_[channel]->receive(from, std::string_view(frame).substr(1)); });
}

void SimHost::after(std::uint64_t delay_ns, SimSchedule::Action action) {
    schedule_.after(delay_ns, [this, life = starts_, action = std::move(action)]() mutable {
        if (life != starts_) return;
        if (paused_) {
            waiting_.push_back(std::move(action));
        } else {
            run(action);
        }
    });
}

void SimHost::schedule_tick() {
    after(options_.tick_ns * 1000 / clock_per_mille_, [this] {
        schedule_tick();
        for (const auto& machine : machines_) machine->tick();
    });
}

std::uint64_t SimHost::disk_delay_ns() {
    return random_.below(2 * options_.disk_delay_ns * disk_slowness_ + 1);
}

void SimHost::fail(Error error) {
    failed_ = true;
    failure_ = std::move(error);
}

}  // namespace walrus::testing

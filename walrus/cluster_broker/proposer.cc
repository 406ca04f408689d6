#include "walrus/cluster_broker/proposer.h"

#include <utility>

namespace walrus::cluster_broker {
namespace {

constexpr std::uint64_t kProposeRetryMs = 50;

bool may_be_mended(const Result<cluster::CommandResult>& result) {
    using cluster::Outcome;
    if (!result)
        return result.error().code == Errc::kTimeout || result.error().code == Errc::kBusy ||
               result.error().code == Errc::kResourceExhausted ||
               result.error().code == Errc::kNotLeader;
    return result->outcome == Outcome::kStaleVersion || result->outcome == Outcome::kStaleNode ||
           result->outcome == Outcome::kNotEnoughReplicas;
}

}  // namespace

Proposer::~Proposer() {
    for (const auto& [number, job] : jobs_) core_.loop.cancel(job.timer);
}

void Proposer::propose(Make make, Done done) {
    if (core_.member == nullptr) return done(broker_closed());
    const std::uint64_t number = ++last_;
    jobs_.emplace(number, Job{std::move(make), std::move(done),
                              core_.loop.now_ms() + core_.options.patience_ms});
    attempt(number);
}

void Proposer::attempt(std::uint64_t number) {
    const auto job = jobs_.find(number);
    if (job == jobs_.end() || core_.member == nullptr) return;
    auto command = job->second.make();
    if (!command) return on_result(number, std::move(command).error());
    core_.member->propose(*std::move(command),
                          [this, number](Result<cluster::CommandResult> result) {
                              on_result(number, std::move(result));
                          });
}

void Proposer::on_result(std::uint64_t number, Result<cluster::CommandResult> result) {
    const auto job = jobs_.find(number);
    if (job == jobs_.end()) return;
    const bool is_late = core_.loop.now_ms() >= job->second.deadline_ms;
    if (!may_be_mended(result) || is_late) return end(number, std::move(result));
    job->second.timer = core_.loop.after_ms(kProposeRetryMs, [this, number] { attempt(number); });
}

void Proposer::end(std::uint64_t number, Result<cluster::CommandResult> result) {
    const Job job = std::move(jobs_.extract(number).mapped());
    job.done(std::move(result));
}

void Proposer::close() {
    for (auto& [number, job] : std::exchange(jobs_, {})) {
        core_.loop.cancel(job.timer);
        job.done(broker_closed());
    }
}

}  // namespace walrus::cluster_broker

#include "harness/resilience/proof_consumer.h"

#include <utility>

#include "harness/resilience/run_builder.h"

namespace walrus::harness {
namespace {

constexpr std::uint64_t kWaitMs = 50;
constexpr std::uint64_t kWaitOfManyMs = 2;
constexpr std::uint64_t kPollAgainNs = 5'000'000;

}  // namespace

ProofConsumer::ProofConsumer(System& system, HistoryWriter& history, PacedClock& clock,
                             const ProofConsumerPlan& plan)
    : system_(system), history_(history), clock_(clock), plan_(plan), follows_(plan.topics) {}

Status ProofConsumer::start() {
    for (std::uint32_t topic = 0; topic < plan_.topics; ++topic) {
        auto reader = system_.reader(topic);
        if (!reader) return std::move(reader).error();
        follows_[topic].reader = std::move(*reader);
        follows_[topic].id = plan_.consumer;
    }
    thread_ = std::thread([this] { run(); });
    return {};
}

void ProofConsumer::stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
}

void ProofConsumer::run() {
    std::uint32_t turn = 0;
    while (!stopping_) {
        bool any = false;
        for (std::uint32_t topic = 0; topic < plan_.topics && !stopping_; ++topic) {
            any = poll(topic) || any;
        }
        if (!any) wait_for_more(turn++ % plan_.topics);
    }
}

bool ProofConsumer::poll(std::uint32_t topic) {
    Follow& follow = follows_[topic];
    if (follow.reader == nullptr) {
        auto reader = system_.reader(topic);
        if (!reader) return false;
        follow.reader = std::move(*reader);
        follow.id += plan_.consumers;
        follow.next = 0;
    }
    PollOp poll{.consumer = follow.id, .topic = topic, .begin_ns = clock_.monotonic_ns()};
    RunBuilder runs(plan_.run_id, poll);
    const auto got = follow.reader->read_at(
        [&](std::uint64_t offset, Bytes record) { runs.add(offset, record); });
    poll.end_ns = clock_.monotonic_ns();
    if (!got) poll.error = got.error().message;
    if (!got || !runs.empty()) history_.poll(poll);
    if (!runs.empty()) follow.next = runs.next_offset();
    if (!got) follow.reader.reset();
    return got && *got > 0;
}

void ProofConsumer::wait_for_more(std::uint32_t topic) {
    Reader* reader = follows_[topic].reader.get();
    const std::uint64_t wait_ms = plan_.topics == 1 ? kWaitMs : kWaitOfManyMs;
    if (reader != nullptr && reader->wait(wait_ms)) return;
    clock_.wait_until(clock_.monotonic_ns() + kPollAgainNs);
}

}  // namespace walrus::harness

#include "harness/resilience/judgement.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/driver/settings.h"

namespace walrus::harness {
namespace {

using nlohmann::json;

// Collects reasons by how bad they are.
class Reasons {
public:
    void add(ProofOutcome outcome, std::string reason) {
        reasons_[static_cast<std::size_t>(outcome)].push_back(std::move(reason));
    }
    void give_to(ProofJudgement& judgement) const {
        for (std::size_t i = std::size(reasons_); i-- > 0;) {
            if (reasons_[i].empty()) continue;
            if (judgement.reasons.empty()) judgement.outcome = static_cast<ProofOutcome>(i);
            judgement.reasons.insert(judgement.reasons.end(), reasons_[i].begin(),
                                     reasons_[i].end());
        }
    }

private:
    std::vector<std::string> reasons_[4];
};

bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

void judge_safety(const History& history, const ResilienceCheck& check, ProofJudgement& judgement,
                  Reasons& reasons) {
    for (const AnomalyKind kind : judgement.verdict.found()) {
        const std::string name(anomaly_name(kind));
        if (contains(check.expect, name) || contains(check.allow, name)) {
            judgement.expected.push_back(name);
            continue;
        }
        const Anomaly& anomaly = judgement.verdict[kind];
        reasons.add(
            ProofOutcome::kSafety,
            fmt::format("{}: {} ({}{})", name, anomaly.count, fmt::join(anomaly.examples, "; "),
                        anomaly.count > anomaly.examples.size() ? "; ..." : ""));
    }
    for (const std::string& crash : history.crashes) {
        reasons.add(ProofOutcome::kSafety, "crash: " + crash);
    }
    for (const std::string& name : check.expect) {
        if (contains(judgement.expected, name)) continue;
        reasons.add(
            ProofOutcome::kInvalid,
            fmt::format("{} was expected and not found: did the fault do what it says?", name));
    }
}

void judge_time(const char* what, const std::optional<std::uint64_t>& took_ns,
                std::uint64_t limit_ns, const std::string& fault, Reasons& reasons) {
    if (limit_ns == 0) return;
    if (!took_ns) {
        reasons.add(ProofOutcome::kLiveness, fmt::format("{}: {}: never", fault, what));
    } else if (*took_ns > limit_ns) {
        reasons.add(ProofOutcome::kLiveness,
                    fmt::format("{}: {} after {}, more than {}", fault, what,
                                format_duration(*took_ns), format_duration(limit_ns)));
    }
}

// A node was started after a fault and would not serve.
bool refused(const History& history) {
    return std::ranges::any_of(history.faults, [](const FaultRecord& fault) {
        return fault.healing_ns != 0 && fault.healed_ns == 0;
    });
}

void judge_liveness(const History& history, const ResilienceCheck& check,
                    const ProofJudgement& judgement, Reasons& reasons) {
    for (const std::uint32_t topic : judgement.verdict.unread_topics) {
        if (check.may_refuse && refused(history)) break;
        std::string why;
        for (const PollOp& poll : history.polls) {
            if (poll.final_read && poll.topic == topic) why = poll.error;
        }
        reasons.add(ProofOutcome::kLiveness,
                    fmt::format("topic {} could not be read to its end{}{}", topic,
                                why.empty() ? "" : ": ", why));
    }
    for (const FaultFigures& figures : judgement.recovery.faults) {
        const FaultRecord& fault = history.faults[figures.id];
        const std::string name =
            fmt::format("fault {} ({} of {})", fault.id, fault.kind, fault.node);
        judge_time("first acknowledgement", figures.first_ack_ns, check.first_ack_within_ns, name,
                   reasons);
        judge_time("recovered", figures.recovered_ns, check.recovered_within_ns, name, reasons);
    }
}

json optional_number(const std::optional<std::uint64_t>& value) {
    return value ? json(*value) : json();
}

std::string optional_time(const std::optional<std::uint64_t>& value) {
    return value ? format_duration(*value) : "never";
}

json recovery_json(const RecoveryFigures& recovery) {
    json document = {
        {"phases", json::array()}, {"faults", json::array()}, {"topics", json::array()}};
    for (const PhaseFigures& phase : recovery.phases) {
        document["phases"].push_back({{"name", phase.name},
                                      {"begin_ns", phase.begin_ns},
                                      {"end_ns", phase.end_ns},
                                      {"appends", phase.appends},
                                      {"acknowledged", phase.acknowledged},
                                      {"failed", phase.failed},
                                      {"unknown", phase.unknown},
                                      {"latency_p50_ns", phase.latency_ns.quantile(0.5)},
                                      {"latency_p99_ns", phase.latency_ns.quantile(0.99)},
                                      {"latency_max_ns", phase.latency_ns.max()}});
    }
    for (const FaultFigures& fault : recovery.faults) {
        document["faults"].push_back({{"id", fault.id},
                                      {"attempts", fault.attempts},
                                      {"acknowledged", fault.acknowledged},
                                      {"down_ns", fault.down_ns},
                                      {"first_ack_ns", optional_number(fault.first_ack_ns)},
                                      {"recovered_ns", optional_number(fault.recovered_ns)}});
    }
    for (const TopicAvailability& topic : recovery.topics) {
        document["topics"].push_back({{"topic", topic.topic},
                                      {"longest_gap_ns", topic.longest_gap_ns},
                                      {"unavailable_ns", topic.unavailable_ns}});
    }
    return document;
}

}  // namespace

std::string_view outcome_text(ProofOutcome outcome) {
    switch (outcome) {
        case ProofOutcome::kPassed: return "passed";
        case ProofOutcome::kInvalid: return "invalid";
        case ProofOutcome::kLiveness: return "liveness violation";
        case ProofOutcome::kSafety: return "safety violation";
    }
    return "unknown";
}

ProofJudgement judge(const History& history, const ResilienceCheck& check) {
    ProofJudgement judgement;
    judgement.verdict = judge_history(history);
    judgement.recovery = measure_recovery(history);
    Reasons reasons;
    judge_safety(history, check, judgement, reasons);
    judge_liveness(history, check, judgement, reasons);
    for (const std::string& reason : reasons_for_invalidity(history, check.may_refuse)) {
        reasons.add(ProofOutcome::kInvalid, reason);
    }
    reasons.give_to(judgement);
    return judgement;
}

json judgement_json(const History& history, const ProofJudgement& judgement) {
    const HistoryVerdict& verdict = judgement.verdict;
    json anomalies = json::object();
    for (std::size_t i = 0; i < kHistoryAnomalyKinds; ++i) {
        const Anomaly& anomaly = verdict.anomalies[i];
        anomalies[std::string(anomaly_name(static_cast<AnomalyKind>(i)))] = {
            {"count", anomaly.count}, {"examples", anomaly.examples}};
    }
    json faults = json::array();
    for (const FaultRecord& fault : history.faults) {
        faults.push_back({{"id", fault.id},
                          {"kind", fault.kind},
                          {"node", fault.node},
                          {"begun_ns", fault.begun_ns},
                          {"witnessed_ns", fault.witnessed_ns},
                          {"healing_ns", fault.healing_ns},
                          {"healed_ns", fault.healed_ns},
                          {"what", fault.what}});
    }
    return {{"system", history.header.system},
            {"version", history.header.version},
            {"outcome", outcome_text(judgement.outcome)},
            {"reasons", judgement.reasons},
            {"expected", judgement.expected},
            {"records",
             {{"acknowledged", verdict.acknowledged},
              {"failed", verdict.failed},
              {"unknown", verdict.unknown},
              {"unknown_found", verdict.unknown_found},
              {"in_log", verdict.in_log}}},
            {"anomalies", anomalies},
            {"faults", faults},
            {"recovery", recovery_json(judgement.recovery)}};
}

std::string judgement_text(const History& history, const ProofJudgement& judgement) {
    const HistoryVerdict& verdict = judgement.verdict;
    std::string text = fmt::format("{} / {}: {}\n", history.header.scenario, history.header.system,
                                   outcome_text(judgement.outcome));
    for (const std::string& reason : judgement.reasons) text += "  ! " + reason + "\n";
    text += fmt::format(
        "  records: {} acknowledged, {} failed, {} unknown ({} of them there), {} in the log\n",
        format_count(verdict.acknowledged), format_count(verdict.failed),
        format_count(verdict.unknown), format_count(verdict.unknown_found),
        format_count(verdict.in_log));
    for (const AnomalyKind kind : verdict.found()) {
        const bool expected = contains(judgement.expected, anomaly_name(kind));
        text += fmt::format("  {}: {}{}\n", anomaly_name(kind), format_count(verdict[kind].count),
                            expected ? " (expected)" : "");
    }
    if (verdict.found().empty()) text += "  anomalies: none\n";
    for (const FaultFigures& figures : judgement.recovery.faults) {
        const FaultRecord& fault = history.faults[figures.id];
        text += fmt::format(
            "  fault {}: {} of {}: away {}, first ack {} after it began, recovered {} after the "
            "heal began; {} of {} appends in it acknowledged\n",
            fault.id, fault.kind, fault.node, format_duration(figures.down_ns),
            optional_time(figures.first_ack_ns), optional_time(figures.recovered_ns),
            format_count(figures.acknowledged), format_count(figures.attempts));
    }
    for (const PhaseFigures& phase : judgement.recovery.phases) {
        if (phase.appends == 0) continue;
        text += fmt::format(
            "  {:<8} {:>8} appends, {} failed, {} unknown; p50 {}, p99 {}, max {}\n", phase.name,
            format_count(phase.appends), format_count(phase.failed), format_count(phase.unknown),
            format_duration(phase.latency_ns.quantile(0.5)),
            format_duration(phase.latency_ns.quantile(0.99)),
            format_duration(phase.latency_ns.max()));
    }
    for (const TopicAvailability& topic : judgement.recovery.topics) {
        text += fmt::format("  topic {}: longest without an acknowledgement {}, unavailable {}\n",
                            topic.topic, format_duration(topic.longest_gap_ns),
                            format_duration(topic.unavailable_ns));
    }
    return text;
}

}  // namespace walrus::harness

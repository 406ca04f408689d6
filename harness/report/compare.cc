#include "harness/report/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/report/table_model.h"
#include "harness/stats/rank_test.h"

namespace walrus::harness {
namespace {

// Facts that make two machines the same for a measurement.
constexpr const char* kMachineFacts[] = {"architecture", "cpu_model",          "cpu_count",
                                         "device",       "device_write_cache", "device_fua",
                                         "file_system",  "mount_options"};
// Facts worth a remark when they differ.
constexpr const char* kRemarkedFacts[] = {"kernel", "clock", "device_scheduler"};

std::string fact(const RunResult& result, const char* name) {
    const auto found = result.host.find(name);
    return found == result.host.end() ? "unknown" : found->second;
}

std::string name_of(const RunResult& result) {
    return fmt::format("{} of {}, revision {}", result.scenario.name, result.started_at,
                       result.revision);
}

std::vector<double> p99s(const SystemResult& system) {
    std::vector<double> values;
    for (const Repetition& repetition : system.repetitions) {
        if (!repetition.measured()) continue;
        values.push_back(static_cast<double>(repetition.write.latency_ns.quantile(0.99)));
    }
    return values;
}

// Two lines of the same name, one of each run.
struct Match {
    const Line* before = nullptr;
    const Line* after = nullptr;
};

class Comparer {
public:
    Comparer(const RunResult& before, const RunResult& after, const CompareRules& rules)
        : before_(before),
          after_(after),
          before_lines_(summarise(before)),
          after_lines_(summarise(after)) {
        comparison_.before = name_of(before);
        comparison_.after = name_of(after);
        comparison_.rules = rules;
    }

    Result<Comparison> run() {
        check_machines();
        std::vector<Match> matches = match_lines();
        if (matches.empty()) {
            refusals_.push_back("the two have no row and system in common");
        }
        for (const Match& match : matches) compare(match);
        if (!refusals_.empty()) return refuse();
        judge_all();
        remark_on_runs();
        return std::move(comparison_);
    }

private:
    Error refuse() const {
        std::string message = "these two cannot be compared:";
        for (const std::string& refusal : refusals_) message += "\n  " + refusal;
        return {Errc::kInvalidArgument, message};
    }

    void check_machines() {
        for (const char* name : kMachineFacts) {
            const std::string old_fact = fact(before_, name);
            const std::string new_fact = fact(after_, name);
            if (old_fact == new_fact) continue;
            const std::string what =
                fmt::format("unlike machines: {} is '{}', was '{}'", name, new_fact, old_fact);
            if (comparison_.rules.allow_unlike_machines) {
                comparison_.remarks.push_back(what);
            } else {
                refusals_.push_back(what + " (--allow-unlike-machines)");
            }
        }
        for (const char* name : kRemarkedFacts) {
            if (fact(before_, name) == fact(after_, name)) continue;
            comparison_.remarks.push_back(
                fmt::format("{} is '{}', was '{}'", name, fact(after_, name), fact(before_, name)));
        }
    }

    std::vector<Match> match_lines() {
        std::vector<Match> matches;
        const auto same_as = [](const Line& line) {
            return [&](const Line& other) {
                return other.row == line.row && other.system == line.system;
            };
        };
        const auto remark = [&](const Line& line, const char* what) {
            comparison_.remarks.push_back(fmt::format("{} / {}: {}", line.row, line.system, what));
        };
        for (const Line& line : after_lines_) {
            const auto old = std::ranges::find_if(before_lines_, same_as(line));
            if (old == before_lines_.end()) {
                remark(line, "only in the new run");
            } else if (line.repetitions == 0 || old->repetitions == 0) {
                remark(line, line.repetitions == 0 ? "has no figures in the new run"
                                                   : "has no figures in the old run");
            } else {
                matches.push_back({&*old, &line});
            }
        }
        for (const Line& line : before_lines_) {
            if (std::ranges::none_of(after_lines_, same_as(line))) {
                remark(line, "only in the old run");
            }
        }
        return matches;
    }

    // Refuses, or labels, what is unlike about a match.
    void check_likeness(const Match& match, ComparedLine& line) {
        const auto unlike = [&](bool allowed, const std::string& what, const char* option) {
            if (allowed) {
                line.label += (line.label.empty() ? "" : "; ") + what;
            } else {
                refusals_.push_back(
                    fmt::format("{} / {}: {} ({})", line.row, line.system, what, option));
            }
        };
        const CompareRules& rules = comparison_.rules;
        const Line& old = *match.before;
        const Line& now = *match.after;
        if (old.durability != now.durability) {
            unlike(rules.allow_unlike_classes,
                   fmt::format("class {}, was {}", durability_name(now.durability),
                               durability_name(old.durability)),
                   "--allow-unlike-classes");
        } else if (old.class_mismatch || now.class_mismatch) {
            unlike(rules.allow_unlike_classes,
                   fmt::format("the flushes of the {} run allow only class {}",
                               now.class_mismatch ? "new" : "old",
                               now.class_mismatch ? now.derived_class : old.derived_class),
                   "--allow-unlike-classes");
        }
        const Row& old_row = before_.rows[old.row_index].row;
        const Row& new_row = after_.rows[now.row_index].row;
        if (old_row.measure != new_row.measure || old_row.ending != new_row.ending ||
            old_row.workload != new_row.workload) {
            const bool words_differ = old.workload != now.workload;
            unlike(rules.allow_unlike_workloads,
                   fmt::format("workload {}, was {}",
                               words_differ ? now.workload : "with other settings",
                               words_differ ? old.workload : "the same in words"),
                   "--allow-unlike-workloads");
        }
    }

    void compare(const Match& match) {
        const Line& old = *match.before;
        const Line& now = *match.after;
        const RowResult& old_row = before_.rows[old.row_index];
        const RowResult& new_row = after_.rows[now.row_index];
        const SystemResult& old_system = old_row.systems[old.system_index];
        const SystemResult& new_system = new_row.systems[now.system_index];
        ComparedLine line;
        line.row = now.row;
        line.system = now.system;
        line.measure = now.measure;
        line.durability = now.durability;
        check_likeness(match, line);
        const std::vector<double> olds = goodnesses(old_row.row, old_system);
        const std::vector<double> news = goodnesses(new_row.row, new_system);
        line.before = old.figure;
        line.after = now.figure;
        line.ratio = unpaired_ratio(news, olds, after_.scenario.seed);
        line.rank_p = mann_whitney_p(news, olds);
        line.p99_before = median(p99s(old_system));
        line.p99_after = median(p99s(new_system));
        line.judgement = judge(line.ratio);
        if (now.is_baseline) line.gate = Gate::kReference;
        comparison_.anomalies += now.anomalies;
        comparison_.lines.push_back(std::move(line));
    }

    void judge_all() {
        auto& lines = comparison_.lines;
        const auto is_reference = [](const ComparedLine& line) {
            return line.gate == Gate::kReference;
        };
        // A run of baselines only: then they are what is to be judged.
        if (std::ranges::all_of(lines, is_reference)) {
            for (ComparedLine& line : lines) line.gate = Gate::kOk;
        }
        for (const ComparedLine& line : lines) {
            if (!is_reference(line)) continue;
            double& moved = comparison_.machine_moved[line.durability];
            const bool shown = line.ratio.low > 1 || line.ratio.high < 1;
            if (shown) moved = std::max(moved, std::abs(line.ratio.value - 1));
        }
        std::vector<double> ratios;
        for (ComparedLine& line : lines) {
            if (is_reference(line)) continue;
            judge_line(line);
            comparison_.gate = std::max(comparison_.gate, line.gate);
            ratios.push_back(line.ratio.value);
        }
        comparison_.judged = ratios.size();
        comparison_.geometric_mean = geometric_mean(ratios);
    }

    void judge_line(ComparedLine& line) const {
        const double bar = comparison_.rules.threshold;
        const auto found = comparison_.machine_moved.find(line.durability);
        const double moved = found == comparison_.machine_moved.end() ? 0 : found->second;
        const auto inconclusive = [&](std::string why) {
            line.gate = Gate::kInconclusive;
            line.why = std::move(why);
        };
        if (line.judgement == Judgement::kNone) {
            inconclusive(why_no_judgement(line.ratio));
        } else if (line.ratio.high < 1 - std::max(bar, moved)) {
            line.gate = Gate::kRegression;
            line.why = fmt::format("slower by {:.0f} % to {:.0f} %", (1 - line.ratio.high) * 100,
                                   (1 - line.ratio.low) * 100);
        } else if (moved > bar && line.ratio.low < 1) {
            inconclusive(fmt::format(
                "the baselines themselves moved by {:.0f} %, more than the bar", moved * 100));
        } else if (line.ratio.low < 1 - bar) {
            inconclusive(
                fmt::format("the interval spans the bar; a change below {:.0f} % could "
                            "not be seen",
                            line.ratio.detectable() * 100));
        }
    }

    void remark_on_runs() {
        const auto remark = [&](const RunResult& result, const char* which) {
            if (!result.complete) {
                comparison_.remarks.push_back(fmt::format("the {} run is INCOMPLETE", which));
                comparison_.gate = std::max(comparison_.gate, Gate::kInconclusive);
            }
            if (result.quick) {
                comparison_.remarks.push_back(
                    fmt::format("the {} run was made with --quick", which));
            }
        };
        remark(before_, "old");
        remark(after_, "new");
        if (comparison_.anomalies > 0) {
            comparison_.remarks.push_back("SAFETY VIOLATION in the new run");
        }
    }

    const RunResult& before_;
    const RunResult& after_;
    const std::vector<Line> before_lines_;
    const std::vector<Line> after_lines_;
    std::vector<std::string> refusals_;
    Comparison comparison_;
};

}  // namespace

std::string_view gate_name(Gate gate) {
    switch (gate) {
        case Gate::kOk: return "ok";
        case Gate::kReference: return "reference";
        case Gate::kInconclusive: return "inconclusive";
        case Gate::kRegression: return "REGRESSION";
    }
    return "";
}

Result<Comparison> compare_results(const RunResult& before, const RunResult& after,
                                   const CompareRules& rules) {
    return Comparer(before, after, rules).run();
}

}  // namespace walrus::harness

#include "harness/resilience/proof_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/driver/settings.h"
#include "harness/report/page_style.h"
#include "harness/report/svg.h"

namespace walrus::harness {
namespace {

constexpr double kWidth = 900;
constexpr double kHeight = 220;
constexpr double kLeft = 64;
constexpr double kRight = 888;
constexpr double kTop = 14;
constexpr double kBottom = 188;
constexpr std::uint64_t kMostIntervals = 400;
constexpr std::uint64_t kLeastIntervalNs = 50'000'000;
constexpr double kNsPerSecond = 1e9;

constexpr std::string_view kOwnStyle =
    ".band{fill:var(--alarm-bg);stroke:none}.recovery{fill:var(--warn-bg);stroke:none}"
    ".mark{stroke:var(--muted);stroke-dasharray:3 3;fill:none}"
    "pre{white-space:pre-wrap;font-size:13px}";

// The load as the charts see it.
struct Timeline {
    explicit Timeline(const History& history) : begin_ns(history.header.begin_ns) {
        end_ns = history.end_ns;
        for (const PhaseMark& phase : history.phases) {
            if (phase.name == "final") end_ns = phase.begin_ns;
        }
        end_ns = std::max(end_ns, begin_ns + kLeastIntervalNs);
        interval_ns = std::max(kLeastIntervalNs, (end_ns - begin_ns) / kMostIntervals);
        x = {.low = 0, .high = seconds(end_ns), .from = kLeft, .to = kRight};
    }
    double seconds(std::uint64_t at_ns) const {
        return static_cast<double>(at_ns - std::min(at_ns, begin_ns)) / kNsPerSecond;
    }

    std::uint64_t begin_ns;
    std::uint64_t end_ns;
    std::uint64_t interval_ns;
    Scale x;
};

void draw_band(const Timeline& time, std::uint64_t from_ns, std::uint64_t to_ns,
               std::string_view classes, Svg& svg) {
    const double left = time.x.at(time.seconds(from_ns));
    const double right = std::max(left + 1, time.x.at(time.seconds(to_ns)));
    svg.path({{left, kTop}, {right, kTop}, {right, kBottom}, {left, kBottom}}, classes);
}

// Faults, what came after them until everything was as before, phases and the axis of time.
void draw_background(const ProofPagePart& part, const Timeline& time, Svg& svg) {
    for (const FaultFigures& figures : part.judgement.recovery.faults) {
        const FaultRecord& fault = part.history.faults[figures.id];
        const std::uint64_t healed_ns = fault.healed_ns == 0 ? time.end_ns : fault.healed_ns;
        if (figures.recovered_ns) {
            draw_band(time, healed_ns, fault.healing_ns + *figures.recovered_ns, "recovery", svg);
        }
        draw_band(time, fault.begun_ns, healed_ns, "band", svg);
        svg.text({time.x.at(time.seconds(fault.begun_ns)) + 2, kTop + 10}, "start", "tick",
                 fault.kind);
    }
    for (const PhaseMark& phase : part.history.phases) {
        if (phase.begin_ns >= time.end_ns) continue;
        const double x = time.x.at(time.seconds(phase.begin_ns));
        svg.line({x, kTop}, {x, kBottom}, "mark");
    }
    svg.line({kLeft, kBottom}, {kRight, kBottom}, "axis");
    for (const double tick : linear_ticks(0, time.x.high, 10)) {
        svg.text({time.x.at(tick), kBottom + 16}, "middle", "tick", fmt::format("{:g} s", tick));
    }
}

std::string figure(const std::string& title, const Svg& svg) {
    return fmt::format("<figure class=\"chart\"><figcaption><b>{}</b></figcaption>\n{}</figure>\n",
                       escape_xml(title), svg.finish());
}

std::string latency_chart(const ProofPagePart& part, const Timeline& time) {
    const std::size_t intervals = (time.end_ns - time.begin_ns) / time.interval_ns + 1;
    std::vector<std::uint64_t> worst(intervals, 0);
    for (const AppendOp& append : part.history.appends) {
        const std::uint64_t done_ns = append.done_ns == 0 ? part.history.end_ns : append.done_ns;
        const std::size_t at =
            (append.due_ns - std::min(append.due_ns, time.begin_ns)) / time.interval_ns;
        if (at >= intervals) continue;
        worst[at] = std::max(worst[at], done_ns - std::min(done_ns, append.due_ns));
    }
    const std::uint64_t most = std::max<std::uint64_t>(1'000'000, std::ranges::max(worst));
    const Scale y{.low = 1e5,
                  .high = static_cast<double>(most) * 1.2,
                  .from = kBottom,
                  .to = kTop,
                  .logarithmic = true};
    Svg svg(kWidth, kHeight, "latency over time");
    draw_background(part, time, svg);
    for (const double tick : logarithmic_ticks(y.low, y.high)) {
        svg.line({kLeft, y.at(tick)}, {kRight, y.at(tick)}, "grid");
        svg.text({kLeft - 6, y.at(tick) + 4}, "end", "tick",
                 format_duration(static_cast<std::uint64_t>(tick)));
    }
    std::vector<Point> points;
    for (std::size_t i = 0; i < intervals; ++i) {
        if (worst[i] == 0) continue;
        points.push_back({time.x.at(time.seconds(time.begin_ns + i * time.interval_ns)),
                          y.at(static_cast<double>(worst[i]))});
    }
    svg.path(points, "curve s0");
    return figure("Slowest append of each moment, by when it was due; errors and timeouts included",
                  svg);
}

std::string unread_chart(const ProofPagePart& part, const Timeline& time) {
    if (part.history.header.consumers == 0) return "";
    const std::vector<std::uint64_t> unread =
        unread_over_time(part.history, time.begin_ns, time.end_ns, time.interval_ns);
    const double most = static_cast<double>(
        std::max<std::uint64_t>(10, unread.empty() ? 0 : std::ranges::max(unread)));
    const Scale y{.low = 0, .high = most * 1.1, .from = kBottom, .to = kTop};
    Svg svg(kWidth, kHeight, "unread over time");
    draw_background(part, time, svg);
    for (const double tick : linear_ticks(0, y.high, 4)) {
        svg.line({kLeft, y.at(tick)}, {kRight, y.at(tick)}, "grid");
        svg.text({kLeft - 6, y.at(tick) + 4}, "end", "tick",
                 format_count(static_cast<std::uint64_t>(tick)));
    }
    std::vector<Point> points;
    for (std::size_t i = 0; i < unread.size(); ++i) {
        points.push_back({time.x.at(time.seconds(time.begin_ns + i * time.interval_ns)),
                          y.at(static_cast<double>(unread[i]))});
    }
    svg.path(points, "curve s1");
    return figure("Acknowledged records that the slowest consumer has not read yet", svg);
}

std::string witnesses(const History& history) {
    std::string text = "<ul class=\"remarks\">\n";
    for (const FaultRecord& fault : history.faults) {
        text += fmt::format("<li>fault {}, {} of {}: {}</li>\n", fault.id, escape_xml(fault.kind),
                            escape_xml(fault.node),
                            escape_xml(fmt::format("{}", fmt::join(fault.what, "; "))));
    }
    return text + "</ul>\n";
}

}  // namespace

std::string render_proof_page(const std::string& scenario,
                              const std::vector<ProofPagePart>& parts) {
    std::string text = fmt::format(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>{0}</title>\n<style>{1}{2}</style>\n</head>\n<body>\n<main>\n<header>\n"
        "<div class=\"eyebrow\">walrus-harness resilience report</div>\n<h1>{0}</h1>\n",
        escape_xml(scenario), page_style(), kOwnStyle);
    text +=
        "<p class=\"muted\">Red: from a fault to the moment its node was back. Yellow: until "
        "everything was as before. Every figure follows from histories/ "
        "(walrus-harness judge BUNDLE).</p>\n</header>\n";
    for (const ProofPagePart& part : parts) {
        const bool judged = part.history.header.begin_ns != 0;
        const std::string outcome(judged ? outcome_text(part.judgement.outcome) : "not judged");
        text += fmt::format(
            "<section class=\"class\">\n<div class=\"banner\"><h2>{}</h2>"
            "<span class=\"pill\">{}</span></div>\n",
            escape_xml(part.system), escape_xml(outcome));
        if (!part.error.empty()) {
            text += fmt::format("<p class=\"notice alarm\">{}</p>\n", escape_xml(part.error));
        }
        if (judged) {
            for (const std::string& reason : part.judgement.reasons) {
                text += fmt::format("<p class=\"notice alarm\">{}</p>\n", escape_xml(reason));
            }
            const Timeline time(part.history);
            text += latency_chart(part, time) + unread_chart(part, time);
            text += fmt::format("<pre>{}</pre>\n",
                                escape_xml(judgement_text(part.history, part.judgement)));
            text += witnesses(part.history);
        }
        text += "</section>\n";
    }
    return text + "</main>\n</body>\n</html>\n";
}

}  // namespace walrus::harness

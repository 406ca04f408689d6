#include "harness/report/page_style.h"

namespace walrus::harness {
namespace {

// The colours of systems are those of Okabe and Ito, made darker for light pages and lighter for
// dark ones: they stay apart for colour-blind readers, and symbols tell systems apart as well.
constexpr std::string_view kStyle = R"css(
:root {
  color-scheme: light dark;
  --page: #f6f7f8; --card: #ffffff; --ink: #16202a; --muted: #5a6874; --rule: #dfe4e8;
  --grid: #e9edf0; --accent: #0b5f7d; --good: #00694d; --bad: #b23a00; --warn-bg: #fff4dc;
  --warn-ink: #6b4700; --alarm-bg: #fde4e0; --alarm-ink: #8c1d0b;
  --s0: #0b66a8; --s1: #c44e00; --s2: #007a5a; --s3: #a2407f;
  --s4: #6a5acd; --s5: #8a6d00; --s6: #2b8fb3; --s7: #59636e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f151a; --card: #171f26; --ink: #e7ecf0; --muted: #9aa8b4; --rule: #2b3742;
    --grid: #232d36; --accent: #6fc3e0; --good: #4fd1a5; --bad: #ff9a62; --warn-bg: #332a12;
    --warn-ink: #f3d58d; --alarm-bg: #3d1a14; --alarm-ink: #ffb4a4;
    --s0: #62b5f0; --s1: #ff9a4d; --s2: #3fcf9f; --s3: #e88cc4;
    --s4: #aaa0ff; --s5: #e3c04a; --s6: #7fd3ee; --s7: #a9b4be;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.55 "Inter", "Segoe UI", system-ui, -apple-system, "Helvetica Neue", "DejaVu Sans",
    sans-serif;
  font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%;
}
main { max-width: 1180px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 30px; line-height: 1.2; letter-spacing: -0.02em; margin: 4px 0 8px; }
h2 { font-size: 20px; line-height: 1.3; letter-spacing: -0.01em; margin: 0; }
p { margin: 6px 0; }
a { color: var(--accent); }
code, .mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: 0.88em; }
.eyebrow { color: var(--accent); font-size: 12px; font-weight: 650; letter-spacing: 0.09em;
  text-transform: uppercase; }
.muted { color: var(--muted); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px;
  margin: 24px 0 8px; padding: 0; list-style: none; }
.facts li { background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
  padding: 12px 16px; }
.facts b { display: block; font-size: 21px; font-weight: 650; letter-spacing: -0.01em; }
.facts span { color: var(--muted); font-size: 13px; }
.legend { display: flex; flex-wrap: wrap; gap: 6px 20px; margin: 16px 0 0; padding: 0;
  list-style: none; color: var(--muted); }
.legend li { display: flex; align-items: center; }
.legend svg { width: 34px; height: 12px; margin-right: 7px; }
.notice { margin: 12px 0; padding: 10px 16px; border-radius: 10px; background: var(--warn-bg);
  color: var(--warn-ink); }
.notice.alarm { background: var(--alarm-bg); color: var(--alarm-ink); font-weight: 600; }
.class { margin-top: 40px; }
.banner { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 14px;
  border-top: 3px solid var(--accent); padding-top: 14px; margin-bottom: 14px; }
.pill { background: var(--accent); color: var(--page); border-radius: 999px; padding: 2px 12px;
  font-size: 13px; font-weight: 650; }
.card, .chart { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; }
.card { overflow-x: auto; margin: 12px 0; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { padding: 6px 14px; text-align: right; white-space: nowrap; }
th { color: var(--muted); font-size: 12.5px; font-weight: 600; border-bottom: 1px solid var(--rule);
  padding-top: 12px; }
th.left, td.left { text-align: left; }
tr.row-head td { padding-top: 14px; font-weight: 650; text-align: left; }
tr.row-head:not(:first-child) td { border-top: 1px solid var(--grid); }
tr:last-child td { padding-bottom: 12px; }
tbody tr:not(.row-head):hover { background: color-mix(in srgb, var(--accent) 7%, transparent); }
td[data-figure] { cursor: help; }
td.figure { font-weight: 650; }
td .swatch { display: inline-block; width: 9px; height: 9px; border-radius: 50%;
  margin-right: 9px; }
.faster { color: var(--good); font-weight: 600; }
.slower { color: var(--bad); font-weight: 600; }
.quiet { color: var(--muted); }
ul.remarks { margin: 8px 0; padding-left: 20px; color: var(--muted); font-size: 13.5px; }
ul.remarks li.alarm { color: var(--alarm-ink); font-weight: 600; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(400px, 100%), 1fr));
  gap: 14px; margin: 14px 0; }
.chart { margin: 0; padding: 14px 16px 10px; overflow-x: auto; }
.wide { margin: 14px 0; }
figcaption { font-size: 14px; margin-bottom: 8px; line-height: 1.4; }
figcaption span { display: block; color: var(--muted); font-size: 13px; }
svg { display: block; width: 100%; height: auto; }
.wide svg { min-width: 760px; }
svg text { font: 11px/1 inherit; font-family: inherit; fill: var(--ink); }
svg .tick, svg .axis { fill: var(--muted); font-size: 10.5px; }
svg .label { fill: var(--muted); font-size: 12px; }
svg .row-name { font-size: 12.5px; font-weight: 650; }
svg .value { font-size: 12px; }
svg .miss { font-size: 13px; fill: var(--muted); cursor: help; }
svg path { fill: none; stroke-linejoin: round; stroke-linecap: round; }
svg .grid { stroke: var(--grid); stroke-width: 1; }
svg .frame { stroke: var(--rule); stroke-width: 1.2; }
svg .reference { stroke: var(--muted); stroke-width: 1.2; stroke-dasharray: 4 4; }
svg .curve { stroke-width: 2; }
svg .thin { stroke-width: 1; opacity: 0.28; }
svg .interval { stroke-width: 3; opacity: 0.55; }
svg .symbol { stroke: var(--card); stroke-width: 1; cursor: help; }
svg .target { fill: transparent; cursor: help; }
.s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); } .s2 { stroke: var(--s2); }
.s3 { stroke: var(--s3); } .s4 { stroke: var(--s4); } .s5 { stroke: var(--s5); }
.s6 { stroke: var(--s6); } .s7 { stroke: var(--s7); }
.symbol.s0 { fill: var(--s0); } .symbol.s1 { fill: var(--s1); } .symbol.s2 { fill: var(--s2); }
.symbol.s3 { fill: var(--s3); } .symbol.s4 { fill: var(--s4); } .symbol.s5 { fill: var(--s5); }
.symbol.s6 { fill: var(--s6); } .symbol.s7 { fill: var(--s7); }
details { background: var(--card); border: 1px solid var(--rule); border-radius: 12px;
  margin: 12px 0; padding: 0 16px; }
summary { cursor: pointer; font-weight: 600; padding: 12px 0; }
details table { margin-bottom: 14px; }
details td { white-space: normal; overflow-wrap: anywhere; vertical-align: top; }
details th { padding-top: 4px; }
footer { margin-top: 40px; color: var(--muted); font-size: 13.5px; }
@media print { body { background: none; } .chart, .card { break-inside: avoid; } }
@media (max-width: 640px) { main { padding: 24px 14px 40px; } h1 { font-size: 24px; } }
)css";

}  // namespace

std::string_view page_style() {
    return kStyle;
}

}  // namespace walrus::harness

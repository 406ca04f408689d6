#include "walrus/node/status_page.h"

namespace walrus::node {
namespace {

constexpr std::string_view kPage = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>walrusd</title>
<style>
  :root {
    color-scheme: light dark;
    --back: #f6f7f9; --card: #fff; --text: #1c2530; --dim: #66717f; --line: #e3e7ec;
    --accent: #0b7285; --good: #2b8a3e; --bad: #c92a2a;
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --back: #12161b; --card: #1b2128; --text: #e6eaef; --dim: #93a0ae; --line: #2b333d;
      --accent: #3bc9db; --good: #69db7c; --bad: #ff8787;
    }
  }
  * { box-sizing: border-box; }
  body { margin: 0; padding: 1.5rem; background: var(--back); color: var(--text);
         font: 15px/1.45 system-ui, sans-serif; }
  main { max-width: 68rem; margin: 0 auto; }
  header { display: flex; align-items: baseline; gap: .8rem; flex-wrap: wrap; }
  h1 { font-size: 1.4rem; margin: 0; }
  h2 { font-size: 1rem; margin: 1.8rem 0 .6rem; }
  .dim { color: var(--dim); }
  .state { padding: .1rem .6rem; border-radius: 1rem; color: #fff; background: var(--good);
           font-size: .85rem; }
  .state.bad { background: var(--bad); }
  .cards { display: grid; gap: .8rem; margin-top: 1rem;
           grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); }
  .card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
          padding: .8rem 1rem; }
  .card b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
  svg { display: block; width: 100%; height: 2.2rem; margin-top: .3rem; }
  polyline { fill: none; stroke: var(--accent); stroke-width: 1.5; }
  .table { overflow-x: auto; background: var(--card); border: 1px solid var(--line);
           border-radius: .6rem; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: right; padding: .45rem .9rem; border-bottom: 1px solid var(--line);
           font-variant-numeric: tabular-nums; white-space: nowrap; }
  th { color: var(--dim); font-weight: 500; }
  th:first-child, td:first-child { text-align: left; }
  tr:last-child td { border-bottom: 0; }
  a { color: var(--accent); text-decoration: none; }
  a:hover { text-decoration: underline; }
</style>
</head>
<body>
<main>
  <header>
    <h1>walrusd <span id="node"></span></h1>
    <span class="state" id="state">connecting</span>
    <span class="dim" id="about"></span>
  </header>
  <section class="cards" id="cards"></section>
  <h2>Topics</h2>
  <div class="table"><table>
    <thead><tr><th>topic<th>partition<th>start<th>end<th>records<th>records/s<th>size</tr></thead>
    <tbody id="topics"></tbody>
  </table></div>
  <h2>Groups</h2>
  <div class="table"><table>
    <thead><tr><th>group<th>topic<th>partition<th>offset<th>end<th>lag</tr></thead>
    <tbody id="groups"></tbody>
  </table></div>
  <p class="dim">
    <a href="/metrics">metrics</a> · <a href="/v1/node">node</a> · <a href="/v1/topics">topics</a> ·
    <a href="/v1/groups">groups</a> · <a href="/v1/config">config</a> ·
    <a href="/readyz?verbose">ready</a> · every two seconds
  </p>
</main>
<script>
  const period = 2000, kept = 60;
  const $ = id => document.getElementById(id);
  const number = n => Math.round(n).toLocaleString("en");
  const bytes = n => {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let i = 0;
    for (; n >= 1024 && i < units.length - 1; ++i) n /= 1024;
    return (i === 0 ? n : n.toFixed(1)) + " " + units[i];
  };
  const time = ms => {
    const s = Math.floor(ms / 1000), d = Math.floor(s / 86400);
    const part = (n, unit) => n > 0 ? n + " " + unit + " " : "";
    return part(d, "d") + part(Math.floor(s / 3600) % 24, "h") +
           part(Math.floor(s / 60) % 60, "min") + (s % 60) + " s";
  };
  let before = null, series = {}, ends = {};

  function rate(name, value, seconds) {
    const last = before && before[name];
    const now = last === undefined || !before ? 0 : Math.max(0, (value - last) / seconds);
    (series[name] ||= []).push(now);
    if (series[name].length > kept) series[name].shift();
    return now;
  }
  function line(name) {
    const values = series[name] || [], top = Math.max(1, ...values);
    const points = values.map((v, i) =>
      (i * 100 / (kept - 1)).toFixed(1) + "," + (29 - 28 * v / top).toFixed(1));
    return `<svg viewBox="0 0 100 30" preserveAspectRatio="none">` +
           `<polyline vector-effect="non-scaling-stroke" points="${points.join(" ")}"/></svg>`;
  }
  const card = (title, value, more) =>
    `<div class="card"><span class="dim">${title}</span><b>${value}</b>${more || ""}</div>`;
  function row(cells) {
    const tr = document.createElement("tr");
    for (const cell of cells) {
      const td = document.createElement("td");
      if (cell instanceof Node) td.append(cell); else td.textContent = cell;
      tr.append(td);
    }
    return tr;
  }
  function link(text, address) {
    const a = document.createElement("a");
    a.textContent = text;
    a.href = address;
    return a;
  }

  function showNode(node, seconds) {
    $("node").textContent = node.node_id;
    $("state").textContent = node.is_draining ? "draining" : "ready";
    $("state").className = node.is_draining ? "state bad" : "state";
    $("about").textContent = `${node.version} · up ${time(node.up_ms)} · acknowledged when ` +
      `${node.durability} · ${node.data_dir}`;
    const totals = {
      records: node.produced.records, in: node.produced.bytes, out: node.fetched.bytes,
      cpu: node.process.cpu_seconds * 100,
    };
    const now = {};
    for (const name in totals) now[name] = rate(name, totals[name], seconds);
    before = totals;
    const connections = node.doors.map(d => `${d.name} ${d.connections}`).join(" · ");
    $("cards").innerHTML =
      card("records in per second", number(now.records), line("records")) +
      card("bytes in per second", bytes(now.in), line("in")) +
      card("bytes out per second", bytes(now.out), line("out")) +
      card("CPU", now.cpu.toFixed(1) + " %", line("cpu")) +
      card("memory", bytes(node.process.resident_bytes)) +
      card("free disk", bytes(node.disk_free_bytes)) +
      card("connections", connections || "none") +
      card("topics", number(node.topics), `<span class="dim">${number(node.partitions)} ` +
        `partitions</span>`);
  }
  function showTopics(topics, seconds) {
    const rows = [], seen = {};
    for (const topic of topics)
      for (const p of topic.partitions) {
        const key = topic.name + "/" + p.partition, end = p.high_watermark;
        const speed = key in ends ? Math.max(0, (end - ends[key]) / seconds) : 0;
        seen[key] = end;
        rows.push(row([link(topic.name, "/v1/topics/" + encodeURIComponent(topic.name)),
          p.partition, number(p.log_start_offset), number(end),
          number(end - p.log_start_offset), number(speed), bytes(p.size_bytes)]));
      }
    ends = seen;
    $("topics").replaceChildren(...(rows.length ? rows : [row(["none yet"])]));
  }
  function showGroups(groups) {
    const rows = [];
    for (const group of groups)
      for (const o of group.offsets)
        rows.push(row([group.group || "(shared cursor)", o.topic, o.partition, number(o.offset),
          o.high_watermark === undefined ? "-" : number(o.high_watermark),
          o.lag === undefined ? "-" : number(o.lag)]));
    $("groups").replaceChildren(...(rows.length ? rows : [row(["none yet"])]));
  }

  let last = 0;
  async function refresh() {
    try {
      const get = path => fetch(path).then(r => r.json());
      const [node, topics, groups] =
        await Promise.all(["/v1/node", "/v1/topics", "/v1/groups"].map(get));
      const now = performance.now(), seconds = last ? (now - last) / 1000 : period / 1000;
      last = now;
      showNode(node, seconds);
      showTopics(topics.topics, seconds);
      showGroups(groups.groups);
    } catch (error) {
      $("state").textContent = "no answer";
      $("state").className = "state bad";
    }
    setTimeout(refresh, period);
  }
  refresh();
</script>
</body>
</html>
)html";

}  // namespace

std::string_view status_page() {
    return kPage;
}

}  // namespace walrus::node

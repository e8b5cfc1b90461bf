// The page: asks for the status each second and shows it.

import { Chart, sizeCeiling } from "./chart.js";
import { History, identity, processesOf } from "./history.js";
import { Sheet } from "./sheet.js";
import { count, joined, lag, percent, plural, rate, size, span } from "./format.js";

const period = 1000; // milliseconds between questions
const patience = 5000; // for an answer
const warnLag = 100; // milliseconds

const $ = (selector) => document.querySelector(selector);
const write = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};
const sum = (list, of) => list.reduce((total, item) => total + of(item), 0);

// Asking

let timer = 0;
let question; // the one that is on its way
let answered = 0; // when the last answer came

async function ask() {
  clearTimeout(timer);
  const began = performance.now();
  const mine = (question = new AbortController());
  let status = null;
  try {
    const response = await fetch("status", { signal: AbortSignal.any([mine.signal, AbortSignal.timeout(patience)]), cache: "no-store" });
    if (response.ok) status = await response.json();
  } catch {
    // What is wrong, the browser's console tells.
  }
  if (mine.signal.aborted) return; // by a pause
  timer = setTimeout(ask, Math.max(period / 4, period - (performance.now() - began)));
  if (!status) {
    live("lost", answered ? `Connection lost ${span(Date.now() - answered)} ago. Trying again…` : "No connection. Trying again…");
    return;
  }
  answered = Date.now();
  live("live", "Live");
  show(status);
}

function live(state, text) {
  $("#live").dataset.state = state;
  write($("#live"), text);
  document.body.classList.toggle("lost", state === "lost");
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  question?.abort();
  if (document.hidden) live("paused", "Paused");
  else ask();
});

// Showing

const history = new History();

function show(status) {
  const processes = processesOf(status);
  const sample = history.add(status, processes);
  showHead(status);
  showCards(status, processes, sample);
  showNotices(notices(status, processes));
  processSheet.show(processes);
  workerSheet.show((status.workers ?? []).map((worker, i) => ({ ...worker, key: i })));
  const now = Date.parse(status.now);
  const exits = (status.workers ?? []).flatMap((worker) => (worker.exits ?? []).map((exit) => ({ ...exit, worker: worker.name, age: now - Date.parse(exit.last) })));
  $("#exits-panel").hidden = exits.length === 0;
  exitSheet.show(exits);
}

function showHead(status) {
  const name = status.program.split(/[/\\]/).pop();
  document.title = `${name}: ${status.state}`;
  write($("#program"), name);
  $("#state").hidden = false;
  $("#state").dataset.state = status.state;
  write($("#state"), status.state);
  write($("#about"), joined(
    status.build,
    `up ${span(Date.parse(status.now) - Date.parse(status.started))}`,
    status.reloads > 0 ? plural(status.reloads, "reload") + lastReload(status.reload) : "no reload",
    `master ${status.pid} of ${status.user}`,
    `workerman ${status.version}`,
    status.go,
  ));
  write($("#files"), joined(status.program, status.pid_file && `pid file ${status.pid_file}`, status.log_file && `log ${status.log_file}`));
}

function lastReload(reload) {
  if (!reload?.done || reload.error) return "";
  return `, the last with ${count(reload.replaced)} replaced and ${plural(reload.moved, "connection")} moved in ${lag(1000 * reload.took_seconds)}`;
}

const charts = [
  ["connections", "Connections", count, 10],
  ["rate", "Requests per second", rate, 1],
  ["lag", "Loop lag", lag, 10],
  ["cpu", "CPU", percent, 10],
  ["memory", "Memory", size, 1 << 20, sizeCeiling],
].map(([key, title, format, least, round]) => ({ key, format, chart: new Chart($(`#${key} figure`), title, format, least, round) }));

function showCards(status, processes, sample) {
  for (const { key, format, chart } of charts) {
    write($(`#${key} .value`), sample[key] === null ? "–" : format(sample[key]));
    chart.draw(history.samples, key);
  }
  const outgoing = sum(processes, (p) => p.outgoing);
  write($("#connections .detail"), joined(outgoing > 0 && `${count(outgoing)} of clients besides`, `${count(sum(processes, (p) => p.accepted))} accepted by these processes`));
  write($("#rate .detail"), `${count(sum(processes, (p) => p.requests))} received by these processes`);
  write($("#lag .detail"), "the longest turn of the last seconds");
  write($("#cpu .detail"), joined(`of ${plural(status.cpus, "CPU")}`, `load ${status.load.map((n) => n.toFixed(2)).join(" ")}`));
  write($("#memory .detail"), joined(plural(sum(processes, (p) => p.goroutines), "goroutine"), plural(sum(processes, (p) => p.timers), "timer")));
  $("#lag").classList.toggle("warn", sample.lag >= warnLag);

  const wanted = sum((status.workers ?? []).filter((w) => !w.inside), (w) => w.count);
  const ready = processes.filter((p) => p.state === "ready").length;
  const others = ["starting", "draining", "stopping", "lost"].map((state) => [processes.filter((p) => p.state === state).length, state]);
  write($("#health .value"), `${count(ready)} of ${count(wanted)}`);
  write($("#health .detail"), joined("ready", ...others.map(([n, state]) => n > 0 && `${count(n)} ${state}`)));
  $("#health").classList.toggle("bad", ready < wanted && status.state === "running");
  const exits = sum((status.workers ?? []).flatMap((w) => w.exits ?? []), (exit) => exit.count);
  showTroubles([
    ["refused", sum(processes, (p) => p.refused), "some"],
    ["unsent", sum(processes, (p) => p.send_fail), "some"],
    ["slow callbacks", sum(processes, (p) => p.slow_callbacks), "some"],
    ["TLS failures", sum(processes, (p) => p.tls_failures), "some"],
    ["panics", sum(processes, (p) => p.panics), "grave"],
    ["exits", exits, "some"],
  ]);
}

function showTroubles(list) {
  const element = $("#troubles");
  list.forEach(([title, n, weight], i) => {
    if (!element.children[2 * i]) element.append(document.createElement("dt"), document.createElement("dd"));
    const value = element.children[2 * i + 1];
    write(element.children[2 * i], title);
    write(value, count(n));
    value.className = n > 0 ? weight : "";
  });
}

// What needs a look

function busyText(process) {
  const loop = (process.loops ?? []).reduce((worst, l) => ((l.busy_ms ?? 0) > (worst?.busy_ms ?? 0) ? l : worst), null);
  if (!loop) return "";
  return `held for ${lag(loop.busy_ms)}${loop.callback ? ` by ${loop.callback}` : ""}${loop.place ? ` at ${loop.place}` : ""}`;
}

function notices(status, processes) {
  const list = [];
  const reload = status.reload;
  if (reload && !reload.done) {
    list.push({ key: "reload", text: `Reloading: ${reload.replaced} of ${plural(reload.total, "process", "processes")} replaced, ` +
      `${plural(reload.moved, "connection")} moved, ${count(reload.draining)} draining`, done: reload.replaced, total: reload.total });
  } else if (reload?.error) {
    list.push({ key: "failed", weight: "bad", text: `The last reload failed: ${reload.error}` });
  }
  for (const worker of status.workers ?? []) {
    if (worker.backoff) {
      list.push({ key: `backoff ${worker.name}`, weight: "bad", text: `The processes of ${worker.name} keep dying: their starts are slowed down, the next is in ${worker.backoff}` });
    }
  }
  for (const process of processes) {
    const name = `${process.worker} ${process.slot} (process ${process.pid})`;
    if (process.state === "lost") list.push({ key: `lost ${process.pid}`, weight: "bad", text: `${name} does not answer` });
    const text = busyText(process);
    if (text) list.push({ key: `busy ${process.pid}`, weight: "warn", text: `${name} is ${text}`, stack: process.pid });
  }
  return list;
}

let announced = new Set();

function showNotices(list) {
  const box = $("#notices");
  const present = new Map([...box.children].map((element) => [element.dataset.key, element]));
  for (const element of box.children) element.dataset.old = "true";
  for (const notice of list) {
    let element = present.get(notice.key);
    if (!element) {
      element = document.createElement("div");
      element.className = `notice ${notice.weight ?? ""}`;
      element.dataset.key = notice.key;
      element.append(document.createElement("span"));
      if (notice.total !== undefined) element.append(document.createElement("progress"));
      if (notice.stack) {
        const link = document.createElement("a");
        link.href = `stack?pid=${notice.stack}`;
        link.textContent = "stack";
        element.append(link);
      }
      box.append(element);
    }
    delete element.dataset.old;
    write(element.firstChild, notice.text);
    const bar = element.querySelector("progress");
    if (bar) {
      bar.max = Math.max(1, notice.total);
      bar.value = notice.done;
      bar.setAttribute("aria-label", "Reload");
    }
  }
  for (const element of [...box.children]) if (element.dataset.old) element.remove();
  const news = list.filter((notice) => !announced.has(notice.key));
  if (news.length > 0) write($("#announcement"), news.map((notice) => notice.text).join(". "));
  announced = new Set(list.map((notice) => notice.key));
}

// Tables

const figure = (title, value, text = (row) => count(value(row))) => ({ title, number: true, amount: true, value, text });

const links = (cell, row) => {
  if (cell.firstChild) return;
  const stack = document.createElement("a");
  stack.href = `stack?pid=${row.pid}`;
  stack.textContent = "stack";
  const profiles = document.createElement("a");
  profiles.href = `debug/pprof/?pid=${row.pid}`;
  profiles.textContent = "profiles";
  cell.append(stack, " ", profiles);
};

const state = (cell, row) => {
  const mark = cell.firstChild ?? cell.appendChild(document.createElement("span"));
  mark.className = "mark";
  mark.dataset.state = row.state;
  write(mark, row.state);
};

const longestLag = (row) => Math.max(0, ...(row.loops ?? []).map((loop) => loop.lag_ms));

const processSheet = new Sheet($("#processes"), "Processes, with their figures", [
  { title: "Worker", value: (p) => p.worker },
  { title: "Slot", number: true, value: (p) => p.slot },
  { title: "PID", number: true, value: (p) => p.pid },
  { title: "State", value: (p) => p.state, show: state },
  figure("Up", (p) => -Date.parse(p.started), (p) => span(history.samples.at(-1).time - Date.parse(p.started))),
  figure("Connections", (p) => p.connections),
  figure("Requests/s", (p) => p.rate, (p) => rate(p.rate)),
  figure("Requests", (p) => p.requests),
  figure("CPU", (p) => p.share ?? 0, (p) => (p.share === null ? "–" : percent(p.share))),
  figure("Memory", (p) => p.memory, (p) => size(p.memory)),
  figure("Lag", longestLag, (p) => lag(longestLag(p))),
  figure("Timers", (p) => p.timers),
  figure("Slow", (p) => p.slow_callbacks),
  figure("Unsent", (p) => p.send_fail),
  { title: "Look", show: links },
], identity, busyText);

const workerSheet = new Sheet($("#workers"), "Workers, with their addresses", [
  { title: "Worker", value: (w) => w.name },
  { title: "Listens", value: (w) => w.listen },
  { title: "User", value: (w) => w.user },
  { title: "Processes", number: true, value: (w) => (w.processes ?? []).filter((p) => p.state === "ready").length,
    text: (w) => (w.inside ? `inside ${w.inside}` : `${(w.processes ?? []).filter((p) => p.state === "ready").length} of ${w.count}`) },
  figure("Loops", (w) => w.loops),
  figure("Connections", (w) => sum(w.processes ?? [], (p) => p.connections)),
  figure("Requests/s", (w) => sum(w.processes ?? [], (p) => p.rate), (w) => rate(sum(w.processes ?? [], (p) => p.rate))),
  figure("Moved", (w) => w.moved),
], (w) => w.key);

const exitSheet = new Sheet($("#exits"), "Ends of processes that nobody asked for", [
  { title: "Worker", value: (e) => e.worker },
  { title: "Cause", value: (e) => e.cause, wrap: true },
  figure("Count", (e) => e.count),
  { title: "Last", number: true, value: (e) => -e.age, text: (e) => `${span(e.age)} ago` },
], (e) => `${e.worker} ${e.cause}`);

if (document.hidden) live("paused", "Paused");
else ask();

// Measures the dashboard in a real Chromium, against a real server: medians of several rounds. `make bench-dashboard` runs it.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { draw, parts } from "./parts.js";
import { Rig, type Visit } from "./rig.js";

const rounds = Number(process.env["ROUNDS"] ?? 5);
const log = "customer-acme";
const events = 10_000;
const pages = {
  overview: "#/",
  logs: "#/logs",
  "a log": `#/logs/${log}`,
  events: `#/logs/${log}/events`,
  "an event": `#/logs/${log}/events/${events}`,
  verify: `#/logs/${log}/verify`,
  views: "#/views",
  "a view": `#/logs/${log}/views/tokens`,
  usage: `#/logs/${log}/usage/tokens`,
  deploy: `#/logs/${log}/deploy`,
  query: `#/query?log=${log}&view=tokens`,
  alerts: "#/alerts",
  webhooks: "#/webhooks",
  keys: "#/keys",
  tenants: "#/tenants",
  "audit log": "#/audit-log",
};

/** A row of the table: a figure, in its unit, and the most that it may be. */
interface Row {
  what: string;
  value: number;
  unit: string;
  bar?: number;
  note?: string;
}

const rows: Row[] = [];
await using rig = await Rig.start();
await prepare();
await firstPaints();
await charts();
await scrolling();
await shifts();
rows.push({ what: "bytes, compressed by gzip", value: compressed() / 1024, unit: "KiB", bar: 250 });
print();

async function prepare(): Promise<void> {
  await rig.tally.ensureLog(log);
  const config = { value: "/tokens", aggregations: ["sum", "count"], group_by: { model: "/model" } };
  await rig.tally.deployView(log, "tokens", { ready: "meter", config });
  await rig.tally.appendEvents(
    log,
    Array.from({ length: events }, (_, i) => event(i)),
  );
}

function event(i: number): { type: string; model: string; tokens: number; user: string } {
  return {
    type: "llm.request",
    model: ["small", "large"][i % 2] ?? "",
    tokens: 100 + (i % 400),
    user: `user-${i % 97}`,
  };
}

/** Each page opened by its address in a new profile, with nothing cached. */
async function firstPaints(): Promise<void> {
  for (const [name, fragment] of Object.entries(pages)) {
    const found = await several(async () => {
      await using visit = await rig.visit(fragment);
      return await visit.page.evaluate(
        () =>
          new Promise<number>((resolve) => {
            new PerformanceObserver((list) => {
              for (const one of list.getEntriesByName("first-contentful-paint")) resolve(one.startTime);
            }).observe({ type: "paint", buffered: true });
          }),
      );
    });
    rows.push({ what: `first contentful paint: ${name}`, ...found, unit: "ms", bar: 500 });
  }
}

async function charts(): Promise<void> {
  await using page = await parts();
  await using visit = await rig.visit("", { url: page.url });
  for (const kind of ["line", "stacked"] as const) {
    const found = await several(async () => (await draw(visit.page, 100_000, kind)).ms);
    rows.push({ what: `a chart of 100,000 points, ${kind}`, ...found, unit: "ms", bar: 100 });
  }
}

interface Frames {
  times: number[]; // ms from one frame to the next
  tasks: number[]; // ms of tasks over 50 ms
}

/** From the newest of 10,000 events to the first, by the wheel. */
async function scrolling(): Promise<void> {
  const all: Frames = { times: [], tasks: [] };
  const longest: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await using visit = await rig.visit(pages.events);
    await visit.page.locator(`#event-${events}`).waitFor();
    await visit.page.locator(".events-body").hover();
    await record(visit.page);
    const first = visit.page.locator("#event-1");
    for (let turn = 0; turn < 2_000 && (turn % 20 !== 0 || (await first.count()) === 0); turn++) {
      await visit.page.mouse.wheel(0, 400);
      await pause(8);
    }
    if ((await first.count()) === 0) throw new Error("the wheel did not come to the first event");
    const { times, tasks } = await visit.page.evaluate(() => (window as unknown as { frames: Frames }).frames);
    all.times.push(...times);
    all.tasks.push(...tasks);
    longest.push(Math.max(...times));
  }
  all.times.sort((a, b) => a - b);
  const at = (share: number) => all.times[Math.floor(share * (all.times.length - 1))] ?? NaN;
  const note = `${all.times.length} frames of ${rounds} rounds`;
  rows.push({ what: "a frame while scrolling, half of all", value: at(0.5), unit: "ms", note });
  rows.push({ what: "95 of 100", value: at(0.95), unit: "ms" });
  rows.push({ what: "the longest of a round, median", value: median(longest), unit: "ms" });
  const slow = all.times.filter((ms) => ms > 50).length;
  rows.push({ what: "frames over 50 ms, in all rounds", value: slow, unit: "", note: "a busy machine makes some" });
  rows.push({
    what: "tasks over 50 ms, in all rounds",
    value: all.tasks.length,
    unit: "",
    bar: 0,
    note: all.tasks.join(", "),
  });
}

/** Has the page note its frames and its long tasks. */
async function record(page: Page): Promise<void> {
  await page.evaluate(() => {
    const frames: Frames = { times: [], tasks: [] };
    (window as unknown as { frames: Frames }).frames = frames;
    let before = performance.now();
    const next = (now: number) => {
      frames.times.push(now - before);
      before = now;
      requestAnimationFrame(next);
    };
    requestAnimationFrame((now) => {
      before = now;
      requestAnimationFrame(next);
    });
    new PerformanceObserver((list) => {
      for (const task of list.getEntries()) frames.tasks.push(task.duration);
    }).observe({ type: "longtask" });
  });
}

/** What moves by itself in ten seconds, while events come. */
async function shifts(): Promise<void> {
  for (const name of ["overview", "a log", "events", "a view", "usage"] as const) {
    await using visit = await rig.visit(pages[name]);
    await visit.page.waitForFunction(() => !document.querySelector(".loading") && document.querySelector("h1"));
    await pause(1_000);
    rows.push({ what: `layout shift in ten seconds: ${name}`, value: await shiftOf(visit), unit: "", bar: 0 });
  }
}

async function shiftOf(visit: Visit): Promise<number> {
  await visit.page.evaluate(() => {
    const shift = ((window as unknown as { shift: { sum: number } }).shift = { sum: 0 });
    new PerformanceObserver((list) => {
      for (const one of list.getEntries()) shift.sum += (one as PerformanceEntry & { value: number }).value;
    }).observe({ type: "layout-shift" });
  });
  const until = Date.now() + 10_000;
  for (let i = 0; Date.now() < until; i++) {
    await rig.tally.appendEvents(log, [event(i), event(i + 1)]);
    await pause(100);
  }
  return await visit.page.evaluate(() => (window as unknown as { shift: { sum: number } }).shift.sum);
}

function compressed(): number {
  const dist = new URL("../../dist/", import.meta.url).pathname;
  return readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .reduce((sum, file) => sum + gzipSync(readFileSync(`${file.parentPath}/${file.name}`), { level: 9 }).length, 0);
}

/** The median of a figure of several rounds, with the least and the most. */
async function several(measure: () => Promise<number>): Promise<{ value: number; note: string }> {
  const found: number[] = [];
  for (let round = 0; round < rounds; round++) found.push(await measure());
  return { value: median(found), note: `${shown(Math.min(...found))} to ${shown(Math.max(...found))}` };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

function shown(value: number): string {
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(value < 1 ? 3 : 1);
}

function print(): void {
  console.log(`${new Date().toISOString().slice(0, 10)}, ${rounds} rounds\n`);
  console.log("| what | value | bar | met | of the rounds |\n|---|---|---|---|---|");
  for (const { what, value, unit, bar, note = "" } of rows) {
    const met = bar === undefined ? "" : value <= bar ? "yes" : "**no**";
    const most = bar === undefined ? "" : `≤ ${bar} ${unit}`.trim();
    console.log(`| ${what} | ${`${shown(value)} ${unit}`.trim()} | ${most} | ${met} | ${note} |`);
  }
}

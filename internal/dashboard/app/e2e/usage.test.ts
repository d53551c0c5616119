import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { Rig } from "./rig.js";

const day = 86_400_000;
const meter = {
  ready: "meter",
  config: {
    type: "api.call",
    value: "/tokens",
    unique: "/user",
    aggregations: ["sum", "count", "unique", "p95"],
    group_by: { model: "/model", region: "/region" },
    resolution: "hour",
    timezone: "Europe/Berlin",
  },
};
const models = ["gpt-5", "claude", "llama", "=1+2", "<img src=x onerror=alert(1)>", "\u202eevil", ""];

let rig: Rig;

before(async () => {
  rig = await Rig.start();
  const { tally } = rig;
  await tally.ensureLog("customer-acme");
  const events: Record<string, unknown>[] = [];
  const now = Date.now();
  for (let back = 0; back < 75; back++) {
    for (const [n, model] of models.entries()) {
      if ((back + n) % 7 === 6) continue;
      const time = new Date(now - back * day - n * 60_000).toISOString();
      const tokens = `${(75 - back) * 10 + n * 7}.${String(n)}5`;
      events.push({ type: "api.call", time, model, region: n % 2 ? "eu" : "us", user: `u${back % 9}`, tokens });
    }
  }
  events.push({ type: "api.call", model: "gpt-5", user: "u1", tokens: null });
  events.push({ type: "api.call", model: "gpt-5", user: "u1", tokens: "<b>many</b>" });
  events.push({ type: "api.call", model: ["no", "text"], user: "u1", tokens: 1 });
  await tally.appendEvents("customer-acme", events);
  await tally.deployView("customer-acme", "tokens", meter);
  await tally.deployView("customer-acme", "calls", {
    ready: "meter",
    config: { resolution: "day", timezone: "America/New_York" },
  });
});

after(async () => {
  await rig[Symbol.asyncDispose]();
});

const usage = (view: string, query = "") => `#/logs/customer-acme/usage/${view}${query}`;

/** The value of a figure, by its name, without the spaces between its digits. */
async function figure(page: Page, name: string): Promise<string> {
  const value = page.locator("div.figure", { has: page.locator("dt", { hasText: name }) }).locator(".figure-value");
  await value.filter({ hasNotText: "–" }).waitFor();
  return (await value.innerText()).replace(/\s/g, "");
}

/** What the server itself says a meter comes to. */
async function total(question: Record<string, string>, aggregation = "sum"): Promise<string> {
  const { answer } = await rig.tally.queryView<{ rows: Record<string, unknown>[] }>("customer-acme", "tokens", {
    timezone: "Europe/Berlin",
    ...question,
  });
  return (answer.rows[0]?.[aggregation] as string | number | undefined)?.toString() ?? "0";
}

test("a meter: its chart, totals, groups and numbers, exactly as the server says them", async () => {
  await using visit = await rig.visit(usage("tokens", "?range=30d&compare=1"));
  const { page } = visit;
  await page.getByRole("img", { name: "tokens: sum by day" }).waitFor();
  const first = new Date(Date.now() - 29 * day).toLocaleDateString("sv-SE", { timeZone: "Europe/Berlin" });
  assert.equal(await figure(page, "In this range, sum"), await total({ from: first }));
  await visit.shows(/[+−]\d+\.\d %/);
  const rows = page.getByRole("region", { name: "Numbers" }).getByRole("row");
  await rows.nth(2).waitFor();
  await visit.accessible();
  await visit.picture("usage-meter");
  await page.emulateMedia({ colorScheme: "dark" });
  await visit.picture("usage-meter-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 360, height: 780 });
  await visit.accessible();
  await visit.picture("usage-meter-360");
  await page.setViewportSize({ width: 1800, height: 1200 });
  await visit.picture("usage-meter-1800");
});

test("a meter is live, and what is chosen is in the address", async () => {
  await using visit = await rig.visit(usage("tokens", "?group=-"));
  const { page } = visit;
  await figure(page, "In this range, sum");
  const tokens = "0.000000000000000000000000001";
  await rig.tally.appendEvent("customer-acme", { type: "api.call", model: "gpt-5", region: "eu", tokens });
  for (const name of ["In this range, sum", "So far"]) {
    const one = page.locator("div.figure", { has: page.locator("dt", { hasText: name }) });
    await one.locator(".figure-value", { hasText: /0{10}1\s*$/ }).waitFor();
  }
  const from = `${new Date().toLocaleDateString("sv-SE", { timeZone: "Europe/Berlin" }).slice(0, 7)}-01`;
  assert.equal(await figure(page, "In this range, sum"), await total({ from }));
  assert.equal(await figure(page, "So far"), await total({ from }));
  await visit.shows("the rate of the last 7 days");
  await page.getByLabel("Show", { exact: true }).selectOption("unique");
  await page.getByLabel("Range").selectOption("30d");
  await page.getByLabel("Time zone").fill("Asia/Tokyo");
  await page.getByRole("img", { name: "tokens: unique by day" }).waitFor();
  const { hash } = new URL(page.url());
  for (const part of ["range=30d", "show=unique", "tz=Asia%2FTokyo", "group=-"]) assert.ok(hash.includes(part), hash);
});

test("the chart's values are reached by hover and by keys, and dragging over it zooms", async () => {
  await using visit = await rig.visit(usage("tokens", "?range=7d"));
  const { page } = visit;
  const chart = page.getByRole("img", { name: "tokens: sum by day" });
  await chart.waitFor();
  const cursor = page.getByRole("slider", { name: "tokens: sum by day: values" });
  await cursor.focus();
  await page.keyboard.press("Home");
  const spoken = (await cursor.getAttribute("aria-valuetext")) ?? "";
  assert.match(spoken, /^\d{4}-\d\d-\d\d: .*Together [\d\u202f.]+$/);
  const box = (await chart.boundingBox())!;
  await page.mouse.move(box.x + 200, box.y + 100);
  await page.locator(".chart-tip").getByText("Together").waitFor();
  await page.mouse.down();
  await page.mouse.move(box.x + 420, box.y + 120, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/range=own&from=[^&]+T/);
  await page.goBack();
  await page.getByLabel("Range").waitFor();
  assert.equal(await page.getByLabel("Range").inputValue(), "7d");
});

test("the table is saved as CSV that no spreadsheet executes, with every digit", async () => {
  await using visit = await rig.visit(usage("tokens", "?range=30d&window=month"));
  const saving = visit.page.waitForEvent("download");
  await visit.page.getByRole("button", { name: "Save as CSV" }).click();
  const text = await readFile(await (await saving).path(), "utf8");
  assert.match(text, /^from,to,model,sum,count,unique,p95\r\n/);
  assert.ok(text.includes(",'=1+2,"), text);
  assert.ok(text.includes(',"",'), text);
  assert.equal(
    text.split("\r\n").some((line) => /(^|,)[=+@]/.test(line)),
    false,
  );
});

test("what was not counted is listed with its reasons; other meters are a click away", async () => {
  await using visit = await rig.visit(usage("tokens"));
  const { page } = visit;
  const left = page.getByRole("region", { name: "The last events that were not counted" });
  await left.getByText("<b>many</b>").waitFor();
  for (const reason of ["value_null", "value_not_a_number", "group_not_text"]) await left.getByText(reason).waitFor();
  await page.getByRole("navigation", { name: "Views of the log" }).getByText("calls").click();
  await page.getByRole("img", { name: "calls: count by day" }).waitFor();
  assert.equal(await page.getByLabel("Time zone").count(), 0);
});

test("a quota: limits, credits, grants and reservations, live", async () => {
  const { tally } = rig;
  await tally.ensureLog("customer-quota");
  await tally.deployView("customer-quota", "quota", {
    ready: "quota",
    config: {
      limits: [
        { name: "tokens", type: "api.call", aggregation: "sum", value: "/tokens", window: "month", limit: 1000 },
        { name: "calls", type: "api.call", window: "day", limit: 1, soft: true, group_by: { model: "/model" } },
      ],
      credits: { type: "api.call", value: "/cost", group_by: { team: "/team" } },
    },
  });
  const team = "<b>search</b>";
  await tally.appendEvents("customer-quota", [
    { type: "grant", team, grant: "welcome", amount: "100.25", expires: "2999-01-01T00:00:00Z" },
    { type: "reserve", team, reservation: "req-1", amount: "7.5", ttl: 86_400 },
    { type: "api.call", team, model: "gpt-5", tokens: 600, cost: "12.75" },
    { type: "api.call", team, model: "gpt-5", tokens: 250, cost: 0 },
  ]);
  await using visit = await rig.visit("#/logs/customer-quota/usage/quota");
  const { page } = visit;
  const limit = page.getByRole("article", { name: "Limit tokens" });
  await limit.getByText("150", { exact: true }).waitFor();
  assert.equal(await limit.getByRole("meter").getAttribute("aria-valuetext"), "850 of 1000");
  await page.getByText("1 event over it").waitFor();
  assert.equal(await figure(page, "Balance"), "80");
  assert.equal(await figure(page, "Reserved"), "7.5");
  await page.getByRole("region", { name: "Grants" }).getByText("welcome").waitFor();
  await page.getByRole("region", { name: "Reservations" }).getByText("req-1").first().waitFor();
  await visit.accessible();
  await visit.picture("usage-quota");
  await tally.appendEvent("customer-quota", { type: "api.call", team, model: "x", tokens: 50, cost: 0 });
  await limit.getByText("100", { exact: true }).waitFor();
});

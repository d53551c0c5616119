import assert from "node:assert/strict";
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

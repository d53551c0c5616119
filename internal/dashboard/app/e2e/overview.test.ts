import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { Rig } from "./rig.js";

test("the overview moves as events come, shows what needs a person, and nothing on it jumps", async () => {
  await using rig = await Rig.start();
  await using visit = await rig.visit("#/?minutes=5");
  const { page } = visit;
  await visit.shows("There is no log yet.");
  await visit.shows("Nothing was refused.");
  await visit.accessible();
  await visit.picture("overview-empty");

  const log = "customer-acme";
  await rig.tally.ensureLog(log);
  await rig.tally.deployView(log, "calls", { ready: "meter", config: { type: "api.call" } });
  await rig.tally.putAlert("many-calls", {
    logs: "customer-acme",
    view: "calls",
    value: "/rows/0/count",
    absent: "0",
    thresholds: ["100"],
  });
  const shifts = await watchShifts(page);
  await rig.tally.appendEvents(
    log,
    Array.from({ length: 500 }, () => ({ type: "api.call" })),
  );
  await fetch(`${rig.server.url}/logs/${log}/append`, { method: "POST", body: "no event" });
  await page.getByRole("table").getByRole("link", { name: log, exact: true }).waitFor();
  await page.locator(".figure", { hasText: "Events a second" }).getByText("500", { exact: true }).waitFor();
  await page.locator(".figure", { hasText: "An append takes" }).getByText("ms", { exact: false }).first().waitFor();
  await page.getByRole("link", { name: "many-calls" }).waitFor();
  await page.locator(".figure.bad", { hasText: "Firing alerts" }).waitFor();
  await page.getByRole("row", { name: /invalid/ }).waitFor();
  await visit.accessible();
  await visit.picture("overview");

  await page.getByRole("button", { name: "60 min" }).click();
  assert.match(await page.evaluate(() => location.hash), /minutes=60/);
  const jumps = await shifts();
  assert.ok(sum(jumps) < 0.05, `the page jumped: ${jumps.join(", ")}`);
});

test("logs that are active in turn stay where they are, and none of them is missed", async () => {
  await using rig = await Rig.start();
  const logs = Array.from({ length: 12 }, (_, n) => `customer-${"x".repeat(3 * n)}-${n}`);
  for (const log of logs) await rig.tally.ensureLog(log);
  for (const log of logs.slice(0, 8)) await rig.tally.appendEvent(log, {});
  await using visit = await rig.visit("#/");
  const { page } = visit;
  const table = page.getByRole("region", { name: "Latest active logs" });
  const names = () => table.locator("tbody tr td:first-child").allTextContents();
  await table.getByRole("link", { name: logs[7]!, exact: true }).waitFor();
  const before = await names();
  assert.equal(before.length, 8);
  const shifts = await watchShifts(page);

  await rig.tally.appendEvent(before[7]!, {}); // the last is the first now
  await table.locator("tbody tr", { hasText: before[7]! }).getByText("2", { exact: true }).waitFor();
  assert.deepEqual(await names(), before, "its place is another one");
  for (const log of logs.slice(8)) {
    await rig.tally.appendEvent(log, {});
    await table.getByRole("link", { name: log, exact: true }).waitFor();
  }
  const after = await names();
  assert.equal(after.length, 8);
  assert.equal(
    after.filter((name, place) => name === before[place]).length,
    4,
    "those that are still there have moved",
  );
  const jumps = await shifts();
  assert.ok(sum(jumps) < 0.001, `the page jumped: ${jumps.join(", ")}`);
});

/** Watches the layout shifts of a page. What is returned gives them so far. */
async function watchShifts(page: Page): Promise<() => Promise<number[]>> {
  await page.evaluate(() => {
    const shifts = ((window as unknown as { shifts: number[] }).shifts = []);
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const shift = entry as PerformanceEntry & { value: number; hadRecentInput: boolean };
        if (!shift.hadRecentInput) (shifts as number[]).push(shift.value);
      }
    }).observe({ type: "layout-shift" });
  });
  return () => page.evaluate(() => (window as unknown as { shifts: number[] }).shifts);
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);

import assert from "node:assert/strict";
import { test } from "node:test";
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
  await page.evaluate(() => {
    const shifts = ((window as unknown as { shifts: number[] }).shifts = []);
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const shift = entry as PerformanceEntry & { value: number; hadRecentInput: boolean };
        if (!shift.hadRecentInput) (shifts as number[]).push(shift.value);
      }
    }).observe({ type: "layout-shift" });
  });
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
  const shifts = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts);
  const sum = shifts.reduce((all, one) => all + one, 0);
  assert.ok(sum < 0.05, `the page jumped: ${shifts.join(", ")}`);
});

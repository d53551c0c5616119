import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Rig, type Visit } from "./rig.js";

let rig: Rig;
const log = "customer-acme";
before(async () => {
  rig = await Rig.start();
  await rig.tally.ensureLog(log, { labels: { plan: "gold" } });
  const config = { type: "api.call", value: "/tokens", aggregations: ["sum", "count"], group_by: { model: "/model" } };
  await rig.tally.deployView(log, "tokens", { ready: "meter", config });
  await rig.tally.appendEvents(log, [{ type: "api.call", tokens: 5, model: "a" }]);
});
after(() => rig[Symbol.asyncDispose]());

/** Every page, with its title. */
const pages = [
  ["#/", "Overview"],
  ["#/logs", "Logs"],
  [`#/logs/${log}`, log],
  [`#/logs/${log}/events`, log],
  [`#/logs/${log}/events/1`, "Event 1"],
  [`#/logs/${log}/verify`, log],
  [`#/logs/${log}/views/tokens`, "tokens"],
  [`#/logs/${log}/usage/tokens`, "tokens"],
  [`#/logs/${log}/deploy`, "Deploy a view"],
  ["#/views", "Views"],
  ["#/query", "Query"],
  ["#/alerts", "Alerts"],
  ["#/new-alert", "New alert"],
  ["#/webhooks", "Webhooks"],
  ["#/keys", "Keys"],
  ["#/tenants", "Tenants"],
  ["#/tenants/default", "default"],
  ["#/audit-log", "Audit log"],
  ["#/none", "No such page"],
] as const;

for (const [name, width] of [
  ["narrow", 360],
  ["wide", 1800],
] as const) {
  test(`every page opens on a ${name} screen without a fault, and axe finds nothing on it`, async () => {
    await using visit = await rig.visit("", { viewport: { width, height: 900 } });
    for (const [fragment, title] of pages) {
      await visit.go(fragment);
      await visit.titled(title);
      await settled(visit);
      const over = await visit.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${fragment} is ${over} pixels too wide`);
      await visit.accessible();
      await visit.picture(`${name}${fragment.replaceAll(/\W+/g, "-")}`);
    }
  });
}

// What a key may do that appends alone: a log's head, and what has no rights.
const forAppends = [`#/logs/${log}`, "#/none"];

test("a viewer without rights sees why, on every page", async () => {
  const { key } = await rig.tally.createKey({ name: "appends", scopes: ["append"] });
  await using visit = await rig.visit();
  await visit.page.evaluate((key) => sessionStorage.setItem("tallystick.key", key), key);
  await visit.page.reload();
  for (const [fragment] of pages.filter(([fragment]) => !forAppends.includes(fragment))) {
    await visit.go("#/none");
    await visit.titled("No such page");
    await visit.go(fragment);
    await visit.shows("Your key does not show this");
  }
});

test("the keyboard leads past the navigation, through it, and to the content", async () => {
  await using visit = await rig.visit("#/logs");
  await visit.page.getByRole("link", { name: log }).waitFor();
  await visit.page.keyboard.press("Tab");
  assert.equal(await focused(visit), "To the content");
  await visit.page.keyboard.press("Enter");
  await visit.page.keyboard.press("Tab");
  assert.equal(await visit.page.evaluate(() => document.activeElement?.tagName), "INPUT");
});

test("what the browser first paints comes soon", async (t) => {
  const paints: number[] = [];
  for (let round = 0; round < 5; round++) {
    await using visit = await rig.visit();
    await visit.titled("Overview");
    const paint = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN;
    paints.push(await visit.page.evaluate(paint));
  }
  assert.ok(paints.every((ms) => ms > 0));
  t.diagnostic(`first contentful paint: ${paints.map((ms) => Math.round(ms)).join(", ")} ms`);
});

function focused(visit: Visit): Promise<string> {
  return visit.page.evaluate(() => document.activeElement?.textContent ?? "");
}

/** Waits until nothing on the page is still loading. */
async function settled(visit: Visit): Promise<void> {
  await visit.page.waitForFunction(() => document.querySelector(".loading") === null);
}

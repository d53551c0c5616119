import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Rig, type Visit } from "./rig.js";

let rig: Rig;
before(async () => {
  rig = await Rig.start();
  const { tally } = rig;
  await tally.ensureLog("customer-acme", { labels: { plan: "gold", region: "eu" } });
  await tally.ensureLog("customer-globex", { labels: { plan: "gold" } });
  await tally.ensureLog("internal-acme", { labels: { plan: "free" } });
  for (const log of ["internal-acme", "customer-acme", "customer-globex"]) await tally.appendEvent(log, { type: "a" });
});
after(async () => await rig[Symbol.asyncDispose]());

/** Waits until these logs are listed, in this order, and no others. */
async function lists(visit: Visit, ...names: string[]): Promise<void> {
  await visit.page.waitForFunction(
    (wanted) =>
      [...document.querySelectorAll("main table tbody tr")]
        .map((row) => row.querySelector("a")?.textContent ?? "")
        .join() === wanted,
    names.join(),
  );
}

test("logs are found by a text, the beginning of their name, labels, and their latest event; a link shows the same", async () => {
  await using visit = await rig.visit("#/logs");
  const { page } = visit;
  await lists(visit, "customer-acme", "customer-globex", "internal-acme");
  await page.getByLabel("Search").fill("ACME");
  await lists(visit, "customer-acme", "internal-acme");
  await page.getByLabel("Begins with").fill("customer-");
  await lists(visit, "customer-acme");
  await page.getByLabel("Search").fill("");
  await lists(visit, "customer-acme", "customer-globex");
  await page.getByLabel("Order").selectOption("activity");
  await lists(visit, "customer-globex", "customer-acme");
  await rig.tally.appendEvent("customer-acme", { type: "b" });
  await lists(visit, "customer-acme", "customer-globex"); // as it comes
  await page.getByLabel("Label").fill("plan=gold,region=eu");
  await lists(visit, "customer-acme");
  await visit.accessible();
  await visit.picture("logs-filtered");
  await using other = await rig.visit(new URL(page.url()).hash);
  await lists(other, "customer-acme");
  await page.getByLabel("Label").fill("plan=none");
  await visit.shows("No log matches.");
  await visit.accessible();
});

test("usage of a view that is neither a meter nor a quota is its answer, to any question, as it changes", async () => {
  const { tally } = rig;
  const event = { model: "small", tokens_in: 5, tokens_out: 1, time: "2025-03-01T00:00:00Z" };
  await tally.deployView("customer-acme", "months", { ready: "monthly_totals" });
  await tally.appendEvent("customer-acme", event);
  await using visit = await rig.visit("#/logs/customer-acme/usage/months");
  await using other = await rig.visit("#/logs/customer-acme/usage/months?ask=month%3D2025-03");
  const answer = (one: Visit) => one.page.getByRole("region", { name: "Answer" }).last();
  await other.titled("months");
  await answer(other)
    .getByText(/"tokens_in": 5\b/)
    .first()
    .waitFor();
  await visit.page.getByLabel("Question").fill("month=2025-03");
  await visit.page.getByRole("button", { name: "Ask" }).click();
  await answer(visit)
    .getByText(/"tokens_in": 5\b/)
    .first()
    .waitFor();
  assert.match(visit.page.url(), /ask=month/);
  await tally.appendEvent("customer-acme", { ...event, tokens_in: 37 });
  for (const one of [visit, other])
    await answer(one)
      .getByText(/"tokens_in": 42\b/)
      .first()
      .waitFor();
  await visit.accessible();
  await visit.picture("usage-any");
  await visit.page.getByLabel("Question").fill("month=never");
  await visit.page.getByRole("button", { name: "Ask" }).click();
  await visit.shows("query_refused");
  await visit.accessible();
});

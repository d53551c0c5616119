import assert from "node:assert/strict";
import { test } from "node:test";
import { Rig } from "./rig.js";

test("views on patterns: deployed, how far they have spread, a new version, and away", async () => {
  await using rig = await Rig.start();
  const { tally } = rig;
  for (const log of ["customer-acme", "customer-globex", "internal"]) {
    await tally.ensureLog(log);
    await tally.appendEvent(log, { tokens: 5 });
  }
  await using visit = await rig.visit("#/views?part=patterns");
  const { page } = visit;
  await visit.shows("No view is on a pattern of logs.");
  await visit.accessible();
  await page.getByRole("link", { name: "Deploy on a pattern" }).first().click();
  await visit.titled("Deploy a view on a pattern of logs");
  await page.getByRole("radio", { name: /^Meter/ }).check();
  await page.getByLabel("Name of the view").fill("tokens");
  await page.getByLabel("Logs", { exact: true }).fill("customer-*");
  await page.getByLabel("Log to try it on").fill("customer-acme");
  await page.getByRole("button", { name: "Preview" }).click();
  await visit.shows("It folds all of the log");
  await page.getByRole("button", { name: "Deploy", exact: true }).click();
  await visit.titled("tokens");
  const figure = (name: string) => page.locator(".figure", { hasText: name }).locator(".figure-value");
  await page.locator(".figure", { hasText: "Live" }).getByText("2", { exact: true }).waitFor();
  assert.equal(await figure("Logs that match").textContent(), "2");
  await tally.ensureLog("customer-new");
  await tally.appendEvent("customer-new", { tokens: 5 });
  await page.locator(".figure", { hasText: "Live" }).getByText("3", { exact: true }).waitFor();
  await visit.accessible();
  await visit.picture("pattern");

  await page.getByRole("link", { name: "Deploy a new version" }).click();
  await page.getByLabel("timezone", { exact: true }).fill("Europe/Berlin");
  await page.getByRole("button", { name: "Deploy", exact: true }).click();
  await visit.titled("tokens");
  await page.getByRole("region", { name: "Configuration" }).last().getByText("Europe/Berlin").waitFor();
  assert.equal((await tally.getViewPattern("tokens")).version, 2);

  await visit.go("#/views?part=patterns");
  await page.getByRole("row", { name: /tokens customer-\*/ }).waitFor();
  await visit.accessible();
  await visit.picture("patterns");
  await page.getByRole("link", { name: "tokens" }).click();
  await page.getByRole("button", { name: "Retire" }).click();
  await page.getByRole("dialog").getByRole("textbox").fill("tokens");
  await page.getByRole("dialog").getByRole("button", { name: "Retire" }).click();
  await visit.shows("No view is on a pattern of logs.");
  await assert.rejects(tally.getView("customer-acme", "tokens"), { code: "view_retired" });
  await visit.go("#/views?part=modules");
  await page.getByRole("row", { name: /meter@1/ }).waitFor();
  await visit.accessible();
  await visit.go("#/views?part=ready");
  await visit.shows("meter@1");
  await visit.accessible();
  await visit.picture("ready-views");
});

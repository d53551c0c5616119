import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Rig } from "./rig.js";

test("the running month's invoice lines, exactly and live, with a forecast; another month; CSV", async () => {
  await using rig = await Rig.start();
  const log = "customer-acme";
  await rig.tally.ensureLog(log);
  const prices = { "*": { tokens_in: "0.000000000000000001", tokens_out: "0.25" } };
  await rig.tally.deployView(log, "costs", { ready: "cost_by_team", config: { prices } });
  const today = new Date();
  const earlier = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - 1, 3)).toISOString();
  await rig.tally.appendEvents(log, [
    { team: "<b>search", model: "m", tokens_in: 3, tokens_out: 4 },
    { team: "=review", model: "m", tokens_in: 0, tokens_out: 8 },
    { team: "old", model: "m", tokens_in: 1, tokens_out: 2, time: earlier },
  ]);
  await using visit = await rig.visit(`#/logs/${log}/usage/costs`);
  const { page } = visit;
  await page.getByRole("row", { name: /^<b>search 1 3 4 0 1\.000000000000000003 33\.3 % ≈ / }).waitFor();
  await page.locator(".figure", { hasText: "So far" }).getByText("3.000000000000000003").waitFor();
  await rig.tally.appendEvent(log, { team: "=review", model: "m", tokens_in: 0, tokens_out: 4 });
  await page.getByRole("row", { name: /^=review 2 0 12 0 3 75\.0 % ≈ / }).waitFor();
  await visit.accessible();
  await visit.picture("invoice");

  const [saved] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save as CSV" }).click(),
  ]);
  assert.equal(
    readFileSync(await saved.path(), "utf8"),
    "team,requests,tokens_in,tokens_out,unpriced,cost\r\n" +
      "<b>search,1,3,4,0,1.000000000000000003\r\n'=review,2,0,12,0,3\r\n",
  );

  await page.getByLabel("Month").fill(earlier.slice(0, 7));
  await page.getByRole("row", { name: /^old 1 1 2 0 0\.500000000000000001 100\.0 %$/ }).waitFor();
  assert.match(await page.evaluate(() => location.hash), /month=/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Rig } from "./rig.js";

test("a question: asked, live, shared, remembered, and copied as programs", async () => {
  await using rig = await Rig.start();
  const log = "customer-acme";
  await rig.tally.ensureLog(log);
  const config = { value: "/tokens", aggregations: ["sum", "count"], group_by: { model: "/model" } };
  await rig.tally.deployView(log, "tokens", { ready: "meter", config });
  const big = "123456789012345678901234567890";
  await rig.tally.appendEvents(log, [
    { model: "a<b>", tokens: BigInt(big) },
    { model: "b", tokens: 2 },
  ]);
  await using visit = await rig.visit("#/query");
  const { page } = visit;
  await page.getByLabel("Log").fill(log);
  await page.getByLabel("View").fill("tokens");
  await page.getByLabel("Name of parameter 1").fill("group_by");
  await page.getByLabel("Value of parameter 1").fill("model");
  await page.getByRole("button", { name: "Ask" }).click();
  const answer = page.getByRole("region", { name: "answer", exact: true });
  await answer.waitFor();
  const said = (await answer.textContent()) ?? "";
  assert.ok(said.includes(big) && said.includes('"a<b>"'), said);
  await visit.accessible();
  await visit.picture("query");

  assert.match(
    await page.evaluate(() => location.hash),
    /^#\/query\?log=customer-acme&view=tokens&q=group_by%3Dmodel$/,
  );
  const program = page.getByRole("group", { name: "Form" });
  for (const [name, has] of [
    ["curl", `curl '${rig.server.url}/logs/customer-acme/views/tokens/query?group_by=model'`],
    ["CLI", "tally query customer-acme tokens group_by=model"],
    ["Go", 'client.QueryView(ctx, "customer-acme", "tokens", "group_by=model")'],
    ["TypeScript", 'tally.queryView("customer-acme", "tokens", { "group_by": "model" })'],
    ["Python", 'tally.query_view("customer-acme", "tokens", { "group_by": "model" })'],
    ["SQL", "WHERE log = 'customer-acme' AND view = 'tokens'"],
  ] as const) {
    await program.getByRole("button", { name, exact: true }).click();
    const text = (await page.getByRole("region", { name, exact: true }).textContent()) ?? "";
    assert.ok(text.includes(has), text);
  }

  await page.getByRole("button", { name: "Live" }).click();
  await visit.shows("live, after event 2");
  await rig.tally.appendEvent(log, { model: "c", tokens: 3 });
  await visit.shows("live, after event 3");

  await page.getByLabel("Value of parameter 1").fill("none");
  await page.getByRole("button", { name: "Ask" }).click();
  await page.getByRole("alert").getByText("query_refused").waitFor();
  await page
    .getByRole("listitem")
    .getByRole("link", { name: /customer-acme · tokens/ })
    .click();
  assert.equal(await page.getByLabel("Value of parameter 1").inputValue(), "model");
});

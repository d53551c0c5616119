import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { Rig } from "./rig.js";

let rig: Rig;
before(async () => {
  rig = await Rig.start();
  await rig.tally.ensureLog("customer-acme");
});
after(async () => {
  await rig[Symbol.asyncDispose]();
});

test("keys: made, shown once, rotated, revoked", async () => {
  await using visit = await rig.visit("#/keys");
  const { page } = visit;
  await visit.shows("There is no key.");
  await visit.accessible();
  await page.getByRole("button", { name: "New key" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill("gateway-1");
  await dialog.getByRole("checkbox", { name: /^append/ }).check();
  await dialog.getByLabel("Logs", { exact: true }).fill("customer-*");
  await dialog.getByLabel("Requests a second").fill("many");
  await dialog.getByRole("button", { name: "Make the key" }).click();
  await dialog.getByRole("alert").getByText("a whole number").waitFor();
  await dialog.getByLabel("Requests a second").fill("500");
  await visit.accessible();
  await visit.picture("new-key");
  await dialog.getByRole("button", { name: "Make the key" }).click();
  const secret = page.getByRole("region", { name: "secret" });
  const key = (await secret.textContent()) ?? "";
  assert.match(key, /^tally_/);
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("row", { name: /gateway-1/ }).waitFor();
  const made = (await rig.tally.listKeys()).keys[0];
  assert.deepEqual([made?.scopes, made?.logs, made?.limits], [["append"], "customer-*", { requests_per_second: 500 }]);
  await visit.picture("keys");

  await page.getByRole("button", { name: "Rotate" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Rotate" }).click();
  assert.notEqual(await secret.textContent(), key);
  await page.getByRole("button", { name: "Close" }).click();

  await page.getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("row", { name: /gateway-1.*revoked/ }).waitFor();
  await visit.go("#/audit-log");
  await page.getByRole("row", { name: /key\.revoke gateway-1/ }).waitFor();
  await visit.accessible();
  await visit.picture("audit-log");
});

test("tenants: made, limited, suspended, resumed, and acted in", async () => {
  await using visit = await rig.visit("#/tenants");
  const { page } = visit;
  await page.getByRole("button", { name: "New tenant" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("globex");
  await page.getByRole("button", { name: "Make the tenant" }).click();
  await visit.titled("globex");
  await page.getByLabel("Events a second").fill("1000");
  await page.getByRole("button", { name: "Set the limits" }).click();
  await page.getByRole("button", { name: "Suspend" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Suspend" }).click();
  await visit.shows("suspended");
  await visit.accessible();
  await visit.picture("tenant");
  const suspended = await rig.tally.getTenant("globex");
  assert.deepEqual([suspended.suspended, suspended.limits], [true, { events_per_second: 1000 }]);
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Resume" }).click();
  await page.getByRole("button", { name: "Suspend" }).waitFor();
  await page.getByRole("button", { name: "Act in this tenant" }).click();
  await page.getByRole("complementary").or(page.locator(".who")).getByText("globex").waitFor();
  await visit.go("#/logs");
  await visit.shows("There is no log yet.");
  await page.getByRole("button", { name: "Own tenant" }).click();
  await page.getByRole("link", { name: "customer-acme" }).waitFor();
});

test("webhooks: made, told, looked at, sent again, changed, deleted", async () => {
  let answer = 500;
  const receiver = createServer((request, response) => {
    request.resume().on("end", () => response.writeHead(answer).end("<b>no</b>"));
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  try {
    await using visit = await rig.visit("#/webhooks");
    const { page } = visit;
    await visit.shows("Nobody is told of anything yet.");
    await visit.accessible();
    await page.getByRole("button", { name: "New webhook" }).click();
    const address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
    await page.getByLabel("Address").fill(address);
    await page.getByRole("checkbox", { name: "alert.fired" }).check();
    await page.getByRole("button", { name: "Make the webhook" }).click();
    assert.match((await page.getByRole("region", { name: "secret" }).textContent()) ?? "", /^whsec_/);
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByRole("link", { name: address }).click();
    await visit.titled(address);
    await page.getByRole("button", { name: "Send a test" }).click();
    await page.getByRole("row", { name: /webhook\.test pending 1/ }).waitFor();
    await page.getByRole("button", { name: "Look" }).click();
    await page.getByRole("dialog").getByText("<b>no</b>").waitFor();
    await visit.accessible();
    await visit.picture("delivery");
    await page.getByRole("button", { name: "Close" }).click();
    answer = 204;
    await page.getByRole("row", { name: /webhook\.test delivered/ }).waitFor();
    await page.getByRole("button", { name: "Look" }).click();
    await page.getByRole("button", { name: "Send again" }).click();
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByRole("row", { name: /webhook\.test delivered 3/ }).waitFor();
    await visit.picture("webhook");

    await page.getByRole("button", { name: "Change" }).click();
    await page.getByLabel("Description").fill("tells <i>billing</i>");
    await page.getByRole("button", { name: "Save" }).click();
    await visit.shows("tells <i>billing</i>");
    await page.getByRole("button", { name: "Disable" }).click();
    await page.getByRole("button", { name: "Enable" }).waitFor();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await visit.shows("Nobody is told of anything yet.");
  } finally {
    receiver.closeAllConnections();
    receiver.close();
  }
});

test("alerts: made, tried, firing, changed, deleted", async () => {
  await rig.tally.deployView("customer-acme", "calls", { ready: "meter", config: { type: "api.call" } });
  await using visit = await rig.visit("#/alerts");
  const { page } = visit;
  await visit.shows("There is no alert.");
  await visit.accessible();
  await page.getByRole("link", { name: "New alert" }).click();
  await page.getByLabel("Name").fill("calls");
  await page.getByLabel("Definition").fill('{"logs": "customer-*", "view": "none"');
  await page.getByRole("button", { name: "Make the alert" }).click();
  await page.getByRole("alert").waitFor();
  const definition = { logs: "customer-*", view: "calls", value: "/rows/0/count", absent: "0", thresholds: ["2"] };
  await page.getByLabel("Definition").fill(JSON.stringify(definition));
  await page.getByRole("button", { name: "Make the alert" }).click();
  await visit.titled("calls");
  await page.getByLabel("Log", { exact: true }).fill("customer-acme");
  await page.getByRole("button", { name: "Try" }).click();
  await visit.shows("not reached");
  await rig.tally.appendEvents("customer-acme", [{ type: "api.call" }, { type: "api.call" }]);
  await page.getByRole("row", { name: /customer-acme firing 2/ }).waitFor();
  await page.getByRole("row", { name: /fired customer-acme 2 2/ }).waitFor();
  await visit.accessible();
  await visit.picture("alert");
  await visit.go("#/alerts");
  await page.getByRole("row", { name: /calls firing/ }).waitFor();
  await visit.picture("alerts");
  await visit.go("#/");
  await page.getByRole("table").getByRole("link", { name: "calls", exact: true }).waitFor();
  await visit.go("#/alerts/calls");
  await page.getByRole("button", { name: "Change" }).click();
  await page.getByLabel("Definition").fill(JSON.stringify({ ...definition, thresholds: ["5"] }));
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("row", { name: /customer-acme ok 2/ }).waitFor();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await visit.shows("There is no alert.");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Rig, type Visit } from "./rig.js";
import { Second } from "./second.js";

test("a key, a second server, a restart, a lost network, and a revoked key", async (t) => {
  await using rig = await Rig.start();
  await rig.tally.ensureLog("customer-acme");
  await using second = new Second(rig.server.databaseUrl);
  await second.start();
  const reader = await rig.tally.createKey({ name: "reader", scopes: ["read"] });
  await using visit = await rig.visit("#/logs/customer-acme", { url: second.url });
  const { page } = visit;

  await t.test("without a key there is the sign-in, and a wrong one does not open", async () => {
    await page.getByLabel("Key").fill("tally_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await visit.shows("does not know this key");
    await visit.accessible();
    await visit.picture("sign-in");
  });

  await t.test("a key opens the page that was asked for, and is in no address and no lasting storage", async () => {
    await signIn(visit, reader.key);
    await visit.titled("customer-acme");
    const kept = await page.evaluate(() => [location.href, JSON.stringify(localStorage), document.cookie].join(" "));
    assert.ok(!kept.includes(reader.key), kept);
    await page.reload();
    await visit.titled("customer-acme");
  });

  await t.test("only what the key may do is there", async () => {
    assert.deepEqual(await page.getByRole("navigation", { name: "Pages" }).getByRole("link").allTextContents(), [
      "Overview",
      "Logs",
      "Views",
    ]);
    await visit.go("#/keys");
    await visit.shows("Your key does not show this");
    await visit.accessible();
    await visit.go("#/logs");
  });

  await t.test("what one server takes, the other's page shows", async () => {
    await rig.tally.appendEvents("customer-acme", [{ type: "a" }, { type: "b" }]);
    await page.getByRole("row", { name: "customer-acme 2" }).waitFor();
  });

  await t.test("a restart shows, and passes by itself", async () => {
    await second.stop();
    await visit.shows("The server has not been reached");
    await visit.picture("lost");
    await second.start();
    await page.getByText("The server has not been reached").waitFor({ state: "detached" });
    await rig.tally.appendEvent("customer-acme", { type: "c" });
    await page.getByRole("row", { name: "customer-acme 3" }).waitFor();
  });

  await t.test("a lost network shows, and passes by itself", async () => {
    await page.context().setOffline(true);
    await visit.shows("The server has not been reached");
    await rig.tally.appendEvent("customer-acme", { type: "d" });
    await page.context().setOffline(false);
    await page.getByRole("row", { name: "customer-acme 4" }).waitFor();
    await page.getByText("The server has not been reached").waitFor({ state: "detached" });
  });

  await t.test("a revoked key signs out, and another goes on where one was", async () => {
    await rig.tally.revokeKey(reader.key_id);
    await visit.shows("The key has expired, or was revoked");
    const other = await rig.tally.createKey({ name: "reader-2", scopes: ["read", "admin"] });
    await signIn(visit, other.key);
    await visit.titled("Logs");
  });

  await t.test("signing out forgets the key", async () => {
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Key").waitFor();
    assert.equal(await page.evaluate(() => JSON.stringify(sessionStorage).includes("tally_")), false);
  });
});

async function signIn({ page }: Visit, key: string): Promise<void> {
  await page.getByLabel("Key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
}

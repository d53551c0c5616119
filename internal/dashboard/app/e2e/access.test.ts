import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Rig, type Visit } from "./rig.js";
import { Second } from "./second.js";

// What keys with few scopes see, page by page, and what a server shows that has no key to sign with: the second server has none.

let rig: Rig;
let second: Second;
before(async () => {
  rig = await Rig.start();
  second = new Second(rig.server.databaseUrl);
  await second.start();
  await rig.tally.ensureLog("acme");
  await rig.tally.deployView("acme", "tokens", { ready: "meter", config: { value: "/tokens", aggregations: ["sum"] } });
  await rig.tally.deployViewPattern("months", { ready: "monthly_totals" }, { logs: "acme*" });
  await rig.tally.appendEvents("acme", [{ tokens: 5 }, { tokens: 7 }]);
});
after(async () => {
  await second.stop();
  await rig[Symbol.asyncDispose]();
});

type Scope = "append" | "read" | "query" | "deploy" | "admin" | "operator";

/** A tab of the second server, signed in with a key of these scopes; what the server refuses it is added to a list. */
async function signedIn(refused: string[], fragment: string, ...scopes: Scope[]): Promise<Visit> {
  const { key } = await rig.tally.createKey({ name: `key-${scopes.join("-")}-${Date.now()}`, scopes });
  const visit = await rig.visit(fragment, { url: second.url });
  visit.page.on("response", (response) => {
    if (response.status() === 403) refused.push(response.url());
  });
  await visit.page.getByLabel("Key").fill(key);
  await visit.page.getByRole("button", { name: "Sign in" }).click();
  return visit;
}

const pages: readonly (readonly [fragment: string, title: string, needs: string])[] = [
  ["#/", "Overview", "read or query or deploy or admin"],
  ["#/logs", "Logs", "read or deploy"],
  ["#/logs/acme/events", "acme", "read"],
  ["#/logs/acme/events/1", "Event 1", "read"],
  ["#/logs/acme/verify", "acme", "read"],
  ["#/logs/acme/views/tokens", "tokens", "read or query or deploy"],
  ["#/logs/acme/usage/tokens", "tokens", "query"],
  ["#/logs/acme/deploy", "Deploy a view", "deploy"],
  ["#/views", "Views", "read or query or deploy"],
  ["#/views/months", "months", "deploy"],
  ["#/deploy", "Deploy a view on a pattern of logs", "deploy"],
  ["#/query", "Query", "query"],
  ["#/query?log=acme&view=tokens", "Query", "query"],
  ["#/alerts", "Alerts", "query or admin"],
  ["#/alerts/any", "any", "query or admin"],
  ["#/new-alert", "New alert", "admin"],
  ["#/webhooks", "Webhooks", "admin"],
  ["#/webhooks/any", "Webhook", "admin"],
  ["#/keys", "Keys", "admin"],
  ["#/audit-log", "Audit log", "admin"],
  ["#/tenants", "Tenants", "operator"],
  ["#/tenants/default", "default", "operator"],
];

test("every page says which scope it takes to a key that has none of them, and asks the server for nothing", async () => {
  const refused: string[] = [];
  await using visit = await signedIn(refused, "#/", "append");
  await visit.titled("Overview");
  for (const [fragment, title, needs] of pages) {
    await visit.go(fragment);
    await visit.titled(title);
    await visit.shows("Your key does not show this.");
    await visit.shows(`It takes a key with the scope ${needs}.`);
    assert.equal(await visit.page.getByRole("alert").count(), 0, fragment);
    await visit.accessible();
  }
  await visit.page.setViewportSize({ width: 360, height: 740 });
  await visit.go("#/logs/acme/usage/tokens");
  await visit.titled("tokens");
  await visit.accessible();
  await visit.picture("no-permission-360");
  assert.deepEqual(refused, []);
});

test("a key that reads and does not query sees views without answers", async () => {
  const refused: string[] = [];
  await using visit = await signedIn(refused, "#/logs/acme/views/tokens", "read");
  await visit.titled("tokens");
  await visit.page.getByRole("region", { name: "What it is" }).waitFor();
  assert.equal(await visit.page.getByRole("region", { name: "Answer" }).count(), 0);
  for (const name of ["Usage", "Query"]) assert.equal(await visit.page.getByRole("link", { name }).count(), 0, name);
  await visit.go("#/logs/acme/usage/tokens");
  await visit.shows("It takes a key with the scope query.");
  await visit.picture("usage-no-permission");
  await visit.go("#/query?log=acme&view=tokens");
  await visit.shows("It takes a key with the scope query.");
  await visit.go("#/logs/acme");
  await visit.titled("acme");
  await visit.shows("tokens");
  await visit.accessible();
  await visit.go("#/");
  await visit.titled("Overview");
  await visit.accessible();
  assert.deepEqual(refused, []);
});

test("a key that queries and does not read sees usage, answers, and no events", async () => {
  const refused: string[] = [];
  await using visit = await signedIn(refused, "#/logs/acme/usage/tokens", "query");
  await visit.titled("tokens");
  await visit.page.getByRole("table").first().waitFor();
  await visit.accessible();
  await visit.go("#/query?log=acme&view=tokens");
  await visit.page.getByRole("button", { name: "Ask" }).click();
  await visit.shows('"sum": "12"');
  await visit.go("#/logs/acme/views/tokens");
  await visit.page.getByRole("region", { name: "Answer" }).getByText('"sum": "12"').waitFor();
  await visit.accessible();
  await visit.go("#/logs/acme/events/1");
  await visit.shows("It takes a key with the scope read.");
  assert.deepEqual(refused, []);
});

test("a log outside of a key's pattern is not there for it", async () => {
  const { key } = await rig.tally.createKey({ name: "narrow", scopes: ["read", "query"], logs: "other-*" });
  await using visit = await rig.visit("#/logs/acme", { url: second.url });
  await visit.page.getByLabel("Key").fill(key);
  await visit.page.getByRole("button", { name: "Sign in" }).click();
  await visit.titled("acme");
  await visit.page
    .getByText(/log_not_found|outside/)
    .first()
    .waitFor();
  await visit.accessible();
  await visit.go("#/logs/acme/usage/tokens");
  await visit.page
    .getByText(/log_not_found|outside/)
    .first()
    .waitFor();
  await visit.go("#/logs");
  await visit.page.getByText("acme").waitFor({ state: "detached" });
});

test("a server without a signing key says so, and verifies all the same", async () => {
  await using visit = await signedIn([], "#/logs/acme/verify", "read");
  const checkpoint = visit.page.getByRole("region", { name: "Checkpoint" });
  await checkpoint.getByText("This server signs no checkpoints.").waitFor();
  await checkpoint.getByText("--signing-key").waitFor();
  assert.equal(await visit.page.getByRole("alert").count(), 0);
  assert.equal(await checkpoint.getByRole("button").count(), 0, "nothing to press that could only fail");
  await visit.accessible();
  await visit.picture("verify-no-signing-key");
  await visit.page.getByRole("button", { name: "Verify the log" }).click();
  await visit.shows("Everything is as it was recorded.");
  await visit.page.setViewportSize({ width: 360, height: 740 });
  await visit.accessible();
});

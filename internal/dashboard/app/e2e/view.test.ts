import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Rig, type Visit } from "./rig.js";

const scripted = readFileSync(new URL("../../../testrig/scripted/scripted.wasm", import.meta.url));
const guarded = readFileSync(new URL("../../../testrig/guarded/guarded.wasm", import.meta.url));

let rig: Rig;
before(async () => {
  rig = await Rig.start();
});
after(() => rig[Symbol.asyncDispose]());

const dialog = (visit: Visit) => visit.page.getByRole("dialog");

test("a view: its live answer, its versions, back to one, an audit, and away by its name", async () => {
  const { tally } = rig;
  await tally.ensureLog("acme");
  await tally.appendEvents("acme", [{ tokens: 5 }, { tokens: 7 }]);
  const meter = (...aggregations: string[]) => ({ ready: "meter", config: { value: "/tokens", aggregations } });
  await tally.deployView("acme", "tokens", meter("sum"));
  await tally.deployView("acme", "tokens", meter("sum", "max"), { actor: "ann <b>" });
  await using visit = await rig.visit("#/logs/acme/views/tokens");
  await using other = await rig.visit("#/logs/acme/views/tokens");
  const { page } = visit;
  await visit.titled("tokens");
  const answer = page.getByRole("region", { name: "Answer" });
  await answer.getByText('"sum": "12"').waitFor();
  await answer.getByText('"max": "7"').waitFor();
  await tally.appendEvent("acme", { tokens: 30 });
  await answer.getByText('"sum": "42"').waitFor();
  await answer.getByLabel("Question").fill("window=day");
  await answer.getByText('"window": "day"').waitFor();
  assert.match(page.url(), /q=window/);
  await page.getByRole("region", { name: "What it is" }).getByText("ann <b>").waitFor();
  assert.equal(await page.getByRole("link", { name: "Usage" }).getAttribute("href"), "#/logs/acme/usage/tokens");
  assert.equal(
    await page.getByRole("link", { name: "Query" }).last().getAttribute("href"),
    "#/query?log=acme&view=tokens",
  );

  await page.getByRole("button", { name: "Audit" }).click();
  await visit.shows("All agree.");
  await visit.shows(/3 events were folded in \d ways/);
  await visit.accessible();
  await visit.picture("view");

  await page.getByRole("button", { name: "Go back to 1" }).click();
  await dialog(visit).getByText("Version 2 answers until it is.").waitFor();
  await dialog(visit).getByRole("button", { name: "Go back to 1" }).click();
  await page.getByRole("button", { name: "Go back to 2" }).waitFor();
  await other.page.locator(".standing").getByText("version 1").waitFor();
  await other.page.getByRole("region", { name: "What was done" }).last().getByText("went back to").waitFor();

  await page.getByRole("button", { name: "Retire" }).click();
  await dialog(visit).getByRole("textbox").fill("token");
  await dialog(visit).getByRole("button", { name: "Retire" }).click();
  await dialog(visit).getByText("nothing was done").waitFor();
  assert.equal((await tally.getView("acme", "tokens")).status, "live");
  await visit.accessible();
  await dialog(visit).getByRole("textbox").fill("tokens");
  await dialog(visit).getByRole("button", { name: "Retire" }).click();
  await page.locator(".standing").getByText("retired").waitFor();
  await other.page.locator(".standing").getByText("retired").waitFor();
  assert.equal(await page.getByRole("button", { name: "Retire" }).count(), 0);
});

test("a build shows how far it is, and moves", async () => {
  const { tally } = rig;
  await tally.ensureLog("slow");
  const spin = { script: "spin\t10" };
  for (let i = 0; i < 8; i++)
    await tally.appendEvents(
      "slow",
      Array.from({ length: 1_000 }, () => spin),
    );
  await tally.deployModule("slow", "spinning", scripted, { gas: 1_000_000_000 });
  await using visit = await rig.visit("#/logs/slow/views/spinning");
  const bar = visit.page.getByRole("progressbar", { name: "Build of version 1" }).first();
  await bar.waitFor();
  const share = async () => Number(await bar.getAttribute("value"));
  const first = await share();
  await visit.page.waitForFunction((was) => (document.querySelector("progress")?.value ?? 0) > was, first);
  assert.ok(first < 1);
  await visit.shows(/of 8.000 events/);
  await visit.shows(/\d events\/s/);
  await visit.shows(/ left$/);
  await visit.shows("It answers once it is at the log's head.");
  await visit.accessible();
  await visit.picture("view-building");

  await using list = await rig.visit("#/views");
  await list.page.getByRole("progressbar", { name: "Build of spinning on slow" }).waitFor();
  await list.page.getByLabel("Status").selectOption("live");
  await list.page.getByText("spinning").waitFor({ state: "detached" });
  await tally.retireView("slow", "spinning");
});

test("an audit shows how far it is, and ends with a button or with the page", async () => {
  const { tally } = rig;
  await tally.ensureLog("audited");
  await tally.appendEvents(
    "audited",
    Array.from({ length: 2_500 }, () => ({ script: "spin\t10" })),
  );
  await tally.deployModule("audited", "spinning", scripted, { gas: 1_000_000_000 });
  await using visit = await rig.visit("#/logs/audited/views/spinning");
  const { page } = visit;
  await page.locator(".standing").getByText("live").waitFor({ timeout: 120_000 });
  const ended = () => page.waitForEvent("requestfailed", (request) => request.url().endsWith("/audit"));
  const section = page.getByRole("region", { name: "Audit" });
  await section.getByRole("button", { name: "Audit" }).click();
  await section.getByText(/[1-9][\d\u202f]* of 2\u202f500 events folded/).waitFor();
  await page.waitForFunction(() => (document.querySelector<HTMLProgressElement>(".audit progress")?.value ?? 0) > 0);
  await visit.picture("view-audit");
  const stopped = ended();
  await section.getByRole("button", { name: "Stop" }).click();
  await section.getByText("It takes as long as").waitFor();
  await stopped;
  assert.equal(await section.getByRole("alert").count(), 0);
  await section.getByRole("button", { name: "Audit" }).click();
  await section.getByText(/[1-9][\d\u202f]* of 2\u202f500 events folded/).waitFor();
  const left = ended();
  await visit.go("#/logs/audited");
  await left;
});

test("a halt shows its error and its event as text, and is taken past it", async () => {
  const { tally } = rig;
  await tally.ensureLog("globex");
  const evil = "<img src=x onerror=alert(1)> \u202eevil";
  await tally.appendEvents("globex", [
    { script: "set\ta\t1" },
    { script: `fail\t${evil}`, note: evil },
    { script: "set\ta\t2" },
  ]);
  await tally.deployModule("globex", "scripted", scripted);
  await using visit = await rig.visit("#/views");
  await using other = await rig.visit("#/logs/globex/views/scripted");
  const { page } = visit;
  await page
    .getByRole("row", { name: /scripted/ })
    .getByText("halted")
    .waitFor();
  await visit.accessible();
  await visit.picture("views");
  await page.getByRole("link", { name: "scripted" }).click();
  await visit.titled("scripted");
  const halt = page.getByRole("region", { name: "Version 1 is halted" });
  await halt.getByText("<img src=x onerror=alert(1)> \\u202eevil").first().waitFor();
  assert.match((await halt.getByRole("region", { name: "The event" }).textContent()) ?? "", /^\{"script":"fail\\t<img/);
  assert.equal(await halt.getByRole("link", { name: "2" }).getAttribute("href"), "#/logs/globex/events/2");
  assert.equal(await page.locator("article img").count(), 0);
  await visit.accessible();
  await visit.picture("view-halted");

  // Again: it halts at the same event.
  await halt.getByRole("button", { name: "Resume" }).click();
  await dialog(visit).getByRole("button", { name: "Try the event again" }).click();
  await page.getByRole("table").last().getByText("resumed", { exact: true }).waitFor();
  await halt.getByRole("button", { name: "Resume" }).click();
  await dialog(visit).getByText("Go on past it").click();
  await dialog(visit).getByLabel("Reason").fill("a broken price");
  await visit.accessible();
  await dialog(visit).getByRole("button", { name: "Leave the event out" }).click();
  await page.locator(".standing").getByText("live").waitFor();
  await other.page.locator(".standing").getByText("live").waitFor();
  await page.getByRole("cell", { name: "a broken price" }).waitFor();
  await page.getByRole("button", { name: "Audit" }).click();
  await visit.shows(/1 event is left out of this version/);
});

test("a guard: what it does, and what its halt means for appends", async () => {
  const { tally } = rig;
  await tally.ensureLog("guarded");
  await tally.deployModule("guarded", "limit", guarded, { config: { limit: 10 }, on_halt: "refuse" });
  await using visit = await rig.visit("#/logs/guarded/views/limit");
  const facts = visit.page.getByRole("region", { name: "What it is" });
  await facts.getByText(/decides on each event before it is appended/).waitFor();
  await facts.getByText("refused", { exact: true }).waitFor();
  await tally.appendEvent("guarded", { guard: "trap" }).catch(() => undefined);
  await visit.shows("the log takes no event");
});

test("a key without deploy sees no button that deploys", async () => {
  await using keyed = await Rig.start({ args: ["--keys"] });
  const key = (scopes: string) => {
    const made = execFileSync(
      process.env["TALLY_BINARY"] ?? "tally",
      [
        "key",
        "create",
        "--database-url",
        keyed.server.databaseUrl,
        "--name",
        scopes.replaceAll(",", "-"),
        "--scopes",
        scopes,
        "--output",
        "json",
      ],
      { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
    );
    return (JSON.parse(made) as { secret?: string; key?: string }).secret ?? (JSON.parse(made) as { key: string }).key;
  };
  const all = keyed.server.client({ key: key("append,read,query,deploy") });
  await all.ensureLog("acme");
  await all.appendEvents("acme", [{ script: "set\ta\t1" }, { script: "fail\tno" }]);
  await all.deployModule("acme", "scripted", scripted);
  await all.deployView("acme", "months", { ready: "monthly_totals" });
  await using visit = await keyed.visit("#/logs/acme/views/scripted");
  await visit.page.getByLabel("Key").fill(key("query"));
  await visit.page.getByRole("button", { name: "Sign in" }).click();
  await visit.titled("scripted");
  await visit.shows("could not count event");
  for (const name of ["Resume", "Retire", "Audit", /Go back/]) {
    assert.equal(await visit.page.getByRole("button", { name }).count(), 0, String(name));
  }
  assert.equal(await visit.page.getByRole("link", { name: "Deploy a new version" }).count(), 0);
  assert.equal(await visit.page.getByRole("region", { name: "The event" }).count(), 0);
  await visit.go("#/views?part=ready");
  await visit.shows("Counts, sums and compares events");
  assert.equal(await visit.page.getByRole("link", { name: /Deploy/ }).count(), 0);
  assert.equal(await visit.page.getByRole("link", { name: /On patterns|Modules/ }).count(), 0);
  for (const fragment of ["#/logs/acme/deploy", "#/views?part=patterns", "#/views?part=modules", "#/views/any"]) {
    await visit.go(fragment);
    await visit.shows("It takes a key with the scope deploy.");
  }
  await visit.accessible();
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Rig, type Visit } from "./rig.js";

// Everything that an event's page says of how it was counted; what is counted, ignored and not counted by a meter is in event.test.ts.

const scripted = readFileSync(new URL("../../../testrig/scripted/scripted.wasm", import.meta.url));
const guarded = readFileSync(new URL("../../../testrig/guarded/guarded.wasm", import.meta.url));

let rig: Rig;
before(async () => void (rig = await Rig.start()));
after(async () => await rig[Symbol.asyncDispose]());

/** What the page says of one view: the outcome, and the sentence with the reason. */
function toldOf(visit: Visit, view: string) {
  const told = visit.page.locator(".counted").filter({ has: visit.page.getByRole("heading", { name: view }) });
  return {
    is: (outcome: string) => told.locator(".status", { hasText: new RegExp(`^${outcome}$`) }).waitFor(),
    says: (text: string | RegExp) => told.getByText(text).first().waitFor(),
  };
}

test("halted, not yet, and left out: as the view goes past one event after the other", async () => {
  const { tally } = rig;
  await tally.ensureLog("halting");
  await tally.deployModule("halting", "scripted", scripted);
  await tally.deployView("halting", "months", { ready: "monthly_totals" });
  await tally.appendEvents("halting", [
    { script: "set\ta\t1" },
    { script: "fail\tno price for <b>gpt-9</b>" },
    { script: "fail\tno price either" },
    { script: "set\ta\t2" },
  ]);
  await using visit = await rig.visit("#/logs/halting/events/1");
  const view = toldOf(visit, "scripted");
  await view.is("applied");
  await view.says("It changed the state.");
  await view.says("the view is halted");
  await visit.go("#/logs/halting/events/2");
  await view.is("halted");
  await view.says("The view halted over it.");
  await view.says(/no price for <b>gpt-9<\/b>/);
  await toldOf(visit, "months").is("ignored"); // the other view goes on, and has no use for it
  await visit.accessible();
  await visit.picture("event-halted");
  await visit.go("#/logs/halting/events/4");
  await view.is("not yet");
  await view.says("The view has not come to it.");
  await view.says("the version halted at event 2");
  await visit.accessible();

  await tally.resumeView("halting", "scripted", { skip: true, reason: "not ours" });
  await visit.page.getByRole("button", { name: "Again" }).click();
  await view.says("the version halted at event 3");
  await visit.go("#/logs/halting/events/2");
  await view.is("left out");
  await view.says("The view was resumed past it.");
  await visit.picture("event-left-out");
  await visit.accessible();
  await tally.resumeView("halting", "scripted", { skip: true });
  await visit.go("#/logs/halting/events/4");
  await view.is("applied");
  await visit.page.locator("mark, .state-value").first().waitFor();
});

test("not yet: a version that is being built says how far it is", async () => {
  const { tally } = rig;
  await tally.ensureLog("building");
  for (let i = 0; i < 8; i++) {
    await tally.appendEvents(
      "building",
      Array.from({ length: 1_000 }, () => ({ script: "spin\t10" })),
    );
  }
  await tally.deployModule("building", "spinning", scripted, { gas: 1_000_000_000 });
  await using visit = await rig.visit("#/logs/building/events/8000");
  const view = toldOf(visit, "spinning");
  await view.is("not yet");
  await view.says(/the version is being built, and has come to event \d+/);
  await view.says("the view is building");
  await visit.accessible();
  await tally.retireView("building", "spinning");
  await visit.page.getByRole("button", { name: "Again" }).click();
  await visit.shows("The log has no view.");
});

test("refused: a guard keeps an event out, and what a guard fails over is in the log and not counted", async () => {
  const { tally } = rig;
  await tally.ensureLog("guarded");
  await tally.deployModule("guarded", "limit", guarded, { config: { limit: 3 } });
  await tally.appendEvent("guarded", { units: 3 });
  await assert.rejects(tally.appendEvent("guarded", { units: 1 }), /does not admit/);
  await using visit = await rig.visit("#/logs/guarded/events/2");
  await visit.shows("sequence_not_found"); // a refused event is in no log, and has no number
  await tally.appendEvent("guarded", { guard: "trap", units: 1 });
  await visit.go("#/logs/guarded/events/1");
  await toldOf(visit, "limit").is("applied");
  await visit.go("#/logs/guarded/events/2");
  await toldOf(visit, "limit").is("halted");
  await toldOf(visit, "limit").says("The view halted over it.");
  await visit.accessible();
});

test("ignored and not counted by a quota, each with its reason", async () => {
  const { tally } = rig;
  await tally.ensureLog("credits");
  await tally.appendEvents("credits", [
    { type: "grant", amount: 100, id: "g1" },
    { type: "grant", amount: "a lot", id: "g2" },
  ]);
  // Its guard would refuse the second; what is in the log before the guard is counted as it is.
  await tally.deployView("credits", "quota", { ready: "quota", config: { credits: { value: "/tokens" } } });
  await using visit = await rig.visit("#/logs/credits/events/1");
  const view = toldOf(visit, "quota");
  await view.is("applied");
  await visit.go("#/logs/credits/events/2");
  await view.is("not counted");
  await view.says("It could not be counted, in whole or in part.");
  assert.notEqual(await visit.page.locator(".counted-reason").textContent(), "");
});

test("unknown: what could not be found out is not called counted", async () => {
  const { tally } = rig;
  await tally.ensureLog("unknown");
  await tally.deployView("unknown", "months", { ready: "monthly_totals" });
  await tally.appendEvent("unknown", { type: "a" });
  await using visit = await rig.visit();
  // A server comes to this after 45 seconds of folding.
  await visit.page.route("**/events/1/explanation", async (route) => {
    const response = await route.fetch();
    const told = (await response.json()) as { views: Record<string, unknown>[] };
    for (const one of told.views) Object.assign(one, { outcome: "unknown", reason: "it takes longer", changes: [] });
    await route.fulfill({ response, json: told });
  });
  await visit.go("#/logs/unknown/events/1");
  await toldOf(visit, "months").is("unknown");
  await toldOf(visit, "months").says(/It could not be found out\.\s*it takes longer/);
  await visit.accessible();
});

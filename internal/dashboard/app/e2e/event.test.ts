import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Rig } from "./rig.js";

let rig: Rig;
before(async () => void (rig = await Rig.start()));
after(async () => await rig[Symbol.asyncDispose]());

/** A log with a meter, and events that it counts, ignores and cannot count. */
async function meter(log: string): Promise<void> {
  await rig.tally.ensureLog(log);
  await rig.tally.deployView(log, "tokens", {
    ready: "meter",
    config: {
      type: "api.call",
      value: "/tokens",
      aggregations: ["sum", "count"],
      group_by: { model: "/model" },
    },
  });
  await rig.tally.appendEvents(log, [
    { type: "api.call", id: "1", source: "gateway", tokens: 150, model: "small" },
    { type: "other" },
    { type: "api.call", tokens: "many", model: "small" },
    { type: "api.call", tokens: 50, model: "small" },
  ]);
}

test("one event shows what it is, that its hash is right, and how each view counted it", async () => {
  await meter("counted");
  await using visit = await rig.visit("#/logs/counted/events/1");
  await visit.titled("Event 1");
  await visit.shows("The same, from the event’s bytes");
  await visit.shows("gateway 1");
  await visit.shows("It changed the state.");
  await visit.picture("event-first");
  await visit.accessible();
  await visit.page.getByRole("link", { name: "Event 2 →" }).click();
  await visit.titled("Event 2");
  await visit.shows("It changes nothing in this view.");
  await visit.shows("The same, from the event’s bytes");
  await visit.go("#/logs/counted/events/3");
  await visit.titled("Event 3");
  await visit.shows("It could not be counted, in whole or in part.");
  await visit.shows("value_not_a_number");
  await visit.go("#/logs/counted/events/4");
  await visit.titled("Event 4");
  await visit.shows("The latest event");
  await visit.page.locator("mark").first().waitFor(); // what is other than before
  await visit.page.setViewportSize({ width: 360, height: 740 });
  await visit.accessible();
  await visit.picture("event-360");
  await visit.page.getByRole("link", { name: "tokens" }).click();
  await visit.page.waitForFunction(() => location.hash === "#/logs/counted/views/tokens");
  await visit.go("#/logs/counted/events/99");
  await visit.shows("sequence_not_found");
  await visit.go("#/logs/counted/events/nothing");
  await visit.titled("No such event");
});

test("an event that is changed on its way does not pass", async () => {
  await meter("changed");
  await using visit = await rig.visit();
  await visit.page.route("**/logs/changed/events/3", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replace('"many"', '"most"') });
  });
  await visit.go("#/logs/changed/events/3");
  await visit.shows("is not what was recorded");
  await visit.accessible();
  await visit.go("#/logs/changed/events/2");
  await visit.titled("Event 2");
  await visit.shows("The same, from the event’s bytes");
});

test("a page without TLS says that it cannot compute hashes", async () => {
  await meter("plain");
  await using visit = await rig.visit();
  await visit.page.addInitScript("Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })");
  await visit.page.reload();
  await visit.go("#/logs/plain/events/2");
  await visit.shows("browsers compute hashes only on pages with TLS");
  await visit.go("#/logs/plain/events/1");
  await visit.titled("Event 1");
  await visit.shows("browsers compute hashes only on pages with TLS");
});

test("bytes are those that were sent, to copy and to save", async () => {
  const raw = `{ "type" : "api.call",\n\t"big": 12345678901234567890.10, "e\\u0301": "\\ud83d\\ude00", "back": "\u202egnp.exe" }`;
  await rig.tally.ensureLog("bytes");
  await rig.tally.appendEvent("bytes", raw);
  await using visit = await rig.visit("#/logs/bytes/events/1", {
    permissions: ["clipboard-read", "clipboard-write"],
    acceptDownloads: true,
  });
  await visit.shows("12345678901234567890.10"); // no digit is lost
  await visit.shows("\\u202e"); // and what would turn the text around is seen
  await visit.shows("The same, from the event’s bytes");
  await visit.page.getByRole("button", { name: "As sent" }).click();
  await visit.page.getByRole("region", { name: "The event as it was sent" }).waitFor();
  await visit.page.getByRole("button", { name: "Copy bytes as they were sent" }).click();
  await visit.shows("Copied");
  assert.equal(await visit.page.evaluate(() => navigator.clipboard.readText()), raw);
  const [download] = await Promise.all([
    visit.page.waitForEvent("download"),
    visit.page.getByRole("button", { name: "Download" }).click(),
  ]);
  assert.equal(download.suggestedFilename(), "bytes-1.json");
  assert.equal(readFileSync(await download.path(), "utf8"), raw);
});

test("events of a mebibyte, deep ones, and such that look like markup stay text, and the page awake", async () => {
  const markup = `<img src=x onerror="window.caught=1"><script>window.caught=2</script>`;
  const id = JSON.stringify(`${markup}\u2067key`);
  const type = JSON.stringify(`${markup.slice(0, 60)}\u202eevil`);
  const deep = `{"id":${id},"type":${type},"d":${"[".repeat(127)}${"]".repeat(127)}}`;
  const long = JSON.stringify({ type: "long", text: markup + "x".repeat((1 << 20) - 200) });
  const proto = `{"type":"proto","__proto__":{"polluted":true},"constructor":{"prototype":1},"":"nameless"}`;
  const log = "a.B_c:d@e+f=g~h-i"; // every mark that a name may have
  await rig.tally.ensureLog(log);
  await rig.tally.deployView(log, "tokens", {
    ready: "meter",
    config: { aggregations: ["count"], group_by: { t: "/type" } },
  });
  for (const event of [deep, long, proto]) await rig.tally.appendEvent(log, event);
  await using visit = await rig.visit(`#/logs/${encodeURIComponent(log)}/events`);
  await visit.page.locator("#event-3").waitFor();
  await visit.shows(/long.*<img src=x onerror=/);
  await visit.picture("events-hostile");
  await visit.accessible();
  await visit.page.locator("#event-2").getByRole("link").click();
  await visit.titled("Event 2");
  await visit.shows("The same, from the event’s bytes");
  await visit.shows("It changed the state.");
  const began = Date.now();
  await visit.page.getByRole("button", { name: "As sent" }).click();
  await visit.page.getByRole("button", { name: "Show more" }).click();
  await visit.page.getByRole("button", { name: "Show more" }).click();
  await visit.page.getByRole("button", { name: "Show more" }).waitFor({ state: "detached" });
  console.log(`a mebibyte of text is shown in ${Date.now() - began} ms`);
  for (const sequence of [1, 3]) {
    await visit.go(`#/logs/${encodeURIComponent(log)}/events/${sequence}`);
    await visit.titled(`Event ${sequence}`);
    await visit.shows("The same, from the event’s bytes");
    await visit.shows("It changed the state.");
    await visit.accessible();
  }
  await visit.shows("polluted");
  assert.equal(await visit.page.evaluate(() => "caught" in window || "polluted" in {}), false);
  assert.equal(await visit.page.locator("main img, main script").count(), 0);
});

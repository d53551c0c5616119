import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Rig, type Visit } from "./rig.js";

let rig: Rig;
before(async () => void (rig = await Rig.start()));
after(async () => await rig[Symbol.asyncDispose]());

/** Appends n events, in batches, with numbers that go on from `from`. */
async function fill(log: string, n: number, from = 1): Promise<void> {
  for (let at = 0; at < n; at += 10_000) {
    const size = Math.min(10_000, n - at);
    const events = Array.from({ length: size }, (_, i) => {
      const number = from + at + i;
      return { type: number % 10 === 0 ? "storage" : "api.call", n: number, user: `user-${number % 7}` };
    });
    await rig.tally.appendEvents(log, events);
  }
}

const row = (visit: Visit, sequence: number) => visit.page.locator(`#event-${sequence}`);
const body = (visit: Visit) => visit.page.locator(".events-body");
const foot = (visit: Visit, text: string | RegExp) =>
  visit.page.locator(".events-foot").filter({ hasText: text }).waitFor();
/** The sequences of the rows that are drawn, from above to below. */
const drawn = (visit: Visit) =>
  visit.page.evaluate(() =>
    [...document.querySelectorAll(".events-row")]
      .map((one) => [one.getBoundingClientRect().top, Number(one.id.replace("event-", ""))] as const)
      .sort(([a], [b]) => a - b)
      .map(([, sequence]) => sequence),
  );

test("the list follows the log, and goes on after a pause where it was", async () => {
  await rig.tally.ensureLog("live");
  await fill("live", 30);
  await using visit = await rig.visit("#/logs/live/events");
  await row(visit, 30).waitFor();
  await visit.page.getByText("Live", { exact: true }).waitFor();
  await fill("live", 5, 31);
  await row(visit, 35).waitFor();
  await visit.page.getByRole("button", { name: "Pause" }).click();
  await fill("live", 1200, 36);
  await visit.shows("1\u202f200 wait after 35");
  assert.equal(await row(visit, 36).count(), 0);
  await visit.picture("events-paused");
  await visit.page.getByRole("button", { name: "Resume" }).click();
  await row(visit, 1235).waitFor();
  await foot(visit, "1 to 1\u202f235, the first: 1\u202f235 events"); // none is missing, none is there twice
  await visit.accessible();
  await visit.page.setViewportSize({ width: 360, height: 740 });
  await visit.accessible();
  await visit.picture("events-360");
});

test("twenty thousand events are scrolled through, by keys too, and what is seen stays when others come", async () => {
  await rig.tally.ensureLog("long");
  await fill("long", 30_000);
  await using visit = await rig.visit("#/logs/long/events?order=oldest");
  await row(visit, 1).waitFor();
  await body(visit).focus();
  await visit.page.keyboard.press("ArrowDown");
  await visit.page.keyboard.press("ArrowDown");
  await visit.page.waitForFunction(() => location.hash.includes("at=2"));
  assert.equal(await row(visit, 2).getAttribute("aria-selected"), "true");
  assert.equal(await body(visit).getAttribute("aria-activedescendant"), "event-2");
  // To the end of what is there, again and again, until nothing comes: the page asks for what follows.
  let rounds = 0;
  while ((await row(visit, 30_000).count()) === 0 && rounds++ < 400) {
    await visit.page.keyboard.press("End");
    await visit.page.waitForTimeout(0);
  }
  await foot(visit, "10\u202f001 to 30\u202f000, the last: 20\u202f000 events"); // as many as it keeps
  const sequences = await drawn(visit);
  assert.ok(sequences.length < 80, `${sequences.length} rows are drawn`);
  assert.deepEqual(
    sequences,
    sequences.map((_, i) => (sequences[0] ?? 0) + i),
  );
  await visit.page.keyboard.press("PageUp");
  await visit.page.keyboard.press("Enter");
  await visit.page.waitForFunction(() => /^#\/logs\/long\/events\/\d+$/.test(location.hash));
  await visit.page.goBack();
  await visit.page.locator(".events-row[aria-selected=true]").waitFor();
});

test("a link to a place, a type or a range shows that", async () => {
  await rig.tally.ensureLog("ranges");
  await fill("ranges", 3000);
  await using visit = await rig.visit("#/logs/ranges/events?at=1500");
  await row(visit, 1500).waitFor();
  assert.equal(await row(visit, 1500).getAttribute("aria-selected"), "true");
  await visit.shows("Earlier events");
  const box = await row(visit, 1500).boundingBox();
  const frame = await body(visit).boundingBox();
  assert.ok(box && frame && box.y >= frame.y && box.y + box.height <= frame.y + frame.height);
  // Newer ones come above, and the one that is looked at stays where it is.
  await body(visit).evaluate((element) => element.scrollTo(0, 0));
  await foot(visit, /to (2.050|2.550|3.000)/); // as far as the page has come by then
  await row(visit, 1550).waitFor();
  await body(visit).evaluate((element) => element.scrollBy(0, -1700));
  await row(visit, 1600).waitFor();
  const place = await drawn(visit);
  assert.deepEqual(
    place,
    [...place].sort((a, b) => b - a),
  );

  await visit.go("#/logs/ranges/events?type=storage&from=101&to=200");
  await foot(visit, "101 to 200, the first: 10 events");
  await visit.shows("A range that is closed");
  assert.deepEqual(await drawn(visit), [200, 190, 180, 170, 160, 150, 140, 130, 120, 110]);
  await visit.picture("events-range");
  await visit.accessible();

  const [one, other] = [await rig.tally.getEvent("ranges", 1), await rig.tally.getEvent("ranges", 3000)];
  const until = new Date(new Date(other.recorded_at).getTime() + 1000).toISOString();
  await visit.go(`#/logs/ranges/events?order=oldest&since=${one.recorded_at}&until=${until}&type=storage`);
  await row(visit, 10).waitFor();
  await body(visit).press("End"); // it looks no further than it must
  await foot(visit, "1 to 3\u202f000, the last: 300 events");
  await visit.go(`#/logs/ranges/events?until=2001-01-01T00:00:00Z`);
  await visit.shows("No event matches.");
});

test("a text is searched for in the page, as far as it says, and on by a button", async () => {
  await rig.tally.ensureLog("text");
  await fill("text", 25_000);
  await using visit = await rig.visit("#/logs/text/events");
  await row(visit, 25_000).waitFor();
  await visit.page.getByLabel("Text", { exact: true }).fill('"N":123,');
  await foot(visit, /Searched 1\d.001 to 25.000: 0 events/);
  await visit.shows("No event matches so far.");
  await visit.page.getByRole("button", { name: "Search on" }).click();
  await foot(visit, /Searched 5.001 to 25.000: 0 events/);
  await visit.page.getByRole("button", { name: "Search on" }).click();
  assert.equal(await row(visit, 123).locator("mark").innerText(), '"n":123,');
  await foot(visit, "1 to 25\u202f000, the first: 1 event");
  await rig.tally.appendEvent("text", { n: 123, again: true });
  await row(visit, 25_001).waitFor();
  await visit.picture("events-text");
});

test("thousands of events a second leave the page awake, and its memory bounded", async () => {
  await rig.tally.ensureLog("flood");
  await using visit = await rig.visit("#/logs/flood/events");
  await visit.shows("The log has no events yet.");
  await visit.picture("events-empty");
  await visit.accessible();
  await visit.page.evaluate(() => {
    const longest = { ms: 0 };
    let last = performance.now();
    const beat = () => {
      const now = performance.now();
      longest.ms = Math.max(longest.ms, now - last);
      last = now;
      requestAnimationFrame(beat);
    };
    requestAnimationFrame(beat);
    Object.assign(window, { longest });
  });
  await fill("flood", 60_000);
  await row(visit, 60_000).waitFor();
  await foot(visit, "40\u202f001 to 60\u202f000");
  const longest = await visit.page.evaluate(() => (window as unknown as { longest: { ms: number } }).longest.ms);
  console.log(`60,000 events while they were appended: the longest frame took ${Math.round(longest)} ms`);
  await visit.page.getByRole("button", { name: "Pause" }).click();
  await visit.shows("0 wait after 60\u202f000");
});

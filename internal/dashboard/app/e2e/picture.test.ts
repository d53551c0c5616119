import { test } from "node:test";
import { Rig } from "./rig.js";

const day = 24 * 3600 * 1000;

// The picture of the README: `make dashboard-picture` takes it from here.
test("thirty days of usage make a picture", async () => {
  await using rig = await Rig.start();
  const log = "customer-acme";
  await rig.tally.ensureLog(log, { labels: { plan: "gold" } });
  const config = {
    type: "llm.request",
    value: "/tokens",
    aggregations: ["sum", "count"],
    group_by: { model: "/model" },
  };
  await rig.tally.deployView(log, "tokens", { ready: "meter", config });
  const events = [];
  const today = Math.floor(Date.now() / day) * day;
  for (let back = 29; back >= 0; back--) {
    const weekday = new Date(today - back * day).getUTCDay();
    const busy = (weekday === 0 || weekday === 6 ? 0.45 : 1) * (1 + (29 - back) / 40);
    for (const [at, [model, share]] of [
      ["gpt-4", 1.6],
      ["gpt-4-mini", 1.1],
      ["embed-3", 0.6],
    ].entries() as Iterable<[number, [string, number]]>) {
      // A number that looks like chance, and is the same in each run.
      const noise = 0.85 + 0.3 * Math.abs(Math.sin(back * 7.3 + at * 2.1));
      const tokens = Math.round(90_000 * busy * share * noise);
      events.push({ type: "llm.request", time: new Date(today - back * day + 3600_000).toISOString(), model, tokens });
    }
  }
  await rig.tally.appendEvents(log, events);
  await using visit = await rig.visit(`#/logs/${log}/usage/tokens?range=30d&group=model`, {
    viewport: { width: 1280, height: 1060 },
    deviceScaleFactor: 1.5,
  });
  await visit.titled("tokens");
  await visit.shows("embed-3");
  await visit.picture("readme");
});

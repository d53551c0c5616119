import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { Rig } from "./rig.js";

let rig: Rig;
before(async () => void (rig = await Rig.start()));
after(async () => await rig[Symbol.asyncDispose]());

/** Changes rows behind the server's back, as somebody with the database's files could. */
function tamper(sql: string): void {
  const quiet = "SET session_replication_role = replica;"; // no trigger refuses it
  execFileSync(process.env["PSQL"] ?? "psql", ["-v", "ON_ERROR_STOP=1", "-qc", quiet + sql, rig.server.databaseUrl]);
}

async function counted(log: string, n: number): Promise<void> {
  await rig.tally.ensureLog(log);
  await rig.tally.deployView(log, "tokens", { ready: "meter", config: { value: "/tokens", aggregations: ["sum"] } });
  await rig.tally.appendEvents(
    log,
    Array.from({ length: n }, (_, i) => ({ type: "api.call", tokens: i })),
  );
}

test("a log is verified, with its checkpoint, and against a head that was noted", async () => {
  await counted("sound", 40);
  const { hash } = await rig.tally.getEvent("sound", 30);
  await using visit = await rig.visit("#/logs/sound/verify");
  await visit.shows("tallystick.chain/");
  await visit.accessible();
  await visit.page.getByRole("button", { name: "Verify the log" }).click();
  await visit.shows("Everything is as it was recorded.");
  await visit.shows("The chain is whole and leads to the head, and every view’s state is what the events give.");
  await visit.picture("verify-ok");
  await visit.accessible();
  await visit.page.getByLabel("Views to fold again").selectOption("none");
  await visit.page.getByLabel("Sequence of a noted head").fill("30");
  await visit.page.getByLabel("Its hash").fill(hash);
  await visit.page.getByRole("button", { name: "Verify the log" }).click();
  await visit.shows("The chain is whole and leads to the head. No view was folded again.");
  await visit.page.getByLabel("Its hash").fill(hash.replace(/./g, "0"));
  await visit.page.getByRole("button", { name: "Verify the log" }).click();
  await visit.shows("Something is not as it was recorded.");
  await visit.shows("another one than that whose head was noted");
  await visit.page.getByLabel("Its hash").fill("nothing");
  await visit.page.getByRole("button", { name: "Verify the log" }).click();
  await visit.shows("hash is not 64 hexadecimal digits");
});

test("an event that was changed in the database is found, and so is a changed state", async () => {
  await counted("changed", 20);
  const { log_id: id } = await rig.tally.getLog("changed");
  tamper(`UPDATE events SET data = '{"type":"api.call","tokens":999}' WHERE log_id = '${id}' AND sequence = 7`);
  await using visit = await rig.visit("#/logs/changed/verify");
  await visit.page.getByRole("button", { name: "Verify the log" }).click();
  await visit.shows("Something is not as it was recorded.");
  await visit.shows("An event is not what was chained.");
  await visit.shows("By the events"); // the state has the event as it was counted
  await visit.picture("verify-faults");
  await visit.accessible();
  await visit.page.setViewportSize({ width: 360, height: 740 });
  await visit.accessible();
  await visit.page.getByRole("link", { name: "7", exact: true }).first().click();
  await visit.titled("Event 7");
  await visit.shows("is not what was recorded");
});

test("leaving the page ends the verification, and so does a button", async () => {
  await counted("long", 1);
  for (let i = 0; i < 8; i++) {
    await rig.tally.appendEvents(
      "long",
      Array.from({ length: 10_000 }, (_, n) => ({ type: "api.call", tokens: n })),
    );
  }
  await using visit = await rig.visit("#/logs/long/verify");
  const ended = visit.page.waitForEvent("requestfailed", (request) => request.url().includes("/logs/long/verify"));
  await visit.page.getByRole("button", { name: "Verify the log" }).click();
  await visit.page.getByText(/[1-9][\d\u202f]* of [\d\u202f]+ events/).waitFor();
  await visit.picture("verify-progress");
  await visit.page.getByRole("button", { name: "Stop" }).click();
  await visit.shows("Stopped: nothing was found out.");
  await ended;
  const left = visit.page.waitForEvent("requestfailed", (request) => request.url().includes("/logs/long/verify"));
  await visit.page.getByRole("button", { name: "Verify the log" }).click();
  await visit.page.getByRole("button", { name: "Stop" }).waitFor();
  await visit.go("#/logs/long");
  await left;
});

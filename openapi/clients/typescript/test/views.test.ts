import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Tally } from "../src/index.js";
import { Proxy } from "./proxy.js";
import { fresh, testServer } from "./server.js";

const server = testServer();
const module = readFileSync(new URL("../../../../../views/dist/monthly_totals.wasm", import.meta.url));

test("a module is uploaded once, and deployed on a log and on a pattern", async () => {
  const proxy = await Proxy.start(server.url);
  const tally = new Tally({ url: proxy.url, key: "" });
  const log = fresh("views");
  await tally.ensureLog(log);
  const deployed = await tally.deployModule(log, "months", module, { gas: 1_000_000 });
  assert.equal(await tally.uploadModule(module), deployed.module);
  const logs = `${log}*`;
  const pattern = await tally.deployModulePattern(fresh("months"), module, { gas: 1_000_000 }, { logs });
  assert.deepEqual([pattern.module, pattern.gas, pattern.logs], [deployed.module, 1_000_000, logs]);
  assert.equal(proxy.seen.filter(({ method }) => method === "PUT").length, 2); // the log's, and the module's
  const refuse = { on_halt: "refuse" } as const; // which only a module with a guard may
  await assert.rejects(tally.deployModule(log, "months", module, refuse), { code: "no_guard" });
  await assert.rejects(tally.deployModulePattern(fresh("months"), module, refuse, { logs }), { code: "no_guard" });
  proxy.stop();
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseExact, Tally } from "../src/index.js";
import { Proxy, type Fault } from "./proxy.js";
import { fresh, testServer } from "./server.js";

const server = testServer();

describe("a request of one's own", () => {
  /** Has a client ask through a proxy, which loses the first answer. */
  async function losing(ask: (tally: Tally, proxy: Proxy) => Promise<void>): Promise<void> {
    const proxy = await Proxy.start(server.url, (n): Fault => (n === 1 ? "lose" : "pass"));
    try {
      await ask(new Tally({ url: proxy.url, key: "" }), proxy);
    } finally {
      proxy.stop();
    }
  }

  test("is encoded once, and answered as it came", async () => {
    const tally = new Tally({ url: server.url, key: "" });
    const log = fresh("request");
    const made = await tally.request("PUT", `/logs/${log}`);
    assert.equal(made.status, 201);
    assert.equal((parseExact(made.text) as { name: string }).name, log);
    await tally.request("POST", `/logs/${log}/append`, { body: { n: 2n ** 64n } });
    const headers = { "content-type": "application/x-ndjson", "Idempotency-Key": "k" };
    const body = new TextEncoder().encode('{"n": 1.10}\n{"n":2}\n');
    await tally.request("POST", `logs/${log}/append_batch`, { body, headers });
    const { text } = await tally.request("get", `/logs/${log.replace("-", "%2D")}/events`, { query: { after: 1 } });
    assert.match(text, /"data":\{"n": 1\.10\}/);
    assert.equal((await tally.getEvent(log, 1)).raw, '{"n":18446744073709551616}');
  });

  test("throws what the server refuses", async () => {
    const tally = new Tally({ url: server.url, key: "" });
    await assert.rejects(tally.request("GET", "/logs/nowhere"), {
      name: "TallyError",
      code: "log_not_found",
      status: 404,
    });
  });

  test("is sent again where that is safe", async () => {
    await losing(async (tally, proxy) => {
      assert.equal((await tally.request("GET", "/ready-views")).status, 200);
      assert.equal(proxy.seen.length, 2);
    });
    const name = fresh("request");
    await losing(async (tally, proxy) => {
      await assert.rejects(tally.request("POST", "/logs", { body: { name } }), { code: "connection" });
      assert.equal(proxy.seen.length, 1);
    });
    await losing(async (tally, proxy) => {
      await tally.request("PUT", `/logs/${name}`, { body: "{}", repeatable: true });
      assert.deepEqual(
        proxy.seen.map(({ method, body }) => [method, body.toString()]),
        [
          ["PUT", "{}"],
          ["PUT", "{}"],
        ],
      );
    });
  });
});

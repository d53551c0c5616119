import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Tally, type EventInput, type TallyError } from "../src/index.js";
import { problem, Proxy } from "./proxy.js";
import { fresh, testServer } from "./server.js";

const server = testServer();
const logOf = (path: string): string => decodeURIComponent(path.split("/")[2] ?? "");
const lines = (body: Buffer): string[] => body.toString().trim().split("\n");

async function logs(count: number): Promise<{ names: string[]; direct: Tally }> {
  const direct = new Tally({ url: server.url, key: "" });
  const names = Array.from({ length: count }, () => fresh("batch"));
  for (const name of names) await direct.createLog({ name });
  return { names, direct };
}

async function stored(tally: Tally, log: string): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const event of tally.events(log, { limit: 10_000 })) found.push(event.data["n"]);
  return found;
}

function failures() {
  const reported: { log: string; events: EventInput[]; error: TallyError }[] = [];
  const onFailure = (log: string, events: EventInput[], error: TallyError): void => {
    reported.push({ log, events, error });
  };
  return { reported, onFailure };
}

describe("a batcher", () => {
  test("waits where a proxy has no server", async () => {
    const { names, direct } = await logs(1);
    const [log = ""] = names;
    const statuses = [502, 504, 503, 408];
    const proxy = await Proxy.start(server.url, (n) => {
      const status = statuses[n - 1];
      return status === undefined ? "pass" : { status, body: "<h1>nobody is here</h1>" };
    });
    const { reported, onFailure } = failures();
    const batcher = new Tally({ url: proxy.url, key: "" }).batcher({ onFailure });
    for (let n = 0; n < 3; n++) await batcher.add(log, { n });
    await batcher.close();
    proxy.stop();
    assert.deepEqual(reported, []);
    assert.deepEqual(await stored(direct, log), [0, 1, 2]);
    assert.equal(new Set(proxy.seen.map((seen) => seen.headers["idempotency-key"])).size, 1);
  });

  test(
    "loses and doubles nothing, and keeps each log's order, over lost answers and refusals",
    { timeout: 280_000 },
    async () => {
      const { names, direct } = await logs(12);
      const flying = new Map<string, number>();
      let most = 0;
      const proxy = await Proxy.start(server.url, (n) =>
        n % 3 === 1 ? "lose" : n % 3 === 2 ? problem(503, "busy", {}, "0") : "pass",
      );
      const counting: typeof fetch = async (url, init) => {
        const log = logOf(new URL(url as string).pathname);
        flying.set(log, (flying.get(log) ?? 0) + 1);
        most = Math.max(most, flying.size);
        assert.equal(flying.get(log), 1, "two batches of one log are under way");
        try {
          return await fetch(url, init);
        } finally {
          flying.delete(log);
        }
      };
      const { reported, onFailure } = failures();
      const batcher = new Tally({ url: proxy.url, key: "", fetch: counting }).batcher({
        onFailure,
        maxEvents: 20,
        linger: 5,
      });
      for (let n = 0; n < 50; n++) for (const log of names) await batcher.add(log, { n, large: 2n ** 60n });
      await batcher.close({ deadline: 240_000 });
      assert.deepEqual(reported, []);
      assert.equal(batcher.pending, 0);
      for (const log of names) assert.deepEqual(await stored(direct, log), [...Array(50).keys()]);
      assert.ok(most <= 8, `${most} batches at once`);
      const tries = new Map<string, Buffer>();
      for (const { headers, body } of proxy.seen) {
        const key = headers["idempotency-key"] as string;
        assert.deepEqual(tries.get(key) ?? body, body, "the same key came with other bytes");
        tries.set(key, body);
        assert.ok(lines(body).length <= 20);
      }
      proxy.stop();
    },
  );

  test("reports an event that is refused, and sends the others", async () => {
    const { names, direct } = await logs(1);
    const [log] = names as [string];
    const { reported, onFailure } = failures();
    const batcher = direct.batcher({ onFailure });
    const bad = [{ n: 3, time: "yesterday" }, '{"n":5,}'];
    for (const event of [{ n: 1 }, { n: 2 }, bad[0]!, { n: 4 }, bad[1]!, { n: 6 }]) await batcher.add(log, event);
    await batcher.flush();
    assert.deepEqual(await stored(direct, log), [1, 2, 4, 6]);
    const told = reported.map(({ events, error }) => [events, error.code]);
    assert.deepEqual(
      new Set(told),
      new Set([
        [[bad[0]], "invalid_event_time"],
        [[bad[1]], "invalid_json"],
      ]),
    );
    await batcher.close();
  });

  test("reports what a log that is not there was to get, and nothing else", async () => {
    const { names, direct } = await logs(1);
    const [log] = names as [string];
    const { reported, onFailure } = failures();
    const batcher = direct.batcher({ onFailure });
    await batcher.add("nowhere", { n: 1 });
    await batcher.add(log, { n: 2 });
    await batcher.add("nowhere", { n: 3 });
    await batcher.close();
    assert.deepEqual(
      reported.map(({ log, events, error }) => [log, events, error.code]),
      [["nowhere", [{ n: 1 }, { n: 3 }], "log_not_found"]],
    );
    assert.deepEqual(await stored(direct, log), [2]);
  });

  test("sends less at once where that is too much", async () => {
    const { names, direct } = await logs(1);
    const [log] = names as [string];
    const proxy = await Proxy.start(server.url, (_, { body }) => {
      const count = lines(body).length;
      if (count > 6) return problem(413, "batch_too_large");
      return count > 2 ? problem(413, "append_too_costly", { events: 2 }) : "pass";
    });
    const { reported, onFailure } = failures();
    const batcher = new Tally({ url: proxy.url, key: "" }).batcher({ onFailure, linger: 60_000 });
    for (let n = 0; n < 11; n++) await batcher.add(log, { n });
    await batcher.close();
    assert.deepEqual(reported, []);
    assert.deepEqual(await stored(direct, log), [...Array(11).keys()]);
    assert.equal(proxy.seen.length, 9, "three that are refused, and six that are not");
    proxy.fault = () => problem(413, "event_too_large");
    const other = new Tally({ url: proxy.url, key: "" }).batcher({ onFailure });
    await other.add(log, { n: 12 });
    await other.close();
    assert.deepEqual(
      reported.map(({ events }) => events),
      [[{ n: 12 }]],
    );
    proxy.stop();
  });

  test("sends a few events once they have lingered, without being asked", async () => {
    const { names, direct } = await logs(1);
    const [log] = names as [string];
    const batcher = direct.batcher({ onFailure: failures().onFailure, linger: 10 });
    await batcher.add(log, { n: 1 });
    await batcher.add(log, { n: 2 });
    while ((await direct.getLog(log)).sequence < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    await batcher.close();
    await assert.rejects(batcher.add(log, {}), { code: "closed" });
  });

  test("waits while its buffer is full, or fails, and takes no event that is none", async () => {
    const { names, direct } = await logs(1);
    const [log] = names as [string];
    const gate: { open?: () => void } = {};
    const opened = new Promise<void>((resolve) => (gate.open = resolve));
    const held: typeof fetch = async (url, init) => {
      await opened;
      return fetch(url, init);
    };
    const tally = new Tally({ url: server.url, key: "", fetch: held });
    const { reported, onFailure } = failures();
    const failing = tally.batcher({ onFailure, maxBuffer: 20, whenFull: "fail" });
    await failing.add(log, { n: 1 });
    await failing.add(log, { n: 2 });
    await assert.rejects(failing.add(log, { n: 12345678 }), { code: "buffer_full" });
    await assert.rejects(failing.add(log, { n: NaN }), TypeError);

    const waiting = tally.batcher({ onFailure, maxBuffer: 20, linger: 0 });
    await waiting.add(log, { n: 3 });
    await waiting.add(log, { n: 4 });
    const order: number[] = [];
    const abort = new AbortController();
    const left = waiting.add(log, { n: 99 }, { signal: abort.signal });
    const adds = [5, 6, 7].map((n) => waiting.add(log, { n }).then(() => order.push(n)));
    abort.abort(new Error("never mind"));
    await assert.rejects(left, /never mind/);
    assert.deepEqual(order, []);
    assert.equal(waiting.pending, 5);
    gate.open?.();
    await failing.close();
    await waiting.close();
    await Promise.all(adds);
    assert.deepEqual(order, [5, 6, 7]);
    assert.deepEqual(reported, []);
    const all = await stored(direct, log);
    assert.deepEqual(
      all.filter((n) => (n as number) > 2),
      [3, 4, 5, 6, 7],
    );
    assert.deepEqual(
      all.filter((n) => (n as number) <= 2),
      [1, 2],
    );
  });

  test("reports at its deadline what it could not send", async () => {
    const { reported, onFailure } = failures();
    const batcher = new Tally({ url: "http://127.0.0.1:1", key: "" }).batcher({ onFailure, maxEvents: 2 });
    const adds = [0, 1, 2, 3, 4].map((n) => batcher.add(n % 2 === 0 ? "even" : "odd", { n }));
    await batcher.close({ deadline: 200 });
    await Promise.all(adds);
    assert.equal(batcher.pending, 0);
    assert.deepEqual(new Set(reported.map(({ error }) => error.code)), new Set(["deadline"]));
    const events = reported.flatMap(({ events }) => events as { n: number }[]);
    assert.deepEqual(events.map(({ n }) => n).sort(), [0, 1, 2, 3, 4]);
  });

  test("goes on when its callback throws, which its author gets to see", async (t) => {
    const { names, direct } = await logs(1);
    const [log] = names as [string];
    const thrown: unknown[] = [];
    const queue = queueMicrotask;
    t.mock.method(globalThis, "queueMicrotask", (task: () => void) => {
      queue(() => {
        try {
          task();
        } catch (error) {
          thrown.push(error); // uncaught, but for this test
        }
      });
    });
    const batcher = direct.batcher({
      onFailure: () => {
        throw new Error("of the callback");
      },
    });
    await batcher.add("nowhere", { n: 1 });
    await batcher.add(log, { n: 2 });
    await batcher.close();
    assert.match(thrown.map(String).join(), /^Error: of the callback$/);
    assert.deepEqual(await stored(direct, log), [2]);
  });

  test("takes no bounds that no batch can have", () => {
    const { onFailure } = failures();
    const tally = new Tally({ key: "" });
    for (const bound of [
      { maxEvents: 0 },
      { maxEvents: 10_001 },
      { maxBytes: (10 << 20) + 1 },
      { maxBuffer: 0 },
      { linger: NaN },
    ]) {
      assert.throws(() => tally.batcher({ onFailure, ...bound }), RangeError);
    }
  });
});

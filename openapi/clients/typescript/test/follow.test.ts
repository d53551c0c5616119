import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Tally, type StoredEvent, type TallyError } from "../src/index.js";
import { problem, Proxy } from "./proxy.js";
import { fresh, testServer } from "./server.js";

const server = testServer();

async function aLog(): Promise<{ log: string; direct: Tally }> {
  const direct = new Tally({ url: server.url, key: "" });
  const log = fresh("follow");
  await direct.createLog({ name: log });
  return { log, direct };
}

async function take<T>(from: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of from) if (taken.push(item) === count) break;
  return taken;
}

describe("a tail", () => {
  test("has each event once and in order, wherever its connections are cut", { timeout: 60_000 }, async () => {
    const { log, direct } = await aLog();
    const proxy = await Proxy.start(server.url, (n) => ({ bytes: 300 + ((n * 397) % 1500) }));
    const tally = new Tally({ url: proxy.url, key: "" });
    const events: StoredEvent[] = [];
    const tailing = take(tally.tail(log, { after: 0 }), 60).then((taken) => events.push(...taken));
    for (let n = 1; n <= 60; n++) await direct.appendEvent(log, `{"n":${n},"price":0.10,"of":"ü€𝄞"}`);
    await tailing;
    assert.deepEqual(
      events.map((event) => event.sequence),
      Array.from({ length: 60 }, (_, i) => i + 1),
    );
    assert.ok(events.every((event) => event.raw === `{"n":${event.sequence},"price":0.10,"of":"ü€𝄞"}`));
    assert.ok(proxy.seen.length > 5, `${proxy.seen.length} connections`);
    proxy.stop();
  });

  test("comes back after end, after a silence, and while it is refused for a time", async () => {
    const { log, direct } = await aLog();
    await direct.appendEvents(log, [{ n: 1 }, { n: 2 }]);
    const end = 'id: 1\nevent: end\ndata: {"status":503,"code":"stopping","detail":"the server stops"}\n\n';
    const proxy = await Proxy.start(server.url, (n) => {
      if (n === 1) return { status: 200, headers: { "Content-Type": "text/event-stream" }, body: end };
      if (n === 2) return "hang";
      if (n === 3) return problem(503, "too_many_watchers", {}, "0");
      if (n === 4) return problem(502, "code_of_a_proxy");
      return "pass";
    });
    const tally = new Tally({ url: proxy.url, key: "", silence: 1000 });
    const troubles: unknown[] = [];
    const onTrouble = ({ status, code }: TallyError): unknown => troubles.push([status, code]);
    const events = await take(tally.tail(log, { after: 0, onTrouble }), 2);
    assert.deepEqual(troubles, [
      [503, "stopping"],
      [undefined, "connection"],
      [503, "too_many_watchers"],
      [502, "code_of_a_proxy"],
    ]);
    assert.ok(proxy.seen.every(({ path }) => !path.includes("Trouble")));
    assert.deepEqual(
      events.map((event) => event.data),
      [{ n: 1 }, { n: 2 }],
    );
    assert.equal(proxy.seen.length, 5);
    proxy.stop();
  });

  test("begins after the head, and hands on only the type that is asked for", async () => {
    const { log, direct } = await aLog();
    await direct.appendEvent(log, { type: "a", n: 1 });
    const proxy = await Proxy.start(server.url);
    const first = take(new Tally({ url: proxy.url, key: "" }).tail(log, { type: "a" }), 1);
    while (proxy.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await direct.getLog(log);
    // The head is the server's when the tail began; until then, more of them.
    const abort = new AbortController();
    const appending = (async () => {
      for (let n = 2; !abort.signal.aborted; n++) await direct.appendEvents(log, [{ type: "b" }, { type: "a", n }]);
    })();
    const [event] = await first;
    abort.abort();
    await appending;
    assert.equal(event?.type, "a");
    assert.notEqual(event.sequence, 1);
    proxy.stop();
  });

  test("stops at what will not pass, and with its signal", async () => {
    const { log, direct } = await aLog();
    const proxy = await Proxy.start(server.url);
    const tally = new Tally({ url: proxy.url, key: "" });
    await assert.rejects(take(tally.tail(fresh("nowhere")), 1), { code: "log_not_found", status: 404 });
    await assert.rejects(take(tally.tail(log, { lastEventId: "7" }), 1), { code: "unknown_event_id", head: 0 });
    assert.equal(proxy.seen.length, 2);
    const abort = new AbortController();
    const reason = new Error("enough");
    const tailing = take(tally.tail(log, { signal: abort.signal }), 1);
    setTimeout(() => abort.abort(reason), 50);
    await assert.rejects(tailing, reason);
    await direct.getLog(log);
    proxy.stop();
  });

  test("that never had a connection gives up at its deadline", async () => {
    const tally = new Tally({ url: "http://127.0.0.1:1", key: "", deadline: 300 });
    await assert.rejects(take(tally.tail("x"), 1), { code: "connection" });
  });
});

describe("a watch", () => {
  test("has answers, and problems where there is none for now", async () => {
    const said = (id: number, event: string, data: string) => `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
    const halted = '{"status":409,"code":"view_halted","detail":"the view halted"}';
    const body = [
      said(1, "answer", '{"n":0.10}'),
      said(1, "answer", '{"n":0.10}'),
      said(2, "problem", halted),
      said(2, "problem", halted),
      said(3, "answer", '{"n":0.10}'),
      said(3, "later", "{}"),
    ].join("");
    const proxy = await Proxy.start(server.url, () => ({
      status: 200,
      headers: { "Content-Type": "text/event-stream" },
      body,
    }));
    const troubles: string[] = [];
    const onTrouble = ({ detail }: TallyError): unknown => troubles.push(detail);
    const watching = new Tally({ url: proxy.url, key: "" }).watch("l", "v", {}, { onTrouble });
    const watched = await take(watching, 4); // the last is of another connection
    assert.deepEqual(troubles, ["the server ended the stream"]);
    assert.deepEqual(
      watched.map(({ sequence, text, problem }) => [sequence, text, problem?.code]),
      [
        [1, '{"n":0.10}', undefined],
        [2, halted, "view_halted"],
        [3, '{"n":0.10}', undefined],
        [2, halted, "view_halted"],
      ],
    );
    assert.equal(watched[1]?.problem?.status, 409);
    proxy.stop();
  });
});

describe("events", () => {
  test("are read over all pages, a page that is empty too", async () => {
    const { log, direct } = await aLog();
    await direct.appendEvents(
      log,
      Array.from({ length: 25 }, (_, n) => ({ n, type: n % 5 === 0 ? "rare" : "common" })),
    );
    const all: unknown[] = [];
    for await (const event of direct.events(log, { limit: 4 })) all.push(event.data["n"]);
    assert.deepEqual(
      all,
      Array.from({ length: 25 }, (_, n) => n),
    );
    const proxy = await Proxy.start(server.url, (n) =>
      n === 1
        ? { status: 200, headers: { "Content-Type": "application/json" }, body: '{"events":[],"next_cursor":""}' }
        : "pass",
    );
    const { next_cursor } = await direct.listEvents(log, { limit: 1 });
    proxy.fault = (n) => (n === 1 ? { status: 200, body: JSON.stringify({ events: [], next_cursor }) } : "pass");
    const rest = await take(new Tally({ url: proxy.url, key: "" }).events(log, { limit: 1 }), 3);
    assert.deepEqual(
      rest.map((event) => event.sequence),
      [2, 3, 4],
    );
    proxy.stop();
  });
});

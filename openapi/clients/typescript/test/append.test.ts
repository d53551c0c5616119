import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { ExactNumber, Tally, TallyError } from "../src/index.js";
import { problem, Proxy, type Fault, type Seen } from "./proxy.js";
import { fresh, testServer } from "./server.js";

const server = testServer();
const proxies: Proxy[] = [];
afterEach(() => proxies.splice(0).forEach((proxy) => proxy.stop()));

async function behind(fault: (n: number, seen: Seen) => Fault): Promise<{ tally: Tally; proxy: Proxy }> {
  const proxy = await Proxy.start(server.url, fault);
  proxies.push(proxy);
  return { tally: new Tally({ url: proxy.url, key: "" }), proxy };
}

async function aLog(): Promise<{ log: string; direct: Tally }> {
  const direct = new Tally({ url: server.url, key: "" });
  const log = fresh("append");
  await direct.createLog({ name: log });
  return { log, direct };
}

async function stored(tally: Tally, log: string): Promise<string[]> {
  const { events } = await tally.listEvents(log);
  return events.map((event) => event.raw);
}

describe("appends", () => {
  test("an event is kept byte for byte, and numbers keep their value", async () => {
    const { log, direct } = await aLog();
    const text = '{"type":"t", "tokens": 0.10,"n":9007199254740993,"d":0.12345678901234567890123}';
    assert.deepEqual(await direct.appendEvent(log, text), { sequence: 1 });
    await direct.appendEvent(log, new TextEncoder().encode('{"umlaut":"ü"}'));
    await direct.appendEvent(log, { n: 2n ** 64n, d: new ExactNumber("1.10"), gone: undefined });
    assert.deepEqual(await stored(direct, log), [text, '{"umlaut":"ü"}', '{"n":18446744073709551616,"d":1.10}']);
    const event = await direct.getEvent(log, 1);
    assert.equal(event.raw, text);
    assert.equal(event.data["n"], 9007199254740993n);
    assert.deepEqual(event.data["d"], new ExactNumber("0.12345678901234567890123"));
    assert.equal(event.data["tokens"], 0.1);
  });

  test("answers that are lost count nothing twice, and are no duplicates", async () => {
    const { log, direct } = await aLog();
    const { tally, proxy } = await behind((n) => (n % 2 === 1 ? "lose" : "pass"));
    const given = { type: "call", n: 0 };
    for (let n = 1; n <= 10; n++) {
      given.n = n;
      const appending = tally.appendEvent(log, given);
      given.n = -1; // later changes are none of the event's
      assert.deepEqual(await appending, { sequence: n, duplicate: false });
    }
    assert.equal(
      (await stored(direct, log)).join(),
      Array.from({ length: 10 }, (_, i) => `{"type":"call","n":${i + 1}}`).join(),
    );
    for (let i = 0; i < proxy.seen.length; i += 2) {
      const [first, second] = proxy.seen.slice(i, i + 2);
      assert.deepEqual(second?.body, first?.body);
      assert.equal(second?.headers["idempotency-key"], first?.headers["idempotency-key"]);
    }
    assert.equal(new Set(proxy.seen.map((seen) => seen.headers["idempotency-key"])).size, 10);
  });

  test("of a batch whose answer is lost, only duplicates of others are told", async () => {
    const { log, direct } = await aLog();
    await direct.appendEvent(log, { id: "known" });
    const { tally } = await behind((n) => (n === 1 ? "lose" : "pass"));
    const answer = await tally.appendEvents(log, [{ a: 1 }, { id: "known" }, '{"a":\n2}']);
    assert.equal(answer.appended, 2);
    assert.deepEqual(answer.duplicates, [{ line: 2, sequence: 1 }]);
    assert.deepEqual(await stored(direct, log), ['{"id":"known"}', '{"a":1}', '{"a":\n2}']);
  });

  test("a duplicate of somebody else's stays one, with a key or an id", async () => {
    const { log, direct } = await aLog();
    await direct.appendEvent(log, { a: 1 }, { idempotencyKey: "k" });
    assert.deepEqual(await direct.appendEvent(log, { a: 1 }, { idempotencyKey: "k" }), {
      sequence: 1,
      duplicate: true,
    });
    await direct.appendEvent(log, { id: "e" });
    const { tally } = await behind((n) => (n === 1 ? "lose" : "pass"));
    assert.deepEqual(await tally.appendEvent(log, { id: "e" }), { sequence: 2, duplicate: true });
  });

  test("a batch may be text or bytes", async () => {
    const { log, direct } = await aLog();
    assert.equal((await direct.appendEvents(log, '{"a":1}\n{"a":2}\n')).appended, 2);
    assert.equal((await direct.appendEvents(log, new TextEncoder().encode('[{"a":3},{"a":4}]'))).appended, 2);
    assert.deepEqual(await stored(direct, log), ['{"a":1}', '{"a":2}', '{"a":3}', '{"a":4}']);
  });

  test("what is no event, or would lose something, is refused before it is sent", async () => {
    const { log } = await aLog();
    const { tally, proxy } = await behind(() => "pass");
    for (const event of [
      { tokens: NaN },
      { deep: [{ n: Infinity }] },
      "",
      " \n",
      Uint8Array.of(0xff),
      [1] as never,
      5 as never,
      "{},\n{}",
    ]) {
      await assert.rejects(tally.appendEvent(log, event), TypeError);
      await assert.rejects(tally.appendEvents(log, [{}, event]), TypeError);
    }
    await assert.rejects(tally.appendEvent(log, {}, { idempotencyKey: "two\nlines" }), TypeError);
    assert.equal(proxy.seen.length, 0);
  });

  test("the expected sequence holds", async () => {
    const { log, direct } = await aLog();
    await direct.appendEvent(log, {}, { expectedSequence: 0 });
    await assert.rejects(direct.appendEvent(log, {}, { expectedSequence: 0 }), (error: TallyError) => {
      assert.equal(error.code, "sequence_mismatch");
      assert.equal(error.status, 409);
      assert.equal(error.head, 1);
      return true;
    });
  });
});

describe("retries", () => {
  test("never before Retry-After", async () => {
    const { log } = await aLog();
    const { tally, proxy } = await behind((n) =>
      n === 1 ? problem(503, "busy", {}, "1") : n === 2 ? problem(429, "x", {}, "0") : "pass",
    );
    assert.equal((await tally.appendEvent(log, {})).sequence, 1);
    const [first, second] = proxy.seen;
    assert.ok(second!.at - first!.at >= 1000, `it came back after ${second!.at - first!.at} ms`);
  });

  test("nothing without Retry-After is sent again", async () => {
    const { log } = await aLog();
    for (const status of [400, 409, 429, 500, 502, 503]) {
      const { tally, proxy } = await behind(() => problem(status, "code_of_tomorrow"));
      await assert.rejects(tally.appendEvent(log, {}), { name: "TallyError", status, code: "code_of_tomorrow" });
      assert.equal(proxy.seen.length, 1);
    }
  });

  test("what is not safe is sent once, unless the server has done nothing", async () => {
    const { tally, proxy } = await behind((n) => (n === 1 ? problem(503, "busy", {}, "0") : "lose"));
    await assert.rejects(tally.createLog({ name: fresh("once") }), { code: "connection", status: undefined });
    assert.equal(proxy.seen.length, 2);
    for (const code of ["outcome_unknown", "database_unavailable", "code_of_tomorrow"]) {
      const unknown = await behind(() => problem(503, code, {}, "0"));
      await assert.rejects(unknown.tally.createLog({ name: fresh("once") }), { code });
      assert.equal(unknown.proxy.seen.length, 1, code);
    }
    for (const [status, code] of [
      [503, "too_many_verifications"],
      [429, "code_of_tomorrow"],
    ] as const) {
      const refused = await behind((n) => (n === 1 ? problem(status, code, {}, "0") : "pass"));
      await refused.tally.createLog({ name: fresh("once") });
      assert.equal(refused.proxy.seen.length, 2, code);
    }
  });

  test("they end with the deadline, or with the signal", async () => {
    const { log } = await aLog();
    const { tally, proxy } = await behind(() => problem(503, "busy", {}, "3600"));
    await assert.rejects(tally.appendEvent(log, {}), { code: "busy", retryAfter: 3600 }); // at once
    assert.equal(proxy.seen.length, 1);
    const forGood = await behind(() => problem(503, "busy", {}, "3000000")); // more ms than a timer has
    await assert.rejects(forGood.tally.getLog(log), { code: "busy", retryAfter: 3600 });
    const reason = new Error("enough");
    const abort = new AbortController();
    const silent = await behind(() => problem(503, "busy", {}, "5"));
    const appending = silent.tally.appendEvent(log, {}, { signal: abort.signal });
    setTimeout(() => abort.abort(reason), 20);
    await assert.rejects(appending, reason);
    await assert.rejects(tally.getLog(log, { signal: AbortSignal.abort(reason) }), reason);
  });

  test("a try that takes too long is given up, and made again", async () => {
    const { log } = await aLog();
    let hung = 0;
    const hanging: typeof fetch = (url, init) =>
      ++hung > 1
        ? fetch(url, init)
        : new Promise((_, reject) => init!.signal!.addEventListener("abort", () => reject(new Error("aborted"))));
    const tally = new Tally({ url: server.url, key: "", fetch: hanging, timeout: 500 });
    assert.equal((await tally.appendEvent(log, {})).sequence, 1);
    assert.ok(hung >= 2);
  });
});

describe("errors", () => {
  test("a server that is not there is told with what to do", async () => {
    const tally = new Tally({ url: "http://127.0.0.1:1", deadline: 1 });
    await assert.rejects(tally.health(), (error: TallyError) => {
      assert.ok(error instanceof TallyError && error instanceof Error);
      assert.equal(error.code, "connection");
      assert.equal(error.status, undefined);
      assert.ok(error.cause instanceof Error);
      assert.match(error.message, /no answer from http:\/\/127\.0\.0\.1:1: .*TALLY_URL/);
      return true;
    });
  });

  test("a problem is there member by member", async () => {
    const { log, direct } = await aLog();
    await assert.rejects(direct.createLog({ name: log }), (error: TallyError) => {
      assert.equal(error.code, "name_taken");
      assert.match(error.logId ?? "", /^[0-9a-f-]{36}$/);
      assert.ok(error.requestId);
      assert.match(error.message, /\(name_taken\)$/);
      return true;
    });
    await assert.rejects(direct.appendEvents(log, [{}, "nonsense"]), { code: "invalid_json", line: 2, status: 400 });
    await assert.rejects(direct.createLog({} as never), (error: TallyError) => error.fields.length > 0);
  });

  test("what answers and is no Tallystick is told", async () => {
    const { tally } = await behind(() => ({
      status: 404,
      body: "<h1>not here</h1>",
      headers: { "Content-Type": "text/html" },
    }));
    await assert.rejects(tally.getLog("x"), {
      code: "unexpected_answer",
      status: 404,
      message: /check the URL: <h1>not here/,
    });
    const page = await behind(() => ({ status: 200, body: "<h1>hello</h1>" }));
    await assert.rejects(page.tally.getLog("x"), { code: "unexpected_answer" });
    const moved = await behind(() => ({ status: 302, headers: { Location: "/elsewhere" } }));
    await assert.rejects(moved.tally.appendEvent("x", {}), { code: "unexpected_answer", status: 302 });
  });

  test("an address or a key that is none is told at once", () => {
    assert.throws(() => new Tally({ url: "127.0.0.1:8080" }), RangeError);
    assert.throws(() => new Tally({ url: server.url, key: "tally_a b" }), RangeError);
  });
});

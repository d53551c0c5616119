import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { build } from "esbuild";
import { TallyServer } from "../src/testing/index.js";
import { inChromium, missing } from "./chromium.js";
import { fresh } from "./server.js";

const entry = new URL("../src/index.js", import.meta.url).pathname;

const page = `<!doctype html><meta charset="utf-8"><title>a page</title><script type="module">
import { Tally, TallyError } from "/client.js";
globalThis.run = async (url, token, log) => {
  const own = new Tally({ url: location.origin }); // the page's own server may append; it passes on what it does not know
  await own.appendEvent(log, { type: "api.call", tokens: 2n ** 60n });
  await own.appendEvents(log, [{ type: "api.call", tokens: 1 }, '{"of": "ü€𝄞"}']);
  const batcher = own.batcher({ onFailure: (log, events, error) => console.error(error) });
  await batcher.add(log, { type: "login" });
  await batcher.close();
  const other = new Tally({ url, key: token }); // another origin, with a token
  const raws = [];
  for await (const event of other.tail(log, { after: 0 })) if (raws.push(event.raw) === 4) break;
  const { answer, sequence } = await other.queryView(log, "calls");
  const watched = [];
  for await (const { answer } of other.watch(log, "calls")) {
    if (answer === undefined) continue;
    if (watched.push(answer.rows[0].count) === 2) break;
    await own.appendEvent(log, { type: "api.call" });
  }
  const refused = await other.appendEvent(log, {}, { deadline: 1000 }).catch((error) => error instanceof TallyError && error.code);
  const events = [];
  for await (const event of other.events(log, { limit: 2 })) events.push(event.sequence);
  return { raws, count: answer.rows[0].count, sequence, watched, refused, events };
};
</script>`;

test("in a page, of another origin, in Chromium", { skip: missing, timeout: 110_000 }, async () => {
  const built = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    write: false,
  });
  let target = "";
  const pages = createServer((incoming, response) => {
    if (incoming.url === "/client.js") {
      response.setHeader("Content-Type", "text/javascript").end(built.outputFiles[0]!.contents);
    } else if (incoming.url === "/") {
      response.setHeader("Content-Type", "text/html").end(page);
    } else {
      const { method, headers, url } = incoming;
      const passed = request(
        `${target}${url ?? "/"}`,
        { method, headers: { ...headers, host: new URL(target).host } },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        },
      );
      incoming.pipe(passed);
    }
  });
  await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  let server: TallyServer | undefined;
  try {
    server = await TallyServer.start({ args: ["--cors-origin", origin] });
    target = server.url;
    const direct = server.client();
    const log = fresh("page");
    await direct.ensureLog(log);
    await direct.deployView(log, "calls", { ready: "meter", config: { type: "api.call" } });
    const { key } = await direct.createKey({ name: "pages", scopes: ["read", "query"] });
    const { token } = await server.client({ key }).createToken({ scopes: ["read", "query"], logs: [log] });
    await inChromium(async (context) => {
      const tab = await context.newPage();
      const errors: string[] = [];
      tab.on("pageerror", (error) => errors.push(String(error)));
      await tab.goto(origin);
      const seen = await tab.evaluate(
        ([url, token, name]) => {
          const { run } = globalThis as unknown as { run: (...args: unknown[]) => Promise<unknown> };
          return run(url, token, name);
        },
        [target, token, log],
      );
      assert.deepEqual(errors, []);
      assert.deepEqual(seen, {
        raws: [
          '{"type":"api.call","tokens":1152921504606846976}',
          '{"type":"api.call","tokens":1}',
          '{"of": "ü€𝄞"}',
          '{"type":"login"}',
        ],
        count: 2,
        sequence: 4,
        watched: [2, 3],
        refused: "connection", // the preflight of an append from elsewhere is refused
        events: [1, 2, 3, 4, 5],
      });
    });
  } finally {
    await server?.stop();
    pages.closeAllConnections();
    pages.close();
  }
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { TallyServer } from "../src/testing/index.js";
import { inChromium, missing } from "./chromium.js";
import "./server.js"; // for its TALLY_BINARY

const docs = readFileSync(new URL("../../../../../docs/security.md", import.meta.url), "utf8");
const sample = /^```js\n(.*?)^```/ms.exec(docs)?.[1] ?? "";
const page = '<!doctype html><meta charset="utf-8"><p id="usage"></p><script type="module" src="/page.js"></script>';

test(
  "the page of docs/security.md shows answers as they change, also when a token has ended",
  { skip: missing, timeout: 110_000 },
  async () => {
    let tokens = 0;
    let newToken: (seconds: number) => Promise<{ token: string }>;
    let script = "";
    const site = createServer((request, response) => {
      if (request.method === "POST" && request.url === "/my/usage-token") {
        void newToken(++tokens === 1 ? 2 : 900).then((made) => response.end(JSON.stringify(made)));
      } else if (request.url === "/page.js") {
        response.setHeader("Content-Type", "text/javascript").end(script);
      } else {
        response.setHeader("Content-Type", "text/html").end(page);
      }
    });
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    let server: TallyServer | undefined;
    try {
      server = await TallyServer.start({ args: ["--cors-origin", origin] });
      script = sample.replace("https://metering.example.com", server.url);
      assert.notEqual(script, sample);
      const [log, direct] = ["customer-4711", server.client()];
      await direct.ensureLog(log);
      await direct.deployView(log, "monthly-totals", {
        ready: "meter",
        config: { value: "/tokens", aggregations: ["sum"] },
      });
      await direct.appendEvent(log, { tokens: 12 });
      const client = server.client({ key: (await direct.createKey({ name: "site", scopes: ["query"] })).key });
      newToken = (seconds) => client.createToken({ scopes: ["query"], logs: [log], seconds });
      await inChromium(async (context) => {
        const tab = await context.newPage();
        const errors: string[] = [];
        tab.on("pageerror", (error) => errors.push(String(error)));
        await tab.goto(origin);
        const shown = (sum: string) => tab.locator("#usage", { hasText: `"sum":"${sum}"` }).waitFor();
        await shown("12");
        await direct.appendEvent(log, { tokens: 30 });
        await shown("42");
        while (tokens < 2) await new Promise((resolve) => setTimeout(resolve, 20)); // the test's time-out ends it
        await direct.appendEvent(log, { tokens: 1 });
        await shown("43");
        assert.deepEqual(errors, []);
      });
    } finally {
      await server?.stop();
      site.closeAllConnections();
      site.close();
    }
  },
);

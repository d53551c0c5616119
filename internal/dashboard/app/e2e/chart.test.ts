import assert from "node:assert/strict";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { build } from "vite";

const app = new URL("../", import.meta.url).pathname;
const types: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

/** A page of the dashboard's parts, built as the dashboard is. */
async function parts(): Promise<AsyncDisposable & { url: string }> {
  await build({
    configFile: `${app}vite.config.ts`,
    root: `${app}e2e/harness`,
    logLevel: "warn",
    build: { outDir: `${app}build/parts`, rollupOptions: { input: `${app}e2e/harness/index.html` } },
  });
  const server = createServer((request, response) => {
    const name = request.url === "/" ? "/index.html" : (request.url ?? "");
    readFile(`${app}build/parts${name}`).then(
      (content) => response.setHeader("Content-Type", types[extname(name)] ?? "text/plain").end(content),
      () => response.writeHead(404).end(),
    );
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Harness {
  draw: (points: number, kind: "line" | "stacked") => Promise<{ drawn: number; ms: number }>;
}

test("a chart draws 100,000 points, as a line and stacked", async () => {
  await using page = await parts();
  const browser = await chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
  try {
    const tab = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await tab.goto(page.url);
    for (const kind of ["line", "stacked"] as const) {
      const rounds: number[] = [];
      for (let round = 0; round < 5; round++) {
        const { drawn, ms } = await tab.evaluate(
          (shape) => (globalThis as unknown as Harness).draw(100_000, shape),
          kind,
        );
        assert.equal(drawn, 100_000);
        rounds.push(ms);
      }
      rounds.sort((a, b) => a - b);
      console.log(`100,000 points, ${kind}: ${rounds.map((ms) => Math.round(ms)).join(", ")} ms`);
    }
    const painted = await tab.locator("canvas").evaluate((canvas) => {
      const { data } = (canvas as unknown as Canvas).getContext("2d").getImageData(0, 0, canvas.clientWidth, 200);
      return data.some((channel) => channel !== 0);
    });
    assert.ok(painted, "the canvas is empty");
  } finally {
    await browser.close();
  }
});

interface Canvas {
  getContext: (kind: "2d") => { getImageData: (...at: number[]) => { data: Uint8ClampedArray } };
}

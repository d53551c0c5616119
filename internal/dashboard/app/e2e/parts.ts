import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { build } from "vite";

const app = new URL("../", import.meta.url).pathname;
const types: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

/** A page of the dashboard's parts, built as the dashboard is, on a server of its own. */
export async function parts(): Promise<AsyncDisposable & { url: string }> {
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
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Harness {
  draw: (points: number, kind: "line" | "stacked") => Promise<{ drawn: number; ms: number }>;
}

/** Draws a chart of so many points on that page, and tells how many were drawn and how many milliseconds it took. */
export function draw(page: Page, points: number, kind: "line" | "stacked"): Promise<{ drawn: number; ms: number }> {
  return page.evaluate(([count, shape]) => (globalThis as unknown as Harness).draw(count, shape), [
    points,
    kind,
  ] as const);
}

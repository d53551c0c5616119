import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { version } from "../src/index.js";
import { fresh, testServer } from "./server.js";

const client = new URL("../..", import.meta.url).pathname;
const most = 15_000; // bytes, compressed

const program = `
import { Tally, TallyError, parseExact, type StoredEvent } from "@tallystick/client";
const tally: Tally = new Tally();
const log: string = process.argv[2]!;
await tally.createLog({ name: log });
await tally.appendEvent(log, { type: "t", n: 2n ** 60n });
const events: StoredEvent[] = [];
for await (const event of tally.events(log)) events.push(event);
try {
  await tally.createLog({ name: log });
} catch (error) {
  if (!(error instanceof TallyError)) throw error;
  console.log(error.code, events[0]?.raw, parseExact("1"));
}
`;

const inPages = `
import { Tally } from "@tallystick/client";
export async function show(url: string, key: string, place: Element): Promise<void> {
  const abort = new AbortController();
  for await (const { answer, sequence } of new Tally({ url, key }).watch<{ rows: unknown[] }>("l", "v", {}, { signal: abort.signal })) {
    place.textContent = String((answer?.rows.length ?? 0) + sequence);
  }
}
`;

const inTests = `
import { TallyServer } from "@tallystick/client/testing";
export async function run(): Promise<string> {
  await using server = await TallyServer.start({ args: ["--keys"] });
  return server.client({ actor: "me" }).url + server.databaseUrl;
}
`;

describe("the package", () => {
  const server = testServer();
  const folder = mkdtempSync(join(tmpdir(), "tally-package-"));
  const npm = (...args: string[]): string =>
    execFileSync("npm", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  let files: string[] = [];

  before(() => {
    const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", folder], {
      cwd: client,
      encoding: "utf8",
    });
    // npm prints what its scripts print, before what it has to say.
    const [result] = JSON.parse(packed.slice(packed.search(/^[[{]/m))) as [
      { filename: string; files: { path: string }[] },
    ];
    files = result.files.map(({ path }) => path);
    mkdirSync(join(folder, "src"));
    writeFileSync(join(folder, "package.json"), '{"private": true, "type": "module"}');
    npm("install", "--offline", "--no-audit", `./${result.filename}`);
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Compiles a program against the installed package, in a project of its own. */
  function compile(name: string, text: string, options: Record<string, unknown>): void {
    writeFileSync(join(folder, `src/${name}.ts`), text);
    const compilerOptions = {
      strict: true,
      target: "ES2022",
      skipLibCheck: false,
      outDir: "out",
      rootDir: "src",
      ...options,
    };
    writeFileSync(join(folder, `${name}.json`), JSON.stringify({ compilerOptions, files: [`src/${name}.ts`] }));
    try {
      execFileSync(join(client, "node_modules/.bin/tsc"), ["-p", `${name}.json`], { cwd: folder, encoding: "utf8" });
    } catch (error) {
      assert.fail((error as { stdout: string }).stdout);
    }
  }
  const node = { typeRoots: [join(client, "node_modules/@types")], types: ["node"], lib: ["ES2022"] };

  test("has its programs, their types, and nothing else", () => {
    assert.ok(
      files.includes("dist/index.js") && files.includes("dist/index.d.ts") && files.includes("dist/testing/index.d.ts"),
    );
    assert.deepEqual(files.filter((file) => !/^dist\/[\w/.-]+\.(js|d\.ts)$/.test(file)).sort(), [
      "LICENSE",
      "README.md",
      "package.json",
    ]);
    const described = JSON.parse(readFileSync(join(client, "package.json"), "utf8")) as {
      version: string;
      dependencies?: unknown;
    };
    assert.equal(described.version, version);
    assert.equal(described.dependencies, undefined);
  });

  test("works in Node where it is installed, compiled as NodeNext, against a server", () => {
    compile("program", program, { module: "NodeNext", ...node });
    const env = { ...process.env, TALLY_URL: server.url, TALLY_KEY: "" };
    const output = execFileSync("node", ["out/program.js", fresh("packed")], { cwd: folder, env, encoding: "utf8" });
    assert.equal(output, 'name_taken {"type":"t","n":1152921504606846976} 1\n');
  });

  test("has types that bundlers' programs for pages compile with, without those of Node", () => {
    compile("pages", inPages, {
      module: "ESNext",
      moduleResolution: "Bundler",
      lib: ["ES2022", "DOM", "DOM.Iterable"],
      types: [],
    });
  });

  test("has types of its helper for tests", () => {
    compile("tests", inTests, { module: "NodeNext", ...node });
  });

  test(`has at most ${most} bytes in a page, and nothing of Node`, async (t) => {
    const entry = join(folder, "node_modules/@tallystick/client/dist/index.js");
    const built = await build({
      entryPoints: [entry],
      bundle: true,
      minify: true,
      format: "esm",
      platform: "browser",
      write: false,
    });
    const size = gzipSync(built.outputFiles[0]!.contents, { level: 9 }).length;
    t.diagnostic(`${size} bytes`);
    assert.ok(size <= most, `${size} bytes`);
  });
});

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { Registry } from "./registry.js";
import { Tally } from "../src/index.js";
import { built, testServer } from "./server.js";

const client = new URL("../..", import.meta.url).pathname;
const root = join(client, "../../..");
const readme = readFileSync(join(client, "README.md"), "utf8");

function blocks(language: string): string[] {
  return Array.from(readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms")), (match) => match[1] ?? "");
}

/** What is there already where the examples begin: the server and the log are those of this test. */
function prelude(url: string, log: string): string {
  return `
import { ExactNumber, Tally, TallyError } from "@tallystick/client";
declare const process: { exit(): never };
const log = ${JSON.stringify(log)}, token = "", event = { type: "api.call" };
function show(answer: unknown): void {
  console.log("shown:", JSON.stringify(answer));
  process.exit(); // a page goes on
}
const url = ${JSON.stringify(url)};
`;
}
const withClient = "const tally = new Tally({ url });\n";

/** What each example prints. */
const printed = [
  /^$/, // a client
  /^$/, // an event with an id
  /^$/, // a batcher
  /^the log is at 0\n$/,
  /^402 credits credits_used_up false\n429 credits limit_reached true\n$/,
  /^the receiver needs whsec_\S+\n$/,
  /^shown: \{.*"sum":"42"/,
];

describe("the README", () => {
  const folder = mkdtempSync(join(tmpdir(), "tally-readme-"));
  let registry: Registry | undefined;
  const server = testServer();

  before(async () => {
    const packed = join(folder, "packed");
    mkdirSync(packed);
    execFileSync("npm", ["pack", "--silent", "--pack-destination", packed], { cwd: client });
    const cpu = process.arch === "x64" ? "amd64" : process.arch;
    const binary = `${process.platform}/${cpu}=${process.env["TALLY_BINARY"] ?? built}`;
    execFileSync("node", [join(root, "tools/package-server/npm.mjs"), packed, "v0.0.0-test", binary]);
    registry = await Registry.start(packed);
  });
  after(() => {
    registry?.stop();
    rmSync(folder, { recursive: true });
  });

  test("begins with what counts an event, from an empty folder, by npm alone", { timeout: 300_000 }, async () => {
    const [block = ""] = blocks("sh");
    const expected = /^It prints `(.*?)`/m.exec(readme)?.[1];
    assert.ok(readme.indexOf(block) < 400 && expected !== undefined);
    const empty = join(folder, "empty");
    mkdirSync(empty);
    const env: NodeJS.ProcessEnv = {
      PATH: process.env["PATH"],
      HOME: empty,
      npm_config_registry: registry?.url,
      npm_config_cache: join(folder, "cache"),
    };
    const { stdout } = await promisify(execFile)("bash", ["-euc", block], { cwd: empty, env });
    assert.equal(stdout.trimEnd().split("\n").at(-1), expected);
    const { stdout: said } = await promisify(execFile)("npx", ["--no", "tally", "version"], { cwd: empty, env });
    assert.match(said, /tally/);
  });

  test("has examples that run", { timeout: 300_000 }, async () => {
    const place = join(folder, "examples");
    const modules = join(place, "node_modules/@tallystick");
    mkdirSync(modules, { recursive: true });
    const packed = execFileSync("find", [join(folder, "packed"), "-name", "*client*.tgz"], { encoding: "utf8" }).trim();
    execFileSync("tar", ["-xzf", packed, "-C", modules]);
    execFileSync("mv", [join(modules, "package"), join(modules, "client")]);
    writeFileSync(join(place, "package.json"), '{"type": "module"}');

    const tally = new Tally({ url: server.url });
    for (const log of ["customer-acme", "customer-4711", "readme"]) await tally.ensureLog(log);
    const meter = { ready: "meter", config: { value: "/tokens", aggregations: ["sum"] } };
    await tally.deployView("customer-4711", "tokens", meter);
    await tally.appendEvent("customer-4711", { type: "api.call", tokens: 42 });

    const files = blocks("ts").map((block, i) => {
      const text = block.replaceAll('"https://tally.example.com"', "url");
      const before = prelude(server.url, "readme") + (text.includes("const tally =") ? "" : withClient);
      writeFileSync(join(place, `example${i}.ts`), `${before}${text.replace(/^import .*$/m, "")}\nexport {};\n`);
      return `example${i}`;
    });
    const options = ["--strict", "--target", "ES2022", "--module", "NodeNext", "--lib", "ES2022,DOM"];
    try {
      const sources = files.map((file) => `${file}.ts`);
      execFileSync(join(client, "node_modules/.bin/tsc"), [...options, ...sources], { cwd: place, encoding: "utf8" });
    } catch (error) {
      assert.fail((error as { stdout: string }).stdout);
    }
    assert.equal(files.length, printed.length);
    for (const [i, file] of files.entries()) {
      const env = { ...process.env, TALLY_URL: server.url };
      const { stdout } = await promisify(execFile)("node", [`${file}.js`], { cwd: place, env });
      assert.match(stdout, printed[i] ?? /^$/, blocks("ts")[i]);
    }
    const { events } = await tally.listEvents("customer-acme");
    assert.deepEqual(
      events.map((event) => event.data),
      [
        { type: "api.call", id: "request-4711", source: "gateway-7", tokens: 150 },
        { type: "api.call", tokens: 150 },
      ],
    );
  });
});

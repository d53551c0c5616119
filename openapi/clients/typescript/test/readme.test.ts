import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { Registry } from "./registry.js";
import { built } from "./server.js";

const client = new URL("../..", import.meta.url).pathname;
const root = join(client, "../../..");
const readme = readFileSync(join(client, "README.md"), "utf8");

function blocks(language: string): string[] {
  return Array.from(readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms")), (match) => match[1] ?? "");
}

/** What is there already where the examples begin. */
const prelude = `
import { ExactNumber, Tally, TallyError } from "@tallystick/client";
declare const log: string, token: string, event: { type: string };
declare function show(answer: unknown): void;
`;
const preludeWithClient = `${prelude}declare const tally: Tally;\n`;

describe("the README", () => {
  const folder = mkdtempSync(join(tmpdir(), "tally-readme-"));
  let registry: Registry | undefined;

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

  test("has examples that compile", () => {
    const place = join(folder, "examples");
    const modules = join(place, "node_modules/@tallystick");
    mkdirSync(modules, { recursive: true });
    const packed = execFileSync("find", [join(folder, "packed"), "-name", "*client*.tgz"], { encoding: "utf8" }).trim();
    execFileSync("tar", ["-xzf", packed, "-C", modules]);
    execFileSync("mv", [join(modules, "package"), join(modules, "client")]);
    writeFileSync(join(place, "package.json"), '{"type": "module"}');
    const files = blocks("ts").map((block, i) => {
      const declares = block.includes("const tally =");
      const text = block.includes("import ") ? block : (declares ? prelude : preludeWithClient) + block;
      writeFileSync(join(place, `example${i}.ts`), `${text}\nexport {};\n`);
      return `example${i}.ts`;
    });
    assert.ok(files.length >= 5);
    const options = ["--strict", "--noEmit", "--target", "ES2022", "--module", "NodeNext", "--lib", "ES2022,DOM"];
    try {
      execFileSync(join(client, "node_modules/.bin/tsc"), [...options, ...files], { cwd: place, encoding: "utf8" });
    } catch (error) {
      assert.fail((error as { stdout: string }).stdout);
    }
  });
});

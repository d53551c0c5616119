import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { promisify } from "node:util";

const image = process.env["TALLY_DEV_IMAGE"];
const root = new URL("../../", import.meta.url);

if (image === undefined) {
  test("the README", { skip: "name the image that deploy/dev-image/build.sh built by TALLY_DEV_IMAGE" });
} else {
  test("the README's program counts an event", async () => {
    const text = await readFile(new URL("README.md", root), "utf8");
    const program = /```ts\n([^]*?)```/.exec(text)?.[1] ?? "";
    assert.ok(program.includes('"tallystick/dev"'), "the README names no image");
    const file = new URL("build/readme.mjs", root).pathname; // in here the package finds itself by its name
    await writeFile(file, program.replace('"tallystick/dev"', JSON.stringify(image)));
    const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 120_000 });
    assert.match(stdout, /sum: '150'|"sum":"150"|rows: \[/);
  });
}

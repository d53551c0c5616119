// Runs the tests, two files at a time: all, or those whose names are given.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";

const wanted = process.argv.slice(2);
rmSync("build", { recursive: true, force: true });
run("npx", ["tsc", "-p", "e2e/tsconfig.json"]);
const files = readdirSync("build")
  .filter(
    (name) => name.endsWith(".test.js") && (wanted.length === 0 || wanted.includes(name.slice(0, -".test.js".length))),
  )
  .map((name) => `build/${name}`);
if (files.length === 0) throw new Error(`there is no test ${wanted.join(", ")}`);
run("node", ["--test", "--test-concurrency=2", "--test-timeout=300000", ...files]);

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

// Packs the server's program for npm: a package for each platform, of which npm installs the one that fits, and @tallystick/server, which
// finds it.
//
//   npm.mjs FOLDER VERSION PLATFORM=FILE...   such as linux/amd64=bin/tally, as GOOS/GOARCH; the packages are written to FOLDER, as .tgz
//
// With binaries of tools/build-release.sh. The version may be one of Git's tags (v1.2.3); what npm's versions cannot have is left out.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const cpus = { amd64: "x64", arm64: "arm64" };
const root = resolve(import.meta.dirname, "../..");

const [folder, given, ...binaries] = process.argv.slice(2);
if (!folder || !given || binaries.length === 0) {
  console.error("usage: npm.mjs FOLDER VERSION PLATFORM=FILE...");
  process.exit(2);
}
const version = given.replace(/^v/, "").replace(/\+.*$/, "");
const common = {
  version,
  license: "Apache-2.0",
  homepage: "https://github.com/tallystick/tallystick",
  repository: { type: "git", url: "git+https://github.com/tallystick/tallystick.git" },
};
const work = mkdtempSync(join(tmpdir(), "tally-npm-"));
mkdirSync(folder, { recursive: true });
try {
  const optional = {};
  for (const binary of binaries) optional[packPlatform(...binary.split("="))] = version;
  packMain(optional);
} finally {
  rmSync(work, { recursive: true, force: true });
}

// packPlatform packs the program for one platform, and returns the package's name.
function packPlatform(platform, file) {
  const [os, arch] = platform.split("/");
  const cpu = cpus[arch];
  if (!cpu || !file) throw new Error(`${platform}=${file}: must be such as linux/amd64=bin/tally`);
  const name = `@tallystick/server-${os}-${cpu}`;
  const place = join(work, `${os}-${cpu}`);
  mkdirSync(join(place, "bin"), { recursive: true });
  copyFileSync(file, join(place, "bin/tally"));
  chmodSync(join(place, "bin/tally"), 0o755);
  const description = `The program tally of Tallystick, for ${os} on ${cpu}. Install @tallystick/server, which has it where it fits.`;
  pack(place, { name, description, ...common, os: [os], cpu: [cpu], files: ["bin"], preferUnplugged: true });
  return name;
}

function packMain(optionalDependencies) {
  const place = join(work, "server");
  cpSync(join(import.meta.dirname, "npm"), place, { recursive: true });
  chmodSync(join(place, "tally.js"), 0o755);
  pack(place, {
    name: "@tallystick/server",
    description: "Tallystick, the usage-metering engine: the program tally, for development and tests without containers.",
    ...common,
    engines: { node: ">=20" },
    bin: { tally: "tally.js" },
    main: "index.js",
    types: "index.d.ts",
    files: ["index.js", "index.d.ts", "tally.js", "README.md"],
    optionalDependencies,
  });
}

function pack(place, description) {
  writeFileSync(join(place, "package.json"), `${JSON.stringify(description, null, 2)}\n`);
  copyFileSync(join(root, "LICENSE"), join(place, "LICENSE"));
  const name = execFileSync("npm", ["pack", "--silent", "--pack-destination", resolve(folder)], { cwd: place, encoding: "utf8" });
  process.stdout.write(name);
}

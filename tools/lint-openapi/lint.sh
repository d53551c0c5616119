#!/usr/bin/env bash
# Lints openapi/openapi.yaml by Spectral and Redocly: any finding fails. The rules that are off say why, in spectral.yaml and redocly.yaml.
# Needs Node 20; the linters are fetched once, into the cache.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tallystick/lint-openapi
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # other checkouts use the same folder
if ! cmp -s package-lock.json "$cache/package-lock.json" || [ ! -d "$cache/node_modules" ]; then
	cp package.json package-lock.json "$cache"
	npm ci --prefix "$cache" --silent --no-audit --no-fund
fi
document=${1:-../../openapi/openapi.yaml}
bin=$cache/node_modules/.bin
"$bin/spectral" lint "$document" --ruleset spectral.yaml --fail-severity hint --format json --quiet >"$cache/spectral.json" || true
"$bin/redocly" lint "$document" --config redocly.yaml --format json >"$cache/redocly.json" 2>"$cache/redocly.log" || true
# Redocly fails at errors only, and Spectral takes the references of a JSON Schema in an example for the document's own.
node -e '
const read = (file) => JSON.parse(require("fs").readFileSync(file, "utf8"));
const found = [
  ...read(process.argv[1])
    .filter(({ code, path }) => code !== "invalid-ref" || !path.includes("example"))
    .map(({ code, message, path }) => `Spectral: ${code}: ${message} (${path.join("/")})`),
  ...read(process.argv[2]).problems.map(({ ruleId, message, location }) => `Redocly: ${ruleId}: ${message} (${location?.[0]?.pointer})`),
];
for (const finding of found) console.error(finding);
process.exit(found.length > 0 ? 1 : 0);
' "$cache/spectral.json" "$cache/redocly.json"
echo 'Spectral and Redocly find nothing'

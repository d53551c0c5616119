#!/usr/bin/env bash
# Builds the documentation site from docs/ and openapi/openapi.yaml into a folder. Node 20 is needed; npm's packages are kept in a cache,
# and the pages need no network.
#
#   build.sh FOLDER [BASE]    BASE is the path that the site is served under, / unless given
set -euo pipefail
mkdir -p "${1:?usage: build.sh FOLDER [BASE]}"
out=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/tallystick/site
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # other checkouts use the same folder
if ! cmp -s package-lock.json "$cache/package-lock.json" || [ ! -d "$cache/node_modules" ]; then
	cp package.json package-lock.json "$cache/"
	npm ci --prefix "$cache" --no-audit --no-fund --loglevel=error || { rm "$cache/package-lock.json"; exit 1; }
fi

# The sources are put together beside the packages, since that is where the generator looks for them.
work=$cache/work
rm -rf "$work"
mkdir -p "$work/.vitepress/theme"
cp config.mjs "$work/.vitepress/config.mjs"
cp theme.mjs "$work/.vitepress/theme/index.mjs"
cp pages.mjs reference.mjs home.md "$cache/"
node "$cache/pages.mjs" "$PWD/../.." "$work"
SITE_BASE=${2:-/} "$cache/node_modules/.bin/vitepress" build "$work" --outDir "$out"
node check.mjs "$out" "${2:-/}"

#!/usr/bin/env bash
# Lints and tests this module with what package-lock.json pins. Needs a container engine, and the image that TALLY_DEV_IMAGE names
# (deploy/dev-image/build.sh builds it).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

export TALLY_DEV_IMAGE=${TALLY_DEV_IMAGE:-tallystick/dev}
# Ryuk, the container that cleans up after Testcontainers, would have to be pulled.
export TESTCONTAINERS_RYUK_DISABLED=true TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1
for folder in ../../openapi/clients/typescript .; do (cd "$folder" && npm ci --silent --no-audit --no-fund); done
npm run --silent lint
npm run --silent test

# The packages as they are published, installed from their files into a folder of its own: the program of README.md compiles and runs there.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for folder in ../../openapi/clients/typescript .; do (cd "$folder" && npm pack --silent --pack-destination "$work" >/dev/null); done
modules=$PWD/node_modules
awk '/^```ts$/ { inside = 1; next } /^```$/ { if (inside) exit } inside' README.md |
	sed "s|\"tallystick/dev\"|\"$TALLY_DEV_IMAGE\"|" >"$work/first.mts"
peer=testcontainers@$(node -p 'require("./package.json").devDependencies.testcontainers')
cd "$work"
echo '{ "private": true }' >package.json
npm install --silent --no-audit --no-fund --prefer-offline ./*.tgz "$peer"
"$modules/.bin/tsc" --strict --target ES2022 --module NodeNext --skipLibCheck --types node --typeRoots "$modules/@types" first.mts
node first.mjs | tee output
grep -q "'150'\|\"150\"" output || { echo 'the program of README.md counted no 150 where the packages are installed' >&2; exit 1; }

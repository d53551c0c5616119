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

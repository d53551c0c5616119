#!/usr/bin/env bash
# Lints, type-checks and tests this module with what openapi/clients/python/requirements-dev.txt pins. Needs a container engine, and the
# image that TALLY_DEV_IMAGE names (deploy/dev-image/build.sh builds it); arguments go to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

bin=$(../../openapi/clients/python/venv.sh)
# Ryuk, the container that cleans up after testcontainers, would have to be pulled. Ports are published on loopback, also where this runs
# in a container itself.
export TESTCONTAINERS_RYUK_DISABLED=true TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1 TESTCONTAINERS_CONNECTION_MODE=docker_host
export PYTHONDONTWRITEBYTECODE=1
"$bin/ruff" check --no-cache .
"$bin/ruff" format --no-cache --check src tests
"$bin/mypy" --cache-dir "${XDG_CACHE_HOME:-$HOME/.cache}/tallystick/mypy"
PYTHONPATH=$PWD/src:$PWD/../../openapi/clients/python/src "$bin/python" -m pytest -q "$@"

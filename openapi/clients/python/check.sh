#!/usr/bin/env bash
# Lints, type-checks and tests this client with what requirements-dev.txt pins. The tests start bin/tally of this repository, or
# TALLY_BINARY; arguments go to pytest. PYTHON names another Python, from 3.11 on, which some of the tools need. That the client itself does
# with 3.10, mypy and ruff look at; its tests run there by hand, with httpx, pytest, pytest-asyncio, build, hatchling and PyYAML:
#
#   PYTHONPATH=src TALLY_BINARY=../../../bin/tally python3.10 -m pytest tests --ignore tests/test_package.py --ignore tests/conformance
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

bin=$(./venv.sh)
export TALLY_BINARY=${TALLY_BINARY:-$PWD/../../../bin/tally} PYTHONDONTWRITEBYTECODE=1
"$bin/ruff" check --no-cache . ../../../tools/package-server/pypi.py
"$bin/ruff" format --no-cache --check src tests
"$bin/mypy" --cache-dir "${XDG_CACHE_HOME:-$HOME/.cache}/tallystick/mypy"
PYTHONPATH=$PWD/src "$bin/python" -m pytest -q "$@"

#!/usr/bin/env bash
# Writes src/tallystick/_types.py anew from openapi/openapi.yaml; with --check, proves that it is up to date instead.
# Needs Python 3.11 or newer, and what requirements-dev.txt pins, which it installs into a folder of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

types=src/tallystick/_types.py
bin=$(./venv.sh)
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
"$bin/datamodel-codegen" --input ../../openapi.yaml --input-file-type openapi --openapi-scopes schemas --output "$made/types.py" \
	--output-model-type typing.TypedDict --target-python-version 3.10 --enum-field-as-literal all --formatters builtin \
	--use-standard-collections --use-union-operator --use-schema-description --use-field-description \
	--disable-timestamp --custom-file-header '# Generated from openapi/openapi.yaml by generate.sh; do not edit.'
if [ "${1:-}" != --check ]; then
	mv "$made/types.py" "$types"
elif ! diff -u "$types" "$made/types.py"; then
	echo "openapi/clients/python/$types is not what openapi.yaml says: run make generate and commit it" >&2
	exit 1
fi

#!/usr/bin/env bash
# Prints the folder of programs of a virtual environment that has what requirements-dev.txt pins, and makes it where it is not there yet.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

python=${PYTHON:-python3}
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
folder=${XDG_CACHE_HOME:-$HOME/.cache}/tallystick/python-$version-$(sha256sum requirements-dev.txt | cut -c1-16)
if [ ! -e "$folder/complete" ]; then
	rm -rf "$folder"
	"$python" -m venv "$folder"
	"$folder/bin/pip" install --quiet --disable-pip-version-check --requirement requirements-dev.txt >&2
	touch "$folder/complete"
fi
echo "$folder/bin"

#!/usr/bin/env bash
# Installs into a folder, unless they are there already, the programs that the tests here run and that Debian does not have: Envoy and
# LiteLLM from their Python packages, the OpenTelemetry Collector and Benthos from their Go modules.
#
#   tools/gateways/install.sh DIR
set -euo pipefail
mkdir -p "$1"
dir=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"
exec 9>"$dir/lock"
flock 9 # other checkouts use the same folder

# Stripped and without paths of this machine, so that a checkout elsewhere finds them up to date.
for program in otelcol benthos; do
	go -C "$program" build -trimpath -ldflags='-s -w' -o "$dir/$program" .
done

# What is compiled while it runs stays: modules that are never imported are not compiled.
installed=$dir/python/installed
wanted=$(python3 --version && sha256sum requirements.txt)
if [ "$wanted" != "$(cat "$installed" 2>/dev/null)" ]; then
	rm -rf "$dir/python"
	python3 -m venv "$dir/python"
	"$dir/python/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --no-compile \
		--require-hashes -r requirements.txt
	echo "$wanted" >"$installed"
fi

#!/usr/bin/env bash
# Installs into a folder, unless they are there already, the programs that the tests here run and that Debian does not have: Envoy and
# LiteLLM from their Python packages, the OpenTelemetry Collector and Benthos from their Go modules.
#
#   tools/gateways/install.sh DIR
set -euo pipefail
mkdir -p "$1"
dir=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"

main() {
	exec 9>"$dir/lock"
	flock 9 # other checkouts use the same folder
	for program in otelcol benthos; do
		ensure "$program" "$(go version && sha256sum "$program"/*)" go -C "$program" build -ldflags='-s -w' -o "$dir/$program" .
	done
	ensure python "$(command -v python3 && python3 --version && sha256sum requirements.txt)" install_python
}

# ensure NAME WANTED COMMAND...: runs the command unless it has run for the same WANTED.
ensure() {
	local name=$1 wanted=$2
	shift 2
	[ "$wanted" != "$(cat "$dir/$name.installed" 2>/dev/null)" ] || return 0
	echo "installing $name"
	"$@"
	echo "$wanted" >"$dir/$name.installed"
}

# Modules are compiled when they are imported, which most never are.
install_python() {
	rm -rf "$dir/python"
	python3 -m venv "$dir/python"
	"$dir/python/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --no-compile \
		--require-hashes -r requirements.txt
}

main

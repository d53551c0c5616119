#!/usr/bin/env bash
# Checks the files that deploy Tallystick, without a cluster, a container engine or a network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

go -C tools/manifests test ./...
go -C tools/manifests build -o "$PWD/bin/manifests" .
bin/manifests compose compose.yaml
for file in deploy/kubernetes/*.yaml; do
	case $file in */kustomization.yaml) ;; *) bin/manifests kubernetes "$file" ;; esac
done
if command -v kubectl >/dev/null; then
	kubectl kustomize deploy/kubernetes | bin/manifests kubernetes -
fi
if command -v systemd-analyze >/dev/null; then
	unit=$(mktemp -d)/tally.service # where the program is not installed, verifying would stop at that
	trap 'rm -rf "$(dirname "$unit")"' EXIT
	sed "s,/usr/local/bin/tally,$(command -v true)," deploy/systemd/tally.service >"$unit"
	found=$(systemd-analyze verify --recursive-errors=no "$unit" 2>&1) && [ -z "$found" ] || { echo "$found" >&2; exit 1; }
	systemd-analyze security --offline=true --threshold=25 --no-pager "$unit" >/dev/null # 2.5 of 10
fi
echo 'the files that deploy are in order'

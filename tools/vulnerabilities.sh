#!/usr/bin/env bash
# Looks for known vulnerabilities in what Tallystick's code calls. The newest database is had as a Go module, from wherever Go modules
# come from, so that no other host must be within reach.
#
# Fails with 1 where a module that go.mod names has one: it must be updated, or given up. One of the Go standard library is told, and is
# no failure: it goes away with the next release of Go on the machine that builds. Fails with 75 where nothing could be looked for.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
not_done=75
database=golang.org/x/vulndb

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# In a module of its own: the database is data, and not even the tools depend on it.
printf 'module scan\n' >"$folder/go.mod"
if ! (cd "$folder" && go mod download -json "$database@latest") >"$folder/download"; then
	echo "NOT LOOKED FOR: the vulnerability database, the Go module $database, could not be had:" >&2
	cat "$folder/download" >&2
	exit "$not_done"
fi
data=$(sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p' "$folder/download")/data/osv
version=$(sed -n 's/^\t"Version": "\(.*\)",*$/\1/p' "$folder/download")
[ -d "$data" ] || { echo "NOT LOOKED FOR: $database $version holds no folder data/osv" >&2; exit "$not_done"; }
echo "vulnerability database: $version, $(find "$data" -name '*.json' | wc -l) entries"

go tool -modfile=tools/go.mod govulncheck -db "file://$data" ./... >"$folder/report"
status=$?
cat "$folder/report"
count() { grep -c "$1" "$folder/report"; }
all=$(count '^Vulnerability #') standard=$(count '^  Standard library$')
if [ "$status" = 0 ] && [ "$all" = 0 ]; then
	exit 0
elif [ "$status" = 3 ] && [ "$all" -gt 0 ] && [ "$all" = "$standard" ]; then # 3: some were found
	echo "all $all are the standard library's: build with a newer Go than $(go env GOVERSION)"
	exit 0
fi
exit 1

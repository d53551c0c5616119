#!/usr/bin/env bash
# Fails where openapi/openapi.yaml, or NEW, breaks clients of the one before: that of the newest tag, or OLD.
#
#   breaking.sh [OLD NEW]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ $# = 2 ]; then
	old=$(realpath "$1") new=$(realpath "$2")
else
	cd "$here/../.."
	tag=$(git tag --list 'v*' --sort=-version:refname | head -n 1)
	[ -n "$tag" ] || { echo 'no version is tagged yet: there is nothing to break'; exit 0; }
	old=$(mktemp) new=$PWD/openapi/openapi.yaml
	trap 'rm -f "$old"' EXIT
	git show "$tag:openapi/openapi.yaml" >"$old"
fi
go -C "$here" tool oasdiff breaking "$old" "$new" --fail-on ERR

#!/usr/bin/env bash
# Replaces a server of an earlier version by one of this version, on one database, while clients go on sending events, and checks that none
# was refused for good, lost or counted twice. Prints what clients noticed.
#
#   tools/upgrade-check.sh [COMMIT]
#
# COMMIT, or a tag, is the earlier version: the newest tag before this commit unless given, or without tags the last commit whose servers
# ask for no keys. It has to be in this clone: else it ends with 75, nothing done.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
commit=${1:-$(git describe --tags --abbrev=0 HEAD^ 2>/dev/null || echo 1daefae)}
git cat-file -e "$commit^{commit}" 2>/dev/null || { echo "$commit is not in this clone: fetch it" >&2; exit 75; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" # its program is run by tests
mkdir "$work/source"
git archive "$commit" | tar -x -C "$work/source"
go -C "$work/source" build -buildvcs=false -o "$work/tally" ./cmd/tally
echo "from $(git log -1 --format='%h of %cs' "$commit") to $(git describe --tags --always --dirty)"
TALLY_UPGRADE_FROM=$work/tally go test -count=1 -timeout 25m -v -run '^TestUpgradeUnderLoad$' ./cmd/tally

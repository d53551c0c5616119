#!/usr/bin/env bash
# Runs the first block of README.md in a clean folder, as somebody does who has only Go. The two modules come from a repository of Git that
# holds this tree under the tags of a release, so that their zips are made as the world's are; everything else from what was downloaded
# before, or from GOPROXY.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=v$(sed -n 's/^const Version = "\(.*\)"$/\1/p' client.go)
proxy=file://$(go env GOMODCACHE)/cache/download,$(go env GOPROXY)

mkdir "$work/repository" "$work/clean"
git -C ../../.. ls-files -z --cached --others --exclude-standard | (cd ../../.. && xargs -0 ls -d 2>/dev/null) |
	tar -C ../../.. -c -T - | tar -C "$work/repository" -x
cd "$work/repository"
git init -q
git add -A
git -c user.name=check -c user.email=check@localhost -c commit.gpgsign=false commit -q -m "$version"
git tag "$version"
git tag "openapi/clients/go/$version"

cd "$work/clean"
unset TALLY_BINARY TALLY_URL TALLY_KEY
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.file://$work/repository.insteadOf" \
	GIT_CONFIG_VALUE_0=https://github.com/tallystick/tallystick
export GOPRIVATE=github.com/tallystick GOPROXY=$proxy GOMODCACHE=$work/modules GOFLAGS='-modcacherw -trimpath' CGO_ENABLED=0 GOWORK=off
awk '/^```bash$/ { inside = 1; next } /^```$/ { if (inside) exit } inside' "$OLDPWD/openapi/clients/go/README.md" >"$work/block.sh"
bash -eu -o pipefail "$work/block.sh" | tee "$work/output"
grep -q '^after event 1: .*"sum":"\{0,1\}12' "$work/output" || { echo 'the block of README.md counted no 12' >&2; exit 1; }
grep -q "openapi/clients/go $version" go.mod || { echo "go.mod has another version than $version:" >&2; cat go.mod >&2; exit 1; }

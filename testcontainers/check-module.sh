#!/usr/bin/env bash
# Runs the test of README.md in a clean folder, with this module and the SDK as they are published: by the tags of a release, in a
# repository of Git that holds this tree. Everything else comes from what was downloaded before, or from GOPROXY. Needs a container
# engine, and the image tallystick/dev (deploy/dev-image/build.sh builds it).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(go list -m -f '{{.Version}}' github.com/tallystick/tallystick/openapi/clients/go)
proxy=file://$(go env GOMODCACHE)/cache/download,$(go env GOPROXY)

mkdir "$work/repository" "$work/clean"
git -C .. ls-files -z --cached --others --exclude-standard | (cd .. && xargs -0 ls -d 2>/dev/null) |
	tar -C .. -c -T - | tar -C "$work/repository" -x
cd "$work/repository"
git init -q
git add -A
git -c user.name=check -c user.email=check@localhost -c commit.gpgsign=false commit -q -m "$version"
for module in openapi/clients/go testcontainers; do git tag "$module/$version"; done

cd "$work/clean"
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.file://$work/repository.insteadOf" \
	GIT_CONFIG_VALUE_0=https://github.com/tallystick/tallystick
export GOPRIVATE=github.com/tallystick GOPROXY=$proxy GOMODCACHE=$work/modules GOFLAGS='-modcacherw -trimpath' CGO_ENABLED=0 GOWORK=off
# Ryuk, the container that cleans up after testcontainers, would have to be pulled.
export TESTCONTAINERS_RYUK_DISABLED=true
awk '/^```go$/ { inside = 1; next } /^```$/ { if (inside) exit } inside' "$work/repository/testcontainers/README.md" >billing_test.go
go mod init example.com/billing
go get "github.com/tallystick/tallystick/testcontainers@$version"
go mod tidy
go test -count=1 -v . | tee "$work/output"
grep -q -- '--- PASS: TestBilling' "$work/output" || { echo 'the test of README.md did not run' >&2; exit 1; }

#!/usr/bin/env bash
# Builds tally for release: static, without paths of this machine, and the same bytes from the same commit and Go version, wherever.
#
#   build-release.sh FILE                       for this platform, or that of GOOS and GOARCH
#   build-release.sh --all FOLDER [PLATFORM...] an archive for each platform, and SHA256SUMS; by default Linux and macOS on amd64 and arm64
#
# VERSION names the version; by default that is the tag of the commit, or a name made of the commit. COMMIT and DATE (RFC 3339) are needed
# only where there is no Git.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

platforms=(linux/amd64 linux/arm64 darwin/amd64 darwin/arm64)

describe() {
	COMMIT=${COMMIT:-$(git rev-parse HEAD)}
	DATE=${DATE:-$(TZ=UTC git show -s --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ "$COMMIT")}
	if [ -z "${VERSION:-}" ]; then
		VERSION=$(git describe --tags --exact-match --match 'v*' "$COMMIT" 2>/dev/null) ||
			VERSION=v0.0.0-$(tr -d ':TZ-' <<<"$DATE")-${COMMIT:0:12} # as Go names a commit without a tag
		[ -z "$(git status --porcelain --untracked-files=no)" ] || VERSION+=+dirty
	fi
}

build() {
	local package=github.com/tallystick/tallystick/internal/cli
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$1" \
		-ldflags "-s -w -X $package.version=$VERSION -X $package.commit=$COMMIT -X $package.date=$DATE" ./cmd/tally
}

# documents FOLDER: the manual pages and the scripts for completion, the same for all platforms.
documents() {
	local work
	work=$(mktemp -d)
	GOOS='' GOARCH='' build "$work/tally"
	"$work/tally" man --dir "$1/man/man1"
	mkdir -p "$1/completions"
	"$work/tally" completion bash >"$1/completions/tally.bash"
	"$work/tally" completion zsh >"$1/completions/_tally"
	"$work/tally" completion fish >"$1/completions/tally.fish"
	"$work/tally" completion powershell >"$1/completions/tally.ps1"
	find "$1" -type d -exec chmod 755 {} +
	find "$1" -type f -exec chmod 644 {} +
	rm -rf "$work"
}

# archive FOLDER PLATFORM SHARE: an archive of which only the bytes of its files make the hash.
archive() {
	local name=tally_${VERSION#v}_${2/\//_} work
	work=$(mktemp -d)
	mkdir "$work/$name"
	GOOS=${2%/*} GOARCH=${2#*/} build "$work/$name/tally"
	cp LICENSE README.md CHANGELOG.md "$work/$name/"
	cp -r "$3" "$work/$name/share"
	chmod 755 "$work/$name" "$work/$name/tally"
	chmod 644 "$work/$name"/*.md "$work/$name/LICENSE"
	tar --sort=name --mtime="$DATE" --owner=0 --group=0 --numeric-owner --format=ustar -C "$work" -c "$name" | gzip -n9 >"$1/$name.tar.gz"
	rm -rf "$work"
}

describe
if [ "${1:?usage: build-release.sh FILE, or --all FOLDER [PLATFORM...]}" != --all ]; then
	build "$1"
	exit
fi
mkdir -p "${2:?which folder?}"
folder=$(cd "$2" && pwd)
shift 2
if [[ $VERSION =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ && $VERSION != v0.0.0 ]] && grep -n '{"module": "[0-9a-f]*"}' views/ready/*.json; then
	echo "$VERSION would have ready views that are of no release: make -C views release RELEASE=${VERSION#v}" >&2
	exit 1
fi
rm -f "$folder"/tally_*.tar.gz "$folder/SHA256SUMS"
[ $# -gt 0 ] || set -- "${platforms[@]}"
share=$(mktemp -d)
documents "$share"
for platform; do archive "$folder" "$platform" "$share"; done
rm -rf "$share"
(cd "$folder" && sha256sum -- tally_*.tar.gz >SHA256SUMS)
cat "$folder/SHA256SUMS"

#!/usr/bin/env bash
# Takes each kit for a walk, as its README does: `tally view new`, then the commands that it prints. The project must
# build and pass its own golden folder, and count exactly as the ready view monthly_totals does. So must one with a guard pass.
#
#   views/check-kits.sh [LANGUAGE...]     all languages when none is named
#
# A language whose tools are missing is left out, and said so; with KITS=all it fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
PATH=$root/bin:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# has LANGUAGE: the tools that its README says to install are here.
has() {
	case $1 in
	c) python3 -c 'import ensurepip' ;;
	go) command -v go ;;
	rust) rust_target rustc || { rust_target /usr/bin/rustc && PATH=/usr/bin:$PATH; } ;;
	typescript) command -v npm ;;
	*) echo "views/check-kits.sh does not know what $1 needs" >&2 && exit 1 ;;
	esac >/dev/null 2>&1
}

# rust_target RUSTC: this compiler is there and has the target of views.
rust_target() {
	[ -d "$("$1" --print sysroot 2>/dev/null)/lib/rustlib/wasm32-unknown-unknown" ]
}

# walk LANGUAGE: from nothing to a view that passes.
walk() {
	cd "$work"
	tally view new --lang "$1" "kit-$1" >said
	follow
	tally view test "kit-$1/view.wasm" --dir "$root/views/testdata/monthly_totals"
	if [ "$1" = rust ]; then # its own tests; those of the other kits are part of go test
		cp -r "$root/views/rust/tally" rust-kit
		(cd rust-kit && cargo test --quiet)
	fi
	tally view new --lang "$1" --guard "guard-$1" >said
	[ "$1" != c ] || ln -s "$work/kit-c/.toolchain" guard-c/.toolchain # the compiler is large
	follow
	tally view test "guard-$1/view.wasm" --dir "$root/views/go/guarded/testdata"
}

# follow does as said: the printed commands are indented by two spaces, and the last one deploys, which needs a server.
follow() {
	sed -n 's/^  //p' said | head -n 3 >commands
	bash -euo pipefail commands
}

languages=("$@")
[ ${#languages[@]} -gt 0 ] || mapfile -t languages < <(
	tally view new --lang '' x 2>&1 | sed -n 's/^.*--lang is missing: //p' | tr -d ' ' | tr , '\n'
)
[ ${#languages[@]} -gt 0 ] || { echo 'tally view new names no language' >&2; exit 1; }
for language in "${languages[@]}"; do
	echo "--- $language"
	if has "$language"; then
		(walk "$language")
	elif [ "${KITS:-}" = all ]; then
		echo "the tools for $language are missing: see views/$language/README.md" >&2
		exit 1
	else
		echo "left out: its tools are missing, see views/$language/README.md"
	fi
done

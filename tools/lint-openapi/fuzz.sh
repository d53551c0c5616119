#!/usr/bin/env bash
# Asks a server what schemathesis makes up from openapi.yaml, for SECONDS: no answer may be an error of the server, nor one that the
# document does not describe, nor may there be one for who shows no key; what the document does not allow is refused, and so are methods
# that it does not have. schemathesis.toml says why other checks are left out. Half of the time the server asks for keys. Needs Go and
# Python 3; schemathesis is fetched once, into the cache. Event streams are left out, as they do not end.
#
#   fuzz.sh [SECONDS]     60 when absent
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
seconds=${1:-60}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tallystick/schemathesis
work=$(mktemp -d)
cleanup() {
	exec 8>&-
	wait
	rm -rf "$work"
}
trap cleanup EXIT
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # other checkouts use the same folder
if ! cmp -s "$here/requirements.txt" "$cache/requirements.txt"; then
	rm -rf "$cache/python"
	python3 -m venv "$cache/python"
	"$cache/python/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$here/requirements.txt"
	cp "$here/requirements.txt" "$cache"
fi
go -C "$here/../.." build -o "$work/tally" ./cmd/tally
# Each server ends with this script.
mkfifo "$work/hold"
cd "$work"

# fuzz [OPTION...]: starts a server, with the option --keys where a key is exported, and asks it.
fuzz() {
	local server url
	: >"$work/address"
	"$work/tally" dev ${TALLY_BOOTSTRAP_KEY:+--keys} --listen 127.0.0.1:0 --temporary --until-stdin-ends --output json \
		<"$work/hold" >"$work/address" 2>"$work/log" 9>&- 8>&- &
	server=$!
	[ -e /proc/self/fd/8 ] || exec 8>"$work/hold"
	until [ -s "$work/address" ]; do
		kill -0 "$server" || { cat "$work/log" >&2; exit 1; }
		sleep 0.05
	done
	url=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["url"])' <"$work/address")
	SCHEMATHESIS_HOOKS=hooks PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 "$cache/python/bin/schemathesis" \
		--config-file "$here/schemathesis.toml" run "$url/openapi.yaml" \
		--url "$url" --max-time "$((seconds / 2))" --workers 1 --max-examples 30 \
		--exclude-operation-id tail-events --exclude-operation-id watch-view "$@" >"$work/said" 2>&1 ||
		{ cat "$work/said" >&2; exit 1; }
	grep -A1 'Test cases' "$work/said"
}

fuzz --exclude-checks ignored_auth # which a server without keys does not have
TALLY_BOOTSTRAP_KEY=$("$work/tally" key generate)
export TALLY_BOOTSTRAP_KEY
fuzz --header "Authorization: Bearer $TALLY_BOOTSTRAP_KEY"

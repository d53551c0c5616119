#!/usr/bin/env bash
# Runs the tests round after round, each in another order, while something else keeps every core busy, and stops at the first round
# that fails. What passes here does not depend on luck, on order or on the speed of the machine.
#
#   tools/test-hard.sh [GO TEST FLAGS...]
#
#   HARD_ROUNDS      how many rounds, 10 unless set
#   HARD_PACKAGES    the packages, with the race detector; what `make test` runs unless set
#
# Leaves no process behind, however it ends: the burners also end by themselves once this process is gone.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
rounds=${HARD_ROUNDS:-10}
read -ra packages <<<"${HARD_PACKAGES:-}"
said=$(mktemp) # what the round that is under way said
shown=300      # lines of it, where it fails
burners=()
testing=

# burn keeps a core busy for as long as process $1 lives.
burn() {
	while kill -0 "$1" 2>/dev/null; do
		for ((i = 0; i < 100000; i++)); do :; done
	done
}

cleanup() {
	[ -z "$testing" ] || { kill -INT -- "-$testing" && wait "$testing"; } 2>/dev/null
	[ ${#burners[@]} -eq 0 ] || { kill "${burners[@]}" && wait "${burners[@]}"; } 2>/dev/null
	rm -f "$said"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# run COMMAND...: in a process group of its own, which cleanup can end with all that it started.
run() {
	set -m
	"$@" >>"$said" 2>&1 &
	testing=$!
	set +m
	local status=0
	wait "$testing" || status=$?
	testing=
	return "$status"
}

for ((core = $(getconf _NPROCESSORS_ONLN); core > 0; core--)); do
	burn $$ </dev/null >/dev/null 2>&1 &
	burners+=($!)
done
for ((round = 1; round <= rounds; round++)); do
	seed=$((RANDOM << 15 | RANDOM))
	began=$SECONDS
	: >"$said"
	flags=("$@" -count=1 -shuffle="$seed")
	command=(make --no-print-directory test "TEST_FLAGS=${flags[*]}")
	[ ${#packages[@]} -eq 0 ] || command=(go test -race "${flags[@]}" "${packages[@]}")
	if ! run "${command[@]}"; then
		grep -vE '^(ok|\?) ' "$said" | tail -n "$shown"
		printf 'round %d of %d failed after %d s; again in the same order: go test -race -count=1 -shuffle=%d PACKAGE\n' \
			"$round" "$rounds" $((SECONDS - began)) "$seed" >&2
		exit 1
	fi
	printf 'round %d of %d passed in %d s (-shuffle=%d)\n' "$round" "$rounds" $((SECONDS - began)) "$seed"
done

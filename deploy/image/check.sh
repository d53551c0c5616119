#!/usr/bin/env bash
# Makes the README's four calls in the container image: with a read-only root, without capabilities, as the image's user.
#
#   check.sh IMAGE POSTGRES_IMAGE
#
# The second is an image of PostgreSQL that takes POSTGRES_PASSWORD. Leaves no container, network or volume behind.
set -euo pipefail
image=${1:?usage: check.sh IMAGE POSTGRES_IMAGE}
postgres=${2:?usage: check.sh IMAGE POSTGRES_IMAGE}
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

name=tallystick-check-$$
work=$(mktemp -d)
servers=()
cleanup() {
	if [ "${1:-1}" != 0 ]; then
		for container in "${servers[@]}"; do docker logs "$container" 2>&1 | tail -n 20 >&2 || true; done
	fi
	[ ${#servers[@]} = 0 ] || docker rm --force --volumes "${servers[@]}" >/dev/null 2>&1 || true
	docker network rm "$name" >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap 'cleanup $?' EXIT

fail() { echo "check.sh: $*" >&2; exit 1; }

# wait_for WHAT COMMAND...: until the command succeeds, for a minute and a half at most.
wait_for() {
	local what=$1
	shift
	for _ in $(seq 300); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.3
	done
	fail "waited in vain until $what"
}

password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
# A key for the first start: see "Keys" in docs/security.md for its form.
key=$(python3 - <<-'END'
	import secrets, string, zlib
	digits = string.digits + string.ascii_uppercase + string.ascii_lowercase
	text = lambda length: "".join(secrets.choice(digits) for _ in range(length))
	key = "tally_" + text(16) + "_" + text(43)
	crc = zlib.crc32(key.encode())
	print(key + "".join(digits[crc // 62**place % 62] for place in range(5, -1, -1)))
END
)

docker network create "$name" >/dev/null
servers+=("$name-db")
docker run --detach --name "$name-db" --network "$name" --env POSTGRES_PASSWORD="$password" --env POSTGRES_USER=tally "$postgres" >/dev/null

# run_server SUFFIX OPTION...: a server whose port is published on loopback.
run_server() {
	local suffix=$1
	shift
	servers+=("$name-$suffix")
	docker run --detach --name "$name-$suffix" --network "$name" --publish 127.0.0.1::8080 \
		--read-only --cap-drop ALL --security-opt no-new-privileges --memory 768m \
		--env TALLY_DATABASE_URL="postgres://tally:$password@$name-db/tally" --env TALLY_BOOTSTRAP_KEY="$key" "$@" "$image" >/dev/null
}

# four_calls SUFFIX LOG
four_calls() {
	local url answer log=$2
	url=http://$(docker port "$name-$1" 8080/tcp | head -n 1)
	call() { curl --fail-with-body --silent --show-error --max-time 60 --header "Authorization: Bearer $key" -X POST "$@"; }
	call "$url/logs" -d '{"name": "'"$log"'"}'
	call "$url/logs/$log/append" -d '{"type": "api.call", "time": "2025-03-02T08:00:00Z",
		"endpoint": "/v1/generate", "tokens_in": 150, "tokens_out": 420, "model": "gpt-4"}'
	call "$url/logs/$log/views/monthly-totals" -d '{"ready": "monthly_totals"}'
	answer=$(call "$url/logs/$log/views/monthly-totals/query?month=2025-03")
	[ "$answer" = '{"gpt-4":{"tokens_in":150,"tokens_out":420}}' ] || fail "the answer is $answer"
	echo "$answer"
}

# The image for tests has the server alone, and no pg_isready.
database_is_ready() { docker logs "$name-db" 2>&1 | grep -q 'database system is ready to accept connections'; }
wait_for 'PostgreSQL answers' database_is_ready

run_server cached --tmpfs /var/cache/tallystick:mode=1777,noexec,nosuid,size=128m
wait_for 'the server is ready' docker exec "$name-cached" /usr/bin/tally health
four_calls cached first
docker exec "$name-cached" /usr/bin/tally version
url=http://$(docker port "$name-cached" 8080/tcp | head -n 1)
status=$(curl --silent --output /dev/null --write-out '%{http_code}' --max-time 60 "$url/logs")
[ "$status" = 401 ] || fail "a request without a key is answered $status"
user=$(docker inspect --format '{{.Config.User}}' "$image")
[[ $user =~ ^[1-9][0-9]*: ]] || fail "the image runs as the user $user"

run_server bare # nothing but /dev/shm can be written to
wait_for 'the server is ready' docker exec "$name-bare" /usr/bin/tally health
four_calls bare second
warnings=$(docker logs "$name-bare" 2>&1 | grep -c 'compiled modules are not kept') || true
[ "$warnings" = 1 ] || fail "that modules are not kept is logged $warnings times"

# The health check follows the database.
healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$name-bare")" = healthy ]; }
wait_for 'the engine calls the container healthy' healthy
docker pause "$name-db" >/dev/null
not_ready() { ! docker exec "$name-bare" /usr/bin/tally health; }
wait_for 'a server without its database is not ready' not_ready
docker exec "$name-bare" /usr/bin/tally health --live
docker unpause "$name-db" >/dev/null
wait_for 'it is ready again' docker exec "$name-bare" /usr/bin/tally health

docker stop --time 30 "$name-cached" "$name-bare" >/dev/null
for suffix in cached bare; do
	status=$(docker inspect --format '{{.State.ExitCode}}' "$name-$suffix")
	[ "$status" = 0 ] || fail "$suffix ended with status $status"
done
echo 'the image makes the four calls'

#!/usr/bin/env bash
# Holds the image for development to what docs/dev-image.md says of it. Leaves no container or volume behind.
#
#   check.sh IMAGE
set -euo pipefail
image=${1:?usage: check.sh IMAGE}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

name=tallystick-dev-$$
work=$(mktemp -d)
cleanup() {
	local containers
	containers=$(docker ps --all --quiet --filter "label=check=$name")
	if [ "$1" != 0 ]; then
		for container in $containers; do docker logs --tail 20 "$container" >&2 || true; done
	fi
	[ -z "$containers" ] || docker rm --force --volumes $containers >/dev/null || true
	docker volume rm --force "$name" >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap 'cleanup $?' EXIT

fail() { echo "check.sh: $*" >&2; exit 1; }

# run SUFFIX OPTION...: a container, ready; url is its address then, and database that of its PostgreSQL.
run() {
	local container=$name-$1
	shift
	docker run --detach --name "$container" --label "check=$name" --publish 127.0.0.1::8080 --publish 127.0.0.1::5432 \
		--cap-drop ALL --security-opt no-new-privileges "$@" "$image" >/dev/null
	wait_ready "$container"
}

wait_ready() {
	url=http://$(docker port "$1" 8080/tcp | head -n 1)
	database=$(docker port "$1" 5432/tcp | head -n 1)
	for _ in $(seq 600); do
		! curl --fail --silent --output /dev/null --max-time 5 "$url/readyz" || return 0
		sleep 0.05
	done
	fail "$1 does not get ready"
}

# count WANT: appends one event to the log acme, whose sequence must be WANT.
count() {
	local answer
	answer=$(curl --fail-with-body --silent --show-error --max-time 30 -X POST "$url/logs/acme/append" -d '{"type": "api.call"}')
	[ "$answer" = "{\"sequence\":$1}" ] || fail "the event was to get sequence $1: $answer"
}

stop() {
	docker stop --time 30 "$1" >/dev/null
	[ "$(docker inspect --format '{{.State.ExitCode}}' "$1")" = 0 ] || fail "$1 did not end cleanly"
}

log() { curl --fail-with-body --silent --show-error --max-time 30 -X POST "$url/logs" -d '{"name": "acme"}' >/dev/null; }

user=$(docker inspect --format '{{.Config.User}}' "$image")
[[ $user =~ ^[1-9][0-9]*: ]] || fail "the image runs as the user $user"
for label in title description version source; do
	[ -n "$(docker inspect --format "{{index .Config.Labels \"org.opencontainers.image.$label\"}}" "$image")" ] || fail "no label $label"
done

# Without a volume: a stop and a start keep the data, and PostgreSQL has nothing to recover.
run plain
log && count 1
status=$(curl --silent --output /dev/null --write-out '%{http_code}' --max-time 30 --header 'Host: rebound.example' "$url/logs")
[ "$status" = 421 ] || fail "a stranger's name for the server is answered $status"
stop "$name-plain"
docker start "$name-plain" >/dev/null
wait_ready "$name-plain"
count 2
docker cp "$name-plain:/var/lib/tallystick/postgres.log" "$work/postgres.log"
! grep -q 'not properly shut down' "$work/postgres.log" || fail 'PostgreSQL was not shut down'
healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$name-plain")" = healthy ]; }
for _ in $(seq 300); do ! healthy || break; sleep 0.1; done
healthy || fail 'the engine does not call the container healthy'

# Its PostgreSQL, with the password, and not with another one.
ask() { PGPASSWORD=$1 psql --no-psqlrc --tuples-only --no-align "postgresql://postgres@$database/tally?sslmode=disable" --command "$2"; }
[ "$(ask tally 'SELECT count(*) FROM reporting.events')" = 2 ] || fail 'the database does not have the events'
! ask other 'SELECT 1' 2>/dev/null || fail 'any password lets into the database'

# What the README begins with, on a port that is free here.
run paste
cut -d: -f2 <<<"${url#http://}" >"$work/port"
docker rm --force "$name-paste" >/dev/null
sed -n '/^```sh docker$/,/^```$/p' "$here/../../README.md" | sed '/^```$/q' | sed -e '/^```/d' \
	-e "s,--name tally,--name $name-paste --label check=$name," -e "s,127\.0\.0\.1:8080,127.0.0.1:$(cat "$work/port"),g" \
	-e "s,tallystick/dev\$,$image," >"$work/paste.sh"
grep -q "^docker run .* $image" "$work/paste.sh" || fail 'the README does not begin with docker run'
(cd "$work" && bash -e paste.sh >pasted 2>/dev/null) || fail "what the README begins with fails: $(cat "$work/pasted")"
grep -q '"rows":\[{[^}]*"sum":"570"' "$work/pasted" || fail "what the README begins with does not count: $(cat "$work/pasted")"

# With a volume, another container goes on; with a folder of its user, the database is made there.
run first --volume "$name:/var/lib/tallystick"
log && count 1
stop "$name-first"
run second --volume "$name:/var/lib/tallystick"
count 2
if [ "$(id -u)" = 0 ]; then
	install -d -o 65532 -g 65532 "$work/data"
	chmod 755 "$work"
	run folder --volume "$work/data:/var/lib/tallystick"
	log && count 1
	stop "$name-folder"
fi

# With a read-only root, everything in memory.
run memory --read-only --tmpfs /tmp --tmpfs /var/lib/tallystick:uid=65532,gid=65532 --tmpfs /var/cache/tallystick:uid=65532,gid=65532
log && count 1

# With keys: refused without one; what docker exec makes is one.
run keys --env TALLY_KEYS=true
status=$(curl --silent --output /dev/null --write-out '%{http_code}' --max-time 30 "$url/logs")
[ "$status" = 401 ] || fail "a request without a key is answered $status"
key=$(docker exec "$name-keys" tally key create --name check --scopes append,read,admin 2>/dev/null | tail -n 1)
curl --fail-with-body --silent --show-error --max-time 30 --header "Authorization: Bearer $key" "$url/logs" >/dev/null
echo "the image is as docs/dev-image.md says"

#!/usr/bin/env bash
# Measures what events take on disk and in the write-ahead log, and how many connections a server holds: the figures of docs/sizing.md.
# Needs curl, wrk, psql and pg_waldump, and half a gigabyte for each million events. Leaves nothing behind.
#
#   tools/measure-disk.sh [EVENTS]     # 1,000,000 unless given, in batches of 1,000
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
events=${1:-1000000}
seconds=20 # of single appends
logs=1000
program=${TALLY:-bin/tally}
work= server=

cleanup() {
	[ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
	[ -z "$work" ] || rm -rf "$work"
	server='' work=''
}
trap cleanup EXIT

# begin: an empty database, and a server with the ready views on all logs.
begin() {
	cleanup
	work=$(mktemp -d)
	chmod 755 "$work"
	"$program" dev --data-dir "$work/data" --listen 127.0.0.1:0 >"$work/said" 2>&1 &
	server=$!
	until url=$(grep -oE 'http://127[^ ]+' "$work/said" | head -1) && [ -n "$url" ]; do
		kill -0 "$server" || { cat "$work/said" >&2; exit 1; }
		sleep 0.1
	done
	for view in monthly_totals rate_check cost_by_team; do
		"$program" view pattern deploy "${view//_/-}" --logs '*' --ready "$view" --url "$url" >"$work/answer" 2>&1
	done
	for ((n = 0; n < logs; n++)); do
		[ "$n" = 0 ] || echo next
		printf 'url="%s/logs"\ndata="{\\"name\\":\\"log-%d\\"}"\noutput="%s"\n' "$url" "$n" "$work/answer"
	done >"$work/make"
	curl -sS --fail -K "$work/make"
	[ "$(ask 'SELECT count(*) FROM log_heads')" = "$logs" ]
}

ask() { psql -X -A -t -q -h "$work/data/run" -U postgres -d "$(basename "$database")" -c "$1"; }
database=tally

# write_batches IDS EVENTS: in batches of 1,000, each to the next log.
write_batches() {
	for ((n = 0; n < $2 / 1000; n++)); do
		awk -v n="$n" -v ids="$1" 'BEGIN {
			for (i = 0; i < 1000; i++) {
				id = ids ? sprintf("\"id\":\"%08x-0000-4000-8000-%012x\",", n * 2654435761 % 4294967296, i) : ""
				printf "{%s\"type\":\"api.call\",\"time\":\"2025-03-%02dT%02d:%02d:00Z\",", id, 1 + i % 28, n % 24, i % 60
				printf "\"endpoint\":\"/v1/generate\",\"region\":\"eu-central-1\",\"model\":\"model-%d\",", i % 5
				printf "\"team\":\"team-%d\",\"tokens_in\":%d,\"tokens_out\":%d}\n", i % 8, 1000 + i, 2000 + i
			}
		}' >"$work/batch"
		curl -sS --fail -o "$work/answer" --data-binary "@$work/batch" "$url/logs/log-$((n % logs))/append_batch"
	done
}

# write_singles IDS CONNECTIONS: for some seconds, each to one of all logs.
write_singles() {
	cat >"$work/singles.lua" <<LUA
local n, run = 0, os.time()
request = function()
	n = n + 1
	local id = $1 == 1 and string.format('"id":"%08x-0000-4000-8000-%012x",', run, n) or ""
	local body = string.format('{%s"type":"api.call","time":"2025-03-%02dT%02d:%02d:00Z","endpoint":"/v1/generate",' ..
		'"region":"eu-central-1","model":"model-%d","team":"team-%d","tokens_in":%d,"tokens_out":%d}',
		id, 1 + n % 28, n % 24, n % 60, n % 5, n % 8, 1000 + n % 1000, 2000 + n % 1000)
	return wrk.format("POST", "/logs/log-" .. n * 7919 % $logs .. "/append", nil, body)
end
LUA
	wrk -t1 -c"$2" -d"${seconds}s" -s "$work/singles.lua" "$url" >"$work/wrk"
	! grep Non-2xx "$work/wrk" >&2
}

# measured NAME COMMAND...: what it made the database and its write-ahead log grow by, for an event. Whole pages, which the log has once
# after each checkpoint, are counted apart.
measured() {
	local name=$1 before stats
	shift
	ask CHECKPOINT
	before=$(ask "SELECT pg_current_wal_lsn() || ' ' || (SELECT sum(sequence) FROM log_heads) || ' ' || sum(pg_total_relation_size(oid))
		FROM pg_class WHERE relkind IN ('r', 'm') AND relnamespace = 'public'::regnamespace")
	"$@"
	read -r wal count size <<<"$before"
	stats=$("$(ask "SELECT setting FROM pg_config WHERE name = 'BINDIR'")/pg_waldump" --stats -p "$work/data/pgdata/pg_wal" \
		-s "$wal" -e "$(ask 'SELECT pg_current_wal_flush_lsn()')" | awk '$1 == "Total" { print $3, $5 }')
	ask "SELECT '$name: ' || n || ' events; bytes an event: ' || round(${stats% *} / n) || ' of WAL without whole pages, ' ||
			round((size - $size) / n) || ' of tables and indexes; whole pages: ' || round(${stats#* } / 1e6) || ' MB'
		FROM (SELECT sum(sequence) - $count AS n FROM log_heads) AS heads, (SELECT sum(pg_total_relation_size(oid)) AS size
		FROM pg_class WHERE relkind IN ('r', 'm') AND relnamespace = 'public'::regnamespace) AS tables"
}

for ids in 0 1; do
	begin
	with=$([ "$ids" = 1 ] && echo 'with ids' || echo 'without ids')
	measured "batches of 1,000 $with" write_batches "$ids" "$events"
	ask "SELECT '  ' || table_name || ': ' || round(sum(pg_relation_size(oid)) / 1e6, 1) || ' MB of rows, ' ||
			round(sum(pg_indexes_size(oid)) / 1e6, 1) || ' MB of indexes'
		FROM (SELECT oid, coalesce((SELECT inhparent FROM pg_inherits WHERE inhrelid = oid), oid)::regclass AS table_name
			FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace) AS tables
		GROUP BY table_name HAVING sum(pg_total_relation_size(oid)) > 1000000 ORDER BY sum(pg_total_relation_size(oid)) DESC"
	ask "SELECT '  keys of state: ' || count(*) FROM view_state_rows"
	ask "SELECT '  an event has ' || round(avg(length(data::text))) || ' bytes' FROM events"
	measured "single appends $with, 64 connections" write_singles "$ids" 64
	measured "single appends $with, one connection" write_singles "$ids" 1
	ask "SELECT '  connections of the server: ' || count(*) FROM pg_stat_activity WHERE application_name = 'tallystick'"
done

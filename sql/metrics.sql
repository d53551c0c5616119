-- What a server shows of the whole database, about once a minute.

-- name: CountVersions :many
-- Versions of views by status, without those that are retired.
SELECT status, count(*) AS versions FROM view_versions WHERE status <> 'retired' GROUP BY status;

-- name: MonthsAhead :one
-- How many months to come have a partition of events.
SELECT count(*) AS months FROM events_partitions WHERE recorded_from > now();

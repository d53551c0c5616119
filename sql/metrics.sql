-- What a server shows of the whole database, about once a minute.

-- name: CountVersions :many
-- Versions of views by status, without those that are retired.
SELECT status, count(*) AS versions FROM view_versions WHERE status <> 'retired' GROUP BY status;

-- name: MonthsAhead :one
-- How many months to come have a partition of events.
SELECT count(*) AS months FROM events_partitions WHERE recorded_from > now();

-- name: WebhookQueue :one
-- What waits in the queue, counted up to a bound, and for how long the oldest of it has whose time has come.
SELECT (SELECT count(*)
        FROM (SELECT FROM tally_queue.river_job j WHERE j.state IN ('available', 'running', 'retryable', 'scheduled') LIMIT @most) q
       )::bigint AS jobs,
       coalesce(extract(epoch FROM now() - (
           SELECT min(o.scheduled_at) FROM tally_queue.river_job o WHERE o.state = 'available' AND o.scheduled_at <= now()
       )), 0)::float8 AS oldest_seconds;

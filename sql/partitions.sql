-- Keeping the partitions of events.

-- name: EnsureEventsPartitions :one
SELECT ensure_events_partitions(@from_time, @months);

-- name: MakeEventsPartitions :one
-- By the database's clock, to which those of servers may be a day behind.
SELECT ensure_events_partitions(now() - interval '1 day', @months);

-- name: EventsDefaultInUse :one
SELECT events_default_in_use();

-- name: PartitionsToFreeze :many
-- Those whose month has passed for everybody: a server whose clock is a few days behind would still write to them.
SELECT p.partition
FROM events_partitions p
LEFT JOIN frozen_partitions f ON f.partition = p.partition
WHERE f.partition IS NULL AND p.recorded_until < now() - make_interval(days => @days_passed::integer)
ORDER BY p.recorded_from;

-- name: OwnsEvents :one
-- Whether the login may do what only the owner may.
SELECT pg_has_role(c.relowner, 'USAGE') AS owns FROM pg_catalog.pg_class c WHERE c.oid = 'events'::regclass;

-- name: IsFrozen :one
-- Whether all pages of a table, and of its large values, are visible to everybody: after VACUUM (FREEZE) those and no others are frozen.
SELECT (c.relallvisible >= c.relpages AND coalesce(t.relallvisible >= t.relpages, true))::boolean AS frozen
FROM pg_catalog.pg_class c
LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
WHERE c.oid = to_regclass(@partition::text);

-- name: RecordFrozen :exec
INSERT INTO frozen_partitions (partition) VALUES (@partition) ON CONFLICT (partition) DO UPDATE SET frozen_at = excluded.frozen_at;

-- name: LockMaintenance :exec
-- Until the session ends.
SELECT pg_advisory_lock(hashtext('tallystick.maintenance'));

-- name: AdoptEventsDefault :one
SELECT coalesce(adopt_events_default(), '')::text AS partition;

-- Reading events and keeping their partitions.

-- name: ListEvents :many
SELECT sequence, recorded_at, time, type, key, data, hash
FROM events
WHERE log_id = @log_id AND sequence > @after
ORDER BY sequence
LIMIT @max_rows;

-- name: EnsureEventsPartitions :one
SELECT ensure_events_partitions(@from_time, @months);

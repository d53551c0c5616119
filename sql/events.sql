-- Reading events and keeping their partitions.

-- name: PlanForPartitions :exec
-- Makes the transaction's plans for the values at hand: a generic plan over events would lock every partition.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true);

-- name: ListEventsToFold :many
-- A chunk of history: at most max_rows events, and no more once those before have reached max_bytes.
SELECT c.sequence, c.recorded_at, c.time, c.data
FROM (
    SELECT e.sequence, e.recorded_at, e.time, e.data,
           sum(octet_length(e.data::text)) OVER (ORDER BY e.sequence ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
    FROM (
        SELECT sequence, recorded_at, time, data
        FROM events
        WHERE log_id = @log_id AND sequence > @after AND sequence <= @until
        ORDER BY sequence
        LIMIT @max_rows
    ) e
) c
WHERE coalesce(c.bytes_before, 0) < @max_bytes::bigint
ORDER BY c.sequence;

-- name: EnsureEventsPartitions :one
SELECT ensure_events_partitions(@from_time, @months);

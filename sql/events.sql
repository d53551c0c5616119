-- Reading events and keeping their partitions.

-- name: PlanForPartitions :exec
-- Makes the transaction's plans for the values at hand: a generic plan over events would lock every partition. They follow the order of the
-- index: before the first ANALYZE of a partition, the planner would rather sort the whole rest of a log for each page of it.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_bitmapscan', 'off', true),
       set_config('enable_sort', 'off', true), set_config('enable_incremental_sort', 'off', true);

-- name: RecordedBetween :one
-- Between which times the events of a range of sequences were recorded, the second exclusive: by the month, and
-- no later than the head. It is wider than that where log_months lacks rows, and never too narrow.
SELECT coalesce((SELECT max(m.month) FROM log_months m WHERE m.log_id = h.log_id AND m.first_sequence <= @first::bigint),
                '0001-01-01Z')::timestamptz AS recorded_from,
       least((SELECT min(m.month) FROM log_months m WHERE m.log_id = h.log_id AND m.first_sequence > @last::bigint),
             h.recorded_at + interval '1 microsecond')::timestamptz AS recorded_until
FROM log_heads h
WHERE h.log_id = @log_id;

-- name: ListEventsToFold :many
-- A page of history, in order: at most max_rows events, and no more once those before have reached max_bytes. recorded_from and
-- recorded_until spare the partitions before and after.
SELECT c.sequence, c.recorded_at, c.time, c.data, c.hash
FROM (
    SELECT e.sequence, e.recorded_at, e.time, e.data, e.hash,
           sum(octet_length(e.data::text)) OVER (ORDER BY e.sequence ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
    FROM (
        SELECT sequence, recorded_at, time, data, hash
        FROM events
        WHERE log_id = @log_id AND sequence > @after AND recorded_at >= @recorded_from AND recorded_at < @recorded_until
        ORDER BY sequence
        LIMIT @max_rows
    ) e
) c
WHERE coalesce(c.bytes_before, 0) < @max_bytes::bigint
ORDER BY c.sequence;

-- name: EventText :one
-- An event's JSON, or its beginning.
SELECT left(data::text, @max_length)::text AS text
FROM events
WHERE log_id = @log_id AND sequence = @sequence AND recorded_at >= @recorded_from AND recorded_at < @recorded_until;

-- name: ListLogMonths :many
-- From the last month that began at or before a sequence on.
SELECT month, first_sequence
FROM log_months
WHERE log_id = @log_id AND first_sequence <= @through
ORDER BY month;

-- name: EventsAround :one
-- What a walk along a log's chain up to a sequence does not show, as of one moment: the first event beyond the head (0: there is none), how
-- many there are before the first sequence, and how many events and idempotency keys are stored up to there.
SELECT coalesce((SELECT min(e.sequence) FROM events e WHERE e.log_id = h.log_id AND e.sequence > h.sequence), 0)::bigint AS beyond,
       (SELECT count(*) FROM events e WHERE e.log_id = h.log_id AND e.sequence < 1) AS unplaced,
       (SELECT count(*) FROM events e WHERE e.log_id = h.log_id AND e.sequence BETWEEN 1 AND @through) AS events,
       (SELECT count(*) FROM event_keys k WHERE k.log_id = h.log_id AND k.sequence <= @through) AS keys
FROM log_heads h
WHERE h.log_id = @log_id;

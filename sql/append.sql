-- The append transaction: everything here runs inside the one transaction of internal/ingest.

-- name: LockHeads :many
-- Locks in log_id order, so that two servers never wait for each other.
SELECT log_id, sequence, hash, recorded_at, views_epoch, recent
FROM log_heads
WHERE log_id = ANY (@log_ids::uuid[])
ORDER BY log_id
FOR UPDATE;

-- name: LockFreeHeads :many
-- The same, but for heads that somebody else has locked: those have no row.
SELECT log_id, sequence, hash, recorded_at, views_epoch, recent
FROM log_heads
WHERE log_id = ANY (@log_ids::uuid[])
ORDER BY log_id
FOR UPDATE SKIP LOCKED;

-- name: ExistingLogs :many
SELECT log_id FROM log_heads WHERE log_id = ANY (@log_ids::uuid[]);

-- name: FindEventKeys :many
SELECT k.log_id, k.key_hash, k.payload_hash, k.sequence
FROM (SELECT unnest(@log_ids::uuid[]) AS log_id, unnest(@key_hashes::uuid[]) AS key_hash) AS u
JOIN event_keys k ON k.log_id = u.log_id AND k.key_hash = u.key_hash;

-- name: ExpectNoEventKeys :exec
-- Fails when one of the keys exists.
SELECT (count(*) = 0)::as_expected
FROM (SELECT unnest(@log_ids::uuid[]) AS log_id, unnest(@key_hashes::uuid[]) AS key_hash) AS u
JOIN event_keys k ON k.log_id = u.log_id AND k.key_hash = u.key_hash;

-- name: MoveHeads :exec
-- Moves heads that are still where the caller believes them (the hash stands for the whole log before it), and fails when one
-- is not.
WITH moved AS (
    UPDATE log_heads h
    SET sequence = u.sequence, hash = u.hash, recorded_at = u.recorded_at, views_epoch = u.views_epoch, recent = u.recent
    FROM (
        SELECT unnest(@log_ids::uuid[]) AS log_id, unnest(@expected_hashes::bytea[]) AS expected_hash,
               unnest(@expected_epochs::bigint[]) AS expected_epoch, unnest(@sequences::bigint[]) AS sequence,
               unnest(@hashes::bytea[]) AS hash, unnest(@recorded_ats::timestamptz[]) AS recorded_at,
               unnest(@views_epochs::bigint[]) AS views_epoch, unnest(@recents::text[]) AS recent
    ) AS u
    WHERE h.log_id = u.log_id AND h.hash = u.expected_hash AND h.views_epoch = u.expected_epoch
    RETURNING h.log_id
)
SELECT (count(*) = cardinality(@log_ids::uuid[]))::as_expected FROM moved;

-- name: MoveHead :exec
-- MoveHeads for one head, in half the time. It does not see that there is no such head: InsertEvent does.
UPDATE log_heads
SET sequence = @sequence, hash = @hash, recorded_at = @recorded_at, views_epoch = @views_epoch, recent = @recent
WHERE log_id = @log_id AND CASE WHEN hash = @expected_hash AND views_epoch = @expected_epoch THEN true ELSE false::as_expected END;

-- name: InsertEvent :exec
-- InsertEvents for one event. Fails when its log has no head.
INSERT INTO events (log_id, sequence, recorded_at, time, type, key, data, hash)
VALUES ((SELECT h.log_id FROM log_heads h WHERE h.log_id = @log_id), @sequence, @recorded_at, @time, @type, NULLIF(@key::text, ''), @data,
        @hash);

-- name: InsertEventKey :exec
-- InsertEventKeys for one key.
INSERT INTO event_keys (log_id, key_hash, payload_hash, sequence) VALUES (@log_id, @key_hash, @payload_hash, @sequence);

-- name: InsertEventKeys :exec
-- Fails when one of the keys exists. ON CONFLICT DO NOTHING, which would let the rows be counted, takes half as much again.
INSERT INTO event_keys (log_id, key_hash, payload_hash, sequence)
SELECT u.log_id, u.key_hash, u.payload_hash, u.sequence
FROM (
    SELECT unnest(@log_ids::uuid[]) AS log_id, unnest(@key_hashes::uuid[]) AS key_hash,
           unnest(@payload_hashes::uuid[]) AS payload_hash, unnest(@sequences::bigint[]) AS sequence
) AS u;

-- name: InsertEvents :exec
-- An empty key stands for none.
INSERT INTO events (log_id, sequence, recorded_at, time, type, key, data, hash)
SELECT u.log_id, u.sequence, u.recorded_at, u.time, u.type, NULLIF(u.key, ''), u.data, u.hash
FROM (
    SELECT unnest(@log_ids::uuid[]) AS log_id, unnest(@sequences::bigint[]) AS sequence,
           unnest(@recorded_ats::timestamptz[]) AS recorded_at, unnest(@times::timestamptz[]) AS time,
           unnest(@types::text[]) AS type, unnest(@keys::text[]) AS key, unnest(@datas::json[]) AS data,
           unnest(@hashes::bytea[]) AS hash
) AS u;

-- name: BoundLocks :exec
-- Ends a statement that waits longer for a lock, from here to the transaction's end.
SELECT set_config('lock_timeout', @timeout, true);

-- name: InsertLogMonths :exec
-- A row that is there already stays: the table only tells readers where to look, and no append may fail for it.
INSERT INTO log_months (log_id, month, first_sequence)
SELECT u.log_id, u.month, u.first_sequence
FROM (
    SELECT unnest(@log_ids::uuid[]) AS log_id, unnest(@months::timestamptz[]) AS month, unnest(@first_sequences::bigint[]) AS first_sequence
) AS u
ON CONFLICT (log_id, month) DO NOTHING;

-- name: PutViewState :exec
INSERT INTO view_state_rows (log_id, version_id, key, value)
SELECT u.log_id, u.version_id, u.key, u.value
FROM (
    SELECT unnest(@log_ids::uuid[]) AS log_id, unnest(@version_ids::uuid[]) AS version_id,
           unnest(@keys::text[]) AS key, unnest(@values::json[]) AS value
) AS u
ON CONFLICT (log_id, version_id, key) DO UPDATE SET value = excluded.value;

-- name: FindViewState :many
-- The values of keys that a fold needs and this server does not know, nor has the head row. A key that is not there has no row.
SELECT s.log_id, s.version_id, s.key, s.value
FROM (
    SELECT unnest(@log_ids::uuid[]) AS log_id, unnest(@version_ids::uuid[]) AS version_id, unnest(@keys::text[]) AS key
) AS u
JOIN view_state_rows s ON s.log_id = u.log_id AND s.version_id = u.version_id AND s.key = u.key;

-- name: UpdateViewState :exec
-- For keys that are known to be there, which saves looking for conflicts. Fails when one is not.
WITH updated AS (
    UPDATE view_state_rows s
    SET value = u.value
    FROM (
        SELECT unnest(@log_ids::uuid[]) AS log_id, unnest(@version_ids::uuid[]) AS version_id,
               unnest(@keys::text[]) AS key, unnest(@values::json[]) AS value
    ) AS u
    WHERE s.log_id = u.log_id AND s.version_id = u.version_id AND s.key = u.key
    RETURNING s.log_id
)
SELECT (count(*) = cardinality(@log_ids::uuid[]))::as_expected FROM updated;

-- name: DeleteViewState :exec
DELETE FROM view_state_rows s
USING (
    SELECT unnest(@log_ids::uuid[]) AS log_id, unnest(@version_ids::uuid[]) AS version_id,
           unnest(@keys::text[]) AS key
) AS u
WHERE s.log_id = u.log_id AND s.version_id = u.version_id AND s.key = u.key;

-- name: HaltViewVersion :exec
WITH halted AS (
    UPDATE view_versions v
    SET status = 'halted', recent_stored = true, applied_sequence = @applied_sequence, halted_sequence = @halted_sequence, error = @error,
        halted_at = clock_timestamp(), builder = NULL, built_at = NULL, build_rate = NULL
    WHERE v.log_id = @log_id AND v.version_id = @version_id
    RETURNING v.log_id, v.view_id, v.version, v.halted_sequence, v.error
), noted AS (
    INSERT INTO view_changes (tenant_id, log_id, view_id, version, status, sequence, detail)
    SELECT l.tenant_id, h.log_id, h.view_id, h.version, 'halted', h.halted_sequence, h.error
    FROM halted h
    JOIN logs l ON l.log_id = h.log_id
    WHERE EXISTS (SELECT FROM webhooks w WHERE w.tenant_id = l.tenant_id AND w.deleted_at IS NULL AND w.enabled)
)
INSERT INTO view_actions (log_id, view_id, version, action, sequence, detail)
SELECT log_id, view_id, version, 'halt', halted_sequence, error FROM halted;

-- name: EventHash :one
SELECT hash FROM events WHERE log_id = @log_id AND sequence = @sequence AND recorded_at = @recorded_at;

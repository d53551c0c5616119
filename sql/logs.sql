-- Logs and their heads.

-- name: InsertLog :one
INSERT INTO logs (log_id, tenant_id, name, labels)
VALUES (@log_id, @tenant_id, @name, @labels)
RETURNING created_at;

-- name: InsertLogHead :exec
INSERT INTO log_heads (log_id, sequence, hash, recorded_at)
VALUES (@log_id, 0, @hash, @recorded_at);

-- name: LogIDByName :one
SELECT log_id FROM logs WHERE tenant_id = @tenant_id AND name = @name;

-- name: LogIDsByNames :many
SELECT log_id, name FROM logs WHERE tenant_id = @tenant_id AND name = ANY (@names::text[]);

-- name: LogName :one
SELECT name FROM logs WHERE log_id = @log_id AND tenant_id = @tenant_id;

-- name: GetLog :one
SELECT l.log_id, l.name, l.labels, l.created_at, h.sequence, h.hash, h.recorded_at
FROM logs l
JOIN log_heads h ON h.log_id = l.log_id
WHERE l.log_id = @log_id AND l.tenant_id = @tenant_id;

-- name: ListLogs :many
-- The next logs by name, in the order of the index. CASE keeps the planner, which does not know the patterns, from expecting one log, and
-- so from looking for all of them and sorting.
WITH page AS MATERIALIZED (
    SELECT l.log_id, l.name, l.labels, l.created_at
    FROM logs l
    WHERE l.tenant_id = @tenant_id AND l.name > @after AND CASE WHEN l.name LIKE @name_pattern THEN l.name LIKE @visible ELSE false END
    ORDER BY l.name
    LIMIT @max_rows
)
SELECT l.log_id, l.name, l.labels, l.created_at, h.sequence, h.hash, h.recorded_at
FROM page l
JOIN log_heads h ON h.log_id = l.log_id
ORDER BY l.name;

-- name: SearchLogs :many
-- ListLogs of those that have a text in their name or in the value of a label, and up to four labels; NULL is none.
WITH page AS MATERIALIZED (
    SELECT l.log_id, l.name, l.labels, l.created_at
    FROM logs l
    WHERE l.tenant_id = @tenant_id AND l.name > @after AND CASE WHEN l.name LIKE @name_pattern THEN
          l.name LIKE @visible
          AND l.labels ->> (@label_names::text[])[1] IS NOT DISTINCT FROM (@label_values::text[])[1]
          AND l.labels ->> (@label_names::text[])[2] IS NOT DISTINCT FROM (@label_values::text[])[2]
          AND l.labels ->> (@label_names::text[])[3] IS NOT DISTINCT FROM (@label_values::text[])[3]
          AND l.labels ->> (@label_names::text[])[4] IS NOT DISTINCT FROM (@label_values::text[])[4]
          AND (l.name ILIKE @text_pattern OR EXISTS (SELECT FROM json_each_text(l.labels) t WHERE t.value ILIKE @text_pattern))
          ELSE false END
    ORDER BY l.name
    LIMIT @max_rows
)
SELECT l.log_id, l.name, l.labels, l.created_at, h.sequence, h.hash, h.recorded_at
FROM page l
JOIN log_heads h ON h.log_id = l.log_id
ORDER BY l.name;

-- name: ActiveLogs :many
-- The logs of SearchLogs whose last event is older than that of one, the latest first; without it, from the latest on.
SELECT l.log_id, h.recorded_at
FROM logs l
JOIN log_heads h ON h.log_id = l.log_id
WHERE l.tenant_id = @tenant_id AND l.name LIKE @name_pattern AND l.name LIKE @visible
  AND l.labels ->> (@label_names::text[])[1] IS NOT DISTINCT FROM (@label_values::text[])[1]
  AND l.labels ->> (@label_names::text[])[2] IS NOT DISTINCT FROM (@label_values::text[])[2]
  AND l.labels ->> (@label_names::text[])[3] IS NOT DISTINCT FROM (@label_values::text[])[3]
  AND l.labels ->> (@label_names::text[])[4] IS NOT DISTINCT FROM (@label_values::text[])[4]
  AND (l.name ILIKE @text_pattern OR EXISTS (SELECT FROM json_each_text(l.labels) t WHERE t.value ILIKE @text_pattern))
  AND (@first::boolean OR (h.recorded_at, l.log_id) < (@before_at::timestamptz, @before_log::uuid))
ORDER BY h.recorded_at DESC, l.log_id DESC
LIMIT @max_rows;

-- name: LogsByIDs :many
SELECT l.log_id, l.name, l.labels, l.created_at, h.sequence, h.hash, h.recorded_at
FROM logs l
JOIN log_heads h ON h.log_id = l.log_id
WHERE l.log_id = ANY (@log_ids::uuid[]) AND l.tenant_id = @tenant_id;

-- name: GetHead :one
SELECT sequence, hash, recorded_at, views_epoch FROM log_heads WHERE log_id = @log_id;

-- name: GetWholeHead :one
-- With what it holds of state.
SELECT log_id, sequence, hash, recorded_at, views_epoch, recent FROM log_heads WHERE log_id = @log_id;

-- name: LockHead :one
SELECT sequence, hash, recorded_at, views_epoch FROM log_heads WHERE log_id = @log_id FOR UPDATE;

-- name: ListHeads :many
SELECT log_id, sequence, hash, views_epoch FROM log_heads WHERE log_id = ANY (@log_ids::uuid[]);

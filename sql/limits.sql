-- What tenants have stored, for their limits. Servers measure it in the background, some logs at a time.

-- name: LimitStatementTime :exec
-- For the transaction.
SELECT set_config('statement_timeout', @milliseconds::text, true);

-- name: MeasureLogs :one
-- The next logs of a tenant by name: how many, the last one's name, their views that are not retired, and the bytes of those views' state.
WITH page AS MATERIALIZED (
    SELECT l.log_id, l.name
    FROM logs l
    WHERE l.tenant_id = @tenant_id AND l.name > @after
    ORDER BY l.name
    LIMIT @max_logs
)
SELECT count(*)::bigint AS logs,
       coalesce(max(p.name), '')::text AS last_name,
       coalesce(sum(CASE WHEN @count_views::boolean THEN (
           SELECT count(DISTINCT v.view_id) FROM view_versions v WHERE v.log_id = p.log_id AND v.status <> 'retired'
       ) END), 0)::bigint AS views,
       coalesce(sum(CASE WHEN @sum_state::boolean THEN (
           SELECT octet_length(h.recent) FROM log_heads h WHERE h.log_id = p.log_id
       ) + (
           SELECT coalesce(sum(pg_column_size(s.key) + pg_column_size(s.value)), 0)
           FROM view_versions v
           JOIN view_state_rows s ON s.log_id = v.log_id AND s.version_id = v.version_id
           WHERE v.log_id = p.log_id AND v.status <> 'retired'
       ) END), 0)::bigint AS state_bytes
FROM page p;

-- name: LogFoldsEvents :one
-- Whether an event that is appended to the log will be folded.
SELECT EXISTS (SELECT FROM view_versions WHERE log_id = @log_id AND status IN ('live', 'building'));

-- name: PatternIsActive :one
SELECT EXISTS (SELECT FROM view_patterns WHERE tenant_id = @tenant_id AND name = @name AND status <> 'retired');

-- What happened lately, as servers count it, and how a tenant's views, alerts and deliveries stand.

-- name: InsertActivity :exec
-- An interval of one server. A row that is there is of a clock that was set back, and stays.
INSERT INTO activity (tenant_id, at, server_id, events, appends, latencies, refusals)
SELECT a.tenant_id, @at, @server_id, a.events, a.appends, a.latencies::integer[], a.refusals::jsonb
FROM (
    SELECT unnest(@tenant_ids::uuid[]) AS tenant_id, unnest(@events::bigint[]) AS events, unnest(@appends::bigint[]) AS appends,
           unnest(@latencies::text[]) AS latencies, unnest(@refusals::text[]) AS refusals
) a
ON CONFLICT (tenant_id, at, server_id) DO NOTHING;

-- name: ListActivity :many
SELECT at, server_id, events, appends, latencies, refusals
FROM activity
WHERE tenant_id = @tenant_id AND at >= @since AND at < @before;

-- name: DropActivity :execrows
-- Rows from before a time, up to a most, in the order of where they are: servers that drop the same ones wait for one another.
DELETE FROM activity a
WHERE a.ctid = ANY (ARRAY (SELECT o.ctid FROM activity o WHERE o.at < @before ORDER BY o.at LIMIT @max_rows));

-- name: CountStanding :one
-- How a tenant stands; logs and deliveries up to a most.
SELECT (SELECT count(*) FROM (SELECT FROM logs l WHERE l.tenant_id = @tenant_id LIMIT @most_logs) c)::bigint AS logs,
       (SELECT count(*) FROM view_versions v JOIN logs l ON l.log_id = v.log_id
        WHERE v.status = 'halted' AND l.tenant_id = @tenant_id)::bigint AS halted,
       (SELECT count(*) FROM view_versions v JOIN logs l ON l.log_id = v.log_id
        WHERE v.status = 'building' AND l.tenant_id = @tenant_id)::bigint AS building,
       (SELECT count(*) FROM alerts a
        WHERE a.tenant_id = @tenant_id AND NOT a.deleted
          AND EXISTS (SELECT FROM alert_states s WHERE s.alert_id = a.alert_id AND s.firing))::bigint AS firing,
       (SELECT count(*) FROM (
            SELECT FROM webhooks w JOIN webhook_deliveries d ON d.webhook_id = w.webhook_id
            WHERE w.tenant_id = @tenant_id AND w.deleted_at IS NULL AND d.status = 'dead' LIMIT @most_deliveries) c)::bigint AS dead;

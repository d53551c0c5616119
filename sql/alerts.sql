-- Alerts, how they stand on logs, and what is to be evaluated.

-- name: AlertsVersion :one
SELECT number, nonce FROM alerts_version;

-- name: NextAlertsVersion :one
-- The first statement of every change: it makes changes take turns.
UPDATE alerts_version SET number = number + 1, nonce = gen_random_uuid() RETURNING number;

-- name: KnownAlerts :many
-- All alerts, for servers to remember.
SELECT alert_id, tenant_id, name, version, definition FROM alerts WHERE NOT deleted;

-- name: ChangedAlerts :many
SELECT alert_id, tenant_id, name, version, definition, deleted FROM alerts WHERE changed > @since;

-- name: GetAlert :one
SELECT * FROM alerts WHERE tenant_id = @tenant_id AND name = @name AND NOT deleted;

-- name: ListAlerts :many
SELECT a.alert_id, a.name, a.version, a.definition, a.sweep_after, a.created_at, a.updated_at, a.updated_by,
       EXISTS (SELECT FROM alert_states s WHERE s.alert_id = a.alert_id AND s.firing) AS firing,
       EXISTS (SELECT FROM alert_states s WHERE s.alert_id = a.alert_id AND s.error IS NOT NULL) AS failing
FROM alerts a
WHERE a.tenant_id = @tenant_id AND NOT a.deleted AND a.name > @after
ORDER BY a.name
LIMIT @max_rows;

-- name: CountAlerts :one
SELECT count(*) FROM alerts WHERE tenant_id = @tenant_id AND NOT deleted;

-- name: InsertAlert :one
INSERT INTO alerts (alert_id, tenant_id, name, version, definition, changed, sweep_after, sweep_from, updated_by)
VALUES (@alert_id, @tenant_id, @name, 1, @definition, @changed, @sweep_after, clock_timestamp() + make_interval(secs => @wait_seconds),
    @updated_by)
RETURNING created_at;

-- name: UpdateAlert :one
UPDATE alerts
SET version = version + 1, definition = @definition, changed = @changed, sweep_after = @sweep_after,
    sweep_from = clock_timestamp() + make_interval(secs => @wait_seconds), updated_at = now(), updated_by = @updated_by
WHERE alert_id = @alert_id
RETURNING version, updated_at;

-- name: DeleteAlert :exec
UPDATE alerts SET deleted = true, version = version + 1, changed = @changed, updated_at = now(), updated_by = @updated_by
WHERE alert_id = @alert_id;

-- name: ShareAlert :one
-- An alert's version. No change of it can be committed before the transaction that asks.
SELECT version, deleted FROM alerts WHERE alert_id = @alert_id FOR SHARE;

-- name: AlertCounts :one
-- How many logs an alert is firing and failing on, up to a most.
SELECT (SELECT count(*) FROM (SELECT FROM alert_states s WHERE s.alert_id = @alert_id AND s.firing LIMIT @most) f)::bigint AS firing,
       (SELECT count(*) FROM (SELECT FROM alert_states s WHERE s.alert_id = @alert_id AND s.error IS NOT NULL LIMIT @most) e)::bigint
           AS failing;

-- name: FailingAlerts :one
SELECT count(*)
FROM alerts a
WHERE NOT a.deleted AND EXISTS (SELECT FROM alert_states s WHERE s.alert_id = a.alert_id AND s.error IS NOT NULL);

-- name: ListAlertStates :many
SELECT s.log_id, l.name AS log, s.sequence, s.value, s.of_value, s.window_key, s.window_end, s.thresholds, s.firing, s.error, s.due_at,
       s.evaluated_at
FROM alert_states s
JOIN logs l ON l.log_id = s.log_id
WHERE s.alert_id = @alert_id AND s.log_id > @after
ORDER BY s.log_id
LIMIT @max_rows;

-- name: ListFiringAlertStates :many
SELECT s.log_id, l.name AS log, s.sequence, s.value, s.of_value, s.window_key, s.window_end, s.thresholds, s.firing, s.error, s.due_at,
       s.evaluated_at
FROM alert_states s
JOIN logs l ON l.log_id = s.log_id
WHERE s.alert_id = @alert_id AND s.log_id > @after AND s.firing
ORDER BY s.log_id
LIMIT @max_rows;

-- name: ListFailingAlertStates :many
SELECT s.log_id, l.name AS log, s.sequence, s.value, s.of_value, s.window_key, s.window_end, s.thresholds, s.firing, s.error, s.due_at,
       s.evaluated_at
FROM alert_states s
JOIN logs l ON l.log_id = s.log_id
WHERE s.alert_id = @alert_id AND s.log_id > @after AND s.error IS NOT NULL
ORDER BY s.log_id
LIMIT @max_rows;

-- name: ListCrossings :many
-- Newest first.
SELECT c.crossing_id, l.name AS log, c.window_key, c.threshold, c.round, c.kind, c.reason, c.value, c.of_value, c.sequence, c.at
FROM alert_crossings c
JOIN logs l ON l.log_id = c.log_id
WHERE c.alert_id = @alert_id AND c.crossing_id < @before
ORDER BY c.crossing_id DESC
LIMIT @max_rows;

-- name: ListLogCrossings :many
-- Newest first, of one log.
SELECT c.crossing_id, l.name AS log, c.window_key, c.threshold, c.round, c.kind, c.reason, c.value, c.of_value, c.sequence, c.at
FROM alert_crossings c
JOIN logs l ON l.log_id = c.log_id
WHERE c.log_id = @log_id AND c.alert_id = @alert_id AND c.crossing_id < @before
ORDER BY c.crossing_id DESC
LIMIT @max_rows;

-- name: AlertStates :many
SELECT * FROM alert_states WHERE log_id = @log_id AND alert_id = ANY (@alert_ids::uuid[]);

-- name: MarkAlert :execrows
-- Moves what was read last, where everything else is as the server remembers it. No row: it is not.
UPDATE alert_states
SET sequence = @sequence, value = @value, of_value = @of_value, evaluated_at = clock_timestamp()
WHERE log_id = @log_id AND alert_id = @alert_id AND nonce = @nonce AND sequence <= @sequence;

-- name: EnsureAlertState :exec
INSERT INTO alert_states (log_id, alert_id, nonce, sequence, value, of_value, window_key, thresholds, firing, failures)
VALUES (@log_id, @alert_id, gen_random_uuid(), 0, '', '', '', '{}', false, 0)
ON CONFLICT (log_id, alert_id) DO NOTHING;

-- name: LockAlertState :one
SELECT * FROM alert_states WHERE log_id = @log_id AND alert_id = @alert_id FOR NO KEY UPDATE;

-- name: SetAlertState :exec
UPDATE alert_states
SET nonce = @nonce, sequence = @sequence, value = @value, of_value = @of_value, window_key = @window_key,
    window_end = sqlc.narg('window_end'), thresholds = @thresholds, firing = @firing, error = sqlc.narg('error'), failures = @failures,
    due_at = sqlc.narg('due_at'), evaluated_at = @evaluated_at
WHERE log_id = @log_id AND alert_id = @alert_id;

-- name: InsertCrossing :execrows
-- No row: it has been recorded before.
INSERT INTO alert_crossings (log_id, alert_id, crossing_id, window_key, threshold, round, kind, reason, value, of_value, sequence)
VALUES (@log_id, @alert_id, @crossing_id, @window_key, @threshold, @round, @kind, @reason, @value, @of_value, @sequence)
ON CONFLICT ON CONSTRAINT alert_crossings_once DO NOTHING;

-- name: InsertAlertPending :exec
INSERT INTO alert_pending (log_id, pending_id, server_id)
SELECT u.log_id, u.pending_id, @server_id::uuid
FROM (SELECT unnest(@log_ids::uuid[]) AS log_id, unnest(@pending_ids::uuid[]) AS pending_id) AS u;

-- name: DeleteAlertPending :exec
DELETE FROM alert_pending p
USING (SELECT unnest(@log_ids::uuid[]) AS log_id, unnest(@pending_ids::uuid[]) AS pending_id) AS u
WHERE p.log_id = u.log_id AND p.pending_id = u.pending_id;

-- name: SeeAlertServer :one
-- Notes that a server is alive. anew: it was not known to be.
INSERT INTO alert_servers (server_id, seen_at)
VALUES (@server_id, clock_timestamp())
ON CONFLICT (server_id) DO UPDATE SET seen_at = clock_timestamp()
RETURNING (xmax = 0)::boolean AS anew;

-- name: LeaveAlertServer :exec
DELETE FROM alert_servers WHERE server_id = @server_id;

-- name: AdoptAlertPending :many
-- Takes rows over from servers that are not known to be alive; the caller then evaluates their logs.
UPDATE alert_pending p
SET server_id = @server_id
FROM (
    SELECT q.log_id, q.pending_id
    FROM alert_pending q
    WHERE NOT EXISTS (SELECT FROM alert_servers s WHERE s.server_id = q.server_id)
    LIMIT @max_rows
    FOR UPDATE SKIP LOCKED
) AS orphan
WHERE p.log_id = orphan.log_id AND p.pending_id = orphan.pending_id
RETURNING p.log_id, p.pending_id;

-- name: ForgetAlertServers :exec
-- Before AdoptAlertPending, in the same transaction: a server that comes back finds that it was forgotten, and trusts nothing that it put
-- down before.
DELETE FROM alert_servers WHERE seen_at < clock_timestamp() - make_interval(secs => @dead_seconds);

-- name: ClaimDueAlerts :many
-- Takes what is to be evaluated without an event, for a minute: whoever evaluates it says when it is due next. The new nonce has it do so.
UPDATE alert_states s
SET due_at = clock_timestamp() + interval '1 minute', nonce = gen_random_uuid()
FROM (
    SELECT log_id, alert_id
    FROM alert_states
    WHERE due_at <= clock_timestamp()
    ORDER BY due_at
    LIMIT @max_rows
    FOR UPDATE SKIP LOCKED
) AS due
WHERE s.log_id = due.log_id AND s.alert_id = due.alert_id
RETURNING s.log_id, s.alert_id;

-- name: LockAlertToSweep :one
-- An alert that has not been taken to all logs. Another server that is at it holds the lock.
SELECT alert_id, tenant_id, version, definition, sweep_after::uuid AS sweep_after
FROM alerts
WHERE sweep_after IS NOT NULL AND NOT deleted AND sweep_from <= clock_timestamp()
ORDER BY sweep_from
LIMIT 1
FOR NO KEY UPDATE SKIP LOCKED;

-- name: LogsToSweep :many
-- The next logs of a tenant that match.
SELECT log_id FROM logs WHERE tenant_id = @tenant_id AND log_id > @after AND name LIKE @like_pattern ORDER BY log_id LIMIT @max_rows;

-- name: LogsWithEvents :many
SELECT log_id FROM log_heads WHERE log_id = ANY (@log_ids::uuid[]) AND sequence > 0;

-- name: MoveSweep :exec
UPDATE alerts SET sweep_after = sqlc.narg('sweep_after') WHERE alert_id = @alert_id;

-- name: DeletedAlerts :many
SELECT alert_id FROM alerts WHERE deleted ORDER BY alert_id LIMIT @max_rows;

-- name: DropAlertStates :execrows
DELETE FROM alert_states s
WHERE (s.log_id, s.alert_id) IN (
    SELECT t.log_id, t.alert_id FROM alert_states t WHERE t.alert_id = @alert_id LIMIT @max_rows FOR UPDATE SKIP LOCKED);

-- name: DropCrossings :execrows
DELETE FROM alert_crossings c
WHERE (c.log_id, c.alert_id, c.crossing_id) IN (
    SELECT d.log_id, d.alert_id, d.crossing_id FROM alert_crossings d WHERE d.alert_id = @alert_id LIMIT @max_rows);

-- name: DropAlert :exec
DELETE FROM alerts a
WHERE a.alert_id = @alert_id AND a.deleted
    AND NOT EXISTS (SELECT FROM alert_states s WHERE s.alert_id = a.alert_id)
    AND NOT EXISTS (SELECT FROM alert_crossings c WHERE c.alert_id = a.alert_id);

-- name: PruneCrossings :execrows
DELETE FROM alert_crossings c
WHERE (c.log_id, c.alert_id, c.crossing_id) IN (
    SELECT d.log_id, d.alert_id, d.crossing_id FROM alert_crossings d WHERE d.at < clock_timestamp() - make_interval(days => @kept_days)
    LIMIT @max_rows);

-- name: AlertsOfLogAreDue :exec
-- A view of the log answers otherwise than before.
UPDATE alert_states SET due_at = clock_timestamp() WHERE log_id = @log_id;

-- name: LogOwner :one
SELECT tenant_id, name FROM logs WHERE log_id = @log_id;

-- Modules, views, their versions and their state.

-- name: InsertModule :exec
INSERT INTO modules (sha256, wasm) VALUES (@sha256, @wasm) ON CONFLICT (sha256) DO NOTHING;

-- name: GetModule :one
SELECT wasm FROM modules WHERE sha256 = @sha256;

-- name: InsertView :exec
INSERT INTO views (log_id, view_id, name) VALUES (@log_id, @view_id, @name) ON CONFLICT (log_id, name) DO NOTHING;

-- name: LockView :one
-- Makes deploys of one view take turns.
SELECT view_id FROM views WHERE log_id = @log_id AND name = @name FOR UPDATE;

-- name: CountViews :one
SELECT count(*) FROM views WHERE log_id = @log_id;

-- name: LastViewVersion :one
SELECT version_id, version, module_sha256, config, status
FROM view_versions
WHERE log_id = @log_id AND view_id = @view_id
ORDER BY version DESC
LIMIT 1;

-- name: InsertViewVersion :exec
INSERT INTO view_versions (log_id, version_id, view_id, version, module_sha256, config, fields, status, applied_sequence)
VALUES (@log_id, @version_id, @view_id, @version, @module_sha256, @config, @fields, 'building', 0);

-- name: LiveViews :many
SELECT v.log_id, v.version_id, w.name, v.module_sha256, v.config, v.fields
FROM view_versions v
JOIN views w ON w.log_id = v.log_id AND w.view_id = v.view_id
WHERE v.log_id = ANY (@log_ids::uuid[]) AND v.status = 'live'
ORDER BY v.log_id, v.version_id;

-- name: LoadViewState :many
-- The first keys of each version's state, at most max_keys of each.
SELECT s.log_id, s.version_id, s.key, s.value
FROM (SELECT unnest(@log_ids::uuid[]) AS log_id, unnest(@version_ids::uuid[]) AS version_id) AS u
CROSS JOIN LATERAL (
    SELECT t.log_id, t.version_id, t.key, t.value
    FROM view_state t
    WHERE t.log_id = u.log_id AND t.version_id = u.version_id
    ORDER BY t.key
    LIMIT @max_keys
) s;

-- name: GetViewState :one
SELECT value FROM view_state WHERE log_id = @log_id AND version_id = @version_id AND key = @key;

-- name: ScanViewState :many
-- Keys from from_key on and before to_key (empty: no end), in byte order.
SELECT key, value
FROM view_state
WHERE log_id = @log_id AND version_id = @version_id AND key > @after AND key >= @from_key AND (@to_key::text = '' OR key < @to_key)
ORDER BY key
LIMIT @max_rows;

-- name: GetView :one
-- The version that answers for a view: the live one, else the newest that is building or halted.
SELECT h.sequence AS head, w.view_id, v.version_id, v.version, v.module_sha256, v.config, v.fields, v.status, v.applied_sequence, v.halted_sequence, v.error, v.created_at
FROM views w
JOIN log_heads h ON h.log_id = w.log_id
JOIN view_versions v ON v.log_id = w.log_id AND v.view_id = w.view_id
WHERE w.log_id = @log_id AND w.name = @name AND v.status <> 'retired'
ORDER BY (v.status = 'live') DESC, v.version DESC
LIMIT 1;

-- name: ListViews :many
-- Every version that is not retired.
SELECT w.name, w.view_id, v.version_id, v.version, v.module_sha256, v.config, v.status, v.applied_sequence, v.halted_sequence, v.error, v.created_at, h.sequence AS head
FROM views w
JOIN log_heads h ON h.log_id = w.log_id
JOIN view_versions v ON v.log_id = w.log_id AND v.view_id = w.view_id
WHERE w.log_id = @log_id AND v.status <> 'retired'
ORDER BY w.name, v.version;

-- name: GetViewVersion :one
SELECT w.name, w.view_id, v.version_id, v.version, v.module_sha256, v.config, v.status, v.applied_sequence, v.halted_sequence, v.error, v.created_at, h.sequence AS head
FROM view_versions v
JOIN views w ON w.log_id = v.log_id AND w.view_id = v.view_id
JOIN log_heads h ON h.log_id = v.log_id
WHERE v.log_id = @log_id AND v.version_id = @version_id;

-- name: BuildingVersions :many
SELECT log_id, version_id FROM view_versions WHERE status = 'building' ORDER BY created_at LIMIT @max_rows;

-- name: BuildProgress :one
SELECT v.applied_sequence, h.sequence AS head
FROM view_versions v
JOIN log_heads h ON h.log_id = v.log_id
WHERE v.log_id = @log_id AND v.version_id = @version_id AND v.status = 'building';

-- name: LockBuildingVersion :one
-- Another server that builds the same version holds the lock: no row, try later.
SELECT view_id, version, module_sha256, config, fields, applied_sequence
FROM view_versions
WHERE log_id = @log_id AND version_id = @version_id AND status = 'building'
FOR UPDATE SKIP LOCKED;

-- name: SetAppliedSequence :exec
UPDATE view_versions SET applied_sequence = @applied_sequence WHERE log_id = @log_id AND version_id = @version_id;

-- name: RetireOtherVersions :exec
UPDATE view_versions
SET status = 'retired', applied_sequence = CASE WHEN status = 'live' THEN @head ELSE applied_sequence END
WHERE log_id = @log_id AND view_id = @view_id AND version < @version AND status IN ('live', 'halted', 'building');

-- name: SetVersionLive :exec
UPDATE view_versions
SET status = 'live', applied_sequence = @applied_sequence, halted_sequence = NULL, error = NULL
WHERE log_id = @log_id AND version_id = @version_id;

-- name: BumpViewsEpoch :exec
UPDATE log_heads SET views_epoch = views_epoch + 1 WHERE log_id = @log_id;

-- name: VersionStatus :one
SELECT status FROM view_versions WHERE log_id = @log_id AND version_id = @version_id;

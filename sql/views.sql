-- Views, their versions and their state, and the modules that they run.

-- name: InsertModule :exec
INSERT INTO modules (sha256, wasm) VALUES (@sha256, @wasm) ON CONFLICT (sha256) DO NOTHING;

-- name: InsertTenantModule :exec
INSERT INTO tenant_modules (tenant_id, sha256) VALUES (@tenant_id, @sha256) ON CONFLICT (tenant_id, sha256) DO NOTHING;

-- name: InsertLogModule :exec
-- InsertTenantModule for a log's tenant.
INSERT INTO tenant_modules (tenant_id, sha256)
SELECT l.tenant_id, @sha256 FROM logs l WHERE l.log_id = @log_id
ON CONFLICT (tenant_id, sha256) DO NOTHING;

-- name: GetModule :one
SELECT wasm FROM modules WHERE sha256 = @sha256;


-- name: InsertView :exec
INSERT INTO views (log_id, view_id, name) VALUES (@log_id, @view_id, @name) ON CONFLICT (log_id, name) DO NOTHING;

-- name: LockLog :one
-- Makes deploys, rollbacks, resumes and retirements on one log take turns. Nothing that appends takes this lock.
SELECT log_id FROM logs WHERE log_id = @log_id FOR NO KEY UPDATE;

-- name: ViewID :one
SELECT view_id FROM views WHERE log_id = @log_id AND name = @name;

-- name: ViewIsActive :one
-- Whether a view has a version that is not retired; no row when there is no such view.
SELECT EXISTS (SELECT FROM view_versions v WHERE v.log_id = w.log_id AND v.view_id = w.view_id AND v.status <> 'retired') AS active
FROM views w
WHERE w.log_id = @log_id AND w.name = @name;

-- name: OtherViews :one
-- How many views of the log have a version that is not retired, besides this one, and what one event may cost in all of them.
SELECT count(*) AS views, coalesce(sum(v.fold_gas), 0)::bigint AS fold_gas
FROM (
    SELECT max(fold_gas) AS fold_gas
    FROM view_versions
    WHERE log_id = @log_id AND view_id <> @view_id AND status <> 'retired'
    GROUP BY view_id
) v;

-- name: LastViewVersion :one
-- The number and the turn that the next version of a view comes after; 0 when there is none.
SELECT coalesce(max(version), 0)::integer AS version, coalesce(max(turn), 0)::bigint AS turn
FROM view_versions
WHERE log_id = @log_id AND view_id = @view_id;

-- name: ActiveVersions :many
-- A view's versions that are not retired, the one asked for last first.
SELECT version_id, version, turn, module_sha256, config, fold_gas, on_halt, status
FROM view_versions
WHERE log_id = @log_id AND view_id = @view_id AND status <> 'retired'
ORDER BY turn DESC;

-- name: InsertViewVersion :exec
WITH inserted AS (
    INSERT INTO view_versions (log_id, version_id, view_id, version, turn, module_sha256, config, fields, fold_gas, cost_model, actor,
        guard, on_halt, status, applied_sequence)
    VALUES (@log_id, @version_id, @view_id, @version, @turn, @module_sha256, @config, @fields, @fold_gas, @cost_model, @actor,
        @guard, @on_halt, 'building', 0)
    RETURNING log_id, view_id, version, actor
)
INSERT INTO view_actions (log_id, view_id, version, action, actor)
SELECT log_id, view_id, version, 'deploy', actor FROM inserted;

-- name: FindViewVersion :one
SELECT version_id, version, turn, status, state, fold_gas, halted_sequence, error
FROM view_versions
WHERE log_id = @log_id AND view_id = @view_id AND version = @version;

-- name: HaltedVersion :one
-- The halted version of a view that was asked for last, or the one with the number.
SELECT version_id, version, halted_sequence, error
FROM view_versions
WHERE log_id = @log_id AND view_id = @view_id AND status = 'halted' AND (@version::integer = 0 OR version = @version)
ORDER BY turn DESC
LIMIT 1;

-- name: TakeTurn :exec
-- Makes a version the one asked for last.
UPDATE view_versions SET turn = @turn, asked_at = now() WHERE log_id = @log_id AND version_id = @version_id;

-- name: BuildAgain :exec
-- Takes a retired version back to where its state stands: the first event where that is not kept. A halt there is met again.
UPDATE view_versions
SET status = 'building', turn = @turn, asked_at = now(), retired_at = NULL, halted_sequence = NULL, halted_at = NULL, error = NULL,
    applied_sequence = CASE WHEN state = 'kept' THEN applied_sequence ELSE 0 END,
    state = CASE WHEN state = 'dropped' THEN 'kept' ELSE state END,
    builder = NULL, built_at = NULL, build_rate = NULL
WHERE log_id = @log_id AND version_id = @version_id AND status = 'retired';

-- name: ResumeVersion :execrows
UPDATE view_versions
SET status = 'building', asked_at = now(), halted_sequence = NULL, halted_at = NULL, error = NULL,
    fold_gas = coalesce(nullif(@fold_gas::bigint, 0), fold_gas),
    builder = NULL, built_at = NULL, build_rate = NULL
WHERE log_id = @log_id AND version_id = @version_id AND status = 'halted';

-- name: InsertSkip :exec
INSERT INTO view_skips (log_id, version_id, sequence, actor, reason, error)
VALUES (@log_id, @version_id, @sequence, @actor, @reason, @error);

-- name: ListSkips :many
-- The events after one that a version leaves out, in order.
SELECT sequence FROM view_skips WHERE log_id = @log_id AND version_id = @version_id AND sequence > @after ORDER BY sequence;

-- name: InsertAction :exec
INSERT INTO view_actions (log_id, view_id, version, action, actor, sequence, detail)
VALUES (@log_id, @view_id, @version, @action, @actor, @sequence, @detail);

-- name: ListActions :many
-- The latest things done to a view, newest first.
SELECT version, action, actor, sequence, detail, at
FROM view_actions
WHERE log_id = @log_id AND view_id = @view_id
ORDER BY at DESC
LIMIT @max_rows;

-- name: LiveViews :many
-- What appends have to do with: the live versions, and those without whose guard none may pass.
SELECT v.log_id, v.version_id, w.name, v.module_sha256, v.config, v.fields, v.fold_gas, v.cost_model, v.guard, v.on_halt, v.status
FROM view_versions v
JOIN views w ON w.log_id = v.log_id AND w.view_id = v.view_id
WHERE v.log_id = ANY (@log_ids::uuid[]) AND v.status <> 'retired' AND (v.status = 'live' OR v.guarding)
ORDER BY v.log_id, w.name;

-- name: GetRecentState :one
-- What the log's head row holds of state, which counts before the rows.
SELECT recent FROM log_heads WHERE log_id = @log_id;

-- name: GetViewState :one
SELECT value FROM view_state_rows WHERE log_id = @log_id AND version_id = @version_id AND key = @key;

-- name: ScanViewState :many
-- Keys from from_key on and before to_key (empty: no end), in byte order.
SELECT key, value
FROM view_state_rows
WHERE log_id = @log_id AND version_id = @version_id AND key > @after AND key >= @from_key AND (@to_key::text = '' OR key < @to_key)
ORDER BY key
LIMIT @max_rows;

-- name: GetView :one
-- The version that answers for a view: the live one, else the one asked for last that is building or halted.
SELECT h.sequence AS head, h.hash AS head_hash, h.views_epoch, w.view_id, v.version_id, v.version, v.module_sha256, v.config, v.fields,
       v.fold_gas, v.cost_model, v.status, v.applied_sequence, v.halted_sequence, v.error
FROM views w
JOIN log_heads h ON h.log_id = w.log_id
JOIN view_versions v ON v.log_id = w.log_id AND v.view_id = w.view_id
WHERE w.log_id = @log_id AND w.name = @name AND v.status <> 'retired'
ORDER BY (v.status = 'live') DESC, v.turn DESC
LIMIT 1;

-- name: ListViews :many
-- Every version that is not retired, of one view where a name is given.
SELECT w.name, w.view_id, v.version_id, v.version, v.turn, v.module_sha256, v.config, v.fold_gas, v.guard, v.on_halt, v.status, v.state,
       v.applied_sequence, v.halted_sequence, v.error, v.actor, v.created_at, v.asked_at, v.live_at, v.retired_at, v.halted_at,
       v.built_at, v.build_rate, h.sequence AS head
FROM views w
JOIN log_heads h ON h.log_id = w.log_id
JOIN view_versions v ON v.log_id = w.log_id AND v.view_id = w.view_id
WHERE w.log_id = @log_id AND (@name::text = '' OR w.name = @name) AND v.status <> 'retired'
ORDER BY w.name, v.turn;

-- name: ListViewVersions :many
-- A view's versions with a number below before, newest first.
SELECT w.name, w.view_id, v.version_id, v.version, v.turn, v.module_sha256, v.config, v.fold_gas, v.guard, v.on_halt, v.status, v.state,
       v.applied_sequence, v.halted_sequence, v.error, v.actor, v.created_at, v.asked_at, v.live_at, v.retired_at, v.halted_at,
       v.built_at, v.build_rate, h.sequence AS head
FROM view_versions v
JOIN views w ON w.log_id = v.log_id AND w.view_id = v.view_id
JOIN log_heads h ON h.log_id = v.log_id
WHERE v.log_id = @log_id AND v.view_id = @view_id AND v.version < @before
ORDER BY v.version DESC
LIMIT @max_rows;

-- name: GetViewVersion :one
SELECT w.name, w.view_id, v.version_id, v.version, v.turn, v.module_sha256, v.config, v.fold_gas, v.guard, v.on_halt, v.status, v.state,
       v.applied_sequence, v.halted_sequence, v.error, v.actor, v.created_at, v.asked_at, v.live_at, v.retired_at, v.halted_at,
       v.built_at, v.build_rate, h.sequence AS head
FROM view_versions v
JOIN views w ON w.log_id = v.log_id AND w.view_id = v.view_id
JOIN log_heads h ON h.log_id = v.log_id
WHERE v.log_id = @log_id AND v.version_id = @version_id;

-- name: BuildingVersions :many
-- Versions to build, from a place in their order on, so that whoever works through them comes to each.
SELECT log_id, version_id
FROM view_versions
WHERE status = 'building' AND (log_id, version_id) > (@after_log::uuid, @after_version::uuid)
ORDER BY log_id, version_id
LIMIT @max_rows;

-- name: BuildProgress :one
SELECT v.applied_sequence, h.sequence AS head
FROM view_versions v
JOIN log_heads h ON h.log_id = v.log_id
WHERE v.log_id = @log_id AND v.version_id = @version_id AND v.status = 'building';

-- name: LockBuildingVersion :one
-- Another server that builds the same version holds the lock, or has done so within the lease: no row, try later.
SELECT view_id, version, turn, module_sha256, config, fields, fold_gas, cost_model, state, applied_sequence, build_rate,
       extract(epoch FROM clock_timestamp() - coalesce(built_at, asked_at))::float8 AS seconds_since,
       extract(epoch FROM clock_timestamp() - asked_at)::float8 AS age_seconds
FROM view_versions
WHERE log_id = @log_id AND version_id = @version_id AND status = 'building'
  AND (builder IS NULL OR builder = @builder OR built_at < clock_timestamp() - @lease::interval)
FOR UPDATE SKIP LOCKED;

-- name: SetBuilt :exec
UPDATE view_versions
SET applied_sequence = @applied_sequence, builder = @builder, built_at = clock_timestamp(), build_rate = @build_rate
WHERE log_id = @log_id AND version_id = @version_id;

-- name: RetireVersions :execrows
-- Retires a view's versions of turns before one and says how many.
WITH retired AS (
    UPDATE view_versions v
    SET status = 'retired', guarding = false, recent_stored = true, retired_at = clock_timestamp(),
        applied_sequence = CASE WHEN v.status = 'live' THEN @head::bigint ELSE v.applied_sequence END,
        builder = NULL, built_at = NULL, build_rate = NULL
    WHERE v.log_id = @log_id AND v.view_id = @view_id AND v.turn < @turn AND v.status <> 'retired'
    RETURNING v.log_id, v.view_id, v.version, v.retired_at
)
INSERT INTO view_actions (log_id, view_id, version, action, actor, detail, at)
SELECT r.log_id, r.view_id, r.version, 'retire', @actor, @detail, r.retired_at FROM retired r;

-- name: MarkOldStates :exec
-- Marks the state of retired versions to be dropped, but for those that were retired last.
UPDATE view_versions v
SET state = 'dropping'
FROM (
    SELECT o.version_id
    FROM view_versions o
    WHERE o.log_id = @log_id AND o.view_id = @view_id AND o.status = 'retired' AND o.state = 'kept'
    ORDER BY o.retired_at DESC, o.version DESC
    OFFSET @kept_states::integer
) old
WHERE v.log_id = @log_id AND v.version_id = old.version_id;

-- name: LiveTurn :one
-- The turn of a view's live version; 0 when there is none.
SELECT coalesce(max(turn), 0)::bigint AS turn FROM view_versions WHERE log_id = @log_id AND view_id = @view_id AND status = 'live';

-- name: SetVersionLive :exec
WITH live AS (
    UPDATE view_versions v
    SET status = 'live', guarding = v.guard AND v.on_halt = 'refuse', recent_stored = false,
        applied_sequence = @applied_sequence::bigint, live_at = clock_timestamp(),
        builder = NULL, built_at = NULL, build_rate = NULL
    WHERE v.log_id = @log_id AND v.version_id = @version_id
    RETURNING v.log_id, v.view_id, v.version, v.applied_sequence
), noted AS (
    INSERT INTO view_changes (tenant_id, log_id, view_id, version, status, sequence)
    SELECT l.tenant_id, n.log_id, n.view_id, n.version, 'live', n.applied_sequence
    FROM live n
    JOIN logs l ON l.log_id = n.log_id
    WHERE EXISTS (SELECT FROM webhooks w WHERE w.tenant_id = l.tenant_id AND w.deleted_at IS NULL AND w.enabled)
)
INSERT INTO view_actions (log_id, view_id, version, action, sequence)
SELECT log_id, view_id, version, 'live', applied_sequence FROM live;

-- name: DroppingVersions :many
-- Retired versions whose state is to be dropped.
SELECT log_id, version_id
FROM view_versions
WHERE state = 'dropping' AND status = 'retired'
ORDER BY log_id, version_id
LIMIT @max_rows;

-- name: LockDroppingVersion :one
SELECT version_id
FROM view_versions
WHERE log_id = @log_id AND version_id = @version_id AND state = 'dropping' AND status = 'retired'
FOR UPDATE SKIP LOCKED;

-- name: DropViewState :execrows
-- The first keys of a version's state.
DELETE FROM view_state_rows s
USING (
    SELECT t.key FROM view_state_rows t WHERE t.log_id = @log_id AND t.version_id = @version_id ORDER BY t.key LIMIT @max_rows
) d
WHERE s.log_id = @log_id AND s.version_id = @version_id AND s.key = d.key;

-- name: SetStateDropped :exec
-- A version that is being built has an empty state then, which is where it begins.
UPDATE view_versions
SET state = CASE WHEN status = 'retired' THEN 'dropped' ELSE 'kept' END, applied_sequence = 0
WHERE log_id = @log_id AND version_id = @version_id;

-- name: StoreRecentState :exec
-- Puts what the log's head row holds of state into rows. The head is locked; BumpViewsEpoch, which follows, leaves the row without it.
INSERT INTO view_state_rows (log_id, version_id, key, value)
SELECT h.log_id, r.version_id, r.key, r.value
FROM log_heads h
CROSS JOIN LATERAL recent_state(h.recent) r
WHERE h.log_id = @log_id
ON CONFLICT (log_id, version_id, key) DO UPDATE SET value = excluded.value;

-- name: BumpViewsEpoch :exec
-- The time of day makes it another one than it was ever before, also in a history that a restore has undone:
-- servers that know that history must not take theirs for this one.
UPDATE log_heads
SET views_epoch = greatest(views_epoch + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint), recent = ''
WHERE log_id = @log_id;

-- name: VersionStatus :one
SELECT status FROM view_versions WHERE log_id = @log_id AND version_id = @version_id;

-- name: ViewStatePlace :one
-- Where a version is in a list of its tenant's by log, view and version.
SELECT l.name AS log, w.name AS view, v.version
FROM view_versions v
JOIN logs l ON l.log_id = v.log_id
JOIN views w ON w.log_id = v.log_id AND w.view_id = v.view_id
WHERE v.log_id = @log_id AND v.version_id = @version_id AND l.tenant_id = @tenant_id;

-- name: ListUnfinishedVersions :many
-- A tenant's versions that are halted or building, after one, by log, view and version. They are few, among any number of others: by the
-- two indexes of them, of all tenants, whatever the planner thinks of the rest.
WITH unfinished AS MATERIALIZED (
    SELECT v.log_id, v.version_id, v.view_id, v.version FROM view_versions v WHERE v.status = 'halted' AND @halted::boolean
    UNION ALL
    SELECT v.log_id, v.version_id, v.view_id, v.version FROM view_versions v WHERE v.status = 'building' AND @building::boolean
), page AS MATERIALIZED (
    SELECT u.log_id, u.version_id, l.name AS log, w.name AS view, u.version
    FROM unfinished u
    JOIN logs l ON l.log_id = u.log_id
    JOIN views w ON w.log_id = u.log_id AND w.view_id = u.view_id
    WHERE l.tenant_id = @tenant_id AND l.name LIKE @visible AND (@name::text = '' OR w.name = @name)
      AND (l.name, w.name, u.version) > (@after_log::text, @after_name::text, @after_version::integer)
    ORDER BY l.name, w.name, u.version
    LIMIT @max_rows
)
SELECT p.log_id, p.log, p.view, v.version_id, v.version, v.module_sha256, v.status, v.applied_sequence, v.halted_sequence, v.error,
       v.asked_at, v.live_at, v.retired_at, v.halted_at, v.build_rate, h.sequence AS head
FROM page p
JOIN view_versions v ON v.log_id = p.log_id AND v.version_id = p.version_id
JOIN log_heads h ON h.log_id = p.log_id
ORDER BY p.log, p.view, p.version;

-- name: ListVersionsByLog :many
-- A tenant's versions of any status, after one, by log, view and version.
SELECT l.log_id, l.name AS log, w.name AS view, v.version_id, v.version, v.module_sha256, v.status, v.applied_sequence, v.halted_sequence,
       v.error, v.asked_at, v.live_at, v.retired_at, v.halted_at, v.build_rate, h.sequence AS head
FROM logs l
JOIN views w ON w.log_id = l.log_id
JOIN view_versions v ON v.log_id = w.log_id AND v.view_id = w.view_id
JOIN log_heads h ON h.log_id = l.log_id
WHERE l.tenant_id = @tenant_id AND l.name LIKE @visible AND (@name::text = '' OR w.name = @name) AND v.status = ANY (@statuses::text[])
  AND l.name >= @after_log::text AND (l.name, w.name, v.version) > (@after_log::text, @after_name::text, @after_version::integer)
ORDER BY l.name, w.name, v.version
LIMIT @max_rows;

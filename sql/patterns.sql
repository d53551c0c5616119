-- Views on every log whose name matches a pattern.

-- name: SharePatterns :exec
-- Taken by whoever creates a log, before PlacePatternViews: no pattern begins or ends until the log is committed, so each log is
-- covered by the one who creates it or by the one who deploys the pattern.
SELECT pg_advisory_xact_lock_shared(hashtextextended('tallystick.view_patterns.' || (@tenant_id::uuid)::text, 0));

-- name: LockPatterns :exec
-- The other side of SharePatterns.
SELECT pg_advisory_xact_lock(hashtextextended('tallystick.view_patterns.' || (@tenant_id::uuid)::text, 0));

-- name: PlacePatternViews :exec
-- Puts the views of matching patterns on a log that is being created, live at once: it has no event to fold. The oldest patterns
-- go first where there are more than a log may have views, or more than may fold one event.
WITH oldest AS (
    SELECT pattern_id, name, pattern, revision, module_sha256, config, fields, fold_gas, cost_model, actor, guard, on_halt,
           row_number() OVER (ORDER BY created_at, pattern_id) AS place,
           sum(fold_gas) OVER (ORDER BY created_at, pattern_id) AS gas_so_far
    FROM view_patterns
    WHERE tenant_id = @tenant_id AND status = 'active' AND @name::text LIKE like_pattern
), matching AS MATERIALIZED (
    SELECT pattern_id, name, pattern, revision, module_sha256, config, fields, fold_gas, cost_model, actor, guard, on_halt,
           gen_random_uuid() AS view_id
    FROM oldest
    WHERE place <= @max_views::bigint AND gas_so_far <= @max_fold_gas::bigint
), placed AS (
    INSERT INTO views (log_id, view_id, name, pattern_id, pattern_revision)
    SELECT @log_id, m.view_id, m.name, m.pattern_id, m.revision FROM matching m
), versions AS (
    INSERT INTO view_versions (log_id, version_id, view_id, version, turn, module_sha256, config, fields, fold_gas, cost_model, actor,
        guard, on_halt, guarding, status, applied_sequence, live_at)
    SELECT @log_id, gen_random_uuid(), m.view_id, 1, 1, m.module_sha256, m.config, m.fields, m.fold_gas, m.cost_model, m.actor,
        m.guard, m.on_halt, m.guard AND m.on_halt = 'refuse', 'live', 0, now()
    FROM matching m
)
INSERT INTO view_actions (log_id, view_id, version, action, actor, detail)
SELECT @log_id, m.view_id, 1, a.action, CASE a.action WHEN 'deploy' THEN m.actor ELSE '' END, 'on the logs ' || m.pattern
FROM matching m CROSS JOIN (SELECT unnest(ARRAY['deploy', 'live']) AS action) a;

-- name: LockPattern :one
SELECT * FROM view_patterns WHERE tenant_id = @tenant_id AND name = @name FOR UPDATE;

-- name: GetPattern :one
SELECT * FROM view_patterns WHERE tenant_id = @tenant_id AND name = @name;

-- name: ListPatterns :many
-- The patterns that are not retired.
SELECT * FROM view_patterns WHERE tenant_id = @tenant_id AND status <> 'retired' ORDER BY name;

-- name: CountPatterns :one
SELECT count(*) FROM view_patterns WHERE tenant_id = @tenant_id AND status <> 'retired';

-- name: InsertPattern :exec
INSERT INTO view_patterns (tenant_id, pattern_id, name, pattern, like_pattern, revision,
    module_sha256, config, fields, fold_gas, cost_model, guard, on_halt, actor, after_log)
VALUES (@tenant_id, @pattern_id, @name, @pattern, @like_pattern, 1,
    @module_sha256, @config, @fields, @fold_gas, @cost_model, @guard, @on_halt, @actor, @after_log);

-- name: UpdatePattern :exec
UPDATE view_patterns
SET pattern = @pattern, like_pattern = @like_pattern, revision = @revision,
    module_sha256 = @module_sha256, config = @config, fields = @fields, fold_gas = @fold_gas, cost_model = @cost_model, actor = @actor,
    guard = @guard, on_halt = @on_halt,
    status = 'active', after_log = @after_log, deployed_at = now()
WHERE tenant_id = @tenant_id AND pattern_id = @pattern_id;

-- name: SpreadPatternAgain :exec
UPDATE view_patterns SET after_log = @after_log WHERE tenant_id = @tenant_id AND pattern_id = @pattern_id;

-- name: EndPattern :exec
-- With after_log NULL the views stay where they are.
UPDATE view_patterns SET status = @status, actor = @actor, after_log = @after_log WHERE tenant_id = @tenant_id AND pattern_id = @pattern_id;

-- name: WaitingPatterns :many
-- Patterns that have not got everywhere yet, whoever they belong to.
SELECT tenant_id, pattern_id FROM view_patterns WHERE after_log IS NOT NULL ORDER BY tenant_id, pattern_id;

-- name: LockWaitingPattern :one
-- Another server that is at it holds the lock: no row, try later.
SELECT * FROM view_patterns WHERE tenant_id = @tenant_id AND pattern_id = @pattern_id AND after_log IS NOT NULL FOR UPDATE SKIP LOCKED;

-- name: MovePattern :exec
UPDATE view_patterns SET after_log = @after_log, status = @status WHERE tenant_id = @tenant_id AND pattern_id = @pattern_id;

-- name: LockMatchingLogs :many
-- The next logs that a pattern matches, each locked against deploys on it.
SELECT log_id
FROM logs
WHERE tenant_id = @tenant_id AND log_id > @after AND name LIKE @like_pattern
ORDER BY log_id
LIMIT @max_rows
FOR NO KEY UPDATE;

-- name: LogsToPlace :many
-- Which of these logs are to get a pattern's revision: where the view is the pattern's and older, or there is none, or it was deployed
-- on the log itself and is retired.
SELECT u.log_id::uuid AS log_id
FROM (SELECT unnest(@log_ids::uuid[]) AS log_id) AS u
LEFT JOIN views w ON w.log_id = u.log_id AND w.name = @name
WHERE w.view_id IS NULL
   OR w.pattern_id = @pattern_id::uuid AND w.pattern_revision < @revision
   OR w.pattern_id IS NULL
      AND NOT EXISTS (SELECT FROM view_versions v WHERE v.log_id = w.log_id AND v.view_id = w.view_id AND v.status <> 'retired')
ORDER BY u.log_id;

-- name: SetPlaced :exec
-- Makes a view of these logs the pattern's, in its revision.
UPDATE views w
SET pattern_id = @pattern_id::uuid, pattern_revision = @revision
FROM (SELECT unnest(@log_ids::uuid[]) AS log_id) AS u
WHERE w.log_id = u.log_id AND w.name = @name;

-- name: LockPlacedLogs :many
-- The next logs that have the view from a pattern, each locked against deploys on it.
SELECT l.log_id
FROM views w
JOIN logs l ON l.log_id = w.log_id
WHERE w.pattern_id = @pattern_id::uuid AND w.log_id > @after AND l.tenant_id = @tenant_id
ORDER BY w.log_id
LIMIT @max_rows
FOR NO KEY UPDATE OF l;

-- name: LogsToRetire :many
-- On which of these logs the view is the pattern's, and not retired.
SELECT w.log_id
FROM (SELECT unnest(@log_ids::uuid[]) AS log_id) AS u
JOIN views w ON w.log_id = u.log_id AND w.name = @name AND w.pattern_id = @pattern_id::uuid
WHERE EXISTS (SELECT FROM view_versions v WHERE v.log_id = w.log_id AND v.view_id = w.view_id AND v.status <> 'retired')
ORDER BY w.log_id;

-- name: OwnView :execrows
-- Whoever deploys a view on a log takes it out of its pattern's hands.
UPDATE views SET pattern_id = NULL WHERE log_id = @log_id AND name = @name AND pattern_id IS NOT NULL;

-- name: PatternSampleLog :one
-- A matching log that has events, looked for among the first thousand.
SELECT f.log_id
FROM (SELECT l.log_id FROM logs l WHERE l.tenant_id = @tenant_id AND l.name LIKE @like_pattern ORDER BY l.log_id LIMIT 1000) f
JOIN log_heads h ON h.log_id = f.log_id
WHERE h.sequence > 0
ORDER BY f.log_id
LIMIT 1;

-- name: PatternProgress :one
-- How the matching logs stand, each by the version of the view that was asked for last; own: the view is not the pattern's there;
-- done of total events are folded on those that are the pattern's.
SELECT count(*)::bigint AS matching,
       count(*) FILTER (WHERE s.standing = 'live')::bigint AS live,
       count(*) FILTER (WHERE s.standing = 'building')::bigint AS building,
       count(*) FILTER (WHERE s.standing = 'halted')::bigint AS halted,
       count(*) FILTER (WHERE s.standing = 'retired')::bigint AS retired,
       count(*) FILTER (WHERE s.standing = 'waiting')::bigint AS waiting,
       count(*) FILTER (WHERE s.standing = 'own')::bigint AS own,
       coalesce(sum(s.done) FILTER (WHERE s.standing IN ('live', 'building', 'halted')), 0)::bigint AS done,
       coalesce(sum(s.head) FILTER (WHERE s.standing IN ('live', 'building', 'halted', 'waiting')), 0)::bigint AS total
FROM (
    SELECT h.sequence AS head, CASE WHEN v.status = 'live' THEN h.sequence ELSE v.applied_sequence END AS done,
           CASE WHEN w.pattern_id IS NULL AND v.status IS NOT NULL AND v.status <> 'retired' THEN 'own'
                WHEN w.pattern_id IS NULL OR w.pattern_revision < @revision THEN 'waiting'
                ELSE v.status END AS standing
    FROM logs l
    JOIN log_heads h ON h.log_id = l.log_id
    LEFT JOIN views w ON w.log_id = l.log_id AND w.name = @name
    LEFT JOIN LATERAL (
        SELECT x.status, x.applied_sequence
        FROM view_versions x
        WHERE x.log_id = w.log_id AND x.view_id = w.view_id
        ORDER BY (x.status <> 'retired') DESC, x.turn DESC
        LIMIT 1
    ) v ON true
    WHERE l.tenant_id = @tenant_id AND l.name LIKE @like_pattern
) s;

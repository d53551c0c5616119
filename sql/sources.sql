-- Sources, and the versions of their mappings.

-- name: SourcesVersion :one
SELECT number, nonce FROM sources_version;

-- name: NextSourcesVersion :one
-- The first statement of every change: it makes changes take turns.
UPDATE sources_version SET number = number + 1, nonce = gen_random_uuid() RETURNING number;

-- name: ChangedSources :many
SELECT tenant_id, name FROM sources WHERE changed > @since;

-- name: GetSource :one
-- The present version, also the one by which the source was deleted.
SELECT v.version, v.mapping, v.resolved, v.created_at, v.created_by
FROM sources s
JOIN source_versions v ON v.tenant_id = s.tenant_id AND v.name = s.name AND v.version = s.version
WHERE s.tenant_id = @tenant_id AND s.name = @name;

-- name: GetSourceVersion :one
SELECT version, mapping, resolved, created_at, created_by
FROM source_versions
WHERE tenant_id = @tenant_id AND name = @name AND version = @version;

-- name: CountSources :one
SELECT count(*) FROM sources WHERE tenant_id = @tenant_id AND NOT deleted;

-- name: ListSources :many
SELECT s.name, s.version, v.created_at, v.created_by
FROM sources s
JOIN source_versions v ON v.tenant_id = s.tenant_id AND v.name = s.name AND v.version = s.version
WHERE s.tenant_id = @tenant_id AND s.name > @after AND NOT s.deleted
ORDER BY s.name
LIMIT @max_rows;

-- name: ListSourceVersions :many
-- Newest first.
SELECT version, (mapping IS NULL)::boolean AS deleted, created_at, created_by
FROM source_versions
WHERE tenant_id = @tenant_id AND name = @name AND version < @before
ORDER BY version DESC
LIMIT @max_rows;

-- name: SetSource :exec
INSERT INTO sources (tenant_id, name, version, deleted, changed)
VALUES (@tenant_id, @name, @version, @deleted, @changed)
ON CONFLICT (tenant_id, name) DO UPDATE SET version = excluded.version, deleted = excluded.deleted, changed = excluded.changed;

-- name: InsertSourceVersion :one
INSERT INTO source_versions (tenant_id, name, version, mapping, resolved, created_by)
VALUES (@tenant_id, @name, @version, @mapping, @resolved, @created_by)
RETURNING created_at;

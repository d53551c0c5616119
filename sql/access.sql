-- Tenants, keys, and what was done with them.

-- name: AccessVersion :one
SELECT number, nonce FROM access_version;

-- name: NextAccessVersion :one
-- The first statement of every change: it makes changes take turns.
UPDATE access_version SET number = number + 1, nonce = gen_random_uuid() RETURNING number;

-- name: ChangedKeys :many
SELECT key_id FROM access_keys WHERE changed > @since;

-- name: ChangedTenants :many
SELECT tenant_id FROM tenants WHERE changed > @since;

-- name: KeyAccess :one
-- All that decides on a request.
SELECT k.key_id, k.tenant_id, k.name, k.scopes, k.logs, k.limits, k.secret_hash, k.token_key, k.former_secret_hash, k.former_token_key,
       k.former_until, k.expires_at, k.revoked_at, k.last_used_at,
       t.name AS tenant_name, t.suspended_at AS tenant_suspended_at, t.limits AS tenant_limits
FROM access_keys k
JOIN tenants t ON t.tenant_id = k.tenant_id
WHERE k.key_id = @key_id;

-- name: InsertKey :one
INSERT INTO access_keys (key_id, tenant_id, name, scopes, logs, limits, secret_hash, token_key, created_by, expires_at, changed)
VALUES (@key_id, @tenant_id, @name, @scopes, @logs, @limits, @secret_hash, @token_key, @created_by, @expires_at, @changed)
RETURNING created_at;

-- name: GetKey :one
SELECT * FROM access_keys WHERE tenant_id = @tenant_id AND key_id = @key_id;

-- name: KeyExists :one
SELECT EXISTS (SELECT FROM access_keys WHERE key_id = @key_id);

-- name: AnyKey :one
-- Whether there is a key that could make others.
SELECT EXISTS (SELECT FROM access_keys WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()) AND 'admin' = ANY (scopes));

-- name: ListKeys :many
SELECT * FROM access_keys WHERE tenant_id = @tenant_id AND key_id > @after ORDER BY key_id LIMIT @max_rows;

-- name: LockKey :one
SELECT * FROM access_keys WHERE tenant_id = @tenant_id AND key_id = @key_id FOR UPDATE;

-- name: RevokeKey :exec
UPDATE access_keys SET revoked_at = now(), changed = @changed WHERE key_id = @key_id AND revoked_at IS NULL;

-- name: RotateKey :exec
UPDATE access_keys
SET former_secret_hash = secret_hash, former_token_key = token_key, former_until = @former_until,
    secret_hash = @secret_hash, token_key = @token_key, rotated_at = now(), changed = @changed
WHERE key_id = @key_id;

-- name: NoteKeysUsed :exec
-- At most once a minute for each, whatever the number of servers.
UPDATE access_keys k
SET last_used_at = u.used_at
FROM (SELECT unnest(@key_ids::text[]) AS key_id, unnest(@used_ats::timestamptz[]) AS used_at) AS u
WHERE k.key_id = u.key_id AND (k.last_used_at IS NULL OR k.last_used_at < u.used_at - interval '59 seconds');

-- name: InsertTenant :one
INSERT INTO tenants (tenant_id, name, limits, changed) VALUES (@tenant_id, @name, @limits, @changed) RETURNING created_at;

-- name: GetTenant :one
SELECT * FROM tenants WHERE tenant_id = @tenant_id;

-- name: TenantByName :one
SELECT * FROM tenants WHERE name = @name;

-- name: ListTenants :many
SELECT * FROM tenants WHERE name > @after ORDER BY name LIMIT @max_rows;

-- name: UpdateTenant :exec
UPDATE tenants SET name = @name, suspended_at = @suspended_at, limits = @limits, changed = @changed WHERE tenant_id = @tenant_id;

-- name: LockAccessLog :exec
-- Before InsertAccessLog: entries of one tenant are numbered one after the other. Nobody else can hold this lock, as they could an advisory
-- one; foreign keys do not wait for it.
SELECT FROM tenants WHERE tenant_id = @tenant_id FOR NO KEY UPDATE;

-- name: InsertAccessLog :exec
-- Each tenant's entries have numbers of their own, which tell nobody how many others make.
INSERT INTO access_log (tenant_id, entry_id, actor, key_id, action, target, detail)
SELECT @tenant_id::uuid, coalesce(max(a.entry_id), 0) + 1, @actor, @key_id, @action, @target, @detail
FROM access_log a
WHERE a.tenant_id = @tenant_id::uuid;

-- name: ListAccessLog :many
-- Newest first.
SELECT a.entry_id, a.at, a.actor, a.key_id, a.action, a.target, a.detail
FROM access_log a
WHERE a.tenant_id = @tenant_id AND a.entry_id < @before
ORDER BY a.entry_id DESC
LIMIT @max_rows;

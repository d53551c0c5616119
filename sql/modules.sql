-- Modules as tenants know them: those that were deployed, and those that were uploaded only.

-- name: GetTenantModule :one
SELECT m.wasm FROM tenant_modules t JOIN modules m ON m.sha256 = t.sha256 WHERE t.tenant_id = @tenant_id AND t.sha256 = @sha256
UNION ALL
SELECT u.wasm FROM uploaded_modules u WHERE u.tenant_id = @tenant_id AND u.sha256 = @sha256
LIMIT 1;

-- name: DescribeTenantModule :one
SELECT t.sha256, octet_length(m.wasm)::bigint AS bytes, t.created_at, true AS deployed
FROM tenant_modules t JOIN modules m ON m.sha256 = t.sha256
WHERE t.tenant_id = @tenant_id AND t.sha256 = @sha256
UNION ALL
SELECT u.sha256, octet_length(u.wasm)::bigint AS bytes, u.uploaded_at, false AS deployed
FROM uploaded_modules u
WHERE u.tenant_id = @tenant_id AND u.sha256 = @sha256
LIMIT 1;

-- name: ListTenantModules :many
SELECT t.sha256, octet_length(m.wasm)::bigint AS bytes, t.created_at, true AS deployed
FROM tenant_modules t JOIN modules m ON m.sha256 = t.sha256
WHERE t.tenant_id = @tenant_id AND t.sha256 > @after::bytea
UNION ALL
SELECT u.sha256, octet_length(u.wasm)::bigint AS bytes, u.uploaded_at, false AS deployed
FROM uploaded_modules u
WHERE u.tenant_id = @tenant_id AND u.sha256 > @after::bytea
  AND NOT EXISTS (SELECT FROM tenant_modules d WHERE d.tenant_id = u.tenant_id AND d.sha256 = u.sha256)
ORDER BY sha256 LIMIT @max_rows;

-- name: LockUploads :exec
-- Makes a tenant's uploads take turns, so that their number stays bounded.
SELECT pg_advisory_xact_lock(hashtextextended('tallystick.uploaded_modules.' || (@tenant_id::uuid)::text, 0));

-- name: InsertUploadedModule :one
-- Keeps a module that was uploaded, as the tenant's latest one, and returns whether it was not there; no row where it is deployed already.
INSERT INTO uploaded_modules (tenant_id, sha256, wasm)
SELECT @tenant_id::uuid, @sha256::bytea, @wasm::bytea
WHERE NOT EXISTS (SELECT FROM tenant_modules t WHERE t.tenant_id = @tenant_id AND t.sha256 = @sha256)
ON CONFLICT (tenant_id, sha256) DO UPDATE SET uploaded_at = clock_timestamp()
RETURNING xmax = 0 AS inserted;

-- name: DropOldUploads :exec
-- Drops what a tenant uploaded and did not deploy, but for the latest ones.
DELETE FROM uploaded_modules u
WHERE u.tenant_id = @tenant_id AND u.sha256 IN (
    SELECT o.sha256 FROM uploaded_modules o WHERE o.tenant_id = @tenant_id ORDER BY o.uploaded_at DESC, o.sha256 OFFSET @kept::integer
);

-- name: DropUpload :exec
-- A module that is deployed is no longer one that was uploaded only.
DELETE FROM uploaded_modules WHERE tenant_id = @tenant_id AND sha256 = @sha256;

-- name: DropLogUpload :exec
-- DropUpload for a log's tenant.
DELETE FROM uploaded_modules u USING logs l WHERE l.log_id = @log_id AND u.tenant_id = l.tenant_id AND u.sha256 = @sha256;

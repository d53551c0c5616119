-- Logins of analysts who see one tenant's rows. The owner's login alone may run these.

-- name: InsertAnalyst :exec
INSERT INTO analysts (login, tenant_id, created_by)
VALUES (@login, @tenant_id, @created_by);

-- name: AnalystTenant :one
SELECT t.tenant_id, t.name
FROM analysts a
JOIN tenants t ON t.tenant_id = a.tenant_id
WHERE a.login = @login;

-- name: ListAnalysts :many
-- Of one tenant, or of all with an empty name.
SELECT a.login, t.name AS tenant, a.created_at, a.created_by,
       EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = a.login AND r.rolcanlogin)::boolean AS can_log_in
FROM analysts a
JOIN tenants t ON t.tenant_id = a.tenant_id
WHERE t.name = @tenant OR @tenant = ''
ORDER BY t.name, a.login;

-- name: DeleteAnalyst :exec
DELETE FROM analysts WHERE login = @login;

-- name: HasOnlyRole :one
-- Of a login, whether its rights are those of the role and no others.
SELECT (r.rolcanlogin AND NOT (r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls)
    AND ARRAY[@role::text] = ARRAY (SELECT m.roleid::regrole::text FROM pg_catalog.pg_auth_members m WHERE m.member = r.oid))::boolean
FROM pg_catalog.pg_roles r
WHERE r.rolname = @login::text;

-- name: MayConnect :one
SELECT current_database()::text AS database, has_database_privilege(@role::text, current_database(), 'CONNECT')::boolean AS granted;

-- Webhooks: receivers, what is to be delivered to them, and what became of it.

-- name: WebhooksWanting :many
-- The enabled receivers of a tenant that are to be told of a type.
SELECT webhook_id, logs, (failing_since IS NOT NULL)::boolean AS failing
FROM webhooks
WHERE tenant_id = @tenant_id AND deleted_at IS NULL AND enabled AND (types = '{}' OR @type::text = ANY (types));

-- name: InsertDeliveries :many
-- Leaves out receivers that have had a message with the key.
INSERT INTO webhook_deliveries (webhook_id, message_id, type, log, key, message, next_at)
SELECT w.webhook_id, @message_id, @type, @log, sqlc.narg('key')::text, @message, clock_timestamp()
FROM (SELECT unnest(@webhook_ids::uuid[]) AS webhook_id) w
ON CONFLICT (webhook_id, key) WHERE key IS NOT NULL DO NOTHING
RETURNING webhook_id;

-- name: CountWebhooks :one
SELECT count(*) FROM webhooks WHERE tenant_id = @tenant_id AND deleted_at IS NULL;

-- name: InsertWebhook :one
INSERT INTO webhooks (webhook_id, tenant_id, url, types, logs, description, enabled, disabled_why, disabled_at, secret, created_by)
VALUES (@webhook_id, @tenant_id, @url, @types, @logs, @description, @enabled, @disabled_why,
    CASE WHEN @enabled::boolean THEN NULL ELSE now() END, @secret, @created_by)
RETURNING *;

-- name: GetWebhook :one
SELECT * FROM webhooks WHERE tenant_id = @tenant_id AND webhook_id = @webhook_id AND deleted_at IS NULL;

-- name: LockWebhook :one
SELECT * FROM webhooks WHERE tenant_id = @tenant_id AND webhook_id = @webhook_id AND deleted_at IS NULL FOR NO KEY UPDATE;

-- name: ListWebhooks :many
SELECT * FROM webhooks
WHERE tenant_id = @tenant_id AND webhook_id > @after AND deleted_at IS NULL
ORDER BY webhook_id
LIMIT @max_rows;

-- name: UpdateWebhook :one
-- A receiver that is enabled again has not failed yet.
UPDATE webhooks
SET url = @url, types = @types, logs = @logs, description = @description, enabled = @enabled, disabled_why = @disabled_why,
    disabled_at = CASE WHEN @enabled::boolean THEN NULL WHEN enabled THEN now() ELSE disabled_at END,
    failing_since = CASE WHEN @enabled::boolean AND NOT enabled THEN NULL ELSE failing_since END, updated_at = now()
WHERE webhook_id = @webhook_id
RETURNING *;

-- name: RotateWebhookSecret :one
UPDATE webhooks
SET former_secret = secret, former_until = @former_until, secret = @secret, updated_at = now()
WHERE webhook_id = @webhook_id
RETURNING *;

-- name: DeleteWebhook :exec
UPDATE webhooks
SET deleted_at = now(), updated_at = now(), enabled = false, secret = '', former_secret = NULL, former_until = NULL
WHERE webhook_id = @webhook_id;

-- name: DisableWebhook :execrows
UPDATE webhooks
SET enabled = false, disabled_why = @disabled_why, disabled_at = now()
WHERE webhook_id = @webhook_id AND enabled;

-- name: SetWebhookFailing :exec
UPDATE webhooks SET failing_since = now() WHERE webhook_id = @webhook_id AND failing_since IS NULL;

-- name: SetWebhookWorking :exec
UPDATE webhooks SET failing_since = NULL WHERE webhook_id = @webhook_id AND failing_since IS NOT NULL;

-- name: GetDeliveryToSend :one
SELECT d.type, d.message, d.status, d.attempts, d.tries, d.created_at, d.begun_at, d.next_at,
       w.tenant_id, w.url, w.enabled, w.disabled_why, w.secret, w.failing_since, w.deleted_at,
       CASE WHEN w.former_until > now() THEN w.former_secret END::bytea AS former_secret
FROM webhook_deliveries d
JOIN webhooks w ON w.webhook_id = d.webhook_id
WHERE d.webhook_id = @webhook_id AND d.message_id = @message_id;

-- name: RecordAttempt :execrows
-- Nothing where another server has finished the delivery meanwhile.
WITH delivery AS (
    UPDATE webhook_deliveries d
    SET status = @status, attempts = d.attempts + 1, tries = d.tries + 1, error = @error, next_at = @next_at,
        finished_at = CASE WHEN @status = 'pending' THEN NULL ELSE clock_timestamp() END
    WHERE d.webhook_id = @webhook_id AND d.message_id = @message_id AND d.status = 'pending'
    RETURNING d.webhook_id, d.message_id, d.attempts
)
INSERT INTO webhook_attempts (webhook_id, message_id, attempt, at, duration_ms, status, answer, error)
SELECT d.webhook_id, d.message_id, d.attempts, @at, @duration_ms, @answer_status, @answer, @error FROM delivery d;

-- name: GiveUpDelivery :exec
-- Without another try.
UPDATE webhook_deliveries
SET status = 'dead', error = @error, next_at = NULL, finished_at = clock_timestamp()
WHERE webhook_id = @webhook_id AND message_id = @message_id AND status = 'pending';

-- name: ListDeliveries :many
-- Newest first.
SELECT message_id, type, log, status, attempts, created_at, next_at, finished_at, error
FROM webhook_deliveries
WHERE webhook_id = @webhook_id AND message_id < @before
ORDER BY message_id DESC
LIMIT @max_rows;

-- name: ListDeliveriesByStatus :many
SELECT message_id, type, log, status, attempts, created_at, next_at, finished_at, error
FROM webhook_deliveries
WHERE webhook_id = @webhook_id AND status = @status AND message_id < @before
ORDER BY message_id DESC
LIMIT @max_rows;

-- name: GetDelivery :one
SELECT message_id, type, log, message, status, attempts, created_at, next_at, finished_at, error
FROM webhook_deliveries
WHERE webhook_id = @webhook_id AND message_id = @message_id;

-- name: ListAttempts :many
-- The latest, newest first.
SELECT attempt, at, duration_ms, status, answer, error
FROM webhook_attempts
WHERE webhook_id = @webhook_id AND message_id = @message_id
ORDER BY attempt DESC
LIMIT @max_rows;

-- name: ReplayDelivery :execrows
UPDATE webhook_deliveries
SET status = 'pending', tries = 0, begun_at = clock_timestamp(), next_at = clock_timestamp(), finished_at = NULL, error = ''
WHERE webhook_id = @webhook_id AND message_id = @message_id AND status <> 'pending';

-- name: ReplayDeadDeliveries :many
-- The oldest first.
UPDATE webhook_deliveries d
SET status = 'pending', tries = 0, begun_at = clock_timestamp(), next_at = clock_timestamp(), finished_at = NULL, error = ''
FROM (
    SELECT o.webhook_id, o.message_id
    FROM webhook_deliveries o
    WHERE o.webhook_id = @webhook_id AND o.status = 'dead'
    ORDER BY o.message_id
    LIMIT @max_rows
    FOR UPDATE
) dead
WHERE d.webhook_id = dead.webhook_id AND d.message_id = dead.message_id
RETURNING d.message_id;

-- name: PruneDeliveries :execrows
-- Those that were finished long ago, some at a time.
DELETE FROM webhook_deliveries d
USING (
    SELECT o.webhook_id, o.message_id
    FROM webhook_deliveries o
    WHERE o.finished_at < now() - @age::interval
    ORDER BY o.finished_at
    LIMIT @max_rows
    FOR UPDATE SKIP LOCKED
) old
WHERE d.webhook_id = old.webhook_id AND d.message_id = old.message_id;

-- name: DeletedWebhooks :many
SELECT webhook_id FROM webhooks WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT @max_rows;

-- name: PruneDeleted :execrows
-- Deliveries of a receiver that was deleted, some at a time.
DELETE FROM webhook_deliveries d
USING (
    SELECT o.message_id
    FROM webhook_deliveries o
    WHERE o.webhook_id = @webhook_id
    ORDER BY o.message_id
    LIMIT @max_rows
    FOR UPDATE SKIP LOCKED
) old
WHERE d.webhook_id = @webhook_id AND d.message_id = old.message_id;

-- name: RemoveWebhook :exec
-- Once its deliveries are gone.
DELETE FROM webhooks w
WHERE w.webhook_id = @webhook_id AND w.deleted_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.webhook_id = w.webhook_id);

-- name: TakeViewChanges :many
-- Some changes that nobody else is announcing.
WITH taken AS (
    DELETE FROM view_changes c
    WHERE c.change_id IN (SELECT o.change_id FROM view_changes o ORDER BY o.change_id LIMIT @max_rows FOR UPDATE SKIP LOCKED)
    RETURNING c.change_id, c.tenant_id, c.log_id, c.view_id, c.version, c.status, c.sequence, c.detail, c.at
)
SELECT t.change_id, t.tenant_id, l.name AS log, v.name AS view, t.version, t.status, t.sequence, t.detail, t.at
FROM taken t
JOIN logs l ON l.log_id = t.log_id
JOIN views v ON v.log_id = t.log_id AND v.view_id = t.view_id
ORDER BY t.change_id;

-- name: LockNotices :one
-- No row while another server has it.
SELECT keys_up_to FROM webhook_notices FOR UPDATE SKIP LOCKED;

-- name: SetNotices :exec
UPDATE webhook_notices SET keys_up_to = @keys_up_to;

-- name: KeysExpiring :many
SELECT key_id, tenant_id, name, expires_at::timestamptz AS expires_at
FROM access_keys
WHERE revoked_at IS NULL AND expires_at > @after::timestamptz AND expires_at <= @until::timestamptz
  AND (expires_at, key_id) > (@after_at::timestamptz, @after_key::text)
ORDER BY expires_at, key_id
LIMIT @max_rows;

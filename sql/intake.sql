-- What gateways send.

-- name: CountSourceLog :execrows
-- No row: the source has made as many as it may.
INSERT INTO source_logs (tenant_id, source, created)
VALUES (@tenant_id, @source, 1)
ON CONFLICT (tenant_id, source) DO UPDATE SET created = source_logs.created + 1 WHERE source_logs.created < @most::bigint;

-- Folding a log again and comparing.

-- name: AuditedVersion :one
-- A version of a view: the given one or, for 0, the one that answers, or that answered last. Its state is that of the events up to
-- applied_sequence, and of all events while it is live.
SELECT v.version_id, v.version, v.module_sha256, v.config, v.fields, v.fold_gas, v.cost_model, v.status, v.state,
       (CASE WHEN v.status = 'live' THEN h.sequence ELSE v.applied_sequence END)::bigint AS sequence
FROM views w
JOIN log_heads h ON h.log_id = w.log_id
JOIN view_versions v ON v.log_id = w.log_id AND v.view_id = w.view_id
WHERE w.log_id = @log_id AND w.name = @name AND (@version::integer = 0 OR v.version = @version)
ORDER BY (v.status = 'live') DESC, (v.status <> 'retired') DESC, v.turn DESC
LIMIT 1;

-- What a server asks of a database before it trusts it.

-- name: ServerSettings :one
SELECT current_setting('server_version_num')::integer AS version_num,
       current_setting('server_version')::text AS version,
       current_setting('fsync')::text AS fsync,
       current_setting('full_page_writes')::text AS full_page_writes,
       current_setting('server_encoding')::text AS server_encoding,
       pg_is_in_recovery() AS in_recovery;

-- name: LimitWorkMem :exec
-- For the transaction: what ProbeDisk makes has to go to a file, where the database's own are.
SELECT set_config('work_mem', '64kB', true), set_config('temp_tablespaces', '', true);

-- name: ProbeDisk :exec
-- Writes a megabyte to a temporary file, which is gone afterwards.
SELECT count(*) FROM unnest(array_fill(repeat('x', 8192), ARRAY[128])) AS filling;

-- name: ProbeWriting :exec
-- Changes nothing, and is refused where nothing may be changed.
UPDATE log_heads SET sequence = sequence WHERE false;

-- name: WriteNothing :exec
-- Gives the transaction something that COMMIT has to write, and waits for as an append's does: a record that nobody reads.
SELECT pg_logical_emit_message(true, 'tallystick', '');

-- name: NotificationKey :one
SELECT key FROM notification_key;

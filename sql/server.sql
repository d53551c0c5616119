-- What a server asks of a database before it trusts it.

-- name: ServerSettings :one
SELECT current_setting('server_version_num')::integer AS version_num,
       current_setting('server_version')::text AS version,
       current_setting('fsync')::text AS fsync,
       current_setting('full_page_writes')::text AS full_page_writes,
       current_setting('server_encoding')::text AS server_encoding,
       pg_is_in_recovery() AS in_recovery;

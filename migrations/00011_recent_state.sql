-- +goose Up

-- The newest values of live views lie in their log's head row, which every append writes anyway, and go to their own rows once they are many:
-- view_state has the rows, and what the head row holds counts before them. Versions that are not live have rows only.
--
-- recent is a list of versions, each after a U+001E: the version's id, and its keys and values by turns, each after a U+001F. Neither of
-- these stands in JSON, and a key that has one is not put here.
ALTER TABLE log_heads ADD COLUMN recent text NOT NULL DEFAULT '';
GRANT UPDATE (recent) ON log_heads TO tally_server;

-- A server that is older than this migration reads state as it should through the view that takes the table's name, and cannot write it.
ALTER TABLE view_state RENAME TO view_state_rows;
ALTER TABLE view_state_rows RENAME CONSTRAINT view_state_pkey TO view_state_rows_pkey;

CREATE FUNCTION recent_state(recent text) RETURNS TABLE (version_id uuid, key text, value json)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT f.fields[1]::uuid, f.fields[2 * i], f.fields[2 * i + 1]::json
    FROM string_to_table(recent, E'\x1e') AS v (version)
    CROSS JOIN LATERAL (SELECT string_to_array(v.version, E'\x1f') AS fields) f
    CROSS JOIN LATERAL generate_series(1, (cardinality(f.fields) - 1) / 2) AS i
    WHERE v.version <> ''
$$;
COMMENT ON FUNCTION recent_state(text) IS 'What log_heads.recent holds, as rows.';

-- The keys to leave out are looked up once for each version.
CREATE VIEW view_state AS
SELECT v.log_id, v.version_id, s.key, s.value
FROM view_versions v
JOIN log_heads h ON h.log_id = v.log_id
CROSS JOIN LATERAL (
    SELECT t.key, t.value
    FROM view_state_rows t
    WHERE t.log_id = v.log_id AND t.version_id = v.version_id
      AND t.key <> ALL (ARRAY (SELECT r.key FROM recent_state(h.recent) r WHERE r.version_id = v.version_id))
    UNION ALL
    SELECT r.key COLLATE "C", r.value
    FROM recent_state(h.recent) r
    WHERE r.version_id = v.version_id
) s;
COMMENT ON VIEW view_state IS 'The state of every version: its rows, and what the log''s head row holds of it.';

CREATE OR REPLACE VIEW reporting.view_state AS
SELECT s.log_id, l.name AS log, w.name AS view, v.version, s.key, s.value
FROM view_versions v
JOIN views w ON w.log_id = v.log_id AND w.view_id = v.view_id
JOIN logs l ON l.log_id = v.log_id
JOIN view_state s ON s.log_id = v.log_id AND s.version_id = v.version_id
WHERE v.status = 'live';

REVOKE EXECUTE ON FUNCTION recent_state(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION recent_state(text) TO tally_server, tally_analyst;
GRANT SELECT ON view_state TO tally_server;

-- +goose Down
INSERT INTO view_state_rows (log_id, version_id, key, value)
SELECT h.log_id, r.version_id, r.key, r.value
FROM log_heads h
CROSS JOIN LATERAL recent_state(h.recent) r
ON CONFLICT (log_id, version_id, key) DO UPDATE SET value = excluded.value;
UPDATE log_heads SET recent = '' WHERE recent <> '';

CREATE OR REPLACE VIEW reporting.view_state AS
SELECT s.log_id, l.name AS log, w.name AS view, v.version, s.key, s.value
FROM view_versions v
JOIN views w ON w.log_id = v.log_id AND w.view_id = v.view_id
JOIN logs l ON l.log_id = v.log_id
JOIN view_state_rows s ON s.log_id = v.log_id AND s.version_id = v.version_id
WHERE v.status = 'live';
DROP VIEW view_state;
DROP FUNCTION recent_state(text);
ALTER TABLE view_state_rows RENAME CONSTRAINT view_state_rows_pkey TO view_state_pkey;
ALTER TABLE view_state_rows RENAME TO view_state;
ALTER TABLE log_heads DROP COLUMN recent;

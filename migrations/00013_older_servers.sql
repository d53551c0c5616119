-- +goose Up

-- Servers of several versions may run on one database while it is upgraded. One that knows no migration of this number or later would do something
-- wrong here: it refuses to start, and to open connections (internal/db/schema.go). A migration that changes what servers before it do wrong
-- replaces this function, and makes their statements fail besides, since they have connections already.
CREATE FUNCTION oldest_server() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 11::bigint';
REVOKE EXECUTE ON FUNCTION oldest_server() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION oldest_server() TO tally_server;
COMMENT ON FUNCTION oldest_server() IS 'Servers that know no migration of this number or later are refused.';

-- Those from before migration 11 know nothing of oldest_server. They cannot write state, which is a view for them; but they could end a live
-- version and leave the newest values of its state in the head row, where nobody looks for them any more. They do not set this column, and so
-- can neither end a version nor bring one back. Locks view_versions, which appends read, for as long as it takes to read it.
ALTER TABLE view_versions ADD COLUMN recent_stored boolean NOT NULL DEFAULT false;
UPDATE view_versions SET recent_stored = true WHERE status IN ('retired', 'halted');
ALTER TABLE view_versions ADD CONSTRAINT view_versions_recent_stored
    CHECK (CASE status WHEN 'live' THEN NOT recent_stored WHEN 'building' THEN true ELSE recent_stored END);
COMMENT ON COLUMN view_versions.recent_stored IS 'Of a version that has ended: what its log''s head row held of its state is in rows.';
GRANT UPDATE (recent_stored) ON view_versions TO tally_server;

-- +goose Down
ALTER TABLE view_versions DROP COLUMN recent_stored;
DROP FUNCTION oldest_server();

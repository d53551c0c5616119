-- +goose Up

-- A view's version may have a guard, which decides on events before they are appended. Adding a column with a constant default rewrites no
-- table; the lock, against all use of the two, is held for a moment.
ALTER TABLE view_versions ADD COLUMN guard boolean NOT NULL DEFAULT false, ADD COLUMN on_halt text NOT NULL DEFAULT 'admit',
    ADD COLUMN guarding boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT view_versions_on_halt_check CHECK (on_halt IN ('admit', 'refuse')) NOT VALID;
COMMENT ON COLUMN view_versions.guard IS 'its module has a guard';
COMMENT ON COLUMN view_versions.on_halt IS 'what becomes of appends while a version with a guard is halted: admit or refuse';
COMMENT ON COLUMN view_versions.guarding IS
    'it has been live, and no append may pass without its guard: while it is not live, all are refused';
ALTER TABLE view_patterns ADD COLUMN guard boolean NOT NULL DEFAULT false, ADD COLUMN on_halt text NOT NULL DEFAULT 'admit',
    ADD CONSTRAINT view_patterns_on_halt_check CHECK (on_halt IN ('admit', 'refuse')) NOT VALID;
GRANT UPDATE (guarding) ON view_versions TO tally_server;

-- A server from before this one would append without asking guards: it goes on as long as there are none.
CREATE INDEX view_versions_guard_idx ON view_versions (log_id) WHERE guard;
CREATE OR REPLACE FUNCTION oldest_server() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
    'SELECT CASE WHEN EXISTS (SELECT FROM public.view_versions WHERE guard) OR EXISTS (SELECT FROM public.view_patterns WHERE guard)
        THEN 21::bigint ELSE 14::bigint END';

-- +goose Down
CREATE OR REPLACE FUNCTION oldest_server() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 14::bigint';
DROP INDEX view_versions_guard_idx;
ALTER TABLE view_patterns DROP COLUMN on_halt, DROP COLUMN guard;
ALTER TABLE view_versions DROP COLUMN guarding, DROP COLUMN on_halt, DROP COLUMN guard;

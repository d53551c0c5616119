-- +goose Up

-- By which version of the cost model a version of a view is metered, for ever: a rebuild or an audit by another could halt at another event.
-- What was deployed before there was more than one, or by a server that knows but one, is of the first. It is set when a version is
-- deployed and never changed. Adding a column with a constant default rewrites no table; the lock, against all use of the two, is held for a moment.
ALTER TABLE view_versions ADD COLUMN cost_model smallint NOT NULL DEFAULT 1,
    ADD CONSTRAINT view_versions_cost_model_check CHECK (cost_model > 0) NOT VALID;
ALTER TABLE view_patterns ADD COLUMN cost_model smallint NOT NULL DEFAULT 1,
    ADD CONSTRAINT view_patterns_cost_model_check CHECK (cost_model > 0) NOT VALID;

-- A server from before this one would fold by the first model whatever a version says.
CREATE OR REPLACE FUNCTION oldest_server() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 14::bigint';

-- +goose Down
CREATE OR REPLACE FUNCTION oldest_server() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 11::bigint';
ALTER TABLE view_patterns DROP COLUMN cost_model;
ALTER TABLE view_versions DROP COLUMN cost_model;

-- +goose Up

-- What happened lately, for whoever looks at a chart of it: a row for each tenant that did anything in an interval of five seconds, of each
-- server, for about an hour. It is worth little after a crash, and so it is not in the write-ahead log: an append never waits for it.
-- latencies: of the appends, pairs of a bucket's number (internal/activity) and how many were in it. refusals: by code.
CREATE UNLOGGED TABLE activity (
    tenant_id uuid        NOT NULL,
    at        timestamptz NOT NULL,
    server_id uuid        NOT NULL,
    events    bigint      NOT NULL,
    appends   bigint      NOT NULL,
    latencies integer[]   NOT NULL,
    refusals  jsonb       NOT NULL,
    CONSTRAINT activity_pkey PRIMARY KEY (tenant_id, at, server_id)
) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX activity_at_idx ON activity (at);
GRANT SELECT, INSERT, DELETE ON activity TO tally_server;

-- The few versions that are halted, among any number that are not. Making it holds up deploys, and whatever else changes a version, for as
-- long as it takes to read them all.
CREATE INDEX view_versions_halted_idx ON view_versions (log_id, version_id) WHERE status = 'halted';

-- +goose Down
DROP INDEX view_versions_halted_idx;
DROP TABLE activity;

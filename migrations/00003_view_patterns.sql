-- +goose Up

-- Views that are deployed on every log whose name matches a pattern. A view's name has one pattern per tenant; a row stays when its
-- pattern is retired, so that revisions go on counting.
--
-- pattern: as it was given, * for any run of characters; like_pattern: the same for LIKE.
-- revision: grows with each deploy that changes something. Every log that the pattern covers gets a version for each.
-- status: active covers matching logs, later ones too; retiring retires the view on the logs that got it so; retired does nothing.
-- after_log: how far the current revision, or its retirement, has got on the logs that existed then, in the order of their ids.
--   NULL: everywhere.
CREATE TABLE view_patterns (
    tenant_id     uuid        NOT NULL,
    pattern_id    uuid        NOT NULL,
    name          text        NOT NULL,
    pattern       text        NOT NULL,
    like_pattern  text        NOT NULL,
    revision      integer     NOT NULL,
    module_sha256 bytea       NOT NULL,
    config        json        NOT NULL,
    fields        text[]      NOT NULL,
    fold_gas      bigint      NOT NULL,
    actor         text        NOT NULL,
    status        text        NOT NULL DEFAULT 'active',
    after_log     uuid,
    created_at    timestamptz NOT NULL DEFAULT now(),
    deployed_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT view_patterns_pkey PRIMARY KEY (tenant_id, pattern_id),
    CONSTRAINT view_patterns_name_key UNIQUE (tenant_id, name),
    CONSTRAINT view_patterns_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT view_patterns_module_fkey FOREIGN KEY (module_sha256) REFERENCES modules (sha256),
    CONSTRAINT view_patterns_status_check CHECK (status IN ('active', 'retiring', 'retired'))
);

-- What servers look for when they go idle: patterns that have not got everywhere.
CREATE INDEX view_patterns_waiting_idx ON view_patterns (tenant_id, pattern_id) WHERE after_log IS NOT NULL;

-- Which pattern put the view on its log, and its revision that the log got last; NULL for a view that was deployed on the log itself.
-- Locks views exclusively for a moment and rewrites nothing.
ALTER TABLE views
    ADD COLUMN pattern_id       uuid,
    ADD COLUMN pattern_revision integer NOT NULL DEFAULT 0;

-- Where a pattern has put its view.
CREATE INDEX views_pattern_idx ON views (pattern_id, log_id) WHERE pattern_id IS NOT NULL;

-- +goose Down
ALTER TABLE views DROP COLUMN pattern_id, DROP COLUMN pattern_revision;
DROP TABLE view_patterns;

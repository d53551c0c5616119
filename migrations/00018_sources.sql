-- +goose Up

-- The sources of a tenant: what programs send to them becomes events by their mappings (internal/source).

-- One row, as access_version is for keys: its number grows with every change of a source, in the transaction of the change, whose row gets
-- it as changed. The lock on it makes changes take turns, so a server that has read a number knows all changes up to that. nonce is another
-- one each time: a number that a restored database comes to again is not taken for the one that was read before.
CREATE TABLE sources_version (
    one    boolean NOT NULL DEFAULT true,
    number bigint  NOT NULL,
    nonce  uuid    NOT NULL,
    CONSTRAINT sources_version_pkey PRIMARY KEY (one),
    CONSTRAINT sources_version_one_check CHECK (one)
);
INSERT INTO sources_version (number, nonce) VALUES (0, gen_random_uuid());

-- A source, and which of its versions holds. A row stays when its source is deleted, so that versions go on counting.
CREATE TABLE sources (
    tenant_id uuid    NOT NULL,
    name      text    NOT NULL,
    version   bigint  NOT NULL,
    deleted   boolean NOT NULL,
    changed   bigint  NOT NULL,
    CONSTRAINT sources_pkey PRIMARY KEY (tenant_id, name),
    CONSTRAINT sources_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id)
);
CREATE INDEX sources_changed_idx ON sources (changed);

-- What a source was told to do, for ever. mapping: as it was sent; resolved: with the ready mapping that it names written out as it was
-- then, so that a version means the same on every server, also on one that has another ready mapping. Both are NULL in the version by
-- which a source was deleted.
CREATE TABLE source_versions (
    tenant_id  uuid        NOT NULL,
    name       text        NOT NULL,
    version    bigint      NOT NULL,
    mapping    json,
    resolved   json,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text        NOT NULL,
    CONSTRAINT source_versions_pkey PRIMARY KEY (tenant_id, name, version),
    CONSTRAINT source_versions_source_fkey FOREIGN KEY (tenant_id, name) REFERENCES sources (tenant_id, name),
    CONSTRAINT source_versions_mapping_check CHECK ((mapping IS NULL) = (resolved IS NULL))
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON source_versions FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON source_versions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, UPDATE ON sources_version TO tally_server;
GRANT SELECT, INSERT, UPDATE (version, deleted, changed) ON sources TO tally_server;
GRANT SELECT, INSERT ON source_versions TO tally_server;

-- +goose Down
DROP TABLE source_versions, sources, sources_version;

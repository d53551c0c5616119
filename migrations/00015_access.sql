-- +goose Up

-- Who may do what: tenants that can be suspended and limited, their keys, and what was done with keys.

-- limits: what of the server's defaults does not hold for the tenant (internal/limits). changed: see access_version.
ALTER TABLE tenants
    ADD COLUMN suspended_at timestamptz,
    ADD COLUMN limits       json   NOT NULL DEFAULT '{}',
    ADD COLUMN changed      bigint NOT NULL DEFAULT 0;

-- One row: its number grows with every change of a tenant or a key, in the transaction of the change, whose rows get it as changed. The
-- lock on it makes changes take turns, so a server that has read a number knows all changes up to that. nonce is another one each time: a
-- number that a restored database comes to again is not taken for the one that was read before.
CREATE TABLE access_version (
    one    boolean NOT NULL DEFAULT true,
    number bigint  NOT NULL,
    nonce  uuid    NOT NULL,
    CONSTRAINT access_version_pkey PRIMARY KEY (one),
    CONSTRAINT access_version_one_check CHECK (one)
);
INSERT INTO access_version (number, nonce) VALUES (0, gen_random_uuid());

-- A key: what its holder may do, on the logs whose names match the pattern. Of a secret there is its SHA-256, and the Ed25519 key by which
-- the tokens that were made with it are verified; neither lets anybody make one. After a rotation the former secret is good until
-- former_until.
CREATE TABLE access_keys (
    key_id             text        NOT NULL,
    tenant_id          uuid        NOT NULL,
    name               text        NOT NULL,
    scopes             text[]      NOT NULL,
    logs               text        NOT NULL,
    limits             json        NOT NULL DEFAULT '{}',
    secret_hash        bytea       NOT NULL,
    token_key          bytea       NOT NULL,
    former_secret_hash bytea,
    former_token_key   bytea,
    former_until       timestamptz,
    created_at         timestamptz NOT NULL DEFAULT now(),
    created_by         text        NOT NULL,
    expires_at         timestamptz,
    rotated_at         timestamptz,
    revoked_at         timestamptz,
    last_used_at       timestamptz,
    changed            bigint      NOT NULL,
    CONSTRAINT access_keys_pkey PRIMARY KEY (key_id),
    CONSTRAINT access_keys_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT access_keys_secret_check CHECK (octet_length(secret_hash) = 32 AND octet_length(token_key) = 32)
);
-- The name says who did something, so two keys do not have it at a time.
CREATE UNIQUE INDEX access_keys_name_idx ON access_keys (tenant_id, name) WHERE revoked_at IS NULL;
CREATE INDEX access_keys_changed_idx ON access_keys (changed);

-- What was done with tenants, keys, tokens and analysts, and by whom: actor is the key's name, or the login of a command that asks the
-- database itself; key_id is NULL then. target names what it was done to.
CREATE TABLE access_log (
    tenant_id uuid        NOT NULL,
    entry_id  bigint      NOT NULL,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor     text        NOT NULL,
    key_id    text,
    action    text        NOT NULL,
    target    text        NOT NULL,
    detail    json        NOT NULL DEFAULT '{}',
    CONSTRAINT access_log_pkey PRIMARY KEY (tenant_id, entry_id),
    CONSTRAINT access_log_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id)
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON access_log FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON access_log FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Modules are kept once, whoever uploaded them; a tenant knows of those alone that it uploaded itself.
CREATE TABLE tenant_modules (
    tenant_id  uuid        NOT NULL,
    sha256     bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tenant_modules_pkey PRIMARY KEY (tenant_id, sha256),
    CONSTRAINT tenant_modules_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id),
    CONSTRAINT tenant_modules_module_fkey FOREIGN KEY (sha256) REFERENCES modules (sha256)
);
INSERT INTO tenant_modules (tenant_id, sha256, created_at)
SELECT '00000000-0000-7000-8000-000000000001', sha256, created_at FROM modules;

GRANT INSERT, UPDATE (name, suspended_at, limits, changed) ON tenants TO tally_server;
GRANT SELECT, UPDATE ON access_version TO tally_server;
GRANT SELECT, INSERT ON access_keys, access_log, tenant_modules TO tally_server;
GRANT UPDATE (limits, secret_hash, token_key, former_secret_hash, former_token_key, former_until, rotated_at, revoked_at, last_used_at,
    changed) ON access_keys TO tally_server;

-- +goose Down
REVOKE INSERT, UPDATE (name, suspended_at, limits, changed) ON tenants FROM tally_server;
DROP TABLE tenant_modules, access_log, access_keys, access_version;
ALTER TABLE tenants DROP COLUMN suspended_at, DROP COLUMN limits, DROP COLUMN changed;

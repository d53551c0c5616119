-- +goose Up

-- Modules that a tenant has uploaded and not deployed yet, each tenant's own bytes: so that the oldest can be dropped without a look at
-- other tenants, and nobody learns what they have. A deploy takes a module from here to modules and tenant_modules, which stay.
-- Servers from before know of none, and answer that a module was not uploaded. No lock is taken on another table.
CREATE TABLE uploaded_modules (
    tenant_id   uuid        NOT NULL,
    sha256      bytea       NOT NULL,
    wasm        bytea       NOT NULL,
    uploaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT uploaded_modules_pkey PRIMARY KEY (tenant_id, sha256),
    CONSTRAINT uploaded_modules_sha256_check CHECK (octet_length(sha256) = 32),
    CONSTRAINT uploaded_modules_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id)
);
GRANT SELECT, INSERT, UPDATE (uploaded_at), DELETE ON uploaded_modules TO tally_server;

-- +goose Down
DROP TABLE uploaded_modules;

-- +goose Up

-- How many logs a source has made, so that what strangers send cannot make more than its mapping allows.
CREATE TABLE source_logs (
    tenant_id uuid   NOT NULL,
    source    text   NOT NULL,
    created   bigint NOT NULL,
    CONSTRAINT source_logs_pkey PRIMARY KEY (tenant_id, source),
    CONSTRAINT source_logs_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id)
);
GRANT SELECT, INSERT, UPDATE ON source_logs TO tally_server;

-- +goose Down
DROP TABLE source_logs;

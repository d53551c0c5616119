-- +goose Up

-- Webhooks: what a tenant is told about by requests to its own receivers (internal/webhook), and the queue by which servers send them.

-- The tables of River (github.com/riverqueue/river v0.51.2, MPL-2.0), as the migrations 001 to 008 of its driver riverpgxv5 leave them:
-- what they are called and hold is River's, and internal/webhook compares them with what River itself makes. They are in a schema of their
-- own, so that a database which also has a River of somebody else keeps the two apart. Left out is what servers never use: the tables of
-- its migrations and notifications, and the indexes on kind, arguments and metadata, which only lists of jobs would read.
CREATE SCHEMA tally_queue;

CREATE TYPE tally_queue.river_job_state AS ENUM (
    'available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled'
);

CREATE TABLE tally_queue.river_job (
    id            bigserial                   NOT NULL,
    state         tally_queue.river_job_state NOT NULL DEFAULT 'available',
    attempt       smallint                    NOT NULL DEFAULT 0,
    max_attempts  smallint                    NOT NULL DEFAULT 25,
    attempted_at  timestamptz,
    created_at    timestamptz                 NOT NULL DEFAULT now(),
    finalized_at  timestamptz,
    scheduled_at  timestamptz                 NOT NULL DEFAULT now(),
    priority      smallint                    NOT NULL DEFAULT 1,
    args          jsonb                       NOT NULL,
    attempted_by  text[],
    errors        jsonb[],
    kind          text                        NOT NULL,
    metadata      jsonb                       NOT NULL DEFAULT '{}',
    queue         text                        NOT NULL DEFAULT 'default',
    tags          varchar(255)[]              NOT NULL DEFAULT '{}',
    unique_key    bytea,
    unique_states bit(8),
    CONSTRAINT river_job_pkey PRIMARY KEY (id),
    CONSTRAINT finalized_or_finalized_at_null
        CHECK ((finalized_at IS NOT NULL) = (state IN ('cancelled', 'completed', 'discarded'))),
    CONSTRAINT max_attempts_is_positive CHECK (max_attempts > 0),
    CONSTRAINT priority_in_range CHECK (priority BETWEEN 1 AND 4),
    CONSTRAINT queue_length CHECK (char_length(queue) BETWEEN 1 AND 127),
    CONSTRAINT kind_length CHECK (char_length(kind) BETWEEN 1 AND 127)
);
CREATE INDEX river_job_state_and_finalized_at_index ON tally_queue.river_job (state, finalized_at) WHERE finalized_at IS NOT NULL;
CREATE INDEX river_job_prioritized_fetching_index ON tally_queue.river_job (state, queue, priority, scheduled_at, id);

-- Whether a state is among those in which a job's unique key counts.
CREATE FUNCTION tally_queue.river_job_state_in_bitmask(bitmask bit(8), state tally_queue.river_job_state) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT get_bit(bitmask, CASE state
        WHEN 'available' THEN 7 WHEN 'cancelled' THEN 6 WHEN 'completed' THEN 5 WHEN 'discarded' THEN 4
        WHEN 'pending' THEN 3 WHEN 'retryable' THEN 2 WHEN 'running' THEN 1 WHEN 'scheduled' THEN 0 END) = 1
$$;
CREATE UNIQUE INDEX river_job_unique_idx ON tally_queue.river_job (unique_key)
    WHERE unique_key IS NOT NULL AND unique_states IS NOT NULL
        AND tally_queue.river_job_state_in_bitmask(unique_states, state);

-- Which server looks after the queue, for the next seconds. It is worth nothing after a crash.
CREATE UNLOGGED TABLE tally_queue.river_leader (
    elected_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    leader_id  text        NOT NULL,
    name       text        NOT NULL DEFAULT 'default',
    CONSTRAINT river_leader_pkey PRIMARY KEY (name),
    CONSTRAINT name_length CHECK (name = 'default'),
    CONSTRAINT leader_id_length CHECK (char_length(leader_id) BETWEEN 1 AND 127)
);

CREATE TABLE tally_queue.river_queue (
    name       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    metadata   jsonb       NOT NULL DEFAULT '{}',
    paused_at  timestamptz,
    updated_at timestamptz NOT NULL DEFAULT current_timestamp,
    CONSTRAINT river_queue_pkey PRIMARY KEY (name)
);

REVOKE EXECUTE ON FUNCTION tally_queue.river_job_state_in_bitmask(bit, tally_queue.river_job_state) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tally_queue.river_job_state_in_bitmask(bit, tally_queue.river_job_state) TO tally_server;
GRANT USAGE ON SCHEMA tally_queue TO tally_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON tally_queue.river_job, tally_queue.river_leader, tally_queue.river_queue TO tally_server;
GRANT USAGE ON SEQUENCE tally_queue.river_job_id_seq TO tally_server;

-- A receiver. types: what it is told of, all if empty. logs: the pattern of the logs that it is told of. secret: what messages are signed
-- with, which the receiver has too; the one from before a rotation signs beside it until former_until. failing_since: when the first of
-- those tries failed after which none has succeeded. A row that is deleted stays until its deliveries are gone, without its secrets.
CREATE TABLE webhooks (
    webhook_id    uuid        NOT NULL,
    tenant_id     uuid        NOT NULL,
    url           text        NOT NULL,
    types         text[]      NOT NULL,
    logs          text        NOT NULL,
    description   text        NOT NULL,
    enabled       boolean     NOT NULL,
    disabled_why  text        NOT NULL DEFAULT '',
    disabled_at   timestamptz,
    secret        bytea       NOT NULL,
    former_secret bytea,
    former_until  timestamptz,
    failing_since timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    created_by    text        NOT NULL,
    updated_at    timestamptz NOT NULL DEFAULT now(),
    deleted_at    timestamptz,
    CONSTRAINT webhooks_pkey PRIMARY KEY (webhook_id),
    CONSTRAINT webhooks_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id)
);
CREATE INDEX webhooks_tenant_idx ON webhooks (tenant_id, webhook_id) WHERE deleted_at IS NULL;
CREATE INDEX webhooks_deleted_idx ON webhooks (deleted_at) WHERE deleted_at IS NOT NULL;

-- A message to a receiver: its bytes are made once, so that each try sends the same. message_id is the same for all receivers of one
-- announcement, and goes with each try. key: what an announcement is known by, so that a receiver gets it once. attempts: all tries ever;
-- tries: those since begun_at, when it was announced or last replayed.
CREATE TABLE webhook_deliveries (
    webhook_id  uuid        NOT NULL,
    message_id  uuid        NOT NULL,
    type        text        NOT NULL,
    log         text        NOT NULL,
    key         text,
    message     text        NOT NULL,
    status      text        NOT NULL DEFAULT 'pending',
    attempts    integer     NOT NULL DEFAULT 0,
    tries       integer     NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    begun_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_at     timestamptz,
    finished_at timestamptz,
    error       text        NOT NULL DEFAULT '',
    CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (webhook_id, message_id),
    CONSTRAINT webhook_deliveries_webhook_fkey FOREIGN KEY (webhook_id) REFERENCES webhooks (webhook_id),
    CONSTRAINT webhook_deliveries_status_check CHECK (status IN ('pending', 'delivered', 'dead')),
    CONSTRAINT webhook_deliveries_finished_check CHECK ((status = 'pending') = (finished_at IS NULL))
);
CREATE UNIQUE INDEX webhook_deliveries_key_idx ON webhook_deliveries (webhook_id, key) WHERE key IS NOT NULL;
CREATE INDEX webhook_deliveries_status_idx ON webhook_deliveries (webhook_id, status, message_id);
CREATE INDEX webhook_deliveries_finished_idx ON webhook_deliveries (finished_at) WHERE finished_at IS NOT NULL;

-- What became of each try: the status of the answer and how it began, or why there was none.
CREATE TABLE webhook_attempts (
    webhook_id  uuid        NOT NULL,
    message_id  uuid        NOT NULL,
    attempt     integer     NOT NULL,
    at          timestamptz NOT NULL,
    duration_ms integer     NOT NULL,
    status      integer,
    answer      text        NOT NULL,
    error       text        NOT NULL,
    CONSTRAINT webhook_attempts_pkey PRIMARY KEY (webhook_id, message_id, attempt),
    CONSTRAINT webhook_attempts_delivery_fkey FOREIGN KEY (webhook_id, message_id)
        REFERENCES webhook_deliveries (webhook_id, message_id) ON DELETE CASCADE
);

-- Changes of views that are to be announced, put down in the transaction that makes them, where the tenant has a receiver at all. Whoever
-- announces one deletes it in the same transaction.
CREATE TABLE view_changes (
    change_id bigint      GENERATED ALWAYS AS IDENTITY,
    tenant_id uuid        NOT NULL,
    log_id    uuid        NOT NULL,
    view_id   uuid        NOT NULL,
    version   integer     NOT NULL,
    status    text        NOT NULL,
    sequence  bigint,
    detail    text,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT view_changes_pkey PRIMARY KEY (change_id)
);

-- Up to when keys that expire have been announced; whoever goes on locks the row.
CREATE TABLE webhook_notices (
    one        boolean     NOT NULL DEFAULT true,
    keys_up_to timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhook_notices_pkey PRIMARY KEY (one),
    CONSTRAINT webhook_notices_one_check CHECK (one)
);
INSERT INTO webhook_notices DEFAULT VALUES;
-- Keys by when they expire. Making it holds up whoever makes or rotates keys, for as long as it takes to read them all.
CREATE INDEX access_keys_expires_idx ON access_keys (expires_at, key_id) WHERE expires_at IS NOT NULL AND revoked_at IS NULL;

GRANT SELECT, INSERT, DELETE,
    UPDATE (url, types, logs, description, enabled, disabled_why, disabled_at, secret, former_secret, former_until, failing_since,
        updated_at, deleted_at)
    ON webhooks TO tally_server;
GRANT SELECT, INSERT, DELETE, UPDATE (status, attempts, tries, begun_at, next_at, finished_at, error)
    ON webhook_deliveries TO tally_server;
GRANT SELECT, INSERT, DELETE ON webhook_attempts TO tally_server;
GRANT SELECT, INSERT, DELETE, UPDATE (detail) ON view_changes TO tally_server; -- to lock a row takes the right to update a column
GRANT SELECT, UPDATE (keys_up_to) ON webhook_notices TO tally_server;

-- +goose Down
DROP INDEX access_keys_expires_idx;
DROP TABLE webhook_notices, view_changes, webhook_attempts, webhook_deliveries, webhooks;
DROP SCHEMA tally_queue CASCADE;

-- +goose Up

-- Whoever owns logs. Everything belongs to the one tenant below until keys name others.
CREATE TABLE tenants (
    tenant_id  uuid        NOT NULL,
    name       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tenants_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT tenants_name_key UNIQUE (name)
);

INSERT INTO tenants (tenant_id, name) VALUES ('00000000-0000-7000-8000-000000000001', 'default');

CREATE TABLE logs (
    log_id     uuid        NOT NULL,
    tenant_id  uuid        NOT NULL,
    name       text        NOT NULL,
    labels     json        NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT logs_pkey PRIMARY KEY (log_id),
    CONSTRAINT logs_name_key UNIQUE (tenant_id, name),
    CONSTRAINT logs_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id)
);

-- A log's end: every append moves exactly one row here, and holding its lock is what makes appends exclusive.
-- views_epoch grows whenever the log's set of live views changes, so a server can tell that its cached set is stale.
-- Half-empty pages keep the updates heap-only (no index is touched).
CREATE TABLE log_heads (
    log_id      uuid        NOT NULL,
    sequence    bigint      NOT NULL,
    hash        bytea       NOT NULL,
    recorded_at timestamptz NOT NULL,
    views_epoch bigint      NOT NULL DEFAULT 0,
    CONSTRAINT log_heads_pkey PRIMARY KEY (log_id),
    CONSTRAINT log_heads_sequence_check CHECK (sequence >= 0),
    CONSTRAINT log_heads_hash_check CHECK (octet_length(hash) = 32)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- The events, for ever. json (not jsonb) keeps the bytes as they were sent, which the hash chain needs.
-- No foreign key to logs: a check per row in the hottest path would guard what the head lock already does.
CREATE TABLE events (
    log_id      uuid        NOT NULL,
    sequence    bigint      NOT NULL,
    recorded_at timestamptz NOT NULL,
    time        timestamptz NOT NULL,
    type        text        NOT NULL,
    key         text,
    data        json        NOT NULL,
    hash        bytea       NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (log_id, sequence, recorded_at)
) PARTITION BY RANGE (recorded_at);

-- Catches events whose month has no partition yet; stays empty as long as a server makes partitions ahead of time.
CREATE TABLE events_default PARTITION OF events DEFAULT;

-- Creates the monthly partitions from the month of from_time on, as many as months says, and returns how many were
-- new. A partition is built aside and then attached, which blocks neither readers nor writers of other partitions;
-- attaching scans events_default. A month that events_default holds events of stays there: its partition could not be
-- attached. The advisory lock keeps two servers from making the same one.
-- +goose StatementBegin
CREATE FUNCTION ensure_events_partitions(from_time timestamptz, months integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    first_month timestamp := date_trunc('month', from_time AT TIME ZONE 'UTC');
    month_start timestamp;
    partition_name text;
    created integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('tallystick.events_partitions'));
    FOR i IN 0 .. months - 1 LOOP
        month_start := first_month + make_interval(months => i);
        partition_name := 'events_' || to_char(month_start, '"y"YYYY"m"MM');
        CONTINUE WHEN to_regclass(partition_name) IS NOT NULL OR EXISTS (
            SELECT FROM events_default
            WHERE recorded_at >= month_start AT TIME ZONE 'UTC' AND recorded_at < (month_start + interval '1 month') AT TIME ZONE 'UTC');
        EXECUTE format('CREATE TABLE %I (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition_name);
        EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition_name,
            month_start AT TIME ZONE 'UTC', (month_start + interval '1 month') AT TIME ZONE 'UTC');
        created := created + 1;
    END LOOP;
    RETURN created;
END
$$;
-- +goose StatementEnd

-- Idempotency keys, for ever: this is the largest index of all, so it holds 16 bytes of a SHA-256 instead of the key
-- (the uuid type is PostgreSQL's cheapest 16 bytes). Sixteen more tell a retry from a reused key.
CREATE TABLE event_keys (
    log_id       uuid   NOT NULL,
    key_hash     uuid   NOT NULL,
    payload_hash uuid   NOT NULL,
    sequence     bigint NOT NULL,
    CONSTRAINT event_keys_pkey PRIMARY KEY (log_id, key_hash)
) PARTITION BY HASH (log_id);

CREATE TABLE event_keys_0 PARTITION OF event_keys FOR VALUES WITH (MODULUS 8, REMAINDER 0);
CREATE TABLE event_keys_1 PARTITION OF event_keys FOR VALUES WITH (MODULUS 8, REMAINDER 1);
CREATE TABLE event_keys_2 PARTITION OF event_keys FOR VALUES WITH (MODULUS 8, REMAINDER 2);
CREATE TABLE event_keys_3 PARTITION OF event_keys FOR VALUES WITH (MODULUS 8, REMAINDER 3);
CREATE TABLE event_keys_4 PARTITION OF event_keys FOR VALUES WITH (MODULUS 8, REMAINDER 4);
CREATE TABLE event_keys_5 PARTITION OF event_keys FOR VALUES WITH (MODULUS 8, REMAINDER 5);
CREATE TABLE event_keys_6 PARTITION OF event_keys FOR VALUES WITH (MODULUS 8, REMAINDER 6);
CREATE TABLE event_keys_7 PARTITION OF event_keys FOR VALUES WITH (MODULUS 8, REMAINDER 7);

-- Ends the transaction when a statement has not touched as many rows as it was given, so that COMMIT can be sent along with the
-- statements before it: the client need not look at row counts in between. The server then tries again under lock.
-- +goose StatementBegin
CREATE FUNCTION expect_rows(touched bigint, given integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF touched <> given THEN
        RAISE EXCEPTION 'a server''s memory of a log was out of date; it tries again under lock' USING ERRCODE = 'TL001';
    END IF;
END
$$;
-- +goose StatementEnd

-- Uploaded WebAssembly, known by its SHA-256 and never changed.
CREATE TABLE modules (
    sha256     bytea       NOT NULL,
    wasm       bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT modules_pkey PRIMARY KEY (sha256),
    CONSTRAINT modules_sha256_check CHECK (octet_length(sha256) = 32)
);

-- A view is a name on a log; what runs behind it is one of its versions.
CREATE TABLE views (
    log_id     uuid        NOT NULL,
    view_id    uuid        NOT NULL,
    name       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT views_pkey PRIMARY KEY (log_id, view_id),
    CONSTRAINT views_name_key UNIQUE (log_id, name)
);

-- A version's life on its log: building → live → retired, or halted from either of the first two.
-- applied_sequence is kept only while a version is not live: a live one is at the head by definition.
-- halted_sequence is the event that could not be folded.
CREATE TABLE view_versions (
    log_id           uuid        NOT NULL,
    version_id       uuid        NOT NULL,
    view_id          uuid        NOT NULL,
    version          integer     NOT NULL,
    module_sha256    bytea       NOT NULL,
    config           json        NOT NULL,
    fields           text[]      NOT NULL,
    status           text        NOT NULL,
    applied_sequence bigint      NOT NULL,
    halted_sequence  bigint,
    error            text,
    created_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT view_versions_pkey PRIMARY KEY (log_id, version_id),
    CONSTRAINT view_versions_version_key UNIQUE (log_id, view_id, version),
    CONSTRAINT view_versions_module_fkey FOREIGN KEY (module_sha256) REFERENCES modules (sha256),
    CONSTRAINT view_versions_status_check CHECK (status IN ('building', 'live', 'halted', 'retired'))
);

-- What servers look for when they start or go idle: versions still to be built.
CREATE INDEX view_versions_building_idx ON view_versions (log_id, version_id) WHERE status = 'building';

-- The views' state. Keys sort by their bytes, as scan promises. Free space keeps updates heap-only.
CREATE TABLE view_state (
    log_id     uuid             NOT NULL,
    version_id uuid             NOT NULL,
    key        text COLLATE "C" NOT NULL,
    value      json             NOT NULL,
    CONSTRAINT view_state_pkey PRIMARY KEY (log_id, version_id, key)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- +goose Down
DROP TABLE view_state, view_versions, views, modules, event_keys, events, log_heads, logs, tenants;
DROP FUNCTION ensure_events_partitions(timestamptz, integer);
DROP FUNCTION expect_rows(bigint, integer);

-- +goose Up

-- Alerts: thresholds on answers of views (internal/alert). Servers from before append without a row in alert_pending: what they append is
-- noticed with the log's next event. No lock is taken on another table.

-- One row, as sources_version is for sources.
CREATE TABLE alerts_version (
    one    boolean NOT NULL DEFAULT true,
    number bigint  NOT NULL,
    nonce  uuid    NOT NULL,
    CONSTRAINT alerts_version_pkey PRIMARY KEY (one),
    CONSTRAINT alerts_version_one_check CHECK (one)
);
INSERT INTO alerts_version (number, nonce) VALUES (0, gen_random_uuid());

-- An alert, as it is now. An alert that is deleted keeps its row until its states and crossings are gone; one of its name is another.
-- sweep_after: up to which log, by id, the alert in this version has been taken to the logs that were there; NULL: to all of them. That
-- begins at sweep_from, when every server knows the version.
CREATE TABLE alerts (
    alert_id    uuid        NOT NULL,
    tenant_id   uuid        NOT NULL,
    name        text        NOT NULL,
    version     bigint      NOT NULL,
    definition  json        NOT NULL,
    changed     bigint      NOT NULL,
    sweep_after uuid,
    sweep_from  timestamptz NOT NULL,
    deleted     boolean     NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    updated_by  text        NOT NULL,
    CONSTRAINT alerts_pkey PRIMARY KEY (alert_id),
    CONSTRAINT alerts_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id)
);
CREATE UNIQUE INDEX alerts_name_idx ON alerts (tenant_id, name) WHERE NOT deleted;
CREATE INDEX alerts_changed_idx ON alerts (changed);
CREATE INDEX alerts_sweep_idx ON alerts (sweep_from) WHERE sweep_after IS NOT NULL AND NOT deleted;
CREATE INDEX alerts_deleted_idx ON alerts (alert_id) WHERE deleted;

-- How an alert stands on a log. Those of an alert that has never been evaluated there have no row.
-- nonce: another one with each change, except of what was read last, so that a server knows that what it remembers still holds.
-- sequence: the answer that was read last reflects the events up to this one; an older answer changes nothing.
-- window_key, window_end: in which window, and when that is over; NULL: not known.
-- thresholds: by their text, how often each has fired in the window, and whether it is firing, since when and which event.
-- error, failures: why the last evaluation failed, and how many did in a row; NULL and 0 after a good one.
-- due_at: when it is to be evaluated even without an event; NULL: not before the next one.
CREATE TABLE alert_states (
    log_id       uuid        NOT NULL,
    alert_id     uuid        NOT NULL,
    nonce        uuid        NOT NULL,
    sequence     bigint      NOT NULL,
    value        text        NOT NULL,
    of_value     text        NOT NULL,
    window_key   text        NOT NULL,
    window_end   timestamptz,
    thresholds   json        NOT NULL,
    firing       boolean     NOT NULL,
    error        text,
    failures     integer     NOT NULL,
    due_at       timestamptz,
    evaluated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT alert_states_pkey PRIMARY KEY (log_id, alert_id),
    CONSTRAINT alert_states_alert_fkey FOREIGN KEY (alert_id) REFERENCES alerts (alert_id)
) WITH (fillfactor = 70);
CREATE INDEX alert_states_alert_idx ON alert_states (alert_id, log_id);
CREATE INDEX alert_states_firing_idx ON alert_states (alert_id, log_id) WHERE firing;
CREATE INDEX alert_states_failing_idx ON alert_states (alert_id, log_id) WHERE error IS NOT NULL;
CREATE INDEX alert_states_due_idx ON alert_states (due_at) WHERE due_at IS NOT NULL;

-- What has fired and what was resolved. The second constraint makes each happen once: round counts how often the threshold has fired in the
-- window.
CREATE TABLE alert_crossings (
    log_id      uuid        NOT NULL,
    alert_id    uuid        NOT NULL,
    crossing_id uuid        NOT NULL,
    window_key  text        NOT NULL,
    threshold   text        NOT NULL,
    round       integer     NOT NULL,
    kind        text        NOT NULL,
    reason      text        NOT NULL,
    value       text        NOT NULL,
    of_value    text        NOT NULL,
    sequence    bigint      NOT NULL,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT alert_crossings_pkey PRIMARY KEY (log_id, alert_id, crossing_id),
    CONSTRAINT alert_crossings_once UNIQUE (log_id, alert_id, window_key, threshold, round, kind),
    CONSTRAINT alert_crossings_alert_fkey FOREIGN KEY (alert_id) REFERENCES alerts (alert_id),
    CONSTRAINT alert_crossings_kind_check CHECK (kind IN ('fired', 'resolved'))
);
CREATE INDEX alert_crossings_alert_idx ON alert_crossings (alert_id, crossing_id);
CREATE INDEX alert_crossings_at_idx ON alert_crossings (at);

-- Logs with events that may not have been evaluated yet: a row is put down in the transaction of an append, and stays while the server that
-- appends to the log keeps up with it. Of a server that is gone, others take the rows over.
CREATE TABLE alert_pending (
    log_id     uuid NOT NULL,
    pending_id uuid NOT NULL,
    server_id  uuid NOT NULL,
    CONSTRAINT alert_pending_pkey PRIMARY KEY (log_id, pending_id)
);
CREATE INDEX alert_pending_server_idx ON alert_pending (server_id);

-- When each server was last alive. Whoever is late loses its rows of alert_pending, and knows it.
CREATE TABLE alert_servers (
    server_id uuid        NOT NULL,
    seen_at   timestamptz NOT NULL,
    CONSTRAINT alert_servers_pkey PRIMARY KEY (server_id)
);

GRANT SELECT, UPDATE ON alerts_version TO tally_server;
GRANT SELECT, INSERT, DELETE, UPDATE (version, definition, changed, sweep_after, sweep_from, deleted, updated_at, updated_by)
    ON alerts TO tally_server;
GRANT SELECT, INSERT, DELETE,
    UPDATE (nonce, sequence, value, of_value, window_key, window_end, thresholds, firing, error, failures, due_at, evaluated_at)
    ON alert_states TO tally_server;
GRANT SELECT, INSERT, DELETE ON alert_crossings TO tally_server;
GRANT SELECT, INSERT, DELETE, UPDATE (server_id) ON alert_pending TO tally_server;
GRANT SELECT, INSERT, DELETE, UPDATE (seen_at) ON alert_servers TO tally_server;

-- +goose Down
DROP TABLE alert_servers, alert_pending, alert_crossings, alert_states, alerts, alerts_version;

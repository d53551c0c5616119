-- +goose Up

-- Turns, rollbacks, skips and who asked for what. Locks view_versions exclusively for a moment: it has a row for each deploy, not for
-- each event.
--
-- turn: which version was asked for last. A deploy and a rollback give their version the view's next turn; a version that goes
--   live retires those of earlier turns. Version numbers cannot say this: a rollback makes an older one win.
-- actor: who deployed it, as the request said; empty where it did not.
-- fold_gas: the budget of one event's fold, so that a rebuild halts where the first build did.
-- state: whether view_state holds this version's state. 'dropping' and 'dropped' are for retired versions: what is left means
--   nothing any more, and a rollback builds from the first event.
-- asked_at: when it was last asked for, by deploy, rollback or resume. live_at, retired_at, halted_at: when it last became so.
-- builder, built_at, build_rate: the server that builds it, when it last got on, and how many events a second it folded of late.
ALTER TABLE view_versions
    ADD COLUMN turn       bigint           NOT NULL DEFAULT 0,
    ADD COLUMN actor      text             NOT NULL DEFAULT '',
    ADD COLUMN fold_gas   bigint           NOT NULL DEFAULT 50000000,
    ADD COLUMN state      text             NOT NULL DEFAULT 'kept',
    ADD COLUMN asked_at   timestamptz      NOT NULL DEFAULT now(),
    ADD COLUMN live_at    timestamptz,
    ADD COLUMN retired_at timestamptz,
    ADD COLUMN halted_at  timestamptz,
    ADD COLUMN builder    uuid,
    ADD COLUMN built_at   timestamptz,
    ADD COLUMN build_rate double precision,
    ADD CONSTRAINT view_versions_state_check CHECK (state IN ('kept', 'dropping', 'dropped')),
    ADD CONSTRAINT view_versions_fold_gas_check CHECK (fold_gas > 0);

UPDATE view_versions SET turn = version, asked_at = created_at, retired_at = CASE WHEN status = 'retired' THEN now() END;

-- What queries look for: a view's few versions that are not retired, among any number that are.
CREATE INDEX view_versions_active_idx ON view_versions (log_id, view_id) WHERE status <> 'retired';

-- What servers look for when they go idle: state that is no longer wanted.
CREATE INDEX view_versions_dropping_idx ON view_versions (log_id, version_id) WHERE state = 'dropping';

-- What was done to views, by whom and when; never changed. version is NULL where it concerns the whole view. An empty actor is the server
-- itself, or somebody who did not say. sequence is the event that halt, resume and skip are about.
CREATE TABLE view_actions (
    log_id    uuid        NOT NULL,
    action_id uuid        NOT NULL DEFAULT gen_random_uuid(),
    view_id   uuid        NOT NULL,
    version   integer,
    action    text        NOT NULL,
    actor     text        NOT NULL DEFAULT '',
    sequence  bigint,
    detail    text        NOT NULL DEFAULT '',
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT view_actions_pkey PRIMARY KEY (log_id, action_id),
    CONSTRAINT view_actions_action_check CHECK (action IN ('deploy', 'live', 'rollback', 'retire', 'halt', 'resume', 'skip'))
);

CREATE INDEX view_actions_view_idx ON view_actions (log_id, view_id, at);

-- Events that a version leaves out, because somebody said so after it halted there. Part of what the version is: whoever folds it again
-- leaves out the same ones.
CREATE TABLE view_skips (
    log_id     uuid        NOT NULL,
    version_id uuid        NOT NULL,
    sequence   bigint      NOT NULL,
    actor      text        NOT NULL DEFAULT '',
    reason     text        NOT NULL DEFAULT '',
    error      text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT view_skips_pkey PRIMARY KEY (log_id, version_id, sequence)
);

-- +goose Down
DROP TABLE view_skips, view_actions;
ALTER TABLE view_versions
    DROP COLUMN turn, DROP COLUMN actor, DROP COLUMN fold_gas, DROP COLUMN state, DROP COLUMN asked_at, DROP COLUMN live_at,
    DROP COLUMN retired_at, DROP COLUMN halted_at, DROP COLUMN builder, DROP COLUMN built_at, DROP COLUMN build_rate;

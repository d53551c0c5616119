-- +goose Up

-- What analysts read: views by the names that people use, apart from the tables that servers write, so that those can change. They run with
-- their owner's rights; who asks needs no right to a table. Takes no lock that anybody waits for. docs/sql.md explains them.
CREATE SCHEMA reporting;
COMMENT ON SCHEMA reporting IS 'Tallystick''s logs, events and views for analysts, to be read only. docs/sql.md has worked queries.';

CREATE VIEW reporting.logs AS
SELECT l.log_id, l.name AS log, l.labels, l.created_at, h.sequence AS last_sequence, CASE WHEN h.sequence > 0 THEN h.recorded_at END AS last_recorded_at,
       h.hash AS last_hash
FROM logs l
JOIN log_heads h ON h.log_id = l.log_id;
COMMENT ON VIEW reporting.logs IS 'The logs: one row for each.';
COMMENT ON COLUMN reporting.logs.log_id IS 'The log''s id.';
COMMENT ON COLUMN reporting.logs.log IS 'The log''s name, which never changes.';
COMMENT ON COLUMN reporting.logs.labels IS 'A JSON object of names and values that came with the log.';
COMMENT ON COLUMN reporting.logs.created_at IS 'When the log was made.';
COMMENT ON COLUMN reporting.logs.last_sequence IS 'The last event''s sequence; as there are no gaps, the number of events. 0 for an empty log.';
COMMENT ON COLUMN reporting.logs.last_recorded_at IS 'When the last event was recorded; NULL for an empty log.';
COMMENT ON COLUMN reporting.logs.last_hash IS 'The last event''s hash, which covers the whole log; that of the log''s id for an empty log.';

-- The name comes by an outer join, which the planner leaves out where it is not asked for. Conditions on recorded_at reach the partitions.
CREATE VIEW reporting.events AS
SELECT e.log_id, l.name AS log, e.sequence, e.recorded_at, e.time, e.type, e.key, e.data, e.hash
FROM events e
LEFT JOIN logs l ON l.log_id = e.log_id;
COMMENT ON VIEW reporting.events IS 'Every event, as it was sent, for ever. Partitioned by the month of recorded_at: always say which you mean.';
COMMENT ON COLUMN reporting.events.log_id IS 'The log''s id.';
COMMENT ON COLUMN reporting.events.log IS 'The log''s name.';
COMMENT ON COLUMN reporting.events.sequence IS 'The event''s place in its log: 1, 2, 3 … with no gap.';
COMMENT ON COLUMN reporting.events.recorded_at IS 'When the server recorded it. Never decreases along a log.';
COMMENT ON COLUMN reporting.events.time IS 'When it happened, as its sender said; else when it was recorded.';
COMMENT ON COLUMN reporting.events.type IS 'The event''s type; empty when it has none.';
COMMENT ON COLUMN reporting.events.key IS 'The idempotency key; NULL when it has none.';
COMMENT ON COLUMN reporting.events.data IS 'The event''s JSON, byte for byte. Of type json: cast it to jsonb for operators such as @>.';
COMMENT ON COLUMN reporting.events.hash IS 'The event''s hash in the log''s chain, 32 bytes: it covers the event and all before it.';

-- The live version's state alone: what another holds is not what the view answers from, and would count twice.
CREATE VIEW reporting.view_state AS
SELECT s.log_id, l.name AS log, w.name AS view, v.version, s.key, s.value
FROM view_versions v
JOIN views w ON w.log_id = v.log_id AND w.view_id = v.view_id
JOIN logs l ON l.log_id = v.log_id
JOIN view_state s ON s.log_id = v.log_id AND s.version_id = v.version_id
WHERE v.status = 'live';
COMMENT ON VIEW reporting.view_state IS 'What live views hold: keys and JSON values, of all events up to the log''s last. A view that is not live has no rows: see view_status.';
COMMENT ON COLUMN reporting.view_state.log_id IS 'The log''s id.';
COMMENT ON COLUMN reporting.view_state.log IS 'The log''s name.';
COMMENT ON COLUMN reporting.view_state.view IS 'The view''s name.';
COMMENT ON COLUMN reporting.view_state.version IS 'The number of the version that is live.';
COMMENT ON COLUMN reporting.view_state.key IS 'The key, in the view''s own form; for monthly-totals it is 2025-03/gpt-4. Sorts by its bytes.';
COMMENT ON COLUMN reporting.view_state.value IS 'The value, in the view''s own form, as json.';

CREATE VIEW reporting.view_status AS
SELECT v.log_id, l.name AS log, w.name AS view, v.version, v.status, p.applied_sequence, h.sequence AS last_sequence,
       CASE WHEN h.sequence = 0 THEN 1 ELSE p.applied_sequence::double precision / h.sequence END AS progress,
       v.halted_sequence, v.error, v.actor, v.created_at, v.live_at, v.halted_at, v.retired_at, encode(v.module_sha256, 'hex') AS module
FROM view_versions v
JOIN views w ON w.log_id = v.log_id AND w.view_id = v.view_id
JOIN logs l ON l.log_id = v.log_id
JOIN log_heads h ON h.log_id = v.log_id
CROSS JOIN LATERAL (SELECT CASE WHEN v.status = 'live' THEN h.sequence ELSE v.applied_sequence END AS applied_sequence) p;
COMMENT ON VIEW reporting.view_status IS 'Every version of every view, and how it stands.';
COMMENT ON COLUMN reporting.view_status.log_id IS 'The log''s id.';
COMMENT ON COLUMN reporting.view_status.log IS 'The log''s name.';
COMMENT ON COLUMN reporting.view_status.view IS 'The view''s name.';
COMMENT ON COLUMN reporting.view_status.version IS 'The version''s number: 1 for the first deploy, and so on.';
COMMENT ON COLUMN reporting.view_status.status IS 'building: folds history; live: answers; halted: stopped at an event it could not fold; retired: gave way to another.';
COMMENT ON COLUMN reporting.view_status.applied_sequence IS 'The last event that the version has folded: the log''s last while it is live.';
COMMENT ON COLUMN reporting.view_status.last_sequence IS 'The log''s last event.';
COMMENT ON COLUMN reporting.view_status.progress IS 'applied_sequence divided by last_sequence, 0 to 1.';
COMMENT ON COLUMN reporting.view_status.halted_sequence IS 'The event that it could not fold when it halted; NULL when it did not, or has been taken up again.';
COMMENT ON COLUMN reporting.view_status.error IS 'Why it could not; NULL likewise.';
COMMENT ON COLUMN reporting.view_status.actor IS 'Who deployed it, as the request said; empty where it did not.';
COMMENT ON COLUMN reporting.view_status.created_at IS 'When it was deployed.';
COMMENT ON COLUMN reporting.view_status.live_at IS 'When it last went live; NULL when it never did.';
COMMENT ON COLUMN reporting.view_status.halted_at IS 'When it halted; NULL likewise.';
COMMENT ON COLUMN reporting.view_status.retired_at IS 'When it was retired; NULL when it is not.';
COMMENT ON COLUMN reporting.view_status.module IS 'The module''s SHA-256 in hexadecimal.';

GRANT USAGE ON SCHEMA reporting TO tally_analyst;
GRANT SELECT ON reporting.logs, reporting.events, reporting.view_state, reporting.view_status TO tally_analyst;

-- +goose Down
DROP SCHEMA reporting CASCADE;

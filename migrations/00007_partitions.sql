-- +goose Up

-- The partitions of events and what each takes: from one time of recording on, until another. Both are null for the default partition. The
-- bounds are read as text, in the session's own time zone and style of dates, and so come back as what they are.
CREATE VIEW events_partitions AS
SELECT c.relname::text AS partition, bounds.found[1]::timestamptz AS recorded_from, bounds.found[2]::timestamptz AS recorded_until
FROM pg_catalog.pg_inherits i
JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
CROSS JOIN LATERAL (SELECT regexp_match(pg_get_expr(c.relpartbound, c.oid), $$FROM \('([^']+)'\) TO \('([^']+)'\)$$) AS found) bounds
WHERE i.inhparent = 'events'::regclass;

-- Partitions whose month has passed and whose rows are frozen: no later VACUUM has to read or write them again. Written by the owner, who
-- alone may freeze.
CREATE TABLE frozen_partitions (
    partition text        NOT NULL,
    frozen_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT frozen_partitions_pkey PRIMARY KEY (partition)
);

-- Creates the monthly partitions from the month of from_time on, as many as months says, and returns how many were new. Any number of
-- servers may call it at once. A month that a partition takes already needs none; nor can one be attached for a month that events_default
-- holds events of (see adopt_events_default).
-- A partition is built aside and then attached, which blocks neither readers nor writers of other partitions. But attaching locks
-- events_default, and whoever reads all of events, such as an analyst for an hour, holds that one too: everybody else would queue behind
-- the waiting lock. So the wait is short, a failure (55P03) changes nothing, and the caller tries again later; partitions are made months
-- before they are needed.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION ensure_events_partitions(from_time timestamptz, months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    first_month timestamptz := date_trunc('month', from_time);
    month_start timestamptz;
    month_end timestamptz;
    partition_name text;
    created integer := 0;
BEGIN
    IF NOT EXISTS (
        SELECT FROM generate_series(first_month, first_month + make_interval(months => months - 1), '1 month') AS m
        WHERE NOT EXISTS (SELECT FROM events_partitions p WHERE m >= p.recorded_from AND m < p.recorded_until)) THEN
        RETURN 0;
    END IF;
    PERFORM set_config('lock_timeout', '10s', true); -- anybody may take an advisory lock, and keep it
    PERFORM pg_advisory_xact_lock(hashtext('tallystick.events_partitions'));
    PERFORM set_config('lock_timeout', '200ms', true);
    FOR i IN 0 .. months - 1 LOOP
        month_start := first_month + make_interval(months => i);
        month_end := month_start + interval '1 month';
        CONTINUE WHEN EXISTS (SELECT FROM events_partitions p WHERE month_start >= p.recorded_from AND month_start < p.recorded_until)
            OR EXISTS (SELECT FROM events_default WHERE recorded_at >= month_start AND recorded_at < month_end);
        partition_name := 'events_' || to_char(month_start, '"y"YYYY"m"MM');
        EXECUTE format('CREATE TABLE %I (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition_name);
        PERFORM protect_events_table(partition_name::regclass);
        EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition_name, month_start, month_end);
        created := created + 1;
    END LOOP;
    RETURN created;
END
$$;
-- +goose StatementEnd

-- Tells whether the default partition holds events, which servers may not read by the partition's name.
-- +goose StatementBegin
CREATE FUNCTION events_default_in_use() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$ SELECT EXISTS (SELECT FROM events_default) $$;
-- +goose StatementEnd

-- Makes the default partition, when it holds events, the partition of the months that they were recorded in, and an empty table the
-- default; returns the partition's name, or null when there was nothing to do. No row is touched or copied. It needs events for itself:
-- it gives up (55P03) after a second, when a long query is in its way, and else appends and readers wait while it reads the partition once,
-- to see that all its events are of those months. For the owner alone.
-- +goose StatementBegin
CREATE FUNCTION adopt_events_default() RETURNS text
LANGUAGE plpgsql SET search_path = public, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    first_month timestamptz;
    last_month timestamptz;
    adopted text;
    between_them text;
BEGIN
    PERFORM set_config('lock_timeout', '10s', true); -- anybody may take an advisory lock, and keep it
    PERFORM pg_advisory_xact_lock(hashtext('tallystick.events_partitions'));
    SELECT date_trunc('month', min(recorded_at)), date_trunc('month', max(recorded_at)) INTO first_month, last_month FROM events_default;
    IF first_month IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT min(p.partition) INTO between_them FROM events_partitions p WHERE p.recorded_from >= first_month AND p.recorded_from <= last_month;
    IF between_them IS NOT NULL THEN
        RAISE EXCEPTION 'events_default holds events of % to %, and the partition % lies between: one partition cannot take them all',
            to_char(first_month, 'YYYY-MM'), to_char(last_month, 'YYYY-MM'), between_them USING ERRCODE = 'TL003';
    END IF;
    adopted := 'events_' || to_char(first_month, '"y"YYYY"m"MM');
    IF last_month > first_month THEN
        adopted := adopted || to_char(last_month, '"_y"YYYY"m"MM');
    END IF;
    PERFORM set_config('lock_timeout', '1s', true);
    LOCK TABLE ONLY events IN ACCESS EXCLUSIVE MODE;
    ALTER TABLE events DETACH PARTITION events_default;
    EXECUTE format('ALTER TABLE events_default RENAME TO %I', adopted);
    EXECUTE format('ALTER INDEX events_default_pkey RENAME TO %I', adopted || '_pkey');
    EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', adopted, first_month, last_month + interval '1 month');
    CREATE TABLE events_default (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
    PERFORM protect_events_table('events_default');
    ALTER TABLE events ATTACH PARTITION events_default DEFAULT;
    RETURN adopted;
END
$$;
-- +goose StatementEnd

REVOKE EXECUTE ON FUNCTION events_default_in_use(), adopt_events_default() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION events_default_in_use() TO tally_server;
GRANT SELECT ON events_partitions, frozen_partitions TO tally_server;

-- +goose Down
DROP FUNCTION adopt_events_default();
DROP FUNCTION events_default_in_use();
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION ensure_events_partitions(from_time timestamptz, months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
        PERFORM protect_events_table(partition_name::regclass);
        EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition_name,
            month_start AT TIME ZONE 'UTC', (month_start + interval '1 month') AT TIME ZONE 'UTC');
        created := created + 1;
    END LOOP;
    RETURN created;
END
$$;
-- +goose StatementEnd
DROP TABLE frozen_partitions;
DROP VIEW events_partitions;

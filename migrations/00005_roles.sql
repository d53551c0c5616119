-- +goose Up

-- Who may do what, in the database's own terms: the login that migrates owns everything; servers act as tally_server, which can add events
-- and read them and no more; analysts as tally_analyst (00006). Roles belong to the whole cluster: another database's migration may have
-- made them, or be making them now. They cannot log in: logins are made members of them.
-- +goose StatementBegin
DO $$
DECLARE
    -- From PostgreSQL 16 on, whoever makes a role is a member of it who may not act as it.
    acts constant text := CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END;
    wanted text;
    missing text := '';
BEGIN
    FOREACH wanted IN ARRAY ARRAY['tally_server', 'tally_analyst'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = wanted);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL; -- made meanwhile
            WHEN insufficient_privilege THEN missing := missing || format(' CREATE ROLE %I NOLOGIN;', wanted);
        END;
    END LOOP;
    IF missing <> '' THEN
        missing := missing || format(' GRANT tally_server TO %I;', current_user);
    ELSIF NOT pg_has_role(current_user, 'tally_server', acts) THEN
        BEGIN
            EXECUTE format('GRANT tally_server TO %I', current_user);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL; -- granted meanwhile
            WHEN insufficient_privilege THEN missing := format(' GRANT tally_server TO %I;', current_user);
        END;
    END IF;
    IF missing <> '' THEN
        RAISE EXCEPTION 'the login % may not make the roles that Tallystick needs: have an administrator run:% then migrate again', current_user, missing
            USING ERRCODE = 'TL002';
    END IF;
END
$$;
-- +goose StatementEnd

-- Refuses to change what was recorded, to everyone but a superuser: the owner too, whom no missing privilege stops.
-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE EXCEPTION '% of % is refused: what was recorded is never changed or removed', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        RETURN NEW;
    END IF;
    RETURN OLD;
END
$$;
-- +goose StatementEnd

-- PostgreSQL copies a parent's row triggers to its partitions, those made later too, but not its TRUNCATE triggers: each new partition of
-- events must be given to this function. Doing so twice is no mistake.
-- +goose StatementBegin
CREATE FUNCTION protect_events_table(protected regclass) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', protected);
END
$$;
-- +goose StatementEnd

-- INSERT fires none of these triggers. Making them waits for appends under way and holds up others until this migration commits; who reads is
-- not held up. Keys are protected like events: one that is gone would let a retry count twice.
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON event_keys FOR EACH ROW EXECUTE FUNCTION refuse_change();
-- +goose StatementBegin
DO $$
BEGIN
    PERFORM protect_events_table(relid) FROM pg_partition_tree('events');
    PERFORM protect_events_table(relid) FROM pg_partition_tree('event_keys');
END
$$;
-- +goose StatementEnd

-- As before (00001), but run with its owner's rights, since servers may not create tables, and protecting what it makes.
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

-- For servers what their statements (sql/) need, and nothing for everybody else. Privileges on events and event_keys hold through the parents, so
-- that new partitions need none, and a partition by its own name is not even readable. Locking a row takes a right to update some column:
-- that of labels stands for it on logs. What a version of a view is, its module, configuration and fields, is never changed either.
REVOKE EXECUTE ON FUNCTION ensure_events_partitions(timestamptz, integer), expect_rows(bigint, integer), protect_events_table(regclass), refuse_change() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_events_partitions(timestamptz, integer), expect_rows(bigint, integer) TO tally_server;
GRANT SELECT ON goose_db_version, tenants TO tally_server;
GRANT SELECT, INSERT ON events, event_keys, log_months, logs, log_heads, modules, views, view_versions, view_actions, view_skips, view_patterns, view_state TO tally_server;
GRANT UPDATE (labels) ON logs TO tally_server;
GRANT UPDATE (sequence, hash, recorded_at, views_epoch) ON log_heads TO tally_server;
GRANT UPDATE (pattern_id, pattern_revision) ON views TO tally_server;
GRANT UPDATE (turn, fold_gas, status, state, applied_sequence, halted_sequence, error, asked_at, live_at, retired_at, halted_at, builder, built_at, build_rate)
    ON view_versions TO tally_server;
GRANT UPDATE ON view_patterns TO tally_server;
GRANT UPDATE, DELETE ON view_state TO tally_server;

-- A database made before PostgreSQL 15 lets everybody create tables in schema public.
-- +goose StatementBegin
DO $$
BEGIN
    IF NOT has_schema_privilege('tally_server', 'public', 'USAGE') THEN
        GRANT USAGE ON SCHEMA public TO tally_server;
    END IF;
    IF has_schema_privilege('tally_server', 'public', 'CREATE') THEN
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    END IF;
END
$$;
-- +goose StatementEnd

-- +goose Down
REVOKE ALL ON goose_db_version, tenants, events, event_keys, log_months, logs, log_heads, modules, views, view_versions, view_actions, view_skips,
    view_patterns, view_state FROM tally_server;
REVOKE ALL ON SCHEMA public FROM tally_server;
REVOKE ALL ON FUNCTION ensure_events_partitions(timestamptz, integer), expect_rows(bigint, integer) FROM tally_server;
DROP FUNCTION refuse_change() CASCADE;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION ensure_events_partitions(from_time timestamptz, months integer) RETURNS integer
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
DROP FUNCTION protect_events_table(regclass);
GRANT EXECUTE ON FUNCTION ensure_events_partitions(timestamptz, integer), expect_rows(bigint, integer) TO PUBLIC;

-- +goose Up

-- What the analysts of one tenant read: the views of reporting over again, for the rows of the tenant that the session's login belongs to.
-- tally_analyst goes on reading those of all tenants. docs/sql.md has who sees what. Takes no lock that anybody waits for.
-- +goose StatementBegin
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tally_tenant_analyst') THEN
        CREATE ROLE tally_tenant_analyst NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL; -- made meanwhile
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION USING ERRCODE = 'TL002', MESSAGE = format('the login %s may not make the roles that Tallystick needs: '
            'have an administrator run: CREATE ROLE tally_tenant_analyst NOLOGIN; then migrate again', current_user);
END
$$;
-- +goose StatementEnd

-- Whose rows a login sees. Its owner alone reads and changes it.
CREATE TABLE analysts (
    login      text        NOT NULL,
    tenant_id  uuid        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text        NOT NULL,
    CONSTRAINT analysts_pkey PRIMARY KEY (login),
    CONSTRAINT analysts_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id)
);
COMMENT ON TABLE analysts IS 'The logins that see one tenant''s rows of tenant_reporting. tally analyst keeps it.';

CREATE SCHEMA tenant_reporting;
COMMENT ON SCHEMA tenant_reporting IS 'The views of schema reporting, with the rows of the tenant that the login belongs to.';

-- These read with their owner's rights, for whoever logged in: SET ROLE does not change session_user, and a login that is in no tenant sees
-- nothing. A plan that calls them shows nothing of theirs, and PostgreSQL keeps no statistics of what they return. What a tenant has few
-- of, its logs and its versions of views, is read through them alone. Of 200 rows PostgreSQL expects one to have a name that is asked for.
CREATE FUNCTION tenant_reporting.own_log_ids() RETURNS uuid[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(l.log_id), '{}')
    FROM public.logs l
    WHERE l.tenant_id = (SELECT a.tenant_id FROM public.analysts a WHERE a.login = session_user)
$$;
COMMENT ON FUNCTION tenant_reporting.own_log_ids() IS 'The ids of the tenant''s logs.';

-- id is log_id once more: a condition on the one stays here, while PostgreSQL takes one on the other over to the table that is joined by
-- it.
CREATE FUNCTION tenant_reporting.own_log_names() RETURNS TABLE (log_id uuid, id uuid, log text)
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 200 SET search_path = pg_catalog, pg_temp AS $$
    SELECT l.log_id, l.log_id, l.name
    FROM public.logs l
    WHERE l.tenant_id = (SELECT a.tenant_id FROM public.analysts a WHERE a.login = session_user)
$$;
COMMENT ON FUNCTION tenant_reporting.own_log_names() IS 'The tenant''s logs, by id and name.';

CREATE FUNCTION tenant_reporting.own_logs() RETURNS SETOF reporting.logs
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 200 SET search_path = pg_catalog, pg_temp AS $$
    SELECT l.* FROM reporting.logs l WHERE l.log_id = ANY ((SELECT tenant_reporting.own_log_ids())::uuid[])
$$;
COMMENT ON FUNCTION tenant_reporting.own_logs() IS 'The tenant''s rows of reporting.logs.';

CREATE FUNCTION tenant_reporting.own_view_status() RETURNS SETOF reporting.view_status
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 200 SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.* FROM reporting.view_status s WHERE s.log_id = ANY ((SELECT tenant_reporting.own_log_ids())::uuid[])
$$;
COMMENT ON FUNCTION tenant_reporting.own_view_status() IS 'The tenant''s rows of reporting.view_status.';

CREATE FUNCTION tenant_reporting.own_live_views()
RETURNS TABLE (log_id uuid, version_id uuid, log text, view text, version integer, recent text)
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 200 SET search_path = pg_catalog, pg_temp AS $$
    SELECT v.log_id, v.version_id, l.name, w.name, v.version, h.recent
    FROM public.view_versions v
    JOIN public.views w ON w.log_id = v.log_id AND w.view_id = v.view_id
    JOIN public.logs l ON l.log_id = v.log_id
    JOIN public.log_heads h ON h.log_id = v.log_id
    WHERE v.status = 'live' AND v.log_id = ANY ((SELECT tenant_reporting.own_log_ids())::uuid[])
$$;
COMMENT ON FUNCTION tenant_reporting.own_live_views() IS 'The tenant''s live versions of views, and what their logs'' heads hold of state.';

-- Events and keys of state are many: these views name the tables, so that the months asked for and the tenant's own parts of the index are
-- all that is read. Three things keep others' rows out of sight:
--
-- The condition on log_id is an index condition, with an array that is made once. Where a session switches the use of indexes off it is a
-- filter, of which a plan shows how many rows it left out: about what pg_stat_all_tables shows everybody.
--
-- security_barrier makes conditions of the query that could give away what they are called with wait for the view's own.
--
-- Those that cannot, such as type = 'x', do not wait, and EXPLAIN would show what PostgreSQL expects of them by its statistics of the whole
-- table. So columns are given as expressions, which have no statistics; but recorded_at, by which months are chosen, is itself. opaque is
-- never called, since a sequence is never negative. It costs so much that PostgreSQL checks log_id first: even a filter reads no other
-- column of another tenant's row.
CREATE FUNCTION tenant_reporting.opaque(value anyelement) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 20 AS 'BEGIN RETURN false; END';
COMMENT ON FUNCTION tenant_reporting.opaque(anyelement) IS 'Hides a column from the planner; never called.';

CREATE VIEW tenant_reporting.logs WITH (security_barrier) AS
SELECT l.log_id, l.log, l.labels, l.created_at, l.last_sequence, l.last_recorded_at, l.last_hash FROM tenant_reporting.own_logs() l;
COMMENT ON VIEW tenant_reporting.logs IS 'The tenant''s logs, with the columns of reporting.logs.';

CREATE VIEW tenant_reporting.events WITH (security_barrier) AS
SELECT l.id AS log_id, l.log,
       CASE WHEN e.sequence >= 0 OR tenant_reporting.opaque(e.sequence) THEN e.sequence END AS sequence,
       e.recorded_at,
       CASE WHEN e.sequence >= 0 OR tenant_reporting.opaque(e.sequence) THEN e.time END AS time,
       CASE WHEN e.sequence >= 0 OR tenant_reporting.opaque(e.sequence) THEN e.type END AS type,
       CASE WHEN e.sequence >= 0 OR tenant_reporting.opaque(e.sequence) THEN e.key END AS key,
       CASE WHEN e.sequence >= 0 OR tenant_reporting.opaque(e.sequence) THEN e.data END AS data,
       CASE WHEN e.sequence >= 0 OR tenant_reporting.opaque(e.sequence) THEN e.hash END AS hash
FROM events e
JOIN tenant_reporting.own_log_names() l (log_id, id, log) ON l.log_id = e.log_id
WHERE e.log_id = ANY ((SELECT tenant_reporting.own_log_ids())::uuid[]);
COMMENT ON VIEW tenant_reporting.events IS 'The tenant''s events, with the columns of reporting.events. Always bound recorded_at.';

CREATE VIEW tenant_reporting.view_state WITH (security_barrier) AS
SELECT v.log_id, v.log, v.view, v.version, s.key, s.value
FROM tenant_reporting.own_live_views() v (log_id, version_id, log, view, version, recent)
CROSS JOIN LATERAL (
    SELECT CASE WHEN t.key >= '' OR tenant_reporting.opaque(t.key) THEN t.key END AS key, t.value
    FROM view_state_rows t
    WHERE t.log_id = v.log_id AND t.version_id = v.version_id AND t.log_id = ANY ((SELECT tenant_reporting.own_log_ids())::uuid[])
      AND t.key <> ALL (ARRAY (SELECT r.key FROM recent_state(v.recent) r WHERE r.version_id = v.version_id))
    UNION ALL
    SELECT r.key COLLATE "C", r.value
    FROM recent_state(v.recent) r
    WHERE r.version_id = v.version_id
) s;
COMMENT ON VIEW tenant_reporting.view_state IS 'The state of the tenant''s live views, with the columns of reporting.view_state.';

CREATE VIEW tenant_reporting.view_status WITH (security_barrier) AS
SELECT s.log_id, s.log, s.view, s.version, s.status, s.applied_sequence, s.last_sequence, s.progress, s.halted_sequence, s.error, s.actor,
       s.created_at, s.live_at, s.halted_at, s.retired_at, s.module
FROM tenant_reporting.own_view_status() s;
COMMENT ON VIEW tenant_reporting.view_status IS 'The versions of the tenant''s views, with the columns of reporting.view_status.';

REVOKE EXECUTE ON FUNCTION tenant_reporting.own_log_ids(), tenant_reporting.own_log_names(), tenant_reporting.own_logs(),
    tenant_reporting.own_view_status(), tenant_reporting.own_live_views(), tenant_reporting.opaque(anyelement) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_reporting.own_log_ids(), tenant_reporting.own_log_names(), tenant_reporting.own_logs(),
    tenant_reporting.own_view_status(), tenant_reporting.own_live_views(), tenant_reporting.opaque(anyelement), recent_state(text)
    TO tally_tenant_analyst;
GRANT USAGE ON SCHEMA tenant_reporting, reporting TO tally_tenant_analyst;
GRANT SELECT ON tenant_reporting.logs, tenant_reporting.events, tenant_reporting.view_state, tenant_reporting.view_status
    TO tally_tenant_analyst;
GRANT EXECUTE ON FUNCTION reporting.replace_unreadable(json), reporting.safe(json), reporting.number_or_null(text),
    reporting.time_or_null(text), reporting.jsonb_or_null(json), reporting.get_text(json, text), reporting.get_number(json, text),
    reporting.get_time(json, text), reporting.get_jsonb(json, text) TO tally_tenant_analyst;

-- +goose Down
DROP SCHEMA tenant_reporting CASCADE;
DROP TABLE analysts;
REVOKE ALL ON FUNCTION recent_state(text), reporting.replace_unreadable(json), reporting.safe(json), reporting.number_or_null(text),
    reporting.time_or_null(text), reporting.jsonb_or_null(json), reporting.get_text(json, text), reporting.get_number(json, text),
    reporting.get_time(json, text), reporting.get_jsonb(json, text) FROM tally_tenant_analyst;
REVOKE ALL ON SCHEMA reporting FROM tally_tenant_analyst;

package analyst_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/analyst"
)

var reportingViews = []string{"logs", "events", "view_state", "view_status"}

// TestEachSeesItsTenantsRows: an analyst of one tenant sees just the rows that the operator's analyst sees of that tenant, in the same
// columns; a login that is of no tenant sees none.
func TestEachSeesItsTenantsRows(t *testing.T) {
	d := newDatabase(t)
	operator := newSession(t, as(t, d, newLogin(t, d, "IN ROLE tally_analyst")))
	nobody := newSession(t, as(t, d, newLogin(t, d, "IN ROLE "+analyst.Role)))
	sessions := map[string]*session{}
	for word, tenant := range map[string]string{"plain": "default", "sesame": "rival"} {
		sessions[word] = newSession(t, as(t, d, newAnalyst(t, d, tenant)))
	}
	admin := newSession(t, d.DSN())
	for _, view := range reportingViews {
		columns := func(schema string) string {
			return admin.must(t, fmt.Sprintf("SELECT attnum, attname, atttypid::regtype, attcollation FROM pg_attribute "+
				"WHERE attrelid = '%s.%s'::regclass AND attnum > 0 ORDER BY 1", schema, view))
		}
		if got, want := columns("tenant_reporting"), columns("reporting"); got != want {
			t.Errorf("the columns of tenant_reporting.%s are\n%s\nnot\n%s", view, got, want)
		}
		rows := "SELECT v.*::text FROM %s." + view + " v WHERE log LIKE '%s-%%' ORDER BY 1"
		for word, s := range sessions {
			got, want := s.must(t, fmt.Sprintf(rows, "tenant_reporting", word)), operator.must(t, fmt.Sprintf(rows, "reporting", word))
			if got != want || strings.Count(got, "\n") < 19 {
				t.Errorf("of %s, %s sees %d bytes, the operator's analyst %d", view, word, len(got), len(want))
			}
			if got := s.must(t, "SELECT DISTINCT split_part(log, '-', 1) FROM "+view); got != word {
				t.Errorf("of %s, %s sees %s", view, word, got)
			}
		}
		if got := nobody.must(t, "SELECT count(*) FROM tenant_reporting."+view); got != "0" {
			t.Errorf("of %s, a login of no tenant sees %s rows", view, got)
		}
	}
	// In parallel workers too.
	s := sessions["plain"]
	s.must(t, "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; "+
		"SET parallel_leader_participation = off")
	const counted = "SELECT count(*) FROM events WHERE data IS NOT NULL"
	if plan := s.must(t, "EXPLAIN (ANALYZE) "+counted); !strings.Contains(plan, "Workers Launched") {
		t.Errorf("it was not in parallel:\n%s", plan)
	}
	if got := s.must(t, counted); got != "600" {
		t.Errorf("in parallel, %s events are seen", got)
	}
}

// TestNobodyBecomesAnother: what an analyst sees goes by who logged in, whatever the session sets or defines.
func TestNobodyBecomesAnother(t *testing.T) {
	d := newDatabase(t)
	login, rival := newAnalyst(t, d, "default"), newAnalyst(t, d, "rival")
	s := newSession(t, as(t, d, login))
	for _, statement := range []string{
		"SET ROLE tally_server", "SET ROLE tally_analyst", "SET ROLE " + rival, "SET SESSION AUTHORIZATION " + rival,
		"SET LOCAL ROLE postgres", "ALTER ROLE " + rival + " SET search_path = x", "GRANT " + rival + " TO " + login,
		"ALTER ROLE " + login + " CREATEROLE", "SET session_preload_libraries = 'x'", "LOAD 'auto_explain'",
	} {
		s.must(t, "SET default_transaction_read_only = off")
		if said, code := s.do(t, statement); code == "" {
			t.Errorf("%s: %q %s", statement, code, said)
		}
	}
	if got := s.must(t, "SET ROLE "+analyst.Role+"; SELECT DISTINCT split_part(log, '-', 1) FROM tenant_reporting.events"); got != "plain" {
		t.Errorf("as %s, it sees %q", analyst.Role, got)
	}
	s.must(t, "RESET ROLE; SET default_transaction_read_only = off")
	s.must(t, `
		CREATE TEMPORARY TABLE analysts AS SELECT current_user::text AS login, tenant_id
			FROM (VALUES ('00000000-0000-7000-8000-00000000000b'::uuid)) x (tenant_id);
		CREATE TEMPORARY TABLE logs (log_id uuid, tenant_id uuid, name text);
		CREATE FUNCTION pg_temp.yes(a uuid, b uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true';
		CREATE FUNCTION pg_temp.yes(a text, b text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
		CREATE FUNCTION pg_temp.yes(a text, b name) RETURNS boolean LANGUAGE sql AS 'SELECT true';
		CREATE OPERATOR pg_temp.= (FUNCTION = pg_temp.yes, LEFTARG = uuid, RIGHTARG = uuid);
		CREATE OPERATOR pg_temp.= (FUNCTION = pg_temp.yes, LEFTARG = text, RIGHTARG = text);
		CREATE OPERATOR pg_temp.= (FUNCTION = pg_temp.yes, LEFTARG = text, RIGHTARG = name)`)
	for _, path := range []string{"pg_temp, tenant_reporting, pg_catalog", "tenant_reporting, public", `"$user", public`} {
		for _, view := range reportingViews {
			got := s.must(t, "SET search_path = "+path+"; SELECT DISTINCT split_part(log, '-', 1) FROM tenant_reporting."+view)
			if got != "plain" {
				t.Errorf("with search_path %s, %s shows %q", path, view, got)
			}
		}
	}
	// Whoever may act as an analyst's login is not that login.
	member := newSession(t, as(t, d, newLogin(t, d, "IN ROLE "+rival)))
	if got := member.must(t, "SET ROLE "+rival+"; SELECT count(*) FROM tenant_reporting.logs"); got != "0" {
		t.Errorf("a member of the login sees %s logs", got)
	}
	// A plan that was made for one is not used for another.
	admin := newSession(t, d.DSN())
	admin.must(t, "PREPARE q AS SELECT string_agg(DISTINCT split_part(log, '-', 1), ' ') FROM tenant_reporting.logs")
	for login, want := range map[string]string{login: "plain", rival: "sesame"} {
		if got := admin.must(t, "SET SESSION AUTHORIZATION "+login+"; EXECUTE q"); got != want {
			t.Errorf("a prepared query shows %s %q", login, got)
		}
		admin.must(t, "RESET SESSION AUTHORIZATION")
	}
}

// TestNothingElseIsReadable: tables, the operator's views, statistics, other sessions' queries, files and functions of ours are out of an
// analyst's reach.
func TestNothingElseIsReadable(t *testing.T) {
	d := newDatabase(t)
	s := newSession(t, as(t, d, newAnalyst(t, d, "default")))
	admin := newSession(t, d.DSN())
	tables := strings.Split(admin.must(t, `SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname IN ('public', 'reporting') AND c.relkind IN ('r', 'p', 'v', 'm', 'S')`), "\n")
	if len(tables) < 30 {
		t.Fatalf("the tables are %v", tables)
	}
	s.must(t, "SET default_transaction_read_only = off; SET search_path = public")
	refused := []string{
		"SELECT pg_read_file('PG_VERSION')", "SELECT pg_ls_dir('.')", "COPY (SELECT 1) TO PROGRAM 'true'", "COPY (SELECT 1) TO '/tmp/x'",
		"SELECT lo_import('/etc/hostname')", "CREATE STATISTICS tenant_reporting.s ON log_id, type FROM public.events",
		"CREATE TABLE tenant_reporting.mine (n integer)", "CREATE TABLE public.mine (n integer)", "CREATE SCHEMA mine",
		"DELETE FROM tenant_reporting.events", "INSERT INTO tenant_reporting.logs (log) VALUES ('x')",
		"UPDATE tenant_reporting.view_state SET key = 'x'",
		"CREATE OR REPLACE FUNCTION tenant_reporting.own_log_ids() RETURNS uuid[] AS '' LANGUAGE sql",
		"DROP VIEW tenant_reporting.events", "ALTER VIEW tenant_reporting.events RESET (security_barrier)", "SELECT * FROM pg_statistic",
		"SELECT * FROM pg_authid", "TABLE reporting.events TABLESAMPLE SYSTEM (1)",
	}
	for _, table := range tables {
		refused = append(refused, "SELECT FROM "+table, "COPY "+table+" TO STDOUT", "LOCK TABLE "+table)
	}
	for _, statement := range refused {
		said, code := s.do(t, statement)
		if code == "" || strings.Contains(said, secret) {
			t.Errorf("%s: %q %.300s", statement, code, said)
		}
	}
	for query, want := range map[string]string{
		"SELECT count(*) FROM pg_stats WHERE schemaname IN ('public', 'reporting', 'tenant_reporting')": "0",
		"SELECT count(*) FROM pg_stats_ext": "0",
		"SELECT count(*) FROM pg_stat_activity WHERE usename <> current_user AND query <> '<insufficient privilege>'":     "0",
		"SELECT count(*) FROM pg_largeobject_metadata":                                                                    "0",
		"SELECT count(*) > 0 FROM pg_stat_activity WHERE usename <> current_user AND query = '<insufficient privilege>'":  "t",
		"SELECT count(*) FROM pg_description d WHERE description LIKE '%sesame%'":                                         "0",
		"SELECT count(*) FROM pg_shdescription WHERE description LIKE '%rival%'":                                          "0",
		"SELECT count(*) FROM pg_db_role_setting WHERE setconfig::text LIKE '%rival%' OR setconfig::text LIKE '%sesame%'": "0",
	} {
		if got := s.must(t, query); got != want {
			t.Errorf("%s: %s", query, got)
		}
	}
	ours := `SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
		WHERE n.nspname IN ('public', 'reporting', 'tenant_reporting') AND p.prosecdef AND has_function_privilege(p.oid, 'EXECUTE')
		ORDER BY 1`
	got := strings.Split(s.must(t, ours), "\n")
	want := []string{"own_live_views()", "own_log_ids()", "own_log_names()", "own_logs()", "own_view_status()"}
	for i := range want {
		want[i] = "tenant_reporting." + want[i]
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("of the functions that run with their owner's rights, it may call %v", got)
	}
}

// TestCreateListRevoke: an action is recorded in its transaction; a revoked login's sessions end, and it is gone.
func TestCreateListRevoke(t *testing.T) {
	d := newDatabase(t)
	owner := newLogin(t, d, "CREATEROLE")
	d.Exec(t, fmt.Sprintf("GRANT %s TO %s WITH ADMIN OPTION", analyst.Role, owner))
	d.Exec(t, "GRANT SELECT, INSERT, DELETE ON analysts TO "+owner)
	d.Exec(t, "GRANT SELECT, UPDATE ON tenants TO "+owner)
	m := open(t, as(t, d, owner))
	login := newName()
	dropLater(t, d, login)
	if _, err := m.Create(t.Context(), "rival", login); err == nil {
		t.Error("it is created without a record")
	}
	d.Exec(t, "GRANT SELECT, INSERT ON access_log TO "+owner)
	password, err := m.Create(t.Context(), "rival", login)
	if err != nil {
		t.Fatal(err)
	}
	passwords.Store(login, password)
	for tenant, want := range map[string]int{"": 1, "rival": 1, "default": 0} {
		if found, err := m.List(t.Context(), tenant); err != nil || len(found) != want || want > 0 &&
			(found[0].Login != login || found[0].Tenant != "rival" || !strings.HasSuffix(found[0].CreatedBy, " (tester)") ||
				!found[0].CanLogIn) {
			t.Errorf("of %q: %v, %v", tenant, found, err)
		}
	}
	admin := newSession(t, d.DSN())
	kept := admin.must(t, "SELECT rolpassword FROM pg_authid WHERE rolname = '"+login+"'")
	if !strings.HasPrefix(kept, "SCRAM-SHA-256$4096:") || strings.Contains(kept, password) {
		t.Errorf("PostgreSQL has %s", kept)
	}
	s := newSession(t, as(t, d, login))
	if got := s.must(t, "SHOW search_path; SHOW default_transaction_read_only; SHOW statement_timeout; SHOW timezone"); got !=
		"tenant_reporting\non\n15min\nUTC" {
		t.Errorf("the login's settings are %s", got)
	}
	if got := admin.must(t, "SELECT rolconnlimit FROM pg_roles WHERE rolname = '"+login+"'"); got != "10" {
		t.Errorf("it may have %s connections", got)
	}
	for name, attempt := range map[string]func() error{
		"again":              func() error { _, err := m.Create(t.Context(), "default", login); return err },
		"no tenant":          func() error { _, err := m.Create(t.Context(), "nobody", newName()); return err },
		"a bad name":         func() error { _, err := m.Create(t.Context(), "rival", `x"; DROP TABLE events`); return err },
		"a reserved name":    func() error { _, err := m.Create(t.Context(), "rival", "tally_ann"); return err },
		"another's":          func() error { _, err := m.Create(t.Context(), "rival", owner); return err },
		"revoke of another":  func() error { return m.Revoke(t.Context(), "default", login) },
		"revoke of an owner": func() error { return m.Revoke(t.Context(), "rival", owner) },
	} {
		if err := attempt(); err == nil {
			t.Errorf("%s succeeds", name)
		}
	}
	if got := s.must(t, "SELECT count(*) FROM logs"); got != "20" {
		t.Errorf("%s logs", got)
	}
	if err := m.Revoke(t.Context(), "rival", login); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err == nil {
		t.Error("a session of a revoked login goes on")
	}
	if got := admin.must(t, "SELECT count(*) FROM pg_roles WHERE rolname = '"+login+"'"); got != "0" {
		t.Error("the login is still there")
	}
	if err := m.Revoke(t.Context(), "rival", login); err == nil {
		t.Error("it is revoked twice")
	}
	recorded := admin.must(t, "SELECT tenant_id, actor = 'login "+owner+"@"+d.Name()+" (tester)', key_id, action, "+
		" target = '"+login+"', detail FROM access_log ORDER BY entry_id")
	const rival = "00000000-0000-7000-8000-00000000000b"
	if want := rival + "|t||analyst.create|t|{}\n" + rival + "|t||analyst.revoke|t|{}"; recorded != want {
		t.Errorf("recorded:\n%s", recorded)
	}
}

// TestWhatAnAdministratorMustDo: the statements are enough. A login that cannot be dropped sees nothing any more.
func TestWhatAnAdministratorMustDo(t *testing.T) {
	d := newDatabase(t)
	owner, login := newLogin(t, d, ""), newName()
	d.Exec(t, "GRANT SELECT, INSERT, DELETE ON analysts TO "+owner)
	d.Exec(t, "GRANT SELECT, INSERT ON access_log TO "+owner)
	d.Exec(t, "GRANT SELECT, UPDATE ON tenants TO "+owner)
	m := open(t, as(t, d, owner))
	_, err := m.Create(t.Context(), "rival", login)
	var administrator *analyst.AdministratorError
	if !errors.As(err, &administrator) || len(administrator.Password) < 26 || strings.Contains(err.Error(), administrator.Password) {
		t.Fatalf("by a login that may not make any: %v", err)
	}
	passwords.Store(login, administrator.Password)
	dropLater(t, d, login)
	for _, statement := range administrator.Statements {
		d.Exec(t, statement)
	}
	if password, err := m.Create(t.Context(), "rival", login); err != nil || password != "" {
		t.Fatalf("then: %q, %v", password, err)
	}
	s := newSession(t, as(t, d, login))
	if got := s.must(t, "SELECT count(*) FROM logs"); got != "20" {
		t.Errorf("it sees %s logs", got)
	}
	if err := m.Revoke(t.Context(), "rival", login); !errors.As(err, &administrator) {
		t.Fatalf("revoked: %v", err)
	}
	for _, view := range reportingViews {
		if got := s.must(t, "SELECT count(*) FROM "+view); got != "0" {
			t.Errorf("a login that is revoked but there sees %s rows of %s", got, view)
		}
	}
	for _, statement := range administrator.Statements {
		d.Exec(t, statement)
	}
	if err := s.Ping(t.Context()); err == nil {
		t.Error("its session goes on")
	}
}

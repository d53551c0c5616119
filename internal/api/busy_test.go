package api_test

import (
	"net/http"
	"testing"
)

// TestWhatTheDatabaseIsBlamedFor has PostgreSQL give up each append in one way or another. Only where it cannot do its work it is said to
// be unavailable.
func TestWhatTheDatabaseIsBlamedFor(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	s.append("acme", `{"n":0}`)
	exec := func(statement string) {
		t.Helper()
		if _, err := s.db.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	const (
		unavailable   = "database_unavailable"
		busy          = "log_busy"
		disk          = "53100"
		connections   = "53300"
		shutdown      = "57P01"
		files         = "58030"
		readOnly      = "25006"
		serialization = "40001"
		deadlock      = "40P01"
		lock          = "55P03"
		idle          = "25P03"
		stale         = "23514"
	)
	for state, code := range map[string]string{
		disk: unavailable, connections: unavailable, shutdown: unavailable, files: unavailable, readOnly: unavailable,
		serialization: busy, deadlock: busy, lock: busy, idle: busy, stale: busy,
	} {
		constraint := ""
		if state == stale { // as what a server believes of a log that others change again and again
			constraint = ", CONSTRAINT = 'rows_as_expected'"
		}
		exec(`CREATE FUNCTION give_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '` + state +
			`' USING MESSAGE = 'as a test wants it'` + constraint + `; END $$`)
		exec(`CREATE TRIGGER give_up BEFORE UPDATE ON log_heads FOR EACH ROW EXECUTE FUNCTION give_up()`)
		r := s.call("POST", "/logs/acme/append", `{"n":1}`)
		if s.wantProblem(http.StatusServiceUnavailable, code, r, "nothing was stored"); r.header.Get("Retry-After") != "5" {
			t.Errorf("%s: Retry-After is %q", state, r.header.Get("Retry-After"))
		}
		exec(`DROP FUNCTION give_up CASCADE`)
	}
	if got := s.append("acme", `{"n":1}`); got.Sequence != 2 {
		t.Errorf("after all of that the next event got sequence %d", got.Sequence)
	}
}

package analyst_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// planners are settings that any session may choose, to have PostgreSQL plan as it would not by itself.
var planners = map[string]string{
	"as it is":        "SELECT",
	"without indexes": noIndexes,
	"free operators":  noIndexes + "; SET cpu_operator_cost = 0",
	"only sequential scans, in parallel": noIndexes + "; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; " +
		"SET min_parallel_table_scan_size = 0",
	"hash joins":   "SET enable_nestloop = off; SET enable_mergejoin = off",
	"merge joins":  noIndexes + "; SET enable_nestloop = off; SET enable_hashjoin = off",
	"lossy bitmap": "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_seqscan = off; SET work_mem = '64kB'",
	"flat":         noIndexes + "; SET from_collapse_limit = 1; SET join_collapse_limit = 1; SET geqo_threshold = 2",
}

const noIndexes = "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off"

// spies are a function that tells what it is called with, in forms that PostgreSQL treats differently.
const spies = `
CREATE FUNCTION pg_temp.spy(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 IMMUTABLE PARALLEL SAFE
AS $$ BEGIN RAISE NOTICE 'saw %', value; RETURN true; END $$;
CREATE FUNCTION pg_temp.spy(a text, b text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 IMMUTABLE PARALLEL SAFE
AS $$ BEGIN RAISE NOTICE 'saw % and %', a, b; RETURN true; END $$;
CREATE OPERATOR pg_temp.=== (FUNCTION = pg_temp.spy, LEFTARG = text, RIGHTARG = text, RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR pg_temp.<<< (FUNCTION = pg_temp.spy, LEFTARG = text, RIGHTARG = text, RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR pg_temp.~~~ (FUNCTION = pg_temp.spy, LEFTARG = text, RIGHTARG = text, RESTRICT = likesel, JOIN = likejoinsel);`

// trials are conditions that would give away another tenant's row if they met it, for each view. Those with an asterisk fail on a row that
// is not the analyst's.
var trials = map[string][]string{
	"logs": {"pg_temp.spy(log)", "pg_temp.spy(labels::text)", "log OPERATOR(pg_temp.===) 'x'", "*(log || 'x')::regclass IS NULL"},
	"events": {
		"pg_temp.spy(type)", "pg_temp.spy(key)", "pg_temp.spy(data::text)", "pg_temp.spy(log)", "pg_temp.spy(hash::text)",
		"pg_temp.spy(recorded_at::text)", "pg_temp.spy(time::text)", "pg_temp.spy(sequence::text)", "pg_temp.spy(log_id::text)",
		"type OPERATOR(pg_temp.===) 'x'", "key OPERATOR(pg_temp.<<<) 'x'", "log OPERATOR(pg_temp.~~~) 'x%'",
		"type = 'sesame-type' AND pg_temp.spy(data::text)", "type = 'sesame-type' OR pg_temp.spy(type)",
		"*CASE WHEN data->>'word' = 'plain' THEN true ELSE (data->>'word')::int > 0 END",
		"*1 / (CASE WHEN type = 'plain-type' THEN 1 ELSE 0 END) = 1",
		"recorded_at < '2025-02-01Z' AND sequence > 3 AND pg_temp.spy(type)",
		"log_id IN (SELECT log_id FROM logs WHERE pg_temp.spy(log)) AND pg_temp.spy(type)",
	},
	"view_state": {
		"pg_temp.spy(key)", "pg_temp.spy(value::text)", "pg_temp.spy(log)", "pg_temp.spy(view)", "key OPERATOR(pg_temp.===) 'x'",
		"*CASE WHEN key LIKE 'plain%' THEN true ELSE key::int > 0 END",
	},
	"view_status": {
		"pg_temp.spy(log)", "pg_temp.spy(view)", "pg_temp.spy(error)",
		"*CASE WHEN error = 'plain' THEN true ELSE error::int > 0 END",
	},
}

// TestNothingMeetsAnotherTenantsRows runs each trial under each setting of the planner: neither rows, notices, errors nor the plan as it
// was executed have anything of the other tenant's, and the trial does see the analyst's own rows.
func TestNothingMeetsAnotherTenantsRows(t *testing.T) {
	d := newDatabase(t)
	login := newAnalyst(t, d, "default")
	for name, settings := range planners {
		s := newSession(t, as(t, d, login))
		s.must(t, "SET default_transaction_read_only = off")
		s.must(t, spies+settings)
		for view, conditions := range trials {
			for _, condition := range conditions {
				condition, fails := strings.CutPrefix(condition, "*")
				query := fmt.Sprintf("SELECT * FROM %s WHERE %s", view, condition)
				literal := strings.Contains(condition, secret) // the plan repeats the condition
				for _, form := range []string{
					query, "EXPLAIN (ANALYZE, VERBOSE, TIMING off) " + query,
					"BEGIN; DECLARE c CURSOR FOR " + query + "; FETCH ALL c; COMMIT",
				} {
					said, code := s.do(t, form)
					s.must(t, "ROLLBACK")
					if literal {
						said = strings.ReplaceAll(said, "'sesame-type'", "")
					}
					if isTheirs(said) || code != "" && code != "42P01" {
						t.Errorf("%s: %s: %s %.2000s", name, form, code, said)
					}
					if !fails && strings.Contains(condition, "spy(") && !literal && !strings.Contains(said, "saw ") {
						t.Errorf("%s: %s spied on nothing: %.500s", name, form, said)
					}
				}
			}
		}
	}
}

// values of the other tenant, and others that nobody has: an analyst's plan must not tell them apart.
const estimated = `
SELECT 'events', 'log_id', l.log_id::text, gen_random_uuid()::text FROM logs l WHERE name = 'sesame-1'
UNION ALL VALUES ('events', 'log', 'sesame-1', 'absent-1'), ('events', 'type', 'sesame-type', 'absent-type'),
    ('events', 'key', 'sesame-1-1', 'absent-1-1'), ('events', 'time', '2025-01-15 00:00:00+00', '2035-01-15 00:00:00+00'),
    ('events', 'sequence', '25', '900000'),
    ('events', 'hash', '\x' || encode(sha256('sesame1'), 'hex'), '\x' || encode(sha256('x'), 'hex')),
    ('logs', 'log', 'sesame-1', 'absent-1'), ('logs', 'last_sequence', '30', '1000000'),
    ('view_state', 'key', 'sesame/1', 'absent/1'), ('view_state', 'log', 'sesame-1', 'absent-1'),
    ('view_state', 'view', 'sesame-view', 'absent-view'), ('view_status', 'view', 'sesame-view', 'absent-view'),
    ('view_status', 'error', 'sesame', 'absent'), ('view_status', 'status', 'live', 'building')`

// TestPlansTellNothingOfOthers: what PostgreSQL expects of a condition, and the plan that it chooses, are the same for values that another
// tenant has many of and for values that nobody has. Neither does a filter's count depend on them.
func TestPlansTellNothingOfOthers(t *testing.T) {
	d := newDatabase(t)
	login := newAnalyst(t, d, "default")
	s := newSession(t, as(t, d, login))
	s.must(t, "SELECT FROM events") // search_path is the login's
	compared := 0
	for _, line := range strings.Split(newSession(t, d.DSN()).must(t, estimated), "\n") {
		cells := strings.Split(line, "|")
		view, column, theirs, nobodys := cells[0], cells[1], cells[2], cells[3]
		for _, condition := range []string{"= '?'", "> '?'", "<= '?'", "IN ('?', '?')", "<> '?'", "BETWEEN '?' AND '?'"} {
			for name, settings := range planners {
				explain := func(analyze, value string) string {
					asked := fmt.Sprintf("SELECT * FROM %s WHERE %s %s", view, column, strings.ReplaceAll(condition, "?", value))
					plan := s.must(t, "EXPLAIN (VERBOSE"+analyze+") "+asked)
					shown := strings.ReplaceAll(regexp.QuoteMeta(value), `\\`, `\\+`) // doubled in an array
					return regexp.MustCompile(`(['"{,])`+shown+`\b`).ReplaceAllString(plan, "$1…")
				}
				s.must(t, "RESET ALL; "+settings)
				if a, b := explain("", theirs), explain("", nobodys); a != b {
					t.Errorf("%s: of %s.%s %s:\n%s\nbut\n%s", name, view, column, condition, a, b)
				}
				ownToo := column == "time" || column == "status" || column == "last_sequence" || column == "sequence"
				if ownToo || settings != noIndexes || condition != "= '?'" {
					continue // the analyst has such rows, or they are compared once
				}
				compared++
				const executed = ", ANALYZE, COSTS off, TIMING off, SUMMARY off, BUFFERS off"
				if a, b := explain(executed, theirs), explain(executed, nobodys); a != b {
					t.Errorf("%s, executed: of %s.%s %s:\n%s\nbut\n%s", name, view, column, condition, a, b)
				}
			}
		}
	}
	if compared < 9 {
		t.Errorf("only %d executed plans were compared", compared)
	}
}

var removed = regexp.MustCompile(`Rows Removed by Filter: [1-9]`)

// TestOnlyOwnPartsAreRead: by itself, PostgreSQL finds a tenant's events by the index, in the months asked for; and where it is made to
// filter, it looks at a row's log before anything else that is not about time.
func TestOnlyOwnPartsAreRead(t *testing.T) {
	d := newDatabase(t)
	d.Exec(t, `INSERT INTO events (log_id, sequence, recorded_at, time, type, data, hash)
		SELECT l.log_id, n, '2025-01-20Z', now(), 'x', '{}', '\x' FROM logs l, generate_series(101, 1000) n`) // so many that the index pays
	d.Exec(t, "ANALYZE events")
	s := newSession(t, as(t, d, newAnalyst(t, d, "default")))
	for _, query := range []string{
		"SELECT count(*) FROM events WHERE log = 'plain-1' AND recorded_at < '2025-02-01Z'",
		"SELECT type, count(data) FROM events WHERE recorded_at < '2025-02-01Z' GROUP BY type",
	} {
		plan := s.must(t, "EXPLAIN (ANALYZE) "+query)
		scan, _, _ := strings.Cut(after(plan, "events_y2025m01"), "Function Scan") // of the tenant's own logs
		if strings.Contains(plan, "events_y2025m02") || !strings.Contains(plan, "events_y2025m01") {
			t.Errorf("%s reads other months:\n%s", query, plan)
		}
		if !strings.Contains(plan, "log_id = ANY") || removed.MatchString(scan) {
			t.Errorf("%s goes by more than the index:\n%s", query, plan)
		}
	}
	s.must(t, noIndexes)
	const query = "EXPLAIN (VERBOSE) SELECT FROM events WHERE time > now() AND type = 'x' AND key > 'x' AND hash <> '' AND sequence = 4"
	filter := after(s.must(t, query), "events_y2025m01")
	filter, _, _ = strings.Cut(after(filter, "Filter: "), "\n")
	first, _, _ := strings.Cut(filter, "CASE")
	if !strings.Contains(first, "log_id = ANY") {
		t.Errorf("the filter is %s", filter)
	}
}

func after(text, mark string) string {
	_, rest, _ := strings.Cut(text, mark)
	return rest
}

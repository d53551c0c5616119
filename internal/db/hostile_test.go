package db_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
)

// hostileTexts are contents of JSON strings, of every kind that parsers accept: lone surrogates, in each order and position, NUL, and both
// next to escaped backslashes, which are not part of an escape.
func hostileTexts() []string {
	units := []string{`\ud83d`, `\uDE00`, `\u0000`, `\\`, `\n`, `\u00e9`, `\uD55C`, `u0000`, `ud83d`, `x`}
	texts := []string{``}
	from := 0
	for row := range 4 { // all of up to three in a row, and some of four
		to := len(texts)
		for _, text := range texts[from:to] {
			for i, unit := range units {
				if row < 3 || (len(texts)+i)%7 == 0 {
					texts = append(texts, text+unit)
				}
			}
		}
		from = to
	}
	return append(texts, `\uD800\uDC00`, `\udbff\udfff`, `\uD7FF\uE000`, `\u0001`, `\"\ud83d\"`, `\/\u0000`)
}

// hostileValues are JSON values that are not strings.
var hostileValues = []string{
	`1e400000`, `-1E+400000`, `1e-400000`, `0e99999999999999999999`, `1e00000000000000000000000000003`, `1e999`, `1e1000`, `-0.0`, `1.50`,
	`-7e-3`, `0`,
	strings.Repeat("9", 999), strings.Repeat("9", 1001), strings.Repeat("9", 200_000), "0." + strings.Repeat("1", 20_000),
	"1" + strings.Repeat("0", 300) + "e400000",
	`"1e400000"`, `"1,000"`, `"12"`, `"1.5e3"`, `"007"`, `" 12"`, `"12\n"`, `"+1"`, `"NaN"`, `"Infinity"`, `"0x1f"`, `"1_000"`, `""`, `"-"`,
	`"#"`,
	`null`, `true`, `[]`, `{}`, `{"":""}`, `{"a":1e400000,"a":"\ud83d"}`,
	`["1e400000",1e400000,"\u0000",-1e-400000, 12 ,{"n":[1E0400000]}]`, `"\"1e400000,1e400000"`,
	strings.Repeat(`[`, jsonscan.MaxDepth-1) + strings.Repeat(`]`, jsonscan.MaxDepth-1),
	strings.Repeat(`{"a":`, jsonscan.MaxDepth-1) + `"\ud83d"` + strings.Repeat(`}`, jsonscan.MaxDepth-1),
}

// hostileDocuments are objects with the text in each kind of place, and the values. Their member "other" is ordinary; "m" is not.
func hostileDocuments(t *testing.T) []string {
	t.Helper()
	var documents []string
	for i, text := range hostileTexts() {
		documents = append(documents, [...]string{
			fmt.Sprintf(`{"m":"%s","other":7}`, text),
			fmt.Sprintf(`{"%s":1,"other":7,"m":{"deep":["%s"]}}`, text, text),
			fmt.Sprintf("\t{ \"m\" : 1 ,\r\n\"other\":7,\"m\":\"%s\"}\n ", text),
		}[i%3], fmt.Sprintf(`{"other":7,"m":"%s","again":"%s"}`, text, text))
	}
	for _, value := range hostileValues {
		documents = append(documents, fmt.Sprintf(`{"m":%s,"other":7}`, value),
			fmt.Sprintf(`{"other":7,"":"\u0000","m":"first","m":%s}`, value))
	}
	for _, document := range documents {
		if err := jsonscan.Valid([]byte(document)); err != nil {
			t.Fatalf("%s: %v", document, err)
		}
	}
	return documents
}

// readAsText returns what ->> would return for a value if text could hold every character; nil for null and for no value.
func readAsText(v jsonscan.Value) *string {
	if v.Kind == jsonscan.Missing || v.Kind == jsonscan.Null {
		return nil
	}
	text := string(v.Text)
	if v.Kind == jsonscan.Array || v.Kind == jsonscan.Object {
		text = unreadable(text)
	}
	text = strings.ReplaceAll(text, "\x00", "\ufffd")
	return &text
}

var escape = regexp.MustCompile(`\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u0000|\\u[dD][89a-fA-F]..|\\.`)

// unreadable replaces what PostgreSQL cannot read by an escaped U+FFFD, in the source of a document.
func unreadable(source string) string {
	return escape.ReplaceAllStringFunc(source, func(found string) string {
		if len(found) == len(`\uxxxx`) {
			return `\ufffd`
		}
		return found
	})
}

// jsonNumber and maxNumber define which texts are numbers.
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?0*[0-9]{1,3})?$`)

const maxNumber = 1000

// token is a string or a number of a document.
var token = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?[0-9][-+.0-9eE]*`)

// inRange replaces numbers that are out of range by null, in the source of a document.
func inRange(source string) string {
	return token.ReplaceAllStringFunc(source, func(found string) string {
		if found[0] != '"' && !isNumber(found) {
			return "null"
		}
		return found
	})
}

func isNumber(text string) bool { return len(text) <= maxNumber && jsonNumber.MatchString(text) }

func same(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

func shown(text *string) string {
	if text == nil {
		return "NULL"
	}
	return fmt.Sprintf("%.200q", *text)
}

// TestReadingHostileJSON compares the functions of schema reporting with the package that servers and views read events with.
func TestReadingHostileJSON(t *testing.T) {
	login := newLogin(t, "IN ROLE tally_analyst")
	conn := analyst(t, testdb.New(t), login)
	documents := hostileDocuments(t)
	wanted := make([]string, len(documents)) // as jsonb
	for i, document := range documents {
		wanted[i] = inRange(unreadable(document))
	}
	pointers, err := jsonscan.Compile([]string{"/m"})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(t.Context(), `
		SELECT reporting.get_text(document, 'm'), reporting.safe(document)->>'m', reporting.get_number(document, 'm')::text,
		reporting.safe(document)::text,
		       reporting.get_number(document, 'other') = 7 AND reporting.get_text(document, 'other') = '7' AND
		           reporting.get_jsonb(document, 'other') = '7',
		       reporting.get_time(document, 'm') IS NULL AND reporting.get_text(document, 'none') IS NULL AND
		           reporting.get_jsonb(document, 'none') IS NULL,
		       reporting.jsonb_or_null(document) = wanted::jsonb AND reporting.get_jsonb(document, 'm') = wanted::jsonb->'m'
		FROM unnest($1::text[]::json[], $2::text[]) WITH ORDINALITY AS d (document, wanted, place) ORDER BY place`, documents, wanted)
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	var text, again, number, safe *string
	var other, none, asJSONB *bool
	if _, err := pgx.ForEachRow(rows, []any{&text, &again, &number, &safe, &other, &none, &asJSONB}, func() error {
		document := documents[read]
		read++
		values := make([]jsonscan.Value, 1)
		if err := pointers.Scan([]byte(document), values); err != nil {
			return err
		}
		want := readAsText(values[0])
		if !same(text, want) || !same(again, want) {
			t.Errorf("%.200s: m as text is %s and %s, want %s", document, shown(text), shown(again), shown(want))
		}
		if (want != nil && isNumber(*want)) != (number != nil) {
			t.Errorf("%.200s: m as a number is %s", document, shown(number))
		}
		if safe == nil || *safe != unreadable(document) {
			t.Errorf("%.200s: made safe it is %s", document, shown(safe))
		}
		for what, right := range map[string]*bool{"another member": other, "what is not there": none, "as jsonb": asJSONB} {
			if right == nil || !*right {
				t.Errorf("%.200s: %s is not right", document, what)
			}
		}
		return nil
	}); err != nil {
		t.Fatalf("after %d documents: %v", read, err)
	}
	if read != len(documents) || read < 4_000 {
		t.Errorf("%d of %d documents were read", read, len(documents))
	}
}

// TestReadingNothing: NULL in, NULL out.
func TestReadingNothing(t *testing.T) {
	conn := connect(t, testdb.New(t).DSN())
	for _, call := range []string{
		"safe(NULL)", "replace_unreadable(NULL)", "jsonb_or_null(NULL)", "number_or_null(NULL)", "time_or_null(NULL)",
		"get_text(NULL, 'm')", "get_number(NULL, 'm')",
		"get_time(NULL, 'm')", "get_jsonb(NULL, 'm')", "get_text('{}', NULL)", "get_number('[1]', 'm')", "get_text('7', 'm')",
		"get_jsonb('\"m\"', 'm')",
	} {
		var null bool
		if err := conn.QueryRow(t.Context(), "SELECT reporting."+call+" IS NULL").Scan(&null); err != nil || !null {
			t.Errorf("%s is not NULL, %v", call, err)
		}
	}
}

// TestReadingTimes: a text that servers accept as a time is read as that time, to the microsecond, and no text makes a query fail.
func TestReadingTimes(t *testing.T) {
	var texts []string
	for _, year := range []string{"0000", "0001", "1900", "2000", "2023", "2024", "9999"} {
		for month := range 14 {
			for day := range 33 {
				texts = append(texts, fmt.Sprintf("%s-%02d-%02dT12:00:00Z", year, month, day))
			}
		}
	}
	clocks := []string{
		"00:00:00", "23:59:59", "23:59:60", "24:00:00", "23:60:00", "23:59:61", "1:02:03", "01:02", "-1:00:00", "0a:00:00", "99:99:99",
	}
	fractions := []string{"", ".", ".5", ".123456", ".9999999", ".000000999999999", ",5", ".5x", "." + strings.Repeat("9", 100)}
	zones := []string{
		"", "Z", "z", "+00:00", "-00:00", "+05:30", "-14:00", "+15:59", "+16:00", "-23:59", "+24:00", "+00:60", "+0100", "+01",
		" Z", "Z ", "Z\n", "UTC", "PST", " BC",
	}
	for _, clock := range clocks {
		for _, fraction := range fractions {
			for _, zone := range zones {
				texts = append(texts, "2024-02-29T"+clock+fraction+zone, "2024-02-29t"+clock+fraction+zone)
			}
		}
	}
	texts = append(texts, "", "now", "today", "infinity", "epoch", "2024-02-29", "2024-02-29 12:00:00Z", "20240229T120000Z",
		"+2024-02-29T12:00:00Z", "12024-02-29T12:00:00Z",
		"٢٠٢٤-02-29T12:00:00Z", strings.Repeat("2024-02-29T12:00:00Z", 5000))
	conn := connect(t, testdb.New(t).DSN())
	read := 0
	for _, zone := range []string{"UTC", "Asia/Kathmandu"} {
		execute(t, conn, "SET timezone = '"+zone+"'", "SET datestyle = 'German, DMY'")
		rows, err := conn.Query(t.Context(),
			`SELECT text, reporting.get_time(json_build_object('at', text), 'at') FROM unnest($1::text[]) text`, texts)
		if err != nil {
			t.Fatal(err)
		}
		var text string
		var got *time.Time
		if _, err := pgx.ForEachRow(rows, []any{&text, &got}, func() error {
			read++
			e, err := event.Parse(fmt.Appendf(nil, `{"time":%q}`, text))
			if err != nil || strings.Contains(text, ":60") {
				return nil //nolint:nilerr // servers do not take it, and so nothing is said of it here
			}
			beyond := strings.HasPrefix(text, "0000") || strings.HasSuffix(text, "+16:00") || strings.HasSuffix(text, "-23:59")
			if want := time.UnixMicro(e.Time).UTC(); beyond != (got == nil) || got != nil && !got.Equal(want) {
				t.Errorf("%q is %v, want %v", text, got, want)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if read < 2*7000 {
		t.Errorf("only %d texts were read", read)
	}
}

// appendHostile creates a log whose events, views and labels contain what PostgreSQL cannot read, as far as servers accept it. It returns
// the number of state values and the number of idempotency keys.
func appendHostile(t *testing.T, d *testdb.Database) (values, keys int) {
	t.Helper()
	now := time.Date(2025, 4, 20, 12, 0, 0, 0, time.UTC)
	node := testrig.Start(t, d.DSN(), testrig.Settings{Now: func() time.Time { return now }})
	log, err := node.Logs.Create(t.Context(), db.DefaultTenant, "a-hostile", map[string]string{"team": "x"})
	if err != nil {
		t.Fatal(err)
	}
	d.Exec(t, "UPDATE log_heads SET recorded_at = $2 WHERE log_id = $1", log.ID, now)
	d.Exec(t, `UPDATE logs SET labels = '{"team":"\ud83d","n":1e400000,"\u0000":1}' WHERE log_id = $1`, log.ID)
	for _, view := range []string{"monthly-totals", "cost-by-team"} {
		node.Deploy(t, log.ID, view, testrig.Scripted(), "{}") // sets what the events say
	}
	var events []event.Event
	for i, text := range hostileTexts() {
		if i%97 != 0 && len(text) > len(`\ud83d\ud83d`) {
			continue // enough of the long ones
		}
		total := fmt.Sprintf(`{"tokens_in":"%[1]s","%[1]s":1,"cost":1e400000,"requests":%[2]d}`, text, i)
		script := testrig.ScriptEvent(testrig.Line("set", fmt.Sprintf("2025-03/%d", i), total))
		const fields = `{"type":"api.call","team":"%[1]s","model":"%[1]s","tokens_in":"%[1]s","tokens_out":%[2]d,"%[1]s":{"n":["%[1]s"]},`
		document := fmt.Sprintf(fields, text, i) + script[1:]
		e, err := event.Parse(fmt.Appendf(nil, `{"id":"%d%s",%s`, i, text, document[1:]))
		if err != nil { // a key that holds a control character
			e = testrig.Parse(t, document, "")
		} else if strings.Contains(e.Key, "\ufffd") {
			keys++
		}
		events = append(events, e)
	}
	for i, value := range hostileValues {
		document := `{"type":"api.call","model":"gpt-4","tokens_in":` + value + `}`
		if len(value) < maxNumber {
			const job = `{"type":"job","team":%[1]s,"tokens_in":%[1]s,"tokens_out":%[1]s,"seconds":%[1]s,"usage":%[1]s,"started":%[1]s}`
			document = fmt.Sprintf(job, value)
		}
		if strings.Count(value, "[")+strings.Count(value, "{") < jsonscan.MaxDepth && len(value) < maxNumber {
			script := testrig.ScriptEvent(testrig.Line("set", fmt.Sprintf("2025-03/v%d", i), `{"tokens_in":`+value+`}`))
			document = document[:len(document)-1] + "," + script[1:]
		}
		events = append(events, testrig.Parse(t, document, ""))
	}
	node.Append(t, log.ID, events...)
	node.Stop(t)
	conn := connect(t, d.DSN())
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM view_state WHERE log_id = $1", log.ID).Scan(&values); err != nil {
		t.Fatal(err)
	}
	return values, keys
}

// cells returns the rows of a formatted table, whatever the width of its columns.
func cells(table string) []string {
	var rows []string
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, " ") {
			rows = append(rows, strings.Join(strings.Fields(line), " "))
		}
	}
	return rows
}

// TestSQLDocsOnHostileRows runs each query of docs/sql.md beside a log of hostile events, state and labels: none fails, and the results for
// ordinary logs stay the same, whatever the plan.
func TestSQLDocsOnHostileRows(t *testing.T) {
	source, err := os.ReadFile("../../docs/sql.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string][]string{}
	for i, part := range strings.Split(string(source), "```") {
		if kind, body, ok := strings.Cut(part, "\n"); ok && i%2 == 1 {
			blocks[kind] = append(blocks[kind], body)
		}
	}
	login := newLogin(t, "IN ROLE tally_analyst")
	d := testdb.New(t)
	appendExamples(t, d, blocks["text events"][0], blocks["json config"][0])
	conn := analyst(t, d, login)
	execute(t, conn, "SET timezone = 'UTC'")
	before := map[string][]string{}
	for _, query := range blocks["sql query"] {
		before[query] = cells(table(t, conn, query))
	}
	if values, keys := appendHostile(t, d); values < 150 || keys < 10 {
		t.Fatalf("there are %d values of state and %d keys", values, keys)
	}
	for _, trap := range []string{
		"SELECT data->>'model' FROM reporting.events", "SELECT data::jsonb FROM reporting.events WHERE sequence > 1",
		"SELECT value->>'cost' FROM reporting.view_state",
		"SELECT labels->>'team' FROM reporting.logs", "SELECT FROM reporting.events WHERE log = 'customer-acme' AND data->>'model' = 'm'",
	} {
		if code, _ := outcome(t, conn, trap); code == "" && !strings.Contains(trap, "customer-acme") {
			t.Errorf("%s meets nothing hostile", trap)
		}
	}
	for _, plan := range [][]string{
		{},
		{"SET enable_indexscan = off", "SET enable_bitmapscan = off", "SET enable_nestloop = off"},
		{
			"SET parallel_setup_cost = 0", "SET parallel_tuple_cost = 0",
			"SET min_parallel_table_scan_size = 0", "SET min_parallel_index_scan_size = 0",
		},
	} {
		execute(t, conn, plan...)
		for _, query := range blocks["sql query"] {
			after := cells(table(t, conn, query))
			for _, row := range before[query] {
				if !slices.Contains(after, row) {
					t.Errorf("with %q, %s\nno longer returns %s but\n%.3000s", plan, query, row, strings.Join(after, "\n"))
				}
			}
		}
		const acme = "SELECT count(*)::text FROM reporting.events " +
			"WHERE log = 'customer-acme' AND reporting.get_text(data, 'model') = 'gpt-4'"
		const total = "FROM reporting.view_state WHERE log = 'a-hostile' AND key = '2025-03/2'"
		for query, want := range map[string]string{
			"SELECT reporting.get_text(labels, 'team') FROM reporting.logs WHERE log = 'a-hostile'": "\ufffd",
			"SELECT count(DISTINCT reporting.get_text(labels, 'team'))::text FROM reporting.logs":   "1",
			"SELECT max(reporting.get_number(value, 'requests'))::text " + total:                    "2",
			"SELECT count(reporting.jsonb_or_null(value))::text " + total:                           "2",
			acme: "4",
			"SELECT (count(*) > 10)::text FROM reporting.events WHERE key LIKE '%\ufffd%'": "true",
		} {
			if got := lines(t, conn, query); len(got) != 1 || got[0] != want {
				t.Errorf("%s returns %q, want %q", query, got, want)
			}
		}
	}
	testrig.Check(t, d.DSN())
}

// TestReadingFunctions: functions that read JSON run with the caller's rights and allow parallel plans, and those that are expressions are
// inlined, so that the planner knows their cost.
func TestReadingFunctions(t *testing.T) {
	login := newLogin(t, "IN ROLE tally_analyst")
	d := testdb.New(t)
	conn := analyst(t, d, login)
	wrong := lines(t, conn, `SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'reporting'::regnamespace
		AND (prosecdef OR proparallel <> 's' OR provolatile = 'v' OR obj_description(oid, 'pg_proc') NOT LIKE '%.')`)
	if len(wrong) > 0 {
		t.Errorf("%v have the caller's plans or rights wrong, or no comment", wrong)
	}
	page, err := os.ReadFile("../../docs/sql.md")
	if err != nil {
		t.Fatal(err)
	}
	names := lines(t, conn, "SELECT DISTINCT proname::text FROM pg_proc WHERE pronamespace = 'reporting'::regnamespace")
	if len(names) < 9 {
		t.Errorf("there are only %v", names)
	}
	for _, name := range names {
		if !strings.Contains(string(page), "`reporting."+name+"(") {
			t.Errorf("docs/sql.md does not name reporting.%s", name)
		}
	}
	plan := strings.Join(lines(t, conn, `EXPLAIN (VERBOSE)
		SELECT reporting.get_text(data, 'a'), reporting.get_number(data, 'a'), reporting.get_time(data, 'a'),
		reporting.get_jsonb(data, 'a'), reporting.number_or_null(reporting.safe(data)->'a'->>'b') FROM reporting.events`), "\n")
	if strings.Contains(plan, "get_") || strings.Contains(plan, "reporting.safe(") || strings.Count(plan, "replace_unreadable(") < 5 {
		t.Errorf("not all calls are expressions in\n%s", plan)
	}
}

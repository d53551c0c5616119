package db_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/views"
)

var tenantViews = regexp.MustCompile(`\breporting\.(logs|events|view_state|view_status)\b`)

var update = flag.Bool("update", false, "write the results in docs/sql.md anew")

// TestSQLDocs runs docs/sql.md: it appends the events of the "text events" block, at their times of recording, to logs with both views,
// creates the analyst of the "sql admin" block, runs each "sql query" as that login, and compares the result with the "text result" that
// follows. An analyst of the events' tenant gets the same from tenant_reporting. With -update it rewrites the results.
func TestSQLDocs(t *testing.T) {
	const file = "../../docs/sql.md"
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var (
		events, config, query, agreement string
		analyst, tenants                 *pgx.Conn // the operator's, and one of the events' tenant
		asked                            int
	)
	login := newLogin(t, "") // the page creates it; this provides its name and drops it
	tenantLogin := newLogin(t, "IN ROLE tally_tenant_analyst")
	d := testdb.New(t)
	parts := strings.Split(string(source), "```")
	for i := 1; i < len(parts); i += 2 {
		kind, body, _ := strings.Cut(parts[i], "\n")
		switch kind {
		case "sql admin":
			body = strings.NewReplacer("ann", login, "CREATE ROLE", "ALTER ROLE", "…", password).Replace(body)
			d.Exec(t, strings.Replace(body, " IN ROLE tally_analyst;", "; GRANT tally_analyst TO "+login+";", 1))
			analyst = connect(t, as(t, d.DSN(), login))
			d.Exec(t, "INSERT INTO analysts (login, tenant_id, created_by) VALUES ($1, $2, '')", tenantLogin, db.DefaultTenant)
			tenants = connect(t, as(t, d.DSN(), tenantLogin))
			execute(t, tenants, "SET timezone = 'UTC'")
		case "text events":
			events = body
		case "json config":
			config = body
			appendExamples(t, d, events, config)
		case "sql query":
			query = body
			if strings.Contains(query, "EXCEPT") {
				agreement = query
			}
		case "text result":
			asked++
			got := table(t, analyst, query)
			if as := table(t, tenants, tenantViews.ReplaceAllString(query, "tenant_$0")); as != got {
				t.Errorf("%s: for the tenant's analyst, %s returns\n%s\nnot\n%s", file, query, as, got)
			}
			if *update {
				parts[i] = kind + "\n" + got
			} else if got != body {
				t.Errorf("%s: %s returns\n%s\nnot\n%s", file, query, got, body)
			}
		}
	}
	if asked < 11 {
		t.Errorf("only %d queries were run", asked)
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(parts, "```")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, change := range []string{
		"DELETE FROM events", "SELECT FROM events", "CREATE TABLE reporting.mine (n integer)", "CREATE TABLE public.mine (n integer)",
	} {
		execute(t, analyst, "SET default_transaction_read_only = off")
		if code, message := outcome(t, analyst, change); code != "42501" {
			t.Errorf("the analyst's %s: %s %s", change, code, message)
		}
		execute(t, analyst, "RESET default_transaction_read_only")
		if code, message := outcome(t, analyst, change); code != "42501" && code != "25006" {
			t.Errorf("the analyst's %s: %s %s", change, code, message)
		}
	}
	testrig.Check(t, d.DSN())
	testrig.StateToRows(t, d.DSN())
	d.Exec(t, `UPDATE view_state_rows SET value = '{"tokens_in":1350,"tokens_out":601}'
		WHERE key = '2025-03/gpt-4' AND value->>'tokens_in' = '1350'`)
	if got := table(t, analyst, agreement); !strings.Contains(got, "601") || !strings.Contains(got, "(2 rows)") {
		t.Errorf("with a total that was edited, events and state compare as\n%s", got)
	}
}

// appendExamples creates the logs with both views and appends each event at its time of recording.
func appendExamples(t *testing.T, d *testdb.Database, events, config string) {
	t.Helper()
	now := time.Now()
	node := testrig.Start(t, d.DSN(), testrig.Settings{Now: func() time.Time { return now }})
	logs := map[string]uuid.UUID{}
	for line := range strings.Lines(events) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		recorded, data, _ := strings.Cut(strings.TrimSpace(rest), " ")
		var err error
		if now, err = time.Parse(time.RFC3339, recorded); err != nil {
			t.Fatal(err)
		}
		if _, ok := logs[name]; !ok {
			log, err := node.Logs.Create(t.Context(), db.DefaultTenant, name, nil)
			if err != nil {
				t.Fatal(err)
			}
			logs[name] = log.ID
			// A log records nothing before its creation.
			d.Exec(t, "UPDATE log_heads SET recorded_at = $2 WHERE log_id = $1", log.ID, now)
			node.Deploy(t, log.ID, "monthly-totals", views.MonthlyTotals(), "{}")
			node.Deploy(t, log.ID, "cost-by-team", views.CostByTeam(), config)
		}
		node.Append(t, logs[name], testrig.Parse(t, data, ""))
	}
	node.Stop(t)
}

// table formats a query's result in columns, with the values as PostgreSQL writes them.
func table(t *testing.T, conn *pgx.Conn, query string) string {
	t.Helper()
	rows, err := conn.Query(t.Context(), query, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var cells [][]string
	header := make([]string, len(rows.FieldDescriptions()))
	for i, column := range rows.FieldDescriptions() {
		header[i] = column.Name
	}
	cells = append(cells, header)
	for rows.Next() {
		row := make([]string, len(header))
		for i, value := range rows.RawValues() {
			row[i] = string(value)
		}
		cells = append(cells, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return laidOut(cells)
}

func laidOut(cells [][]string) string {
	widths := make([]int, len(cells[0]))
	for _, row := range cells {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for n, row := range cells {
		var line strings.Builder
		for i, cell := range row {
			fmt.Fprintf(&line, " %-*s |", widths[i], cell)
		}
		fmt.Fprintln(&b, strings.TrimRight(strings.TrimSuffix(line.String(), "|"), " "))
		if n == 0 {
			for i, width := range widths {
				if i > 0 {
					b.WriteByte('+')
				}
				b.WriteString(strings.Repeat("-", width+2))
			}
			b.WriteByte('\n')
		}
	}
	if rows := len(cells) - 1; rows == 1 {
		b.WriteString("(1 row)\n")
	} else {
		fmt.Fprintf(&b, "(%d rows)\n", rows)
	}
	return b.String()
}

// TestReportingIsExplained: every view and every column has a comment, and docs/sql.md names it.
func TestReportingIsExplained(t *testing.T) {
	page, err := os.ReadFile("../../docs/sql.md")
	if err != nil {
		t.Fatal(err)
	}
	conn := connect(t, testdb.New(t).DSN())
	rows, err := conn.Query(t.Context(), `
		SELECT c.relname, coalesce(a.attname, ''),
			coalesce(CASE WHEN a.attnum IS NULL THEN obj_description(c.oid, 'pg_class') ELSE col_description(c.oid, a.attnum) END, '')
		FROM pg_class c
		LEFT JOIN LATERAL (SELECT NULL::name AS attname, NULL::smallint AS attnum UNION ALL
			SELECT attname, attnum FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0) a ON true
		WHERE c.relnamespace = 'reporting'::regnamespace`)
	if err != nil {
		t.Fatal(err)
	}
	explained := 0
	var view, column, comment string
	if _, err := pgx.ForEachRow(rows, []any{&view, &column, &comment}, func() error {
		explained++
		if !strings.HasSuffix(comment, ".") {
			t.Errorf("reporting.%s %s has the comment %q", view, column, comment)
		}
		if column != "" && !strings.HasSuffix(column, "_at") && !strings.Contains(string(page), "`"+column+"`") ||
			!strings.Contains(string(page), "`reporting."+view+"`") {
			t.Errorf("docs/sql.md does not name %s of reporting.%s", column, view)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if explained < 4+7+9+6+16 {
		t.Errorf("only %d comments were read", explained)
	}
}

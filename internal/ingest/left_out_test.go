package ingest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/views"
)

// TestLeftOutIsCounted appends events of which the ready views cannot count something. What they keep, folded as the events come and
// built from history, is what the checker's models keep, and PostgreSQL can read it.
func TestLeftOutIsCounted(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	deployReadyViews(t, node, log)
	amounts := []string{
		`1`, `"1,000"`, `1e18`, `1e45`, `"1e-28"`, `"NaN"`, `true`, `[1]`, `{"n":1}`, `""`, `null`, strings.Repeat("9", 45),
		strings.Repeat("9", 46), `"12.50"`, `"\u0000"`,
	}
	names := []string{
		`"a"`, `["a"]`, `{"name":"a"}`, `"nul\u0000"`, `"\ud83d"`, `null`, `7`, `"` + strings.Repeat("x", 1006) + `"`,
		`"` + strings.Repeat("x", 1007) + `"`, `"` + strings.Repeat("x", 1017) + `"`,
	}
	var events []event.Event
	for i, in := range amounts {
		for j, name := range names {
			out := amounts[(i*j+j)%len(amounts)]
			events = append(events, testrig.Parse(t, fmt.Sprintf(
				`{"time":"2025-0%d-01T10:05:30Z","model":%s,"team":%s,"tokens_in":%s,"tokens_out":%s}`,
				1+j%2, name, names[(i+j)%len(names)], in, out), ""))
		}
	}
	node.Append(t, log, events...)
	node.Deploy(t, log, "late-totals", views.MonthlyTotals(), "{}")
	node.Deploy(t, log, "late-rates", views.RateCheck(), "{}")
	node.Deploy(t, log, "late-costs", views.CostByTeam(), prices)
	testrig.Check(t, d.DSN())

	conn, err := pgx.Connect(t.Context(), d.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) //nolint:errcheck // the test is over
	var counted, last int64
	err = conn.QueryRow(t.Context(), `SELECT count(value->>'last_sequence'), max((value->>'last_sequence')::bigint)
		FROM view_state WHERE log_id = $1 AND key LIKE 'uncounted/%'`, log).Scan(&counted, &last)
	if err != nil || counted < 10 || last != int64(len(events)) {
		t.Errorf("%d keys of what is left out, the last of event %d of %d: %v", counted, last, len(events), err)
	}
}

package intake

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/ingest"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
)

// TestViewsOfRejects: whatever views of a log of rejects do, that need too much, write too much or fail, a gateway is answered as without
// them: what can be stored is, each reject is kept once and in its order, and a delivery that comes again finds all of it.
func TestViewsOfRejects(t *testing.T) {
	const lines = 400
	const number = "#" // stands in scripts for the number of the line
	for name, c := range map[string]struct {
		script string // of each reject
		status string // of the view in the end
	}{
		"too costly": {testrig.Line("spin", 50), "live"},
		"too large":  {testrig.Line("set", number, `"`+strings.Repeat("x", 2<<10)+`"`), "live"},
		"trap":       {testrig.Line("trap"), "halted"},
		"fail":       {testrig.Line("fail", "no"), "halted"},
	} {
		t.Run(name, func(t *testing.T) {
			d := testdb.New(t)
			n := startDesk(t, d.DSN(), testrig.Settings{Room: memory.NewBook(256<<10, 0, 0)})
			log, err := n.Logs.Create(t.Context(), db.DefaultTenant, RejectsOf("gateway"), nil)
			if err != nil {
				t.Fatal(err)
			}
			n.Deploy(t, log.ID, "scripted", testrig.ScriptedByDetail(), "{}")
			script := func(line int) string { return strings.ReplaceAll(c.script, number, fmt.Sprint(line)) }
			if c.status == "live" { // so many at once are more than the view may take
				var records []string
				for i := range lines {
					records = append(records, fmt.Sprintf(`{"detail":%q,"id":"%d"}`, script(i), i))
				}
				_, err := n.Ingest.Append(log.ID, requestOf(t, records))
				if !errors.As(err, new(*ingest.TooCostlyError)) && !errors.Is(err, memory.ErrFull) {
					t.Fatalf("all at once: %v; the view is %v", err, query[string](t, d.DSN(), "SELECT status FROM view_versions"))
				}
			}
			deliver := func() Summary {
				t.Helper()
				s := sourceOf(t, `{"log": "good", "id": "{/id}", "create": {}, "keep": "bytes"}`)
				delivery := n.in.Deliver(s, Sender{Tenant: db.DefaultTenant, Sees: anyLog}, Events)
				for i := range lines {
					err := delivery.Refuse(t.Context(), fmt.Appendf(nil, "line %d", i), true, "unreadable", script(i))
					if err := errors.Join(err, delivery.Add(t.Context(), fmt.Appendf(nil, `{"id":"%d"}`, i))); err != nil {
						t.Fatal(err)
					}
				}
				summary, err := delivery.Finish(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return summary
			}
			if got := deliver(); got.Stored != lines || got.Rejected != lines {
				t.Errorf("%+v", got)
			}
			if got := deliver(); got.Duplicates != lines || got.Rejected != lines {
				t.Errorf("again: %+v", got)
			}
			kept := rejects(t, d.DSN())
			if len(kept) != lines {
				t.Fatalf("%d rejects are kept", len(kept))
			}
			for i, r := range kept {
				if r.Raw != fmt.Sprint("line ", i) || r.Detail != script(i) {
					t.Errorf("reject %d is of %s", i, r.Raw)
				}
			}
			if got := query[string](t, d.DSN(), "SELECT status FROM view_versions"); !slices.Equal(got, []string{c.status}) {
				t.Errorf("the view is %v", got)
			}
		})
	}
}

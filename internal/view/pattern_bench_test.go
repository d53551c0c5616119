package view_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

// BenchmarkPattern measures how long it takes until a view is live on 10,000 logs with ten events each: deployed, deployed
// anew, and retired.
func BenchmarkPattern(b *testing.B) {
	const logs = 10_000
	d := testdb.New(b)
	node := testrig.Start(b, d.DSN(), testrig.Settings{})
	began := time.Now()
	for i := range logs {
		log, err := node.Logs.Create(b.Context(), db.DefaultTenant, fmt.Sprint("customer-", i), nil)
		if err != nil {
			b.Fatal(err)
		}
		node.Append(b, log.ID, counted(b, 0, 10)...)
	}
	b.Logf("made the logs in %v", time.Since(began))
	revisions := [][]byte{views.MonthlyTotals(), views.RateCheck()}
	for n := 0; b.Loop(); n++ {
		began := time.Now()
		revision := view.Deployment{Code: revisions[n%2], Config: []byte("{}")}
		_, err := node.Views.DeployPattern(b.Context(), db.DefaultTenant, "v", "customer-*", revision)
		if err != nil {
			b.Fatal(err)
		}
		spread := time.Duration(0)
		for tick := time.NewTicker(500 * time.Millisecond); ; <-tick.C { // counting 10,000 logs is work of its own
			info, err := node.Views.Pattern(b.Context(), db.DefaultTenant, "v")
			if err != nil {
				b.Fatal(err)
			}
			if !info.Spreading && spread == 0 {
				spread = time.Since(began)
			}
			counts, err := node.Views.PatternLogs(b.Context(), db.DefaultTenant, info)
			if err != nil {
				b.Fatal(err)
			}
			if counts.Live == logs {
				break
			}
		}
		b.Logf("spread in %v, live in %v", spread, time.Since(began))
	}
	began = time.Now()
	for i := range 200 {
		if _, err := node.Logs.Create(b.Context(), db.DefaultTenant, fmt.Sprint("customer-later-", i), nil); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("a later log takes %v to create", time.Since(began)/200)
}

// Package views carries the ready-made views as compiled WebAssembly modules: monthly_totals, rate_check,
// cost_by_team, meter and quota. Each view's source says what it counts and which queries it answers; make -C views builds dist from
// the sources, and make -C views check proves that the two agree.
package views

import _ "embed"

var (
	//go:embed dist/monthly_totals.wasm
	monthlyTotals []byte
	//go:embed dist/rate_check.wasm
	rateCheck []byte
	//go:embed dist/cost_by_team.wasm
	costByTeam []byte
	//go:embed dist/meter.wasm
	meter []byte
	//go:embed dist/quota.wasm
	quota []byte
)

// MonthlyTotals returns the view of each model's tokens per UTC month. The bytes are shared: do not change them.
func MonthlyTotals() []byte { return monthlyTotals }

// RateCheck returns the view of requests and tokens per minute, for rate limits. The bytes are shared: do not change them.
func RateCheck() []byte { return rateCheck }

// CostByTeam returns the view of each team's usage and cost per UTC month, by the prices in its configuration. The bytes are
// shared: do not change them.
func CostByTeam() []byte { return costByTeam }

// Meter returns the view that a configuration makes a meter of: counts, sums, extremes, averages, latest and unique values and
// percentiles by groups and windows of time. docs/meter.md is its reference. The bytes are shared: do not change them.
func Meter() []byte { return meter }

// Quota returns the view that a configuration makes a quota of: limits per window, credits and reservations, with a guard that refuses
// events beyond them. docs/quota.md is its reference. The bytes are shared: do not change them.
func Quota() []byte { return quota }

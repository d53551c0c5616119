package bench

import (
	"fmt"
	"slices"
)

// viewRows are the rows about views: their cost, and the damage that hostile ones do.
func viewRows() []rowKind {
	rows := []rowKind{
		{
			name: "gas", what: "a fold of monthly_totals, metered ÷ bare", unit: "×", atMost: 1.15,
			needs: []string{foldMetered, foldBare},
			value: func(f figures, s *stage) (float64, string) {
				return s.medianValue(gasRatio), fmt.Sprintf("%s %s/s, %s %s/s",
					foldMetered, count(f[foldMetered].PerSecond), foldBare, count(f[foldBare].PerSecond))
			},
		},
		foldRow("fold-c", "a fold of monthly_totals by the C kit, its fields read from JSON", foldKit+"c", 0.6),
		foldRow("fold-rust", "the same by the Rust kit", foldKit+"rust", 0.6),
		foldRow("fold-typescript", "the same by the TypeScript kit", foldKit+"typescript", 0.8),
		foldRow("fold-go", "the same by the Go kit", foldKit+"go", 1),
		foldRow("fold-ready", "the same by the ready view", foldReady, 0.6),
		foldRow("fold-meter", "a fold of meter: a sum by two groups per hour", foldMeter, 0.9),
		{
			name: "reset", what: "a session on a pristine instance of 1 MiB, without the fold itself", unit: "µs", atMost: 10,
			needs: []string{resetTiny, resetMiB, resetMiBWhole, resetFold},
			value: func(f figures, _ *stage) (float64, string) {
				figures := ""
				for i, name := range []string{resetMiB, resetFold, resetTiny, resetMiBWhole} {
					if i > 0 {
						figures += "; "
					}
					figures += fmt.Sprintf("%s %.3f µs", name, f[name].P50)
				}
				return f[resetMiB].P50 - f[resetFold].P50, figures
			},
		},
	}
	return slices.Concat(rows, rebuildRows(), hostileRows(), []rowKind{memoryAttacksRow()})
}

func memoryAttacksRow() rowKind {
	row := rowKind{
		name: "memory-attacks", what: "the most that a server with a limit of 1 GiB held while clients tried to fill its memory",
		unit: "MB", atMost: attackedMemory / 1e6,
	}
	for i := range memoryAttacks {
		row.needs = append(row.needs, memoryAttack+memoryAttacks[i].name)
	}
	row.value = func(f figures, s *stage) (worst float64, text string) {
		for i := range memoryAttacks {
			name := memoryAttacks[i].name
			peak, beside := s.medianValue(memoryPeak+name)/1e6, f[memoryAttack+name]
			worst = max(worst, peak)
			if text != "" {
				text += "; "
			}
			text += fmt.Sprintf("%s %.0f MB, %.0f refused, %.0f cut off, appends beside it p50 %.1f ms, longest %.0f ms",
				name, peak, s.medianValue(memoryRefused+name), s.medianValue(memoryCut+name), beside.P50, beside.Longest)
		}
		return worst, text
	}
	return row
}

func rebuildRows() []rowKind {
	return []rowKind{
		{
			name: "rebuild", what: "building a view from 1,000,000 events", unit: "/s", atLeast: 550_000, needs: []string{rebuildAlone},
			value: func(f figures, s *stage) (float64, string) {
				alone := f[rebuildAlone]
				return alone.PerSecond, fmt.Sprintf("processor time for an event: %.1f µs in the server, %.1f µs in PostgreSQL",
					alone.ServerCPU, alone.PostgresCPU)
			},
		}, {
			name: "rebuild-appends", what: "appends to other logs meanwhile ÷ without", unit: "×", atLeast: 0.8,
			needs: []string{rebuildBeside, appendRebuilt, appendUnbuilt},
			value: func(f figures, _ *stage) (float64, string) {
				value, text := ratio(f[appendRebuilt], f[appendUnbuilt])
				return value, text + ", the view at " + count(f[rebuildBeside].PerSecond) + "/s"
			},
		},
	}
}

// leastGrowth, in MB, stands for no growth, since a value of 0 means not measured.
const leastGrowth = 0.01

func hostileRows() []rowKind {
	var rows []rowKind
	for i := range attacks {
		name := attacks[i].name
		rows = append(rows, rowKind{
			name: "hostile-" + name, what: "from the upload until it is contained: " + attacks[i].what,
			unit: "s", atMost: 2, needs: []string{attackAlone + name},
			value: func(f figures, _ *stage) (float64, string) {
				return f[attackAlone+name].P50 / 1000,
					fmt.Sprintf("longest of all while 64 connections append: %.3f s", f[attackLoaded].P99/1000)
			},
		})
	}
	return append(rows, rowKind{
		name: "hostile-appends", what: "99 of 100 appends to other logs while all of these go on ÷ without", unit: "×", atMost: 2,
		needs: []string{appendHostile, appendCalm},
		value: func(f figures, _ *stage) (float64, string) {
			beside, calm := f[appendHostile], f[appendCalm]
			if calm.P99 == 0 {
				return 0, ""
			}
			return beside.P99 / calm.P99, fmt.Sprintf("p99 %.3f ms ÷ %.3f ms; the longest %.3f ms and %.3f ms; %s/s and %s/s",
				beside.P99, calm.P99, beside.Longest, calm.Longest, count(beside.PerSecond), count(calm.PerSecond))
		},
	}, rowKind{
		name: "hostile-memory", what: "what the server's memory grew by over all of these", unit: "MB", atMost: 20,
		needs: []string{appendHostile},
		value: func(_ figures, s *stage) (float64, string) {
			before, after := s.medianValue(rssBefore)/1e6, s.lastValue(rssAfter)/1e6
			if before == 0 {
				return 0, ""
			}
			return max(after-before, leastGrowth), fmt.Sprintf("from %.0f MB to %.0f MB", before, after)
		},
	})
}

// foldRow is the time of one fold: the median of turns of 1,000 folds, whose milliseconds are microseconds of one fold.
func foldRow(name, what, figure string, atMost float64) rowKind {
	return rowKind{
		name: name, what: what, unit: "µs", atMost: atMost, needs: []string{figure},
		value: func(f figures, _ *stage) (float64, string) {
			if f[figure].PerSecond == 0 {
				return 0, ""
			}
			return f[figure].P50,
				fmt.Sprintf("%s %s/s; in 1 of 100 turns %.3f µs and more", figure, count(f[figure].PerSecond), f[figure].P99)
		},
	}
}

package bench

import (
	"fmt"
	"slices"
	"strconv"
)

// Row compares two figures, or one with a limit.
type Row struct {
	Name    string  `json:"name"`
	What    string  `json:"what"`
	Value   float64 `json:"value"`
	Unit    string  `json:"unit"`          // "×", "ms", "µs", "s", "MB" or "/s"
	Bar     string  `json:"bar,omitempty"` // such as "≥ 7×"; empty for rows without a bar
	Met     *bool   `json:"met,omitempty"` // nil without a bar, and in quick runs
	Figures string  `json:"figures"`       // what the value was computed from
}

// rowKind is a row before it is measured.
type rowKind struct {
	name    string
	what    string
	unit    string
	atLeast float64 // the bar; 0 where atMost is the bar, or there is none
	atMost  float64
	needs   []string
	value   func(f figures, s *stage) (value float64, figures string)
}

func (k *rowKind) row(f figures, s *stage) Row {
	r := Row{Name: k.name, What: k.what, Unit: k.unit}
	r.Value, r.Figures = k.value(f, s)
	met := false
	switch {
	case k.atLeast > 0:
		r.Bar, met = "≥ "+number(k.atLeast)+k.unitText(), r.Value >= k.atLeast
	case k.atMost > 0:
		r.Bar, met = "≤ "+number(k.atMost)+k.unitText(), r.Value <= k.atMost
	default:
		return r
	}
	if !s.config.Quick && r.Value > 0 {
		r.Met = &met
	}
	return r
}

func (k *rowKind) unitText() string {
	if k.unit == "×" {
		return k.unit
	}
	return " " + k.unit
}

// withClients returns the names of the measurements for each number of clients.
func withClients(prefix string, clients []int) []string {
	names := make([]string, len(clients))
	for i, n := range clients {
		names[i] = prefix + strconv.Itoa(n)
	}
	return names
}

func ratio(a, b Figure) (float64, string) {
	if b.PerSecond == 0 {
		return 0, ""
	}
	return a.PerSecond / b.PerSecond, fmt.Sprintf("%s %s/s ÷ %s %s/s", a.Name, count(a.PerSecond), b.Name, count(b.PerSecond))
}

// rowKinds are the rows of the report.
func rowKinds() []rowKind {
	return slices.Concat(appendRows(), idRows(), wrkRows(), otherRows(), makeRows(), viewRows(), readRows(),
		verifyRows(), liveRows(), guardRows(), analystRows(), partitionsRows(), keyRows(), gatewayRows(), gatewayMemoryRows(),
		webhookRows(), noisyRows())
}

func appendRows() []rowKind {
	handsOne, handsMany := withClients(handOne, handClients), withClients(handMany, handClients)
	return []rowKind{
		{
			name: "one-log", what: "single appends to one log, 256 connections ÷ by-hand SQL at its best", unit: "×", atLeast: 12,
			needs: append(withClients(appendOne, appendClients), handsOne...),
			value: func(f figures, _ *stage) (float64, string) { return ratio(f[appendOne+"256"], f.best(handsOne)) },
		}, {
			name: "one-log-64", what: "the same ÷ by-hand SQL with 64 clients", unit: "×", atLeast: 22,
			needs: []string{appendOne + "256", handOne + "64"},
			value: func(f figures, _ *stage) (float64, string) { return ratio(f[appendOne+"256"], f[handOne+"64"]) },
		}, {
			name: "many-logs", what: "single appends to 1,000 logs, 256 connections ÷ by-hand SQL at its best", unit: "×", atLeast: 3,
			needs: append(withClients(appendMany, appendClients), handsMany...),
			value: func(f figures, _ *stage) (float64, string) { return ratio(f[appendMany+"256"], f.best(handsMany)) },
		}, {
			name: "batches", what: "batches of 1,000 to 1,000 logs ÷ bare COPY by one connection", unit: "×", atLeast: 0.7,
			needs: []string{batchMany, copyOne},
			value: func(f figures, _ *stage) (float64, string) {
				return ratio(f[batchMany], f[copyOne])
			},
		}, {
			name: "batches-2", what: "the same ÷ bare COPY by two connections at the same time", unit: "×",
			needs: []string{batchMany, copyTwo},
			value: func(f figures, _ *stage) (float64, string) { return ratio(f[batchMany], f[copyTwo]) },
		}, {
			name: "latency", what: "one connection: median append ÷ median bare INSERT", unit: "×", atMost: 2.5,
			needs: []string{appendOne + "1", bareInsert},
			value: func(f figures, _ *stage) (float64, string) { return latencyRatio(f[appendOne+"1"], f[bareInsert]) },
		},
	}
}

// idRows repeat the headline rows with an id for every event, as a client that retries safely sends them. The other side of the
// comparison has no ids, and would count a retry twice.
func idRows() []rowKind {
	handsOne, handsMany := withClients(handOne, handClients), withClients(handMany, handClients)
	return []rowKind{
		{
			name: "one-log-ids", what: "one-log, every event with an id", unit: "×", needs: append([]string{appendIDsOne}, handsOne...),
			value: func(f figures, _ *stage) (float64, string) { return ratio(f[appendIDsOne], f.best(handsOne)) },
		}, {
			name: "many-logs-ids", what: "many-logs, every event with an id", unit: "×",
			needs: append([]string{appendIDsMany}, handsMany...),
			value: func(f figures, _ *stage) (float64, string) { return ratio(f[appendIDsMany], f.best(handsMany)) },
		}, {
			name: "batches-ids", what: "batches, every event with an id", unit: "×", needs: []string{batchIDsMany, copyOne},
			value: func(f figures, _ *stage) (float64, string) { return ratio(f[batchIDsMany], f[copyOne]) },
		}, {
			name: "keys", what: "single appends to one log with ÷ without ids", unit: "×", atLeast: 0.9,
			needs: []string{appendIDsOne, appendOne + "256"},
			value: func(f figures, _ *stage) (float64, string) { return ratio(f[appendIDsOne], f[appendOne+"256"]) },
		},
	}
}

func otherRows() []rowKind {
	return []rowKind{
		{
			name: "query-p50", what: "a query, one connection, idle: median", unit: "ms", atMost: 1,
			needs: []string{querySmall, querySeveral},
			value: func(f figures, _ *stage) (float64, string) {
				return f[querySmall].P50, queryFigures(f[querySmall], f[querySeveral])
			},
		}, {
			name: "query-p99", what: "a query, one connection, idle: 99 of 100", unit: "ms", atMost: 5, needs: []string{querySmall},
			value: func(f figures, _ *stage) (float64, string) { return f[querySmall].P99, queryFigures(f[querySmall]) },
		}, {
			name: "query-growth", what: "median query at 1,000,000 events ÷ at 10,000", unit: "×", atMost: 1.1,
			needs: []string{querySmall, queryLarge},
			value: func(f figures, _ *stage) (float64, string) { return latencyRatio(f[queryLarge], f[querySmall]) },
		}, {
			name: "query-load", what: "a query while 64 connections append: median", unit: "ms", needs: []string{queryLoaded},
			value: func(f figures, _ *stage) (float64, string) {
				return f[queryLoaded].P50, queryFigures(f[queryLoaded]) + ", beside " + count(f[appendQueried].PerSecond) + " appends/s"
			},
		}, {
			name: "memory", what: "the server's memory with 10,000 logs of 3 views", unit: "MB", atMost: 500,
			needs: []string{createLogs, appendRound},
			value: func(f figures, s *stage) (float64, string) {
				return float64(s.rss) / 1e6, fmt.Sprintf("%s logs made with their views at %s/s, then an append to each at %s/s",
					count(float64(s.config.scale().memoryLogs)), count(f[createLogs].PerSecond), count(f[appendRound].PerSecond))
			},
		},
	}
}

func latencyRatio(a, b Figure) (float64, string) {
	if b.P50 == 0 {
		return 0, ""
	}
	return a.P50 / b.P50, fmt.Sprintf("%s %.3f ms ÷ %s %.3f ms", a.Name, a.P50, b.Name, b.P50)
}

func queryFigures(all ...Figure) string {
	text := ""
	for i, f := range all {
		if i > 0 {
			text += "; "
		}
		text += fmt.Sprintf("%s p50 %.3f ms, p99 %.3f ms, %s/s", f.Name, f.P50, f.P99, count(f.PerSecond))
	}
	return text
}

// RowNames returns the names that Config.Rows may hold.
func RowNames() []string {
	kinds := rowKinds()
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = kind.name
	}
	return names
}

// selectRows returns the named rows, or all of them without names. With kafka it selects from the rows beside Kafka, and no others.
func selectRows(names []string, kafka bool) ([]rowKind, error) {
	kinds := rowKinds()
	if kafka {
		kinds = kafkaRows()
	}
	if len(names) == 0 {
		return kinds, nil
	}
	for _, name := range names {
		if !slices.ContainsFunc(kinds, func(k rowKind) bool { return k.name == name }) {
			known := make([]string, len(kinds))
			for i, kind := range kinds {
				known[i] = kind.name
			}
			return nil, fmt.Errorf("there is no row %q; there are %v", name, known)
		}
	}
	return slices.DeleteFunc(kinds, func(k rowKind) bool { return !slices.Contains(names, k.name) }), nil
}

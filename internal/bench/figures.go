package bench

import (
	"slices"
	"time"
)

// Figure is the result of one measurement: medians over its rounds.
type Figure struct {
	Name      string  `json:"name"`
	PerSecond float64 `json:"per_second"` // events, or queries
	P50       float64 `json:"p50_ms"`     // of one request or transaction; 0 where none was timed
	P99       float64 `json:"p99_ms"`
	Longest   float64 `json:"longest_ms"`
	// Processor time of the server, PostgreSQL and the load generator for one event or query, in microseconds; 0 where unknown.
	ServerCPU   float64   `json:"server_cpu_us"`
	PostgresCPU float64   `json:"postgresql_cpu_us"`
	LoadCPU     float64   `json:"load_cpu_us"`
	Rounds      []float64 `json:"rounds_per_second"` // each round's rate, in order
}

// figures are the figures of a run by name.
type figures map[string]Figure

// best returns the figure with the highest rate.
func (f figures) best(names []string) Figure {
	var best Figure
	for _, name := range names {
		if f[name].PerSecond > best.PerSecond {
			best = f[name]
		}
	}
	return best
}

// recorder collects samples by name, a round at a time.
type recorder struct {
	names   []string // in order of arrival
	samples map[string][]sample
}

func (r *recorder) add(name string, s sample) {
	if r.samples == nil {
		r.samples = map[string][]sample{}
	}
	if r.samples[name] == nil {
		r.names = append(r.names, name)
	}
	r.samples[name] = append(r.samples[name], s)
}

func (r *recorder) figures() []Figure {
	list := make([]Figure, len(r.names))
	for i, name := range r.names {
		f := Figure{Name: name}
		var p50, p99, longest, server, postgres, load []float64
		for _, s := range r.samples[name] {
			f.Rounds = append(f.Rounds, s.perSecond())
			p50 = append(p50, milliseconds(s.quantile(0.50)))
			p99 = append(p99, milliseconds(s.quantile(0.99)))
			longest = append(longest, milliseconds(s.quantile(1)))
			server = append(server, s.each(s.used.server))
			postgres = append(postgres, s.each(s.used.postgres))
			load = append(load, s.each(s.used.load))
		}
		f.PerSecond, f.P50, f.P99, f.Longest = median(f.Rounds), median(p50), median(p99), median(longest)
		f.ServerCPU, f.PostgresCPU, f.LoadCPU = median(server), median(postgres), median(load)
		list[i] = f
	}
	return list
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

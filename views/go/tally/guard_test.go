//go:build !wasip1

package tally

import (
	"strings"
	"testing"
)

// panics returns what f panics with.
func panics(t *testing.T, f func()) (words string) {
	t.Helper()
	defer func() { words, _ = recover().(string) }()
	f()
	return ""
}

// TestRegisterGuard: a guard that no server would ask, and an export without a guard, are told at once.
func TestRegisterGuard(t *testing.T) {
	view, exported := registered, guardExported
	t.Cleanup(func() { registered, guardExported = view, exported })
	fold := func(*Event) error { return nil }
	guard := func(*Event) (Verdict, error) { return Admit, nil }
	for _, tt := range []struct {
		exported bool
		guard    func(*Event) (Verdict, error)
		words    string
	}{{false, guard, "nothing lets the server ask it"}, {true, nil, "the view has no Guard"}, {true, guard, ""}, {false, nil, ""}} {
		registered, guardExported = nil, tt.exported
		got := panics(t, func() { Register(&View{Fold: fold, Guard: tt.guard}) })
		if (got == "") != (tt.words == "") || !strings.Contains(got, tt.words) {
			t.Errorf("exported %v, guard %v: %q", tt.exported, tt.guard != nil, got)
		}
	}
}

func TestVerdicts(t *testing.T) {
	answer := []byte(`{"left":1}`)
	for _, tt := range []struct {
		verdict Verdict
		status  int
		seconds int64
	}{
		{Admit, 0, 0},
		{AdmitWith(answer), 0, 0},
		{Refuse(PaymentRequired, answer), 402, 0},
		{Refuse(Forbidden, nil), 403, 0},
		{Refuse(Conflict, nil), 409, 0},
		{RefuseFor(90, nil), 429, 90},
		{RefuseFor(0, nil), 429, 1},
		{RefuseFor(-1<<63, nil), 429, 1},
		{RefuseFor(1<<62, nil), 429, 31_622_400},
	} {
		if tt.verdict.Status() != tt.status || tt.verdict.RetryAfter() != tt.seconds {
			t.Errorf("%+v; %d for %d s is wanted", tt.verdict, tt.status, tt.seconds)
		}
	}
	for _, status := range []int{0, 200, 429, 500} { // 0 would admit what is to be refused
		if panics(t, func() { Refuse(status, nil) }) == "" {
			t.Errorf("events can be refused with %d", status)
		}
	}
}

// TestLoad: what a batch holds back is read as if it were written.
func TestLoad(t *testing.T) {
	clear(localState)
	t.Cleanup(func() { clear(localState) })
	totals := NewTotals("a", "b")
	load := func(want string) {
		t.Helper()
		sums, err := totals.Load("k")
		if got := sums[0].String() + " " + sums[1].String(); err != nil || got != want {
			t.Errorf("%s, %v; %s is wanted", got, err, want)
		}
	}
	load("0 0")
	batch.on = true
	for range 2 {
		if err := totals.Add("k", NewDecimal(3), must(t, "0.5")); err != nil {
			t.Fatal(err)
		}
	}
	load("6 1")
	writeHeld()
	batch.on = false
	forgetAllHeld()
	load("6 1")
	localState["k"] = `{"a":"6","b":1}`
	if sums, err := totals.Load("k"); err == nil {
		t.Errorf("a foreign value is read as %v", sums)
	}
}

// TestTestLog: events have the fields, the times and the sequences of a server's.
func TestTestLog(t *testing.T) {
	view, exported := registered, guardExported
	t.Cleanup(func() { registered, guardExported, localConfig, configured = view, exported, "{}", false })
	var seen []string
	registered = &View{
		Fields: []string{"/a", "/b/c~1d", "/b", "/n", "/missing", "/t"},
		Fold: func(e *Event) error {
			for i := range 6 {
				seen = append(seen, e.Field(i).Text())
			}
			if e.Field(3).Kind() != Number || e.Field(3).Float() != 1500 || e.Field(4).Kind() != Missing || e.Field(5).Kind() != True {
				t.Error("kinds or numbers are wrong")
			}
			if e.Sequence != 1 || e.RecordedAt-e.Time != Day {
				t.Errorf("event %d at %d, recorded at %d", e.Sequence, e.Time, e.RecordedAt)
			}
			return nil
		},
	}
	log, err := NewTestLog("")
	if err != nil {
		t.Fatal(err)
	}
	const event = `{"a":"x","a":"é\n","b":{"c/d":[1]},"n":1.5e3,"t":true,"time":"2025-02-28T10:05:30Z"}`
	if verdict, err := log.Append(event); err != nil || verdict.Status() != 0 || log.Last() != 1 {
		t.Errorf("%+v, %v", verdict, err)
	}
	if got, want := strings.Join(seen, "|"), "é\n|[1]|{\"c/d\":[1]}|1.5e3||true"; got != want {
		t.Errorf("the fields are %q, not %q", got, want)
	}
}

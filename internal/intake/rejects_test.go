package intake

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
)

// rejects returns what the log of rejects of the source gateway holds.
func rejects(t testing.TB, dsn string) []Reject {
	t.Helper()
	var all []Reject
	for _, data := range stored(t, dsn)[RejectsOf("gateway")] {
		var r Reject
		if err := json.Unmarshal([]byte(data), &r); err != nil {
			t.Fatal(err)
		}
		if r.Type != RejectType || r.Source != "gateway" || r.Form != Events || len(r.ID) != 2*rejectIDBytes || r.Detail == "" {
			t.Errorf("a reject says %s", data)
		}
		all = append(all, r)
	}
	return all
}

// TestRejectsAreKept: whatever is wrong with a line, it is kept once, however often it comes, with as much of it as there is room for.
func TestRejectsAreKept(t *testing.T) {
	d := testdb.New(t)
	n := startDesk(t, d.DSN(), testrig.Settings{})
	s := sourceOf(t, `{"log": "{/log}", "create": {"most": 100}, "keep": "bytes", "rejects": {"raw": "whole"}}`)
	long := func(size int, filler string) string { return strings.Repeat(filler, size/len(filler)+1)[:size] }
	cases := []struct {
		record, code string
		whole        bool
		kept         string // "" for the record
	}{
		{record: `{"log":"a"}`, code: "id_missing", whole: true},
		{record: `{"log":"a","id":7}`, code: "invalid_event_id", whole: true},
		{record: `{"log":"a","id":"1","time":"noon"}`, code: "invalid_event_time", whole: true},
		{record: `{"id":"1"}`, code: "no_log", whole: true},
		{record: `{"log":"rejects-gateway","id":"1"}`, code: "invalid_log_name", whole: true},
		{record: `{"log":"rejects-other","id":"1"}`, code: "invalid_log_name", whole: true},
		{record: `{"log":"secret-1","id":"1"}`, code: "outside_pattern", whole: true},
		{record: `[1]`, code: "not_an_object", whole: true},
		{record: "", code: "invalid_json", whole: true},
		{record: "\x00\x01 <&> \u2028 \"", code: "invalid_json", whole: true},
		{record: "\xff\xfe\x00binary", code: "invalid_json", whole: true},
		{
			record: `{"log":"a","id":"2","x":"` + long(event.MaxBytes, "x") + `"}`, code: "event_too_large",
			kept: `{"log":"a","id":"2","x":"` + long(maxRawBytes-25, "x"),
		},
		{record: "{" + long(2*maxRawBytes, "é"), code: "invalid_json", kept: "{" + long(maxRawBytes-2, "é")},
		{record: "{" + long(maxRawBytes-1, "y"), code: "invalid_json", whole: true},
		{record: "\xff" + long(maxRawBytes, "z"), code: "invalid_json", kept: "\xff" + long(maxRawBytes-1, "z")},
	}
	var records []string
	for _, c := range cases {
		records = append(records, c.record)
	}
	sender := Sender{Sees: func(log string) bool { return !strings.HasPrefix(log, "secret-") }}
	for range 3 {
		// Twice in one delivery, beside something that is stored.
		summary, results, err := n.deliver(s, sender, append(append(records, `{"log":"a","id":"good"}`), records...)...)
		if err != nil || summary.Rejected != 2*len(cases) {
			t.Fatalf("%+v, %v", summary, err)
		}
		for i, c := range cases {
			if results[i].Code != c.code || results[i].Detail == "" || results[i].Log != "" {
				t.Errorf("%.60q: %+v, want %s", c.record, results[i], c.code)
			}
		}
	}
	kept := rejects(t, d.DSN())
	if len(kept) != len(cases) {
		t.Fatalf("%d rejects are kept of %d", len(kept), len(cases))
	}
	for i, c := range cases {
		r := kept[i]
		if c.kept == "" {
			c.kept = c.record
		}
		raw, err := r.Record()
		if err != nil || string(raw) != c.kept || r.Code != c.code || r.Whole != c.whole || r.Bytes != len(c.record) || r.Line != i+1 {
			t.Errorf("%.60q: kept %d bytes of %d, whole %v, of line %d for %s (%v)",
				c.record, len(raw), r.Bytes, r.Whole, r.Line, r.Code, err)
		}
		if isText := !strings.Contains(c.record, "\xff"); isText != (r.RawBase64 == "") {
			t.Errorf("%.60q: as text %q, as base64 %.60q", c.record, r.Raw, r.RawBase64)
		}
	}
	if got := stored(t, d.DSN()); len(got) != 2 || len(got["a"]) != 1 {
		t.Errorf("there are other logs: %d", len(got))
	}
}

// TestWhatCameCut: what a reader could not read to its end is never said to be whole.
func TestWhatCameCut(t *testing.T) {
	d := testdb.New(t)
	n := startDesk(t, d.DSN(), testrig.Settings{})
	s := sourceOf(t, `{"log": "a", "keep": "bytes"}`)
	for range 2 {
		delivery := n.in.Deliver(s, Sender{Tenant: db.DefaultTenant, Sees: anyLog}, Events)
		for _, whole := range []bool{true, false} {
			if err := delivery.Refuse(t.Context(), fmt.Appendf(nil, `{"id":"%v`, whole), whole, "invalid_json", "cut"); err != nil {
				t.Fatal(err)
			}
		}
		if summary, err := delivery.Finish(t.Context()); err != nil || summary.Rejected != 2 {
			t.Fatal(summary, err)
		}
	}
	if kept := rejects(t, d.DSN()); len(kept) != 2 || !kept[0].Whole || kept[1].Whole {
		t.Errorf("kept %+v", kept)
	}
}

// dump returns all that the database holds, as text.
func dump(t testing.TB, dsn string) string {
	t.Helper()
	var all strings.Builder
	const tables = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT LIKE 'pg\\_%'"
	for _, table := range query[string](t, dsn, tables) {
		for _, row := range query[string](t, dsn, "SELECT t::text FROM "+table+" t") {
			all.WriteString(row + "\n")
		}
	}
	return all.String()
}

// TestSecretsStayOut: what a mapping does not name reaches no table, whether a line is stored, skipped or rejected, and whatever it is
// rejected for.
func TestSecretsStayOut(t *testing.T) {
	const canary = "canary-4711"
	forms := map[string]string{ // how it might be written
		"as it is": canary, "base64": base64.StdEncoding.EncodeToString([]byte(canary))[:12], "hex": hex.EncodeToString([]byte(canary)),
	}
	for _, raw := range []string{"named", "none"} {
		t.Run(raw, func(t *testing.T) {
			d := testdb.New(t)
			n := startDesk(t, d.DSN(), testrig.Settings{})
			s := sourceOf(t, fmt.Sprintf(`{"select": {"/kind": "use"}, "log": ["{/log}"], "id": "{/id}", "time": {"at": "/at", "unit": "s"},
				"create": {"most": 2}, "keep": {"n": {"at": "/n", "as": "integer", "required": true}}, "rejects": {"raw": %q}}`, raw))
			good := `{"kind":"use","log":"a","id":"1","at":1700000000,"n":1,"prompt":"` + canary +
				`","headers":{"authorization":["` + canary + `"]}}`
			edit := func(old, new string) string { return strings.Replace(good, old, new, 1) }
			records := []string{
				good, edit(`"use"`, `"test"`), edit(`"n":1`, `"n":2`), edit(`"n":1`, `"n":"x"`), edit(`"n":1`, `"m":1`),
				edit(`"log":"a",`, ""), edit(`"log":"a"`, `"log":"`+strings.Repeat("a", 300)+`"`), edit(`"log":"a"`, `"log":"b"`),
				edit(`"log":"a"`, `"log":"c"`), edit(`"log":"a"`, `"log":"rejects-a"`), edit(`"id":"1",`, ""),
				edit(`"at":1700000000`, `"at":"x"`), edit(`"at":1700000000,`, ""), edit(`}}`, `}`), edit(`{`, ``), `"` + canary + `"`,
				`[{"prompt":"` + canary + `"}]`, canary, `{"` + canary + `":1}`, "",
			}
			for range 2 {
				if summary, _ := n.must(s, records...); summary.Rejected != len(records)-4 || summary.Skipped != 2 {
					t.Errorf("%+v of %d", summary, len(records))
				}
			}
			delivery := n.in.Deliver(s, Sender{Tenant: db.DefaultTenant, Sees: anyLog}, Events)
			if err := delivery.Refuse(t.Context(), []byte(good), false, "body_corrupt", "cut"); err != nil {
				t.Fatal(err)
			}
			if _, err := delivery.Finish(t.Context()); err != nil {
				t.Fatal(err)
			}
			everything := dump(t, d.DSN())
			if !strings.Contains(everything, `""n"":1`) {
				t.Error("the dump is not whole")
			}
			for form, text := range forms {
				if at := strings.Index(everything, text); at >= 0 {
					t.Errorf("%s: %s", form, everything[max(0, at-300):at+20])
				}
			}
			kept := rejects(t, d.DSN())
			named := slices.ContainsFunc(kept, func(r Reject) bool { return strings.Contains(r.Raw, `"id":"1"`) })
			for _, r := range kept {
				if r.Whole || raw == "none" && r.Raw+r.RawBase64 != "" {
					t.Errorf("kept %+v", r)
				}
			}
			if named != (raw == "named") {
				t.Errorf("%s keeps %+v", raw, kept)
			}
		})
	}
}

// TestLongestSourceName: the longest name that a source may have leaves room for that of its log of rejects.
func TestLongestSourceName(t *testing.T) {
	r := newRig(t)
	longest := strings.Repeat("s", maxNameBytes)
	if _, _, err := r.Put(t.Context(), somebody, db.DefaultTenant, longest+"s", mappingTo("a")); err == nil {
		t.Error("a longer name is taken")
	}
	r.put(longest, "a")
	n := startDesk(t, r.database.DSN(), testrig.Settings{})
	s, err := r.Get(t.Context(), db.DefaultTenant, longest)
	if err != nil {
		t.Fatal(err)
	}
	if summary, _ := n.must(s, `{}`); summary.Rejected != 1 {
		t.Errorf("%+v", summary)
	}
	if got := stored(t, r.database.DSN())[RejectsOf(longest)]; len(got) != 1 || !bytes.Contains([]byte(got[0]), []byte("id_missing")) {
		t.Errorf("kept %v", got)
	}
}

package source_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/source"
)

func TestRejectRaw(t *testing.T) {
	const record = `{ "b":{"c":[1,{"d":2,"e":3},[4]],"x":"secret"},"a":"x","b2":{"y":1},"i":9 }`
	for _, tt := range []struct{ members, record, want string }{
		{`"keep":true`, record, record},
		{`"keep":"bytes"`, `no JSON`, `no JSON`},
		{`"keep":{}`, record, `{}`},
		{`"keep":{"a":"/a"}`, record, `{"a":"x"}`},
		{`"keep":{"a":"/b/c/1/d"}`, record, `{"b":{"c":[null,{"d":2}]}}`},
		{`"keep":{"a":"/b/c/0","b":"/b/c"}`, record, `{"b":{"c":[1,{"d":2,"e":3},[4]]}}`},
		{`"keep":{"a":"/b/c/7/d","b":"/b/c/01"}`, record, `{"b":{"c":[]}}`},
		{`"keep":{"a":"/b/c/2/0","b":"/b/c/0/x"}`, record, `{"b":{"c":[null,null,[4]]}}`},
		{`"keep":{"a":"/b/0/1"}`, `{"b":{"0":{"1":2,"3":4},"1":5}}`, `{"b":{"0":{"1":2}}}`},
		{`"missing":["x","secret"],"keep":{"a":"/a","b":"/b/x","c":"/b/x/y"}`, record, `{"a":"x","b":{"x":"secret"}}`},
		{`"keep":{"a":"/b","b":"/b/c/1"}`, `{"b":"","b":null}`, `{"b":null}`},
		{`"keep":{"a":"/a/b"}`, record, `{}`},
		{`"keep":{"a":"/a/b"}`, `{"a":{"b":1},"a":"secret"}`, `{}`},
		{`"keep":{"a":"/a/b"}`, `{"a":{"b":1,"c":"secret"},"\u0061":{}}`, `{"a":{}}`},
		{`"keep":{"a":"/a~1b/~0"}`, `{"a/b": {"~":1}}`, `{"a/b":{"~":1}}`},
		{`"keep":{"a":["/a","/b2"]},"select":{"/i":{"not":9}},"time":"/b/x"`, record, `{"a":"x","b":{"x":"secret"},"b2":{"y":1},"i":9}`},
		{`"log":["{/a}","l"],"type":"{/i}","source":"s{/b2/y}"`, record, `{"a":"x","b2":{"y":1},"i":9}`},
		{`"keep":{"a":"/a"},"rejects":{"with":["/b2","/i"]}`, record, `{"a":"x","b2":{"y":1},"i":9}`},
		{`"keep":{"a":"/a"},"rejects":{"raw":"whole"}`, record, record},
		{`"keep":{"a":"/a"},"rejects":{"raw":"none"}`, record, ``},
		{`"keep":true,"rejects":{"raw":"named"},"id":"{/a}"`, record, `{"a":"x"}`},
		{`"keep":{"a":"/a"}`, `{"a":"secret`, ``},
		{`"keep":{"a":"/a"}`, `"secret"`, ``},
		{`"keep":{"a":"/0"}`, `["secret"]`, ``},
	} {
		m := parse(t, mapping(tt.members))
		raw, whole := m.RejectRaw([]byte(tt.record))
		if line := m.Map([]byte(tt.record)); line.Outcome != source.Skipped && (string(line.Raw) != string(raw) || line.Whole != whole) {
			t.Errorf("%s of %s\nis %s, but for Map %s", tt.members, tt.record, raw, line.Raw)
		}
		if string(raw) != tt.want || whole != (tt.want == tt.record) {
			t.Errorf("%s of %s\nis %s, %v, want %s", tt.members, tt.record, raw, whole, tt.want)
		}
	}
}

// TestNamedRejectsCanBeMappedAgain: what is kept of a reject gives the line that the record gave.
func TestNamedRejectsCanBeMappedAgain(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	m := parse(t,
		`{"log":["l-{/a}","m-{/b/a}"],"missing":["b","secret"],"id":["{/id}","{/b/id}"],
			"time":{"at":["/é/0","/b"],"unit":"s","optional":true},
		"keep":{"x":{"at":["/a/b","/b/0/a","/é/1"],"as":"integer"},"y":"/b/a","z":"/a/b"}}`)
	outcomes := map[string]int{}
	for range 5_000 {
		v := &value{kind: '{'}
		for _, name := range []string{"a", "b", "id", "é", "secret"} {
			v.names, v.items = append(v.names, name), append(v.items, randomValue(random, 3))
		}
		record := written(random, v)
		raw, _ := m.RejectRaw(record)
		first, again := m.Map(record), m.Map(raw)
		if string(first.Raw) != string(raw) || string(again.Raw) != string(raw) {
			t.Fatalf("%s\nis kept as %s, %s and %s", record, raw, first.Raw, again.Raw)
		}
		if !equal(first, again) {
			t.Fatalf("%s\ngives %+v\nand %s\ngives %+v", record, first, raw, again)
		}
		outcomes[first.Code]++
	}
	if len(outcomes) < 4 || outcomes[""] < 30 {
		t.Errorf("too few cases: %v", outcomes)
	}
}

// TestSecretsStayOut: what a mapping does not keep is in no event, and nothing of a record is in the detail of a reject.
func TestSecretsStayOut(t *testing.T) {
	const canary = "CANARY"
	random := rand.New(rand.NewPCG(11, 12))
	m := parse(t, `{"select":{"/c":{"not":"zz"}},"log":["l-{/n}","{/a}:{/b}"],"type":["{/t}","t"],"source":["{/s}","s"],
		"id":["{/i}","{/b}"],"time":{"at":["/m","/b"],"unit":"s"},"rejects":{"with":["/w"]},
		"keep":{"k":{"at":"/k","as":"integer"},"n":{"at":"/n","as":"number","required":true},
			"o":{"at":"/o","as":"boolean"},"f":"/f/g/0"}}`)
	codes := map[string]int{}
	for i := range 10_000 {
		// The members that count hold a canary where that makes them a reject, and the others always do.
		var members []string
		for _, name := range strings.Split("abciknmostw", "") {
			members = append(members, fmt.Sprintf("%q:%s", name, []string{
				"1", "2", "3", "4", `"` + canary + `"`, `"CANARY\n` + strings.Repeat(canary, 100) + `"`, `{"x":"CANARY"}`, `["CANARY"]`,
				"null", `"` + strings.Repeat("é", 120) + canary + `"`, `""`, "-0.0", "true",
			}[min(random.IntN(20), 12)]))
		}
		members = append(members, `"secret":{"CANARY":"CANARY"}`, `"f":{"CANARY":1,"g":[0,"CANARY"]}`, `"CANARY":1`)
		random.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		record := "{" + strings.Join(members, ",") + "}"
		if i%40 == 0 {
			record = record[:random.IntN(len(record))] // and no JSON
		}
		line := m.Map([]byte(record))
		codes[line.Code]++
		if strings.Contains(line.Detail, canary) || strings.Contains(line.Code, canary) {
			t.Fatalf("%s\nis rejected with %s", record, line.Detail)
		}
		raw, _ := m.RejectRaw([]byte(record))
		if strings.Contains(string(raw), `"secret"`) || strings.Contains(string(raw), `"CANARY":`) {
			t.Fatalf("%s\nis kept as a reject as %s", record, raw)
		}
		if line.Outcome != source.Mapped {
			continue
		}
		if _, err := event.Parse(line.Event); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(line.Event), `"secret"`) || strings.Contains(string(line.Event), `"w"`) ||
			strings.Contains(string(line.Event), `"CANARY":`) {
			t.Fatalf("%s\nbecame %s", record, line.Event)
		}
	}
	for _, code := range []string{
		"", "no_log", "invalid_log_name", "id_missing", "invalid_id", "time_missing", "invalid_time",
		"member_missing", "invalid_member", "invalid_type", "invalid_json",
	} {
		if codes[code] == 0 {
			t.Errorf("no record was %q: %v", code, codes)
		}
	}
}

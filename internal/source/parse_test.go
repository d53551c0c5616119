package source_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/source"
)

// many returns a list or object of n items, which item makes.
func many(n int, brackets, item string) string {
	var items []string
	for i := range n {
		items = append(items, strings.ReplaceAll(item, "#", fmt.Sprint(i)))
	}
	return brackets[:1] + strings.Join(items, ",") + brackets[1:]
}

func TestParseRefuses(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, tt := range []struct{ mapping, where, what string }{
		{``, "the mapping", "no JSON"},
		{`{"log":}`, "the mapping", "byte 7"},
		{`[]`, "the mapping", "must be an object"},
		{`null`, "the mapping", "must be an object"},
		{`{"keep":{},"id":null}`, "the mapping", "has no log"},
		{`{"keep":{},"id":null,"log":null}`, "the mapping", "has no log"},
		{`{"log":"l","id":null}`, "the mapping", "has no keep"},
		{`{"log":"l","id":null,"keep":null}`, "the mapping", "has no keep"},
		{`{"log":"l","keep":{}}`, "the mapping", "has no id"},
		{mapping(`"unknown":1`), "the mapping's /unknown", "not known: the members here are about, answer, create"},
		{mapping(`"keep":{"a":1,"a":2}`), "the mapping's /keep", `"a" twice`},
		{mapping(`"log":"l","log":"m"`), "the mapping", `"log" twice`},
		{mapping(`"about":1`), "the mapping's /about", "must be a string"},
		{mapping(`"about":"` + long(2049) + `"`), "the mapping's /about", "2049 bytes"},
		{mapping(`"about":"` + long(source.MaxMappingBytes) + `"`), "the mapping", "at most 65536"},
		// select
		{mapping(`"select":[]`), "the mapping's /select", "must be an object"},
		{mapping(`"select":` + many(65, "{}", `"/#":1`)), "the mapping's /select", "up to 64"},
		{mapping(`"select":{"a":1}`), "the mapping's /select/a", `must start with "/"`},
		{mapping(`"select":{"/a/~2b":1}`), "the mapping's /select/~1a~1~02b", `write ~0 for "~"`},
		{mapping(`"select":{"/a":{}}`), "the mapping's /select/~1a", "is empty"},
		{mapping(`"select":{"/a":[]}`), "the mapping's /select/~1a", "0 elements"},
		{mapping(`"select":{"/a":["x",[1]]}`), "the mapping's /select/~1a/1", "must be a string, a number"},
		{mapping(`"select":{"/a":` + many(65, "[]", `#`) + `}`), "the mapping's /select/~1a", "1 to 64"},
		{mapping(`"select":{"/a":{"is":1}}`), "the mapping's /select/~1a/is", "present, prefix, not"},
		{mapping(`"select":{"/a":{"present":"yes"}}`), "the mapping's /select/~1a/present", "true or false"},
		{mapping(`"select":{"/a":{"present":null}}`), "the mapping's /select/~1a/present", "true or false"},
		{mapping(`"select":{"/a":{"prefix":1}}`), "the mapping's /select/~1a/prefix", "must be a string"},
		{mapping(`"select":{"/a":{"prefix":""}}`), "the mapping's /select/~1a/prefix", "is empty"},
		{mapping(`"select":{"/a":{"not":{}}}`), "the mapping's /select/~1a/not", "must be a string, a number"},
		// unwrap
		{mapping(`"unwrap":1`), "the mapping's /unwrap", "must be an object"},
		{mapping(`"unwrap":"records"`), "the mapping's /unwrap", `must start with "/"`},
		{mapping(`"unwrap":{"data":"/d"}`), "the mapping's /unwrap", "must have at"},
		{mapping(`"unwrap":{"at":"/r","data":"d"}`), "the mapping's /unwrap/data", `must start with "/"`},
		{mapping(`"unwrap":{"at":"/r","data":"/d","as":"hex"}`), "the mapping's /unwrap/as", "json, base64"},
		{mapping(`"unwrap":{"at":"/r","as":"base64"}`), "the mapping's /unwrap/as", "goes with data"},
		{mapping(`"unwrap":{"at":"/r","to":1}`), "the mapping's /unwrap/to", "at, data, as"},
		// log
		{mapping(`"log":[]`), "the mapping's /log", "0 elements"},
		{mapping(`"log":["a",1]`), "the mapping's /log/1", "must be a string"},
		{mapping(`"log":""`), "the mapping's /log", "is empty"},
		{mapping(`"log":` + many(17, "[]", `"a"`)), "the mapping's /log", "1 to 16"},
		{mapping(`"log":"a b"`), "the mapping's /log", "is no name of a log"},
		{mapping(`"log":"a/{/x}"`), "the mapping's /log", `holds '/'`},
		{mapping(`"log":"a~{/x}"`), "the mapping's /log", `holds '~'`},
		{mapping(`"log":"{/x}~{/y}"`), "the mapping's /log", `holds '~'`},
		{mapping(`"log":"{{{/x}"`), "the mapping's /log", `holds '{'`},
		{mapping(`"log":"-{/x}"`), "the mapping's /log", "must start with"},
		{mapping(`"log":"{/x}{/y}"`), "the mapping's /log", "a character between two values"},
		{mapping(`"log":"{/x"`), "the mapping's /log", "JSON pointer in its braces"},
		{mapping(`"log":"{x}"`), "the mapping's /log", "JSON pointer in its braces"},
		{mapping(`"log":"a{}"`), "the mapping's /log", "JSON pointer in its braces"},
		{mapping(`"log":"{/x~}"`), "the mapping's /log", `has "/x~", which is no JSON pointer`},
		{mapping(`"log":"` + long(1025) + `"`), "the mapping's /log", "1025 bytes"},
		{mapping(`"log":"` + long(201) + `"`), "the mapping's /log", "is no name of a log"},
		{mapping(`"log":"01890a5d-ac96-774b-bcce-b302099a8057"`), "the mapping's /log", "form of a UUID"},
		// create
		{mapping(`"create":true`), "the mapping's /create", "must be an object"},
		{mapping(`"create":{"most":0}`), "the mapping's /create/most", "1 to 1000000"},
		{mapping(`"create":{"most":1000001}`), "the mapping's /create/most", "1 to 1000000"},
		{mapping(`"create":{"most":"5"}`), "the mapping's /create/most", "must be an integer"},
		{mapping(`"create":{"labels":[]}`), "the mapping's /create/labels", "must be an object"},
		{mapping(`"create":{"labels":{"a":1}}`), "the mapping's /create/labels/a", "must be a string"},
		{mapping(`"create":{"labels":{"a":"\n"}}`), "the mapping's /create/labels", "control character"},
		{mapping(`"create":{"labels":` + many(eventlog.MaxLabels+1, "{}", `"#":""`) + `}`), "the mapping's /create/labels", "at most 32"},
		// type, source, id, time
		{mapping(`"type":1`), "the mapping's /type", "must be a string"},
		{mapping(`"source":{}`), "the mapping's /source", "must be a string"},
		{mapping(`"id":"x"`), "the mapping's /id", "one identity"},
		{mapping(`"id":["{/x}","x"]`), "the mapping's /id", "one identity"},
		{mapping(`"time":1`), "the mapping's /time", "must be a string"},
		{mapping(`"time":{}`), "the mapping's /time", "must have at"},
		{mapping(`"time":{"at":"/t","unit":"seconds"}`), "the mapping's /time/unit", "rfc3339, s, ms, us, ns, clf"},
		{mapping(`"time":{"at":"/t","optional":1}`), "the mapping's /time/optional", "true or false"},
		{mapping(`"time":{"at":["/t","u"]}`), "the mapping's /time/at/1", `must start with "/"`},
		{mapping(`"time":{"at":"/t","zone":"UTC"}`), "the mapping's /time/zone", "at, unit, optional"},
		{mapping(`"keep":true,"time":"/t"`), "the mapping's /time", "has its own time"},
		{mapping(`"keep":"bytes","type":"t"`), "the mapping's /type", "has its own type"},
		{mapping(`"keep":"bytes","source":"t"`), "the mapping's /source", "has its own source"},
		// keep
		{mapping(`"keep":false`), "the mapping's /keep", `true, or "bytes"`},
		{mapping(`"keep":"all"`), "the mapping's /keep", `true, or "bytes"`},
		{mapping(`"keep":` + many(129, "{}", `"#":"/#"`)), "the mapping's /keep", "at most 128"},
		{mapping(`"keep":{"":"/a"}`), "the mapping's /keep/", "0 bytes"},
		{mapping(`"keep":{"` + long(256) + `":"/a"}`), "the mapping's /keep/x", "256 bytes"},
		{mapping(`"keep":{"type":"/a"}`), "the mapping's /keep/type", "the mapping's own type"},
		{mapping(`"keep":{"i\u0064":"/a"}`), "the mapping's /keep/id", "the mapping's own id"},
		{mapping(`"keep":{"a":"b"}`), "the mapping's /keep/a", `must start with "/"`},
		{mapping(`"keep":{"a":""}`), "the mapping's /keep/a", "is empty"},
		{mapping(`"keep":{"a":["/a",null]}`), "the mapping's /keep/a/1", "must be a string"},
		{mapping(`"keep":{"a":null}`), "the mapping's /keep/a", "must be an object"},
		{mapping(`"keep":{"a":{}}`), "the mapping's /keep/a", "must have at"},
		{mapping(`"keep":{"a":{"value":null}}`), "the mapping's /keep/a/value", "must be a string, a number"},
		{mapping(`"keep":{"a":{"value":[1]}}`), "the mapping's /keep/a/value", "must be a string, a number"},
		{mapping(`"keep":{"a":{"value":1,"at":"/x"}}`), "the mapping's /keep/a/at", "members here are value"},
		{mapping(`"keep":{"a":{"at":"/x","as":"float"}}`), "the mapping's /keep/a/as", "integer, number, string, boolean"},
		{mapping(`"keep":{"a":{"at":"/x","default":{}}}`), "the mapping's /keep/a/default", "must be a string, a number"},
		{mapping(`"keep":{"a":{"at":"/x","as":"integer","default":"x"}}`), "the mapping's /keep/a/default", "is no integer"},
		{mapping(`"keep":{"a":{"at":"/x","required":true,"default":1}}`), "the mapping's /keep/a", "one of the two"},
		{mapping(`"keep":{"a":{"at":"/x","required":1}}`), "the mapping's /keep/a/required", "true or false"},
		{mapping(`"keep":{"a":"/` + long(1024) + `"}`), "the mapping's /keep/a", "1025 bytes"},
		// missing, rejects, origins, answer, ready
		{mapping(`"missing":[1]`), "the mapping's /missing/0", "must be a string"},
		{mapping(`"missing":[]`), "the mapping's /missing", "0 elements"},
		{mapping(`"rejects":"none"`), "the mapping's /rejects", "must be an object"},
		{mapping(`"rejects":{"raw":"all"}`), "the mapping's /rejects/raw", "whole, named, none"},
		{mapping(`"rejects":{"with":"/a"}`), "the mapping's /rejects/with", "must be a list"},
		{mapping(`"rejects":{"with":["a"]}`), "the mapping's /rejects/with/0", `must start with "/"`},
		{mapping(`"rejects":{"raw":"none","with":["/a"]}`), "the mapping's /rejects/with", `"named" only`},
		{mapping(`"origins":"a"`), "the mapping's /origins", "must be a list"},
		{mapping(`"origins":["a b"]`), "the mapping's /origins/0", "without spaces"},
		{mapping(`"origins":` + many(17, "[]", `"a"`)), "the mapping's /origins", "up to 16"},
		{mapping(`"origins":["` + long(256) + `"]`), "the mapping's /origins/0", "256 bytes"},
		{mapping(`"answer":"none"`), "the mapping's /answer", "firehose"},
		{`{"ready":"litelm"}`, "the mapping's /ready", "names no ready mapping: there are"},
		{`{"ready":"../ready/litellm"}`, "the mapping's /ready", "names no ready mapping"},
		{`{"ready":null}`, "the mapping's /ready", "must be a string"},
		{`{"ready":"litellm","keeps":{}}`, "the mapping's /keeps", "is not known"},
	} {
		_, err := source.Parse([]byte(tt.mapping))
		invalid, ok := errors.AsType[*event.InvalidError](err)
		if !ok || invalid.Code != source.CodeInvalid {
			t.Errorf("Parse(%.100s) = %v, want %s … %s", tt.mapping, err, tt.where, tt.what)
			continue
		}
		if !strings.HasPrefix(invalid.Detail, tt.where) || !strings.Contains(invalid.Detail, tt.what) {
			t.Errorf("Parse(%.100s):\n%s\nwant %s … %s", tt.mapping, invalid.Detail, tt.where, tt.what)
		}
	}
}

func TestParseCountsPointers(t *testing.T) {
	keep := func(lists int) string {
		var members []string
		for i := range lists {
			members = append(members, fmt.Sprintf(`"%d":%s`, i, many(16, "[]", fmt.Sprintf(`"/%d/#"`, i))))
		}
		return `"keep":{` + strings.Join(members, ",") + `}`
	}
	parse(t, mapping(keep(16))) // 256 different ones
	parse(t, mapping(keep(16)+`,"log":"{/3/3}"`))
	if _, err := source.Parse([]byte(mapping(keep(16) + `,"log":"{/one}"`))); err == nil || !strings.Contains(err.Error(), "at most 256") {
		t.Errorf("257 pointers: %v", err)
	}
}

func TestParseCountsSteps(t *testing.T) {
	keep := func(n, steps int) string {
		return many(n, "{}", `"#":"`+strings.Repeat("/#", steps)+`"`)
	}
	parse(t, mapping(`"keep":`+keep(10, 200)))
	parse(t, mapping(`"rejects":{"raw":"none"},"keep":`+keep(10, 250)))
	if _, err := source.Parse([]byte(mapping(`"keep":` + keep(10, 250)))); err == nil || !strings.Contains(err.Error(), "at most 2048") {
		t.Errorf("2,500 steps: %v", err)
	}
}

func TestParseAccepts(t *testing.T) {
	m := parse(t, ` { "log" : "a~2Fb", "id":null, "keep":{"b":"/b","a":{"at":"/a","default":0.10}}, "create":{}, "origins":["x.net","*"],
		"answer":"firehose", "about":"\u00e9", "select":null, "type":null, "unwrap":null, "rejects":null, "missing":null } `)
	const want = `{"about":"é","answer":"firehose","create":{},"id":null,"keep":{"a":{"at":"/a","default":0.10},"b":"/b"},"log":"a~2Fb",` +
		`"missing":null,"origins":["x.net","*"],"rejects":null,"select":null,"type":null,"unwrap":null}`
	if got := string(m.JSON()); got != want {
		t.Errorf("JSON() is\n%s, want\n%s", got, want)
	}
	if labels, most, ok := m.Create(); len(labels) != 0 || most != source.DefaultMostLogs || !ok {
		t.Errorf("Create() = %v, %d, %v", labels, most, ok)
	}
	if m.Answer() != "firehose" || !slices.Equal(m.Origins(), []string{"x.net", "*"}) {
		t.Errorf("Answer() = %q, Origins() = %q", m.Answer(), m.Origins())
	}
	m = parse(t, mapping(`"create":{"labels":{"from":"x"},"most":1000000}`))
	labels, most, ok := m.Create()
	if labels["from"] != "x" || most != source.MaxMostLogs || !ok {
		t.Errorf("Create() = %v, %d, %v", labels, most, ok)
	}
	labels["from"] = "changed"
	if labels, _, _ := m.Create(); labels["from"] != "x" {
		t.Error("a caller changed the mapping's labels")
	}
	m = parse(t, mapping(""))
	if _, _, ok := m.Create(); ok || m.Answer() != "" || m.Origins() != nil {
		t.Error("a mapping without create, answer and origins has some")
	}
}

func TestReadyMembersAreReplaced(t *testing.T) {
	m := parse(t, `{"ready":"litellm","id":null,"select":null,"time":null,"source":null,"create":null,"log":"one","keep":{"m":"/model"}}`)
	line := m.Map([]byte(`{"model":"x"}`))
	if line.Log != "one" || string(line.Event) != `{"m":"x","type":"llm.call"}` {
		t.Errorf("%+v %s", line, line.Event)
	}
	if strings.Contains(string(m.JSON()), "ready") {
		t.Errorf("JSON() is %s", m.JSON())
	}
}

// TestRecordsWithoutIdentity: only "id": null does without one.
func TestRecordsWithoutIdentity(t *testing.T) {
	for _, keep := range []string{"true", `"bytes"`} {
		m := parse(t, `{"log":"l","keep":`+keep+`}`)
		for record, want := range map[string]string{
			`{"id":"x"}`:  `{"id":"x"}`,
			`{}`:          "id_missing",
			`{"id":null}`: "id_missing",
		} {
			if got := describe(t, m.Map([]byte(record))); got != want {
				t.Errorf("%s kept as %s is %s, want %s", record, keep, got, want)
			}
		}
	}
}

package source_test

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/source"
)

// mapping returns one with these members besides a log and no identity, which the members may replace.
func mapping(members string) string {
	for _, given := range []string{`"log":"l"`, `"id":null`, `"keep":{}`} {
		if name, _, _ := strings.Cut(given, ":"); !strings.Contains(members, name+":") {
			members += "," + given
		}
	}
	return "{" + strings.TrimPrefix(members, ",") + "}"
}

// mapTests are records, the members of a mapping, and what becomes of them: an event, or the code of a reject.
var mapTests = []struct{ members, record, want string }{
	// keep
	{`"keep":{"b":"/x","a":"/y/0"}`, `{"x":{"d":1,"c":[true, null]},"y":["é\u00e9\/"]}`, `{"a":"éé/","b":{"c":[true,null],"d":1}}`},
	{`"keep":{"a":"/a"}`, `{"a":1,"a":2}`, `{"a":2}`},
	{`"keep":{"a":"/a"}`, `{"a":{"b":1},"a":null}`, `{}`},
	{`"keep":{"a":"/a/b"}`, `{"a":{"b":1},"a":{}}`, `{}`},
	{`"keep":{"a":"/a"}`, `{"a":{"b":1,"c":3,"b":2}}`, `{"a":{"b":2,"c":3}}`},
	{`"keep":{"a":"/a"}`, `{"a":{"\u0062":1,"b":2,"a":0,"\n":4}}`, `{"a":{"\n":4,"a":0,"b":2}}`},
	{
		`"keep":{"a":"/a"}`,
		`{"a":"\u0000\u001f\u007f\b\f\n\r\t\"\\\/\ud83d\ude00\ud800x"}`,
		`{"a":"\u0000\u001f` + "\x7f" + `\b\f\n\r\t\"\\/😀�x"}`,
	},
	{`"keep":{"a":"/a"}`, `{"a": [ { } , [ ] , "" ] }`, `{"a":[{},[],""]}`},
	{`"keep":{"a~b\"":"/a~1b~0c"}`, `{"a/b~c":1}`, `{"a~b\"":1}`},
	{`"keep":{"a":["/x","/y"],"b":["/x","/z"]}`, `{"x":null,"y":""}`, `{"a":""}`},
	{`"keep":{"a":{"value":"tokens"},"b":{"value":0.10},"c":{"value":false}}`, `{}`, `{"a":"tokens","b":0.10,"c":false}`},
	{`"keep":{"a":{"at":"/a","default":0.0},"b":{"at":"/b","default":"x"}}`, `{"b":false}`, `{"a":0.0,"b":false}`},
	{`"keep":{"a":{"at":["/a","/b"],"required":true}}`, `{"b":1}`, `{"a":1}`},
	{`"keep":{"a":{"at":["/a","/b"],"required":true}}`, `{"a":null}`, `member_missing`},
	{`"keep":true`, ` {"b":1, "a": {"d":1.50,"c":"\u0041"},"b":2} `, `{"a":{"c":"A","d":1.50},"b":2}`},
	{`"keep":"bytes"`, `{"b":1, "a": 2}`, `{"b":1, "a": 2}`},
	// numbers keep their text
	{
		`"keep":{"a":"/a"}`,
		`{"a":[1.35e-05,0.10,12345678901234567890,1E400,-0,1e+2]}`,
		`{"a":[1.35e-05,0.10,12345678901234567890,1E400,-0,1e+2]}`,
	},
	{`"keep":{"a":{"at":"/a","as":"number"}}`, `{"a":1.35e-05}`, `{"a":1.35e-05}`},
	{`"keep":{"a":{"at":"/a","as":"number"}}`, `{"a":"1.35e-05"}`, `{"a":1.35e-05}`},
	{`"keep":{"a":{"at":"/a","as":"number"}}`, `{"a":"0.10"}`, `{"a":0.10}`},
	{`"keep":{"a":{"at":"/a","as":"number"}}`, `{"a":"12345678901234567890.00"}`, `{"a":12345678901234567890.00}`},
	{`"keep":{"a":{"at":"/a","as":"number"}}`, `{"a":1E400}`, `{"a":1E400}`},
	{`"keep":{"a":{"at":"/a","as":"number","default":"0.50"}}`, `{}`, `{"a":0.50}`},
	{`"keep":{"a":{"at":"/a","as":"number"}}`, `{"a":""}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"number"}}`, `{"a":"NaN"}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"number"}}`, `{"a":" 1"}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"number"}}`, `{"a":"+1"}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"number"}}`, `{"a":"01"}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"number"}}`, `{"a":"1."}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"number"}}`, `{"a":"1e"}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"number"}}`, `{"a":"1e+"}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"number"}}`, `{"a":"1x"}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"number"}}`, `{"a":true}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"number"}}`, `{"a":[1]}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"integer"}}`, `{"a":"3"}`, `{"a":3}`},
	{`"keep":{"a":{"at":"/a","as":"integer"}}`, `{"a":3.0}`, `{"a":3}`},
	{`"keep":{"a":{"at":"/a","as":"integer"}}`, `{"a":-3.50e1}`, `{"a":-35}`},
	{`"keep":{"a":{"at":"/a","as":"integer"}}`, `{"a":"-0.0"}`, `{"a":0}`},
	{`"keep":{"a":{"at":"/a","as":"integer"}}`, `{"a":0e999999999999999999999}`, `{"a":0}`},
	{`"keep":{"a":{"at":"/a","as":"integer"}}`, `{"a":1200e-2}`, `{"a":12}`},
	{`"keep":{"a":{"at":"/a","as":"integer"}}`, `{"a":12345678901234567890}`, `{"a":12345678901234567890}`},
	{`"keep":{"a":{"at":"/a","as":"integer"}}`, `{"a":1e63}`, `{"a":1` + strings.Repeat("0", 63) + `}`},
	{`"keep":{"a":{"at":"/a","as":"integer"}}`, `{"a":1e64}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"integer"}}`, `{"a":1E400}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"integer"}}`, `{"a":1e99999999999999999999}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"integer"}}`, `{"a":1e-99999999999999999999}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"integer"}}`, `{"a":3.5}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"integer"}}`, `{"a":"3.5"}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"integer"}}`, `{"a":"three"}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"string"}}`, `{"a":0.10}`, `{"a":"0.10"}`},
	{`"keep":{"a":{"at":"/a","as":"string"}}`, `{"a":"\u00e9\""}`, `{"a":"é\""}`},
	{`"keep":{"a":{"at":"/a","as":"string"}}`, `{"a":false}`, `{"a":"false"}`},
	{`"keep":{"a":{"at":"/a","as":"string"}}`, `{"a":{}}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"boolean"}}`, `{"a":true}`, `{"a":true}`},
	{`"keep":{"a":{"at":"/a","as":"boolean"}}`, `{"a":"False"}`, `{"a":false}`},
	{`"keep":{"a":{"at":"/a","as":"boolean"}}`, `{"a":"TRUE"}`, `{"a":true}`},
	{`"keep":{"a":{"at":"/a","as":"boolean"}}`, `{"a":1}`, `invalid_member`},
	{`"keep":{"a":{"at":"/a","as":"boolean"}}`, `{"a":"yes"}`, `invalid_member`},
	// missing
	{
		`"missing":["-",""],"keep":{"a":["/a","/b"],"c":{"at":"/c","as":"integer","default":0}}`,
		`{"a":"-","b":"x","c":""}`,
		`{"a":"x","c":0}`,
	},
	{`"missing":"-","log":["{/a}","none"]`, `{"a":"-"}`, `{} in none`},
	{`"missing":"-","select":{"/a":{"present":true}}`, `{"a":"-"}`, `skipped`},
	{`"missing":"-","keep":{"a":"/a"}`, `{"a":["-"]}`, `{"a":["-"]}`},
	// select
	{`"select":{"/a":"x"}`, `{"a":"x"}`, `{}`},
	{`"select":{"/a":"x"}`, `{"a":"y"}`, `skipped`},
	{`"select":{"/a":"x"}`, `{}`, `skipped`},
	{`"select":{"/a":"x","/b":1}`, `{"a":"x","b":2}`, `skipped`},
	{`"select":{"/a":"200"}`, `{"a":200}`, `skipped`},
	{`"select":{"/a":200}`, `{"a":2.00e2}`, `{}`},
	{`"select":{"/a":12345678901234567890}`, `{"a":12345678901234567891}`, `skipped`},
	{`"select":{"/a":1}`, `{"a":-1}`, `skipped`},
	{`"select":{"/a":true}`, `{"a":true}`, `{}`},
	{`"select":{"/a":true}`, `{"a":false}`, `skipped`},
	{`"select":{"/a":["x",null,3]}`, `{"a":3.0}`, `{}`},
	{`"select":{"/a":["x",null]}`, `{}`, `{}`},
	{`"select":{"/a":null}`, `{"a":null}`, `{}`},
	{`"select":{"/a":null}`, `{"a":0}`, `skipped`},
	{`"select":{"/a":{"present":true}}`, `{"a":{}}`, `{}`},
	{`"select":{"/a":{"present":true}}`, `{"a":null}`, `skipped`},
	{`"select":{"/a":{"present":false}}`, `{"a":null}`, `{}`},
	{`"select":{"/a":{"present":false}}`, `{"a":""}`, `skipped`},
	{`"select":{"/a":{"prefix":"/v1/"}}`, `{"a":"\/v1/x"}`, `{}`},
	{`"select":{"/a":{"prefix":"/v1/"}}`, `{"a":"/v2/"}`, `skipped`},
	{`"select":{"/a":{"prefix":"1"}}`, `{"a":12}`, `skipped`},
	{`"select":{"/a":{"prefix":"/v1/","not":["/v1/health"]}}`, `{"a":"/v1/health"}`, `skipped`},
	{`"select":{"/a":{"not":"x"}}`, `{}`, `{}`},
	{`"select":{"/a":{"not":null}}`, `{}`, `skipped`},
	{`"select":{"/a":{"not":[1,2]}}`, `{"a":2.0}`, `skipped`},
	// log
	{`"log":["t-{/t}","u-{/u}","none"]`, `{"u":"x"}`, `{} in u-x`},
	{`"log":["t-{/t}","u-{/u}","none"]`, `{"t":null,"u":""}`, `{} in none`},
	{`"log":["t-{/t}","u-{/u}","none"]`, `{"t":{},"u":[]}`, `{} in none`},
	{`"log":"{/t}:{/u}"`, `{"t":1.50,"u":true}`, `{} in 1.50:true`},
	{`"log":["{/t}:{/u}"]`, `{"t":1}`, `no_log`},
	{`"log":"{/t}"`, `{"t":"` + strings.Repeat("x", 200) + `"}`, `{} in ` + strings.Repeat("x", 200)},
	{`"log":"{/t}"`, `{"t":"` + strings.Repeat("x", 201) + `"}`, `invalid_log_name`},
	{`"log":"{/t}"`, `{"t":"x` + strings.Repeat("/", 66) + `"}`, `{} in x` + strings.Repeat("~2F", 66)},
	{`"log":"{/t}"`, `{"t":"xx` + strings.Repeat("/", 67) + `"}`, `invalid_log_name`},
	{`"log":"{/t}"`, `{"t":"` + strings.Repeat("x", 100_000) + `"}`, `invalid_log_name`},
	// type, source, id
	{`"type":"call"`, `{}`, `{"type":"call"}`},
	{`"type":"{{x} {/t}.{/t}"`, `{"t":"é"}`, `{"type":"{x} é.é"}`},
	{`"type":["{/t}","other"]`, `{}`, `{"type":"other"}`},
	{`"type":"{/t}"`, `{}`, `member_missing`},
	{`"type":"{/t}"`, `{"t":"` + strings.Repeat("x", 255) + `"}`, `{"type":"` + strings.Repeat("x", 255) + `"}`},
	{`"type":"{/t}"`, `{"t":"` + strings.Repeat("x", 256) + `"}`, `invalid_type`},
	{`"type":"{/t}"`, `{"t":"a\nb"}`, `invalid_type`},
	{`"id":"{/r}"`, `{"r":"a b"}`, `{"id":"a b"}`},
	{`"id":["{/r}","{/s}-{/t}"]`, `{"s":1,"t":2}`, `{"id":"1-2"}`},
	{`"id":"{/r}"`, `{}`, `id_missing`},
	{`"id":"{/r}"`, `{"r":""}`, `id_missing`},
	{`"id":"{/r}"`, `{"r":{"a":1}}`, `id_missing`},
	{`"id":"{/r}"`, `{"r":"\u0000"}`, `invalid_id`},
	{`"id":"{/r}"`, `{"r":"` + strings.Repeat("x", 512) + `"}`, `{"id":"` + strings.Repeat("x", 512) + `"}`},
	{`"id":"{/r}"`, `{"r":"` + strings.Repeat("x", 513) + `"}`, `invalid_id`},
	{`"id":"{/r}","source":"s"`, `{"r":"` + strings.Repeat("x", 510) + `"}`, `{"id":"` + strings.Repeat("x", 510) + `","source":"s"}`},
	{`"id":"{/r}","source":"s"`, `{"r":"` + strings.Repeat("x", 511) + `"}`, `invalid_id`},
	{`"id":"{/r}","source":"{/s}"`, `{"r":"x","s":"\t"}`, `invalid_id`},
	{`"source":"{/s}"`, `{}`, `member_missing`},
	{`"source":["{/s}","here"]`, `{}`, `{"source":"here"}`},
	// identity of records that are kept as they are
	{`"keep":true`, `{"id":"x"}`, `{"id":"x"}`},
	{`"keep":true,"id":"{/r}"`, `{"r":"k"}`, `{"r":"k"} key k`},
	{`"keep":true,"id":"{/r}"`, `{"r":"k","id":null}`, `{"id":null,"r":"k"} key k`},
	{`"keep":true,"id":"{/r}"`, `{"r":"k","id":"own"}`, `{"id":"own","r":"k"}`},
	{`"keep":"bytes","id":"{/r}"`, `{"r":"k"}`, `{"r":"k"} key k`},
	{`"keep":"bytes","id":"{/r}"`, `{}`, `id_missing`},
	{`"keep":"bytes","id":"{/r}"`, `{"r":"\n"}`, `invalid_id`},
	{`"keep":"bytes","id":"{/r}"`, `{"r":"` + strings.Repeat("x", 513) + `"}`, `invalid_id`},
	// what is no record
	{`"keep":true`, `[]`, `not_an_object`},
	{`"keep":"bytes"`, `1`, `not_an_object`},
	{`"keep":{}`, `"x"`, `not_an_object`},
	{`"keep":{}`, `{"a":1`, `invalid_json`},
	{`"keep":{}`, ``, `invalid_json`},
	{`"keep":{}`, `{} {}`, `invalid_json`},
	{`"keep":{}`, "{\"a\":\"\xff\"}", `invalid_json`},
	{`"keep":{}`, `{"a":` + strings.Repeat("[", 128) + strings.Repeat("]", 128) + `}`, `invalid_json`},
}

func TestMap(t *testing.T) {
	for _, tt := range mapTests {
		m := parse(t, mapping(tt.members))
		record := []byte(tt.record)
		line := m.Map(record)
		if string(record) != tt.record {
			t.Fatalf("%s changed the record %s", tt.members, tt.record)
		}
		if got := describe(t, line); got != tt.want {
			t.Errorf("%.200s of %.200s\n is %.300s (%s)\nwant %.300s", tt.members, tt.record, got, line.Detail, tt.want)
		}
	}
}

// describe checks what is true of all lines, and says the rest.
func describe(t *testing.T, line source.Line) string {
	t.Helper()
	switch line.Outcome {
	case source.Skipped:
		if line.Event != nil || line.Code != "" {
			t.Errorf("skipped: %+v", line)
		}
		return "skipped"
	case source.Rejected:
		if line.Event != nil || line.Key != "" || line.Code == "" || line.Detail == "" {
			t.Errorf("rejected: %+v", line)
		}
		return line.Code
	case source.Mapped:
		e, err := event.Parse(line.Event)
		if err == nil && line.Key != "" {
			err = e.SetKey(line.Key)
		}
		if err != nil || line.Log == "" || line.Code != "" || line.Detail != "" {
			t.Errorf("%+v, event %.200s: %v", line, line.Event, err)
		}
		text := string(line.Event)
		if line.Key != "" {
			text += " key " + line.Key
		}
		if line.Log != "l" {
			text += " in " + line.Log
		}
		return text
	}
	t.Fatalf("outcome %d", line.Outcome)
	return ""
}

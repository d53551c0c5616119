package views_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tallystick/tallystick/views"
)

// schemaOf compiles the schema of a ready view's configuration, as somebody would who got it from a server.
func schemaOf(tb testing.TB, name string) *jsonschema.Schema {
	tb.Helper()
	i := slices.IndexFunc(views.BuiltIn(), func(r views.Ready) bool { return r.Name == name })
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(views.BuiltIn()[i].Config))
	if err != nil {
		tb.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("urn:"+name, document); err != nil {
		tb.Fatal(err)
	}
	schema, err := compiler.Compile("urn:" + name)
	if err != nil {
		tb.Fatal(err)
	}
	return schema
}

// verdict is whether the schema and the view take a configuration.
func verdict(tb testing.TB, name string, schema *jsonschema.Schema, config string) (bySchema, byView error) {
	tb.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(config))
	if err != nil {
		tb.Fatalf("%s: %v", config, err)
	}
	_, byView = deploy(tb, name, config)
	return schema.Validate(value), byView
}

// shownConfigs are those of the golden folders, of which some are refused, of the schemas' examples and of docs/meter.md and docs/quota.md.
func shownConfigs(tb testing.TB, name string) (configs []string) {
	tb.Helper()
	files, err := filepath.Glob("testdata/" + name + "/*/config.json")
	if err != nil {
		tb.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		configs = append(configs, string(text))
	}
	i := slices.IndexFunc(views.BuiltIn(), func(r views.Ready) bool { return r.Name == name })
	var schema struct{ Examples []json.RawMessage }
	if err := json.Unmarshal(views.BuiltIn()[i].Config, &schema); err != nil {
		tb.Fatal(err)
	}
	for _, example := range schema.Examples {
		configs = append(configs, string(example))
	}
	if name == "meter" || name == "quota" {
		page, err := os.ReadFile("../docs/" + name + ".md")
		if err != nil {
			tb.Fatal(err)
		}
		for _, part := range strings.Split(string(page), "```") {
			if config, ok := strings.CutPrefix(part, "json config\n"); ok {
				configs = append(configs, config)
			}
		}
	}
	return configs
}

var goodConfig = map[string][]string{
	"monthly_totals": {`{}`, `{"whatever":1}`},
	"rate_check":     {`{}`},
	"cost_by_team": {
		`{}`, `{"prices":{}}`, `{"prices":{"":{"tokens_in":0,"tokens_out":-1.5}}}`,
		`{"prices":{"m":{"tokens_in":"1e26","tokens_out":"-0.000000000000000000000000001"}}}`,
		`{"prices":{"m":{"tokens_in":"` + strings.Repeat("9", 27) + `","tokens_out":3e-5}}}`,
	},
	"meter": {
		`{}`, `{"type":""}`, `{"type":["a","a"]}`, `{"where":[]}`, `{"group_by":{}}`, `{"aggregations":["count"]}`,
		`{"where":[{"path":"/a","in":[],"not_in":[null,true,1,"x"],"exists":false,"above":-1e400,"at_most":1.50}]}`,
		`{"value":"/","aggregations":["p0","p0.001","p99.999","p100","p100.000","p50","p50.0","latest","average"]}`,
		`{"value":"/a~0b/~1","unique":"/a/0","aggregations":["unique","min","max"]}`,
		`{"group_by":{"a.b-c_D9":"/x","p101":"/p","p05":"/q","Count":"/c"}}`,
		`{"query_gas":10000000}`, `{"query_gas":60000000000}`, `{"timezone":"America/Argentina/ComodRivadavia","resolution":"day"}`,
	},
	"quota": {
		`{"limits":[{"name":"a","window":"year","limit":0}]}`, `{"limits":[],"credits":{"value":"/"}}`,
		`{"limits":[{"name":"A.b-c_9","window":"minute","limit":"-0","rolling":true,"soft":true,"type":"","where":[]}]}`,
		`{"limits":[{"name":"a","window":"quarter","limit":"` + strings.Repeat("9", 45) + `.` + strings.Repeat("9", 27) +
			`","aggregation":"unique","value":"/u","group_by":{"a":"/a","window":"/b"},"timezone":"Asia/Gaza","rolling":false}]}`,
		`{"limits":[{"name":"a","window":"hour","limit":1.5e-3,"aggregation":"count"},{"name":"b","window":"week","limit":"1e44"}]}`,
		`{"credits":{"value":"/c","type":["a","b"],"where":[{"path":"/a","exists":true}],"scope":"/s","group_by":{},"timezone":"UTC",` +
			`"overdraft":"0.5","soft":false,"over_reservation":"refuse","ttl":31622400,"remember":0,"history":1000,` +
			`"events":{"grant":"","settle":"x"},"fields":{"amount":"/data/amount","ttl":"/c"}}}`,
	},
}

// TestReadySchemasTakeWhatViewsTake: every configuration of the docs and the golden folders, and those that go to the limits.
func TestReadySchemasTakeWhatViewsTake(t *testing.T) {
	taken := 0
	for name := range modules {
		schema := schemaOf(t, name)
		for _, config := range shownConfigs(t, name) {
			bySchema, byView := verdict(t, name, schema, config)
			if (bySchema == nil) != (byView == nil) && !isBeyond(name, config) {
				t.Errorf("%s with %s: the schema says %v, the view %v", name, config, bySchema, byView)
			}
			if byView == nil {
				taken++
			}
		}
		for _, config := range goodConfig[name] {
			if bySchema, byView := verdict(t, name, schema, config); bySchema != nil || byView != nil {
				t.Errorf("%s with %s: the schema says %v, the view %v", name, config, bySchema, byView)
			}
		}
	}
	if taken < 20 {
		t.Errorf("only %d configurations are taken", taken)
	}
}

func isBeyond(name, config string) bool {
	return slices.Contains(beyondSchemas[name], strings.TrimSpace(config))
}

var brokenConfig = map[string][]string{
	"cost_by_team": {
		`[]`, `7`, `"x"`, `{"price":{}}`, `{"prices":[]}`, `{"prices":{"m":{}}}`, `{"prices":{"m":{"tokens_in":1}}}`,
		`{"prices":{"m":{"tokens_in":1,"tokens_out":1,"cached":1}}}`, `{"prices":{"m":{"tokens_in":null,"tokens_out":1}}}`,
		`{"prices":{"m":{"tokens_in":"1,5","tokens_out":1}}}`, `{"prices":{"m":{"tokens_in":"","tokens_out":1}}}`,
		`{"prices":{"m":{"tokens_in":1e27,"tokens_out":1}}}`, `{"prices":{"m":{"tokens_in":"01","tokens_out":1}}}`,
		`{"prices":{"m":{"tokens_in":1,"tokens_out":"-1` + strings.Repeat("0", 27) + `"}}}`,
		`{"prices":{"m":{"tokens_in":"0.` + strings.Repeat("0", 27) + `1","tokens_out":1}}}`,
	},
	"meter": {
		`[]`, `7`, `"x"`, `true`, `{"typ":"a"}`, `{"Type":"a"}`, `{"type":null}`, `{"type":[]}`, `{"type":[1]}`, `{"type":{}}`,
		`{"type":[` + strings.Repeat(`"a",`, 256) + `"a"]}`,
		`{"value":"/a"}`, `{"value":"/a","aggregations":["count"]}`, `{"aggregations":["sum"]}`, `{"aggregations":["count","p50"]}`,
		`{"aggregations":["unique"]}`, `{"unique":"/a"}`, `{"unique":"/a","aggregations":["count"]}`,
		`{"value":"a","aggregations":["sum"]}`, `{"value":"","aggregations":["sum"]}`, `{"value":"/a~","aggregations":["sum"]}`,
		`{"value":"/a~2","aggregations":["sum"]}`, `{"value":"/a\nb","aggregations":["sum"]}`, `{"value":["/a"],"aggregations":["sum"]}`,
		`{"value":"/` + strings.Repeat("a", 1024) + `","aggregations":["sum"]}`,
		`{"aggregations":[]}`, `{"aggregations":"count"}`, `{"aggregations":["count","count"]}`, `{"aggregations":["total"]}`,
		`{"value":"/a","aggregations":["p101"]}`, `{"value":"/a","aggregations":["p05"]}`, `{"value":"/a","aggregations":["p99.9999"]}`,
		`{"value":"/a","aggregations":["p100.001"]}`, `{"value":"/a","aggregations":["p50."]}`, `{"value":"/a","aggregations":["P50"]}`,
		`{"group_by":[]}`, `{"group_by":{"window":"/a"}}`, `{"group_by":{"count":"/a"}}`, `{"group_by":{"p50":"/a"}}`,
		`{"group_by":{"a b":"/a"}}`, `{"group_by":{"":"/a"}}`, `{"group_by":{"a":"b"}}`, `{"group_by":{"é":"/a"}}`,
		`{"group_by":{"` + strings.Repeat("a", 65) + `":"/a"}}`,
		`{"group_by":{"a":"/","b":"/","c":"/","d":"/","e":"/","f":"/","g":"/","h":"/","i":"/"}}`,
		`{"resolution":"week"}`, `{"resolution":"month"}`, `{"resolution":60}`, `{"timezone":""}`, `{"timezone":null}`, `{"timezone":0}`,
		`{"query_gas":9999999}`, `{"query_gas":60000000001}`, `{"query_gas":"1000000000"}`, `{"query_gas":10000000.5}`, `{"query_gas":-1}`,
		`{"where":{}}`, `{"where":[{}]}`, `{"where":[{"path":"/a"}]}`, `{"where":[{"is":1}]}`, `{"where":[{"path":"a","is":1}]}`,
		`{"where":[{"path":"/a","is":[]}]}`, `{"where":[{"path":"/a","in":1}]}`, `{"where":[{"path":"/a","not":{}}]}`,
		`{"where":[{"path":"/a","exists":"true"}]}`, `{"where":[{"path":"/a","above":"1"}]}`, `{"where":[{"path":"/a","equals":1}]}`,
		`{"where":[{"path":"/a","in":[` + strings.Repeat("1,", 256) + `1]}]}`, `{"where":[` + strings.Repeat(`{"path":"/a","is":1},`, 16) +
			`{"path":"/a","is":1}]}`,
	},
	"quota": {
		`[]`, `7`, `{}`, `{"limits":[]}`, `{"limits":{}}`, `{"limits":[{}]}`, `{"limit":1}`, `{"credits":{}}`, `{"credits":null}`,
		`{"limits":[{"name":"a","window":"month"}]}`, `{"limits":[{"name":"a","limit":1}]}`, `{"limits":[{"window":"day","limit":1}]}`,
		`{"limits":[{"name":"","window":"day","limit":1}]}`, `{"limits":[{"name":"a","window":"quarter_hour","limit":1}]}`,
		`{"limits":[{"name":"a","window":"day","limit":-1}]}`, `{"limits":[{"name":"a","window":"day","limit":"1,5"}]}`,
		`{"limits":[{"name":"a","window":"day","limit":1e45}]}`, `{"limits":[{"name":"a","window":"day","limit":null}]}`,
		`{"limits":[{"name":"a","window":"day","limit":1,"value":"/v"}]}`,
		`{"limits":[{"name":"a","window":"day","limit":1,"aggregation":"sum"}]}`,
		`{"limits":[{"name":"a","window":"day","limit":1,"rolling":true,"timezone":"UTC"}]}`,
		`{"limits":[{"name":"a","window":"day","limit":1,"group_by":{"show":"/a"}}]}`,
		`{"limits":[` + strings.Repeat(`{"name":"a","window":"day","limit":1},`, 16) + `{"name":"b","window":"day","limit":1}]}`,
		`{"credits":{"value":"/v","overdraft":-1}}`, `{"credits":{"value":"/v","soft":1}}`, `{"credits":{"value":"/v","ttl":0}}`,
		`{"credits":{"value":"/v","ttl":"600"}}`, `{"credits":{"value":"/v","remember":-1}}`, `{"credits":{"value":"/v","history":1001}}`,
		`{"credits":{"value":"/v","events":{"usage":"x"}}}`, `{"credits":{"value":"/v","fields":{"amount":"x"}}}`,
		`{"credits":{"value":"/v","over_reservation":"drop"}}`, `{"credits":{"value":"/v","scope":""}}`,
	},
}

// beyondSchemas are what a view refuses and its schema cannot say; docs/meter.md and docs/quota.md list them.
var beyondSchemas = map[string][]string{
	"meter": {
		`{"timezone": "Mars/Olympus"}`, `{"query_gas":1e9}`, `{"where": [{"path": "/a", "is": 1e1000000000000000000}]}`,
		`{"group_by": {"a": "/a", "a": "/b"}}`, `{"value":"/` + strings.Repeat("é", 600) + `","aggregations":["sum"]}`,
	},
	"quota": {
		`{"limits": [{"name": "a", "window": "day", "limit": 1, "timezone": "Mars/Olympus"}]}`,
		`{"limits": [{"name": "a", "window": "day", "limit": 1}, {"name": "a", "window": "day", "limit": 2}]}`,
		`{"credits": {"value": "/cost", "events": {"grant": "reserve"}}}`, `{"credits":{"value":"/v","ttl":6e2}}`,
		`{"limits":[{"name":"a","window":"day","limit":1e-28}]}`, `{"limits":[{"name":"a","window":"day","limit":"1e45"}]}`,
	},
	"cost_by_team": {
		`{"prices":{"gpt-4":{"tokens_in":"1e-28","tokens_out":"1"}}}`,
		`{"prices":{"m":{"tokens_in":"1e27","tokens_out":1}}}`, `{"prices":{"m":{"tokens_in":1e-28,"tokens_out":1}}}`,
	},
}

// TestReadySchemasRefuseWhatViewsRefuse, but for what they cannot say.
func TestReadySchemasRefuseWhatViewsRefuse(t *testing.T) {
	for name := range modules {
		schema := schemaOf(t, name)
		for _, config := range brokenConfig[name] {
			if bySchema, byView := verdict(t, name, schema, config); bySchema == nil || byView == nil {
				t.Errorf("%s with %s: the schema says %v, the view %v", name, config, bySchema, byView)
			}
		}
		for _, config := range beyondSchemas[name] {
			if bySchema, byView := verdict(t, name, schema, config); bySchema != nil || byView == nil {
				t.Errorf("%s with %s, which only the view refuses: the schema says %v, the view %v", name, config, bySchema, byView)
			}
		}
	}
}

// TestReadySchemasAgreeOnMutations: configurations with something changed, at random from a fixed seed, are refused by both or by none.
func TestReadySchemasAgreeOnMutations(t *testing.T) {
	const mutations = 1500
	for _, name := range []string{"cost_by_team", "meter", "quota"} {
		schema, configs := schemaOf(t, name), append(shownConfigs(t, name), goodConfig[name]...)
		configs = slices.DeleteFunc(configs, func(config string) bool { return isBeyond(name, config) })
		random := rand.New(rand.NewPCG(1, 2))
		refused := 0
		for range mutations {
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(configs[random.IntN(len(configs))]))
			if err != nil {
				t.Fatal(err)
			}
			config, err := json.Marshal(mutate(random, value))
			if err != nil {
				t.Fatal(err)
			}
			bySchema, byView := verdict(t, name, schema, string(config))
			unknownZone := byView != nil && strings.Contains(byView.Error(), "IANA time zone")
			if (bySchema == nil) != (byView == nil) && !unknownZone {
				t.Errorf("%s with %s: the schema says %v, the view %v", name, config, bySchema, byView)
			}
			if byView != nil {
				refused++
			}
		}
		if refused < mutations/10 || mutations-refused < mutations/50 {
			t.Errorf("%d of %d mutations of %s are refused", refused, mutations, name)
		}
	}
}

// others are what a value may become.
var others = []any{
	nil, true, 1, -1, 1.5, 50_000_000, "", "UTC", "/a", "/tokens/0", "a", "sum", "unique", "count", "p50", "0.5",
	[]any{},
	[]any{"sum"},
	[]any{"/a"},
	map[string]any{},
	map[string]any{"path": "/a", "is": 1},
	map[string]any{"a": "/a"},
}

// mutate changes one value, at any depth, takes one away, or gives one another name.
func mutate(random *rand.Rand, value any) any {
	if random.IntN(3) == 0 {
		return others[random.IntN(len(others))]
	}
	switch v := value.(type) {
	case map[string]any:
		if len(v) == 0 || random.IntN(8) == 0 {
			names := []string{"value", "unique", "aggregations", "where", "is", "x", "prices", "tokens_in"}
			v[names[random.IntN(len(names))]] = others[random.IntN(len(others))]
			return v
		}
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		name := names[random.IntN(len(names))]
		if random.IntN(4) == 0 {
			delete(v, name)
			return v
		}
		v[name] = mutate(random, v[name])
		return v
	case []any:
		if len(v) == 0 || random.IntN(8) == 0 {
			return append(v, others[random.IntN(len(others))])
		}
		i := random.IntN(len(v))
		v[i] = mutate(random, v[i])
		return v
	}
	return others[random.IntN(len(others))]
}

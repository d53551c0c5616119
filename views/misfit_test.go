package views_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/views"
)

func misfits(tb testing.TB, name, config string) []views.Misfit {
	tb.Helper()
	version, err := views.BuiltIn().Find(name)
	if err != nil {
		tb.Fatal(err)
	}
	return views.BuiltIn().Misfits(version.SHA256, []byte(config))
}

func TestMisfitsNameTheMember(t *testing.T) {
	for _, c := range []struct{ name, config, want string }{
		{"meter", `{"value":"tokens","aggregations":["sum"]}`, `/value must match ^/([^~\n]|~[01])*$`},
		{"meter", `{"aggregations":["sum"]}`, `/value is missing`},
		{"meter", `{"aggregations":["count","total"]}`, `/aggregations/1 must match ^(count|`},
		{"meter", `{"aggregations":["count","count"]}`, `/aggregations/1 is in the list twice`},
		{"meter", `{"aggregations":[]}`, `/aggregations must have 1 or more`},
		{"meter", `{"type":7}`, `/type must be a string or a list`},
		{"meter", `{"type":["a",7]}`, `/type/1 must be a string`},
		{"meter", `{"typ":"a"}`, `/typ is no member that the view knows`},
		{"meter", `{"group_by":{"a/~b":"/a"}}`, `/group_by/a~1~0b is not a name that a member may have here`},
		{"meter", `{"group_by":{"a":"b"}}`, `/group_by/a must match`},
		{"meter", `{"resolution":"week"}`, `/resolution must be "minute" or "quarter_hour" or "hour" or "day"`},
		{"meter", `{"query_gas":5}`, `/query_gas must be 10000000 or more`},
		{"meter", `{"query_gas":"5"}`, `/query_gas must be a whole number`},
		{"meter", `{"where":[{"path":"/a","is":1},{"path":"/b","in":1}]}`, `/where/1/in must be a list`},
		{"meter", `{"timezone":""}`, `/timezone must not be empty`},
		{"meter", `[]`, ` must be an object`},
		{"quota", `{"limits":[]}`, `/limits must have 1 or more`},
		{"quota", `{}`, `/credits is missing`},
		{"quota", `{"limits":[{"name":"a","limit":1}]}`, `/limits/0/window is missing`},
		{"quota", `{"limits":[{"name":"a","window":"day","limit":"1,5"}]}`, `/limits/0/limit must match`},
		{"quota", `{"limits":[{"name":"a","window":"day","limit":null}]}`, `/limits/0/limit must be`},
		{"cost_by_team", `{"prices":{"m":{"tokens_in":1}}}`, `/prices/m/tokens_out is missing`},
	} {
		found := misfits(t, c.name, c.config)
		if !slices.ContainsFunc(found, func(m views.Misfit) bool { return strings.HasPrefix(m.Pointer+" "+m.Message, c.want) }) {
			t.Errorf("%s with %s: %q, want %s", c.name, c.config, found, c.want)
		}
	}
}

// TestMisfitsOfWhatViewsRefuse: of what a schema refuses, nearly all is said where; of what it takes, nothing.
func TestMisfitsOfWhatViewsRefuse(t *testing.T) {
	for name, configs := range brokenConfig {
		var unsaid []string
		for _, config := range configs {
			found := misfits(t, name, config)
			if len(found) == 0 {
				unsaid = append(unsaid, config)
			}
			for _, one := range found {
				if one.Message == "" || strings.HasSuffix(one.Message, " ") {
					t.Errorf("%s with %s: %s %q", name, config, one.Pointer, one.Message)
				}
			}
		}
		if 5*len(unsaid) > len(configs) {
			t.Errorf("of %d configurations of %s %d are refused without a place: %q", len(configs), name, len(unsaid), unsaid)
		}
	}
	for name, configs := range goodConfig {
		for _, config := range append(configs, beyondSchemas[name]...) {
			if found := misfits(t, name, config); len(found) > 0 {
				t.Errorf("%s with %s: %q", name, config, found)
			}
		}
	}
}

func TestMisfitsOfHostileConfigurations(t *testing.T) {
	for what, config := range map[string]string{
		"numbers without end":  `{"aggregations":[` + strings.Repeat("1e999999,", 7000) + `1e-999999999999]}`,
		"a million digits":     `{"query_gas":` + strings.Repeat("9", 60_000) + `}`,
		"many unknown members": `{` + strings.Repeat(`"a":1,`, 10_000) + `"b":1}`,
		"much in a list twice": `{"aggregations":[` + strings.Repeat(`{"a":[1]},`, 6_000) + `1]}`,
		"deep":                 `{"where":` + strings.Repeat("[", 120) + strings.Repeat("]", 120) + `}`,
	} {
		began := time.Now()
		if found := misfits(t, "meter", config); len(found) > 16 {
			t.Errorf("%s: %d misfits", what, len(found))
		}
		t.Logf("%s: %v", what, time.Since(began))
	}
	if found := views.BuiltIn().Misfits(strings.Repeat("0", 64), []byte(`{"typ":1}`)); found != nil {
		t.Errorf("of a module that is no ready view: %q", found)
	}
}

package limits_test

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/limits"
)

// TestCheck: what a tenant or a key may have, and that an error names the limit.
func TestCheck(t *testing.T) {
	for text, want := range map[string]struct{ tenant, key string }{
		`{}`: {},
		`{"requests_per_second":0,"streams":5,"events_per_second":null}`: {},
		`{"logs":3}`:                    {key: "logs"},
		`{"state_bytes":1}`:             {key: "state_bytes"},
		`{"bytes_per_second":-1}`:       {tenant: "bytes_per_second", key: "bytes_per_second"},
		`{"patterns":1000000000000000}`: {key: "patterns"},
		`{"patterns":2000000000000000}`: {tenant: "patterns", key: "patterns"},
		`{"streams":1,"views":-20}`:     {tenant: "views", key: "views"},
	} {
		var l limits.Limits
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for who, check := range map[string]struct {
			err  error
			want string
		}{"tenant": {l.Check(), want.tenant}, "key": {l.CheckKey(), want.key}} {
			var invalid *limits.InvalidError
			switch errors.As(check.err, &invalid); {
			case check.want == "" && check.err != nil:
				t.Errorf("a %s with %s: %v", who, text, check.err)
			case check.want != "" && (invalid == nil || invalid.Name != check.want):
				t.Errorf("a %s with %s: %v, want an error of %s", who, text, check.err, check.want)
			}
		}
	}
}

// TestDefaultsAreDocumented: docs/api.md has the defaults as they are.
func TestDefaultsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([0-9,]+)( MiB| GiB)? \\|").FindAllStringSubmatch(string(page), -1)
	documented := limits.Values{}
	for _, row := range rows {
		limit, err := limits.Find(row[1])
		if err != nil {
			continue // another table
		}
		if documented[limit], err = strconv.ParseInt(strings.ReplaceAll(row[2], ",", ""), 10, 64); err != nil {
			t.Fatal(err)
		}
		documented[limit] <<= map[string]int{"": 0, " MiB": 20, " GiB": 30}[row[3]]
	}
	if documented != limits.Defaults() {
		t.Errorf("docs/api.md says %s", &documented)
	}
}

// TestParse: what is stored comes back, null is the default, and a limit of a newer version does no harm.
func TestParse(t *testing.T) {
	l, err := limits.Parse([]byte(`{"logs":3,"streams":null,"views":0,"of_another_version":{"x":1}}`))
	if err != nil || l.Logs == nil || *l.Logs != 3 || l.Streams != nil || l.Views == nil || *l.Views != 0 {
		t.Errorf("%+v, %v", l, err)
	}
	again, err := json.Marshal(l)
	if err != nil || string(again) != `{"logs":3,"views":0}` {
		t.Errorf("%s, %v", again, err)
	}
	if _, err := limits.Parse([]byte(`{"logs":"many"}`)); err == nil {
		t.Error("text passes for a number")
	}
}

// TestSettings: flags change what they name and nothing else, and say what is wrong.
func TestSettings(t *testing.T) {
	values := limits.Defaults()
	if err := values.Set("logs=7, requests_per_second=0"); err != nil {
		t.Fatal(err)
	}
	want := limits.Defaults()
	want[limits.Logs], want[limits.Requests] = 7, 0
	if values != want {
		t.Errorf("they are %s", &values)
	}
	var again limits.Values
	if err := again.Set(values.String()); err != nil || again != values {
		t.Errorf("%s reads as %s: %v", &values, &again, err)
	}
	if err := again.Set("none,logs=3"); err != nil || again != (limits.Values{limits.Logs: 3}) {
		t.Errorf("none,logs=3 reads as %s: %v", &again, err)
	}
	for _, text := range []string{"", "log=7", "logs", "logs=", "logs=many", "logs=-1", "logs=1.5", "logs=1,", "logs=9999999999999999"} {
		var invalid *limits.InvalidError
		if err := values.Set(text); !errors.As(err, &invalid) || invalid.Detail == "" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

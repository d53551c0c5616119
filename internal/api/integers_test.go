package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// documented is what the walk over all integers reads of the description.
type documented struct {
	Paths map[string]map[string]struct {
		Parameters  []parameterSchema
		RequestBody struct {
			Content map[string]struct{ Schema integerSchema }
		} `json:"requestBody"`
	}
	Components struct{ Schemas map[string]integerSchema }
}

type parameterSchema struct {
	Name, In string
	Schema   integerSchema
}

type integerSchema struct {
	Type             any
	Format           string
	Minimum, Maximum *float64
	Ref              string `json:"$ref"`
	Properties       map[string]integerSchema
}

func (s integerSchema) isInteger() bool { return strings.Contains(fmt.Sprint(s.Type), "integer") }

// beyond are what an integer of 64 bits cannot hold.
var beyond = []string{"9223372036854775808", "18446744073709551617", "-9223372036854775809", "1e400"}

// wrapping are what one of 32 bits or fewer would take for a small one.
var wrapping = []string{"2147483648", "4294967295", "4294967296", "4294967297", "-4294967295", "9223372036854775807"}

// TestIntegersDoNotWrap tries every integer that an operation takes, in its path, query, headers and body, with values that would be others
// if they were cut to 32 or 64 bits.
func TestIntegersDoNotWrap(t *testing.T) {
	d := openDoor(t)
	d.want(http.StatusCreated, d.as(d.owner, "POST", "/logs/in-1/append_batch", "{}\n{}")) // so that 1 is not all that there is
	d.want(http.StatusCreated, d.as(d.owner, "PUT", "/sources/gateway", `{"log":"in-1","id":"{/n}","keep":true}`))
	spec := decode[documented](t, d.want(http.StatusOK, d.call("GET", "/openapi.json", "")))
	tried := 0
	for path, methods := range spec.Paths {
		for method, described := range methods {
			name := strings.ToUpper(method) + " " + path
			for _, p := range described.Parameters {
				if p.Schema.isInteger() {
					tried++
					d.tryParameter(name, p)
				}
			}
			for _, media := range described.RequestBody.Content {
				schema := spec.Components.Schemas[strings.TrimPrefix(media.Schema.Ref, "#/components/schemas/")]
				for member, s := range schema.Properties {
					if s.isInteger() {
						tried++
						d.tryMember(name, member, s)
					}
				}
			}
		}
	}
	if tried < 25 {
		t.Errorf("only %d integers were found", tried)
	}
}

// with does an operation of the table by a credential that may do it, with one parameter more.
func (d *frontDoor) with(name string, p parameterSchema, value string) reply {
	d.t.Helper()
	o := operations[name]
	method, path, _ := strings.Cut(name, " ")
	if o.path != "" {
		path = o.path
	}
	headers := []string{"Authorization: Bearer " + d.credential(o)}
	switch p.In {
	case "path":
		path = strings.ReplaceAll(path, "{"+p.Name+"}", value)
	case "query":
		before, query, _ := strings.Cut(path, "?")
		values, err := url.ParseQuery(query)
		if err != nil {
			d.t.Fatal(err)
		}
		values.Set(p.Name, value)
		path = before + "?" + values.Encode()
	case "header":
		headers = append(headers, p.Name+": "+value)
	}
	may, _, _ := strings.Cut(o.scopes, " ")
	body := d.fill(strings.ReplaceAll(o.body, "{may}", may), true)
	return d.send(method, d.fill(path, true), body, o.stream, headers...)
}

func (d *frontDoor) credential(o operation) string {
	if o.scopes == "operator" {
		return d.operator
	}
	return d.owner
}

func (d *frontDoor) tryParameter(name string, p parameterSchema) {
	d.t.Helper()
	what := fmt.Sprintf("%s with the %s parameter %s of ", name, p.In, p.Name)
	for _, value := range beyond {
		if r := d.with(name, p, value); r.status < 400 || r.status >= 500 {
			d.t.Errorf("%s%s: %d %s", what, value, r.status, r.body)
		}
	}
	if p.Schema.Maximum != nil && *p.Schema.Maximum <= math.MaxInt32 {
		for _, value := range append(wrapping, fmt.Sprintf("%.0f", *p.Schema.Maximum+1)) {
			if r := d.with(name, p, value); r.status < 400 || r.status >= 500 {
				d.t.Errorf("%s%s, above %.0f: %d %s", what, value, *p.Schema.Maximum, r.status, r.body)
			}
		}
		return
	}
	if p.Schema.Format != "int64" {
		d.t.Errorf("%s has the format %q and no maximum", what, p.Schema.Format)
	}
	small, large := d.with(name, p, "1"), d.with(name, p, "4294967297")
	if small.status < 300 && small.status == large.status && string(small.body) == string(large.body) && !operations[name].stream {
		d.t.Errorf("%s1 and 4294967297 is answered alike: %d %s", what, small.status, small.body)
	}
}

func (d *frontDoor) tryMember(name, member string, s integerSchema) {
	d.t.Helper()
	o := operations[name]
	method, path, _ := strings.Cut(name, " ")
	if o.path != "" {
		path = o.path
	}
	values := slices.Clone(beyond)
	if s.Format == "int32" || s.Maximum != nil && *s.Maximum <= math.MaxInt32 {
		values = append(values, wrapping...)
	}
	if s.Format == "" {
		d.t.Errorf("%s: the member %s has no format", name, member)
	}
	for _, value := range values {
		may, _, _ := strings.Cut(o.scopes, " ")
		body := map[string]json.RawMessage{}
		if err := json.Unmarshal([]byte(d.fill(strings.ReplaceAll(o.body, "{may}", may), true)), &body); err != nil {
			d.t.Fatalf("%s: the body of the table: %v", name, err)
		}
		body[member] = json.RawMessage(value)
		var members []string
		for _, key := range slices.Sorted(maps.Keys(body)) {
			members = append(members, fmt.Sprintf("%q:%s", key, body[key]))
		}
		r := d.as(d.credential(o), method, d.fill(path, true), "{"+strings.Join(members, ",")+"}")
		if r.status < 400 || r.status >= 500 {
			d.t.Errorf("%s with the member %s of %s: %d %s", name, member, value, r.status, r.body)
		}
	}
}
